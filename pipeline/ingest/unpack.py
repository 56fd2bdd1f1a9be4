"""One raw object, read once: its bytes are hashed, checked and unpacked from the same read."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass

from isal import igzip, isal_zlib

from pipeline.errors import ObjectChanged, RefusedByFastPath
from pipeline.storage.objects import Store
from pipeline.storage.records import RawFile

GZIP_MAGIC = b"\x1f\x8b"

#: isal has no type hints; its error is an exception class.
GZIP_ERROR: type[Exception] = isal_zlib.error  # type: ignore[assignment]


@dataclass(frozen=True)
class Spooled:
    """An object as delivered: packed bytes and their hash."""

    packed: bytes
    sha256: str


def spool(store: Store, file: RawFile) -> Spooled:
    """Read and hash an object. Raises ObjectChanged when it is not the one that was claimed."""
    packed = store.read(file.key)
    now = store.stat(file.key)
    if now is None or now.etag != file.etag:
        raise ObjectChanged(file.key)
    return Spooled(packed, hashlib.sha256(packed).hexdigest())


def source_id(key: str, sha256: str, again: int = 0) -> int:
    """``_src``: 63 bits of the hash of key and content.

    It can be computed anew from the raw file alone, so a lost ledger can be rebuilt, and a retry
    after a crash writes the same rows. ``again`` counts the earlier versions with this content:
    a file that was replaced and then came back, or was read anew by later rules.
    """
    text = f"{key}\n{sha256}" + (f"\n{again}" if again else "")
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def has_longer_line(text: bytes, longest: int) -> bool:
    """True when a line has more than ``longest`` bytes. Looks at a few bytes in so many only."""
    at = 0
    while len(text) - at > longest:
        end = text.rfind(b"\n", at, at + longest + 1)
        if end < 0:
            return True
        at = end + 1
    return False


def unpack(packed: bytes, limit: int) -> bytes:
    """The text of one whole gzip member with a right CRC.

    Raises RefusedByFastPath for everything else: torn, wrong CRC, several members, no gzip, or
    larger than ``limit``.
    """
    if not packed.startswith(GZIP_MAGIC):
        raise RefusedByFastPath("not gzip" if packed else "empty file")
    # What the trailer says is only where to put it: a buffer that need not grow halves the time.
    size = int.from_bytes(packed[-4:], "little")
    if size > limit:
        raise RefusedByFastPath("torn, or too large")
    try:
        with igzip.IGzipFile(fileobj=io.BytesIO(packed)) as file:  # type: ignore[no-untyped-call]
            text: bytes = file.read(size)
            more = file.read(1)
    except (OSError, EOFError, GZIP_ERROR) as error:
        raise RefusedByFastPath(f"gzip: {error}") from error
    if more or len(text) != size:
        raise RefusedByFastPath("several members, or bytes after the first")
    return text
