"""Raw files made by hand, for tests: a device-hour whose every line is known."""

from __future__ import annotations

import gzip
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

ZONE = "Asia/Makassar"
DISTRICT = "MLKB"


def epoch(hour: str, zone: str = ZONE) -> int:
    """First second (epoch) of a local path hour."""
    local = datetime.strptime(hour, "%Y%m%d%H").replace(tzinfo=ZoneInfo(zone))
    return int(local.astimezone(UTC).timestamp())


def rows(hour: str, seconds: int = 60, device: str = "HW-1", **values: Any) -> list[dict[str, Any]]:
    """One row a second from the hour's start; ``values`` are set in every row."""
    start = epoch(hour)
    base = {"deviceid": device, "unitno": "DT101", "dstrct_code": DISTRICT, "unittype": "dump"}
    return [
        {"heartbeat": start + i, **base, "VehicleSpeed": 10.0 + i, **values} for i in range(seconds)
    ]


def text(lines: list[dict[str, Any]]) -> bytes:
    """NDJSON without spaces, as devices write it."""
    return b"".join(json.dumps(line, separators=(",", ":")).encode() + b"\n" for line in lines)


def deliver(
    raw: Path,
    hour: str,
    content: bytes | list[dict[str, Any]],
    *,
    device: str = "HW-1",
    district: str = DISTRICT,
    arrived: int | None = None,
    packed: bool = True,
) -> str:
    """Write a raw file and return its key; it arrives a minute after its hour by default."""
    body = content if isinstance(content, bytes) else text(content)
    path = raw / district / device / hour / f"{hour}.txt.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(body, mtime=0) if packed else body)
    at = arrived if arrived is not None else epoch(hour) + 3660
    os.utime(path, (at, at))
    return str(path.relative_to(raw))
