"""Counts a raw tree with nothing but zlib and json: shares no code with the simulator."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Count:
    files: int = 0
    lines: int = 0
    bad: int = 0
    blank: int = 0
    seconds: set[tuple[str, int]] = field(default_factory=set)


def unpack(data: bytes) -> bytes:
    """All that can be inflated, whatever the trailer says. Our headers are 10 bytes long."""
    return zlib.decompressobj(-15).decompress(data[10:]) if len(data) > 10 else b""


def _refuse(word: str) -> None:
    raise ValueError(word)


def epoch_us(line: bytes, latest: float) -> int | None:
    """Time of a line in µs, or None for a bad one; ``latest`` is the last legal epoch second."""
    try:
        row = json.loads(line.decode("utf-8"), parse_constant=_refuse)
        beat = row["heartbeat"]
    except (ValueError, KeyError, TypeError):
        return None
    if not isinstance(beat, (int, float)) or beat < 0:
        return None
    tick = 1 if beat < 1e10 else 10**3 if beat < 1e13 else 10**6 if beat < 1e16 else 10**9
    us = beat * 10**6 // tick
    return int(us) if 1577836800 * 10**6 <= us <= latest * 10**6 else None


def recount(raw: Path, wanted: Callable[[Path], bool] = lambda path: True) -> Count:
    total = Count()
    for path in filter(wanted, sorted(raw.rglob("*.txt.gz"))):
        total.files += 1
        pieces = unpack(path.read_bytes()).split(b"\n")
        if pieces[-1] == b"":
            pieces.pop()
        latest = path.stat().st_mtime + 86_400
        for line in pieces:
            total.lines += 1
            if line.strip() == b"":
                total.blank += 1
                continue
            us = epoch_us(line, latest)
            if us is None:
                total.bad += 1
            else:
                total.seconds.add((path.parts[-3], us))
    return total
