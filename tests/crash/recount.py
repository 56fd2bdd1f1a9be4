"""What ought to be visible, told from raw files with zlib and json alone: no code of the pipeline.

The rules: a line is a row unless it is no strict JSON object or has no usable heartbeat; inside an
object the last line of a second counts; of two objects with one second the later arrival counts,
and of two that arrived together the one with the larger key.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn

MAGIC = b"\x1f\x8b"
FIRST = 1_577_836_800_000_000
DAY = 86_400_000_000

#: (device, µs since 1970)
Second = tuple[str, int]


@dataclass(frozen=True)
class Version:
    """One content of a raw file, and when it came (µs)."""

    key: str
    arrived: int
    packed: bytes

    @property
    def device(self) -> str:
        return self.key.split("/")[1]

    @property
    def rank(self) -> tuple[int, str]:
        return self.arrived, self.key


@dataclass(frozen=True)
class Row:
    """A visible row: its file, its line there, and one value of it."""

    key: str
    line: int
    speed: float | None


def from_folder(raw: Path) -> list[Version]:
    """Every raw file as it lies there now."""
    return [version_of(raw, str(path.relative_to(raw))) for path in sorted(raw.rglob("*.txt.gz"))]


def version_of(raw: Path, key: str) -> Version:
    """A raw file as it is now."""
    path = raw / key
    return Version(key, path.stat().st_mtime_ns // 1000, path.read_bytes())


def expected(versions: Iterable[Version]) -> dict[Second, Row]:
    """The visible rows when exactly these versions have been taken in."""
    seen: dict[Second, Row] = {}
    for version in sorted(versions, key=lambda version: version.rank):
        seen |= rows(version)  # later ones cover earlier ones
    return seen


@lru_cache(maxsize=10_000)
def rows(version: Version) -> dict[Second, Row]:
    """The rows of one object, each second once."""
    text, torn = unpack(version.packed)
    lines = text.split(b"\n")
    if torn or not lines[-1]:
        lines.pop()  # the tail of a torn file is no whole line
    found = {}
    for number, line in enumerate(lines, 1):
        row = _object(line)
        us = _microseconds(row.get("heartbeat"))
        if us is not None and FIRST <= us <= version.arrived + DAY:
            found[version.device, us] = Row(version.key, number, row.get("VehicleSpeed"))
    return found


def unpack(packed: bytes) -> tuple[bytes, bool]:
    """All that zlib gives, to the byte, and whether it ended too soon. Plain text is itself."""
    text, rest = bytearray(), packed
    if not packed.startswith(MAGIC):
        return packed, False
    while rest.startswith(MAGIC):
        inflate = zlib.decompressobj(31)
        try:
            for at in range(len(rest)):
                text += inflate.decompress(rest[at : at + 1])
        except zlib.error as error:
            return bytes(text), "check" not in str(error)  # a wrong checksum tears nothing off
        if not inflate.eof:
            return bytes(text), True
        rest = inflate.unused_data
    return bytes(text), False


def _object(line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(line.decode("utf-8"), parse_constant=_refuse)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _refuse(word: str) -> NoReturn:
    raise ValueError(word)


def _microseconds(beat: Any) -> int | None:
    """Heartbeats count s, ms, µs or ns; None when it is no number."""
    if isinstance(beat, bool) or not isinstance(beat, int | float) or not math.isfinite(beat):
        return None
    number: int | float = beat
    if number < 10**10:
        return round(number * 1_000_000)
    if number < 10**13:
        return round(number * 1_000)
    return int(number if number < 10**16 else number // 1_000)
