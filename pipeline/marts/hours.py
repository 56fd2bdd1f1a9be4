"""Which hours of a day are to be computed from seconds again.

An hour's rows are a function of the live object versions that reach into it (decision 007) and of
which of their rows are beaten, for an object of another district may beat them. What is computed of
them is one of these rows and of the project's own words. So an hour carries a fingerprint of all
this; it is built anew when that is another than when it was built. Compaction changes none.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from sqlalchemy import Connection, select

from pipeline import localtime
from pipeline.marts.catalogue import PROJECT
from pipeline.settings import Settings
from pipeline.storage import tables as t
from pipeline.storage.records import Partition

HOUR = 3_600_000_000
#: What an hour's figures need of the time before it: the longest hold time of a band and the
#: hysteresis of moving. They need nothing of the time after it, or each hour would be built twice.
BEFORE = 16 * 60_000_000


@dataclass(frozen=True)
class Hour:
    """One hour of a (day, district); ``start`` in µs, ``rows`` an estimate of what it holds."""

    hiveperiod: str
    dstrct_code: str
    start: int
    rows: int
    fingerprint: str

    @property
    def end(self) -> int:
        """µs of the first instant after it."""
        return self.start + HOUR


@cache
def logic() -> str:
    """Hash of the project's models: other words make other figures."""
    digest = hashlib.sha256()
    for path in sorted(PROJECT.rglob("*")):
        if path.suffix in (".sql", ".yml"):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def of(connection: Connection, settings: Settings, part: Partition) -> list[Hour]:
    """Every hour of a partition; one without rows has no fingerprint."""
    start, end = localtime.day_span(part.hiveperiod, settings.zone_of(part.dstrct_code))
    first, last = localtime.to_us(start), localtime.to_us(end)
    o, b = t.raw_objects.c, t.beaten.c
    columns = (o.id, o.rank_at, o.flags, o.accepted, o.overlapped, o.min_ts, o.max_ts)
    reaching = (
        o.district == part.dstrct_code,
        o.dead_at.is_(None),
        o.accepted > 0,
        o.max_ts >= first - BEFORE,
        o.min_ts < last,
    )
    objects = connection.execute(select(*columns).where(*reaching).order_by(o.id)).all()
    overlapped = select(o.id).where(*reaching, o.overlapped > 0)
    runs = select(b.src, b.lo, b.hi).where(b.src.in_(overlapped)).order_by(b.src, b.lo)
    some = any(row.overlapped for row in objects)
    beaten = connection.execute(runs).all() if some else []
    found = []
    for begin in range(first, last, HOUR):
        digest, rows = hashlib.sha256(logic().encode()), 0.0
        near = [
            row for row in objects if row.min_ts < begin + HOUR and row.max_ts >= begin - BEFORE
        ]
        for row in near:
            digest.update(f"{row.id} {row.rank_at} {row.flags}".encode())
            shared = min(row.max_ts + 1, begin + HOUR) - max(row.min_ts, begin)
            rows += row.accepted * max(0, shared) / (row.max_ts + 1 - row.min_ts)
        for run in beaten:
            if run.lo < begin + HOUR and run.hi >= begin - BEFORE:
                digest.update(f"-{run.src} {run.lo} {run.hi}".encode())
        name = digest.hexdigest()[:16] if near else ""
        found.append(Hour(part.hiveperiod, part.dstrct_code, begin, round(rows), name))
    return found


def built(connection: Connection, part: Partition) -> dict[int, str]:
    """Fingerprints of the hours as they are published: start in µs → fingerprint."""
    p = t.partitions.c
    query = select(p.hours).where(
        p.hiveperiod == part.hiveperiod, p.dstrct_code == part.dstrct_code
    )
    text = connection.execute(query).scalar()
    return {int(start): name for start, name in json.loads(text).items()} if text else {}


def as_text(hours: Iterable[Hour]) -> str:
    """What the ledger keeps of a partition's hours."""
    return json.dumps({str(hour.start): hour.fingerprint for hour in hours if hour.fingerprint})


def stale(hours: Sequence[Hour], before: dict[int, str]) -> list[Hour]:
    """Hours that are not what was published of them, also those that have no rows any more."""
    return [hour for hour in hours if hour.fingerprint != before.get(hour.start, "")]
