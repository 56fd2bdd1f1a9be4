"""What happens to a file between the device and the store, and what can be read of it then."""

from __future__ import annotations

import io
import re
import zlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from isal import igzip

from .seeds import I64, Bool, stream
from .spec import SECONDS

#: kind: share of device-hours in a typical week
KINDS = {
    "lost": 0.003,
    "torn": 0.004,
    "torn_resent": 0.004,
    "malformed": 0.006,
    "duplicates": 0.005,
    "resent": 0.004,
    "clock": 0.003,
    "overlap": 0.004,
    "crc": 0.0008,
    "empty": 0.0006,
    "blank": 0.001,
}
OVERLAP = 45  # s of the hour before that an overlapping file repeats
CLOCKS = (0, 315_360_000)  # 1970, and ten years ahead


@dataclass
class Version:
    """One upload: its bytes and what is recoverable. ``lines`` counts every line there is."""

    data: bytes
    delay: int  # s after the first arrival
    lines: int
    bad: int
    blank: int
    rows: int
    kind: str
    readable: Bool  # by second of the hour


def kind_of(seed: int, unit: int, start: int, severity: float) -> str:
    """The fault that befalls the file of the hour from ``start``; '' mostly."""
    if not severity:
        return ""
    at = float(stream(seed, "file", unit, start).random())
    for kind, share in KINDS.items():
        at -= share * severity
        if at < 0:
            return kind
    return ""


def pack(text: bytes) -> bytes:
    """gzip with no time or name in its header: the same text gives the same bytes."""
    buffer = io.BytesIO()
    make: Any = igzip.GzipFile  # isal's types are incomplete
    with make(fileobj=buffer, mode="wb", filename="", compresslevel=1, mtime=0) as file:
        file.write(text)
    return buffer.getvalue()


def versions(
    text: bytes, kept: Bool, kind: str, tail: list[bytes], rng: np.random.Generator
) -> list[Version]:
    """All uploads of an hour: ``text`` holds one line for each second in ``kept``.

    ``tail`` are the last lines of the hour before, for a file that overlaps it.
    """
    seconds = np.flatnonzero(kept)
    whole = Version(b"", 0, len(seconds), 0, 0, len(seconds), kind, kept)
    later = int(rng.uniform(600, 6 * 3600))
    if kind in ("torn", "torn_resent"):
        torn = tear(pack(text), seconds, rng)
        if kind == "torn":
            return [torn]
        whole.data, whole.delay = pack(text), later
        return [torn, whole]
    if kind == "empty":
        return [Version(b"", 0, 0, 0, 0, 0, kind, np.zeros(SECONDS, np.bool_))]
    if kind == "crc":
        data = bytearray(pack(text))
        data[-8] ^= 0x55
        whole.data = bytes(data)
        return [whole]
    if kind in ("malformed", "clock", "duplicates", "blank", "overlap"):
        text = _rewrite(text, seconds, whole, tail, rng)
    whole.data = pack(text)
    if kind == "resent":
        again = replace(whole, delay=later)
        return [whole, again]
    return [whole]


def tear(data: bytes, seconds: I64, rng: np.random.Generator) -> Version:
    """Cut a gzip: every whole line before the tear is readable, the rest of one is bad."""
    cut = int(len(data) * rng.uniform(0.15, 0.95))
    text = b""
    while cut > 20:
        text = zlib.decompressobj(31).decompress(data[:cut])
        if text and not text.endswith(b"\n"):
            break
        cut -= 1
    rows = text.count(b"\n")
    readable = np.zeros(SECONDS, np.bool_)
    readable[seconds[:rows]] = True
    return Version(data[:cut], 0, rows + 1, 1, 0, rows, "torn", readable)


def _rewrite(
    text: bytes, seconds: I64, version: Version, tail: list[bytes],
    rng: np.random.Generator,
) -> bytes:  # fmt: skip
    lines = text.split(b"\n")[:-1]
    version.readable = version.readable.copy()
    if version.kind == "malformed":
        for i in rng.choice(len(lines), min(len(lines), int(rng.integers(1, 30))), replace=False):
            lines[i] = spoil(lines[i], rng)
            version.readable[seconds[i]] = False
            version.bad += 1
    elif version.kind == "clock":
        first = int(rng.integers(len(lines)))
        ahead = CLOCKS[int(rng.integers(2))]
        for i in range(first, min(len(lines), first + int(rng.integers(30, 280)))):
            lines[i] = shift_clock(lines[i], i - first, ahead)
            version.readable[seconds[i]] = False
            version.bad += 1
    elif version.kind == "duplicates":
        first = int(rng.integers(len(lines)))
        again = lines[first : first + int(rng.integers(1, 120))]
        lines[first + len(again) : first + len(again)] = again
    elif version.kind == "blank":
        for _ in range(int(rng.integers(1, 6))):
            lines.insert(int(rng.integers(len(lines) + 1)), (b"", b"   ")[int(rng.integers(2))])
            version.blank += 1
    else:
        lines = [*tail, *lines]
    version.lines = len(lines)
    version.rows = len(seconds) - version.bad
    return b"\n".join(lines) + b"\n"


def shift_clock(line: bytes, second: int, ahead: int) -> bytes:
    """The same line by a clock that starts at 1970 (``ahead`` 0) or runs years ahead."""
    begin, end = len(b'{"heartbeat":'), line.index(b",")
    beat = int(line[begin:end])
    tick = 10 ** (max(0, len(str(beat)) - 10) // 3 * 3)
    shifted = (second + 12 if not ahead else beat // tick + ahead) * tick
    return line[:begin] + str(shifted).encode() + line[end:]


def spoil(line: bytes, rng: np.random.Generator) -> bytes:
    """Make a line bad: in none of these ways is it strict JSON with a time."""
    ways = (
        line[: int(rng.integers(20, len(line) - 2))],
        b"\x00" * int(rng.integers(40, 400)),
        line[:200] + b"\xff\xfe\xc0" + line[203:],
        re.sub(rb'"cpuload":[^,]+', b'"cpuload":NaN', line),
        re.sub(rb'"heartbeat":[^,]+,', b"", line),
        re.sub(rb'"heartbeat":[^,]+', b'"heartbeat":-9999', line),
        b"\xef\xbb\xbf" + line,
    )
    return ways[int(rng.integers(len(ways)))]
