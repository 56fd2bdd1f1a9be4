"""What ought to be visible, worked out in plain Python from what was delivered and when."""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.make import deliver, text

Second = tuple[str, int]


@dataclass(frozen=True)
class Version:
    """One content of a key: its rows in the order of the file, and whether it came whole."""

    key: str
    device: str
    arrived: int
    seconds: tuple[tuple[int, float], ...]
    whole: bool
    content: bytes


@dataclass
class Model:
    """Deliveries that wait, and versions that were taken in, newest last."""

    raw: Path
    waiting: dict[str, Version] = field(default_factory=dict)
    live: dict[str, list[Version]] = field(default_factory=dict)
    clock: int = 1_770_000_000

    def deliver(self, hour: str, device: str, lines: list[dict[str, Any]], damage: str) -> None:
        """Write a raw file; every delivery arrives ten seconds after the one before."""
        self.clock += 10
        body, good = text(lines), lines
        packed = gzip.compress(body, mtime=0)
        if damage == "crc":
            packed = packed[:-8] + bytes([packed[-8] ^ 1]) + packed[-7:]
        elif damage == "line":
            body = b"{broken\n" + body
            packed = gzip.compress(body, mtime=0)
        elif damage == "torn":
            whole = body.rstrip(b"\n").rsplit(b"\n", 1)
            good = lines[:-1]
            body = whole[0] + b"\n" + whole[-1][:5] if len(lines) > 1 else whole[-1][:5]
            packed = gzip.compress(body, mtime=0)[:-8]
        elif damage == "rubbish":
            packed, good = b"\x1f\x8bnonsense", []
        key = deliver(self.raw, hour, packed, device=device, arrived=self.clock, packed=False)
        seconds = tuple((row["heartbeat"], row["VehicleSpeed"]) for row in good)
        whole_file = damage in ("", "line")
        self.waiting[key] = Version(key, device, self.clock, seconds, whole_file, packed)

    def take_in(self) -> None:
        """All that waits has been read."""
        for key, version in self.waiting.items():
            live = self.live.setdefault(key, [])
            if any(old.content == version.content for old in live):
                continue
            if version.whole:
                live.clear()
            live.append(version)
        self.waiting.clear()

    def visible(self) -> dict[Second, float]:
        """(device, epoch) → speed: the later arrival wins, a damaged version only adds."""
        best: dict[Second, tuple[tuple[float, str], float]] = {}
        for key, versions in self.live.items():
            ceiling = float("inf")
            for version in versions:
                rank = min(float(version.arrived), ceiling)
                ceiling = rank - 0.001
                last = dict(version.seconds)
                for second, speed in last.items():
                    at = (version.device, second)
                    if at not in best or best[at][0] < (rank, key):
                        best[at] = ((rank, key), speed)
        return {at: speed for at, (_, speed) in best.items()}
