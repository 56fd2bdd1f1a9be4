"""What can still be unpacked of a damaged object: every byte before the damage.

Slow and exact, for the salvage path only. Reads with ``zlib``: isal's decompressor can stop a byte
or two before a tear.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

GZIP = 31
MAGIC = b"\x1f\x8b"
CHUNK = 64 * 1024

#: zlib's words for a trailer that does not fit the data, and how much of the trailer is left then.
_TRAILER = {"incorrect data check": 4, "incorrect length check": 0}


class TooLarge(Exception):
    """The unpacked text is beyond the limit."""


@dataclass
class Unpacked:
    """Text and what was wrong with its packing.

    ``torn`` means the text ends before it should; ``crc`` that a checksum does not fit, so digits
    may be wrong; ``trailing`` holds bytes behind the last member that are no gzip.
    """

    text: bytes = b""
    torn: bool = False
    crc: bool = False
    members: int = 0
    trailing: bytes = b""
    flags: list[str] = field(default_factory=list)


def gunzip(packed: bytes, limit: int) -> Unpacked:
    """Unpack all members. Raises TooLarge. What is no gzip at all is taken as plain text."""
    if not packed.startswith(MAGIC):
        if len(packed) > limit:
            raise TooLarge
        return Unpacked(packed, flags=["not gzip"] if packed else ["empty"])
    result, parts, room = Unpacked(), [], limit
    rest = packed
    while rest.startswith(MAGIC) and not result.torn:
        text, rest = _member(rest, room, result)
        parts.append(text)
        room -= len(text)
        result.members += 1
    if not result.torn:
        result.trailing = rest.rstrip(b"\0")
    result.text = b"".join(parts)
    named = {
        "torn": result.torn,
        "crc": result.crc,
        "members": result.members > 1,
        "trailing": bool(result.trailing),
    }
    result.flags = [name for name, present in named.items() if present]
    return result


def _member(packed: bytes, limit: int, result: Unpacked) -> tuple[bytes, bytes]:
    """One member's text and the bytes behind it; damage is noted in ``result``."""
    inflate = zlib.decompressobj(GZIP)
    parts: list[bytes] = []
    size, at = 0, 0
    while not inflate.eof:
        if at >= len(packed):
            result.torn = True
            return b"".join(parts), b""
        before = inflate.copy()
        chunk = packed[at : at + CHUNK]
        try:
            text = inflate.decompress(chunk, limit - size + 1)
            while inflate.unconsumed_tail and size + len(text) <= limit:
                text += inflate.decompress(inflate.unconsumed_tail, limit - size - len(text) + 1)
        except zlib.error:
            text, good, why = _to_the_byte(before, chunk)
            parts.append(text)
            if why in _TRAILER:
                result.crc = True
                return b"".join(parts), packed[at + good + 1 + _TRAILER[why] :]
            result.torn = True
            return b"".join(parts), b""
        parts.append(text)
        size += len(text)
        if size > limit:
            raise TooLarge
        at += len(chunk)
    return b"".join(parts), inflate.unused_data + packed[at:]


def _to_the_byte(inflate: zlib._Decompress, chunk: bytes) -> tuple[bytes, int, str]:
    """Feed single bytes until the error: (text before it, bytes taken, zlib's words)."""
    parts = []
    for good in range(len(chunk)):
        try:
            parts.append(inflate.decompress(chunk[good : good + 1]))
        except zlib.error as error:
            return b"".join(parts), good, str(error).rsplit(": ", 1)[-1]
    return b"".join(parts), len(chunk), ""
