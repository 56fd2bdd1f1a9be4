"""How ingestion keeps up, what people asked it for, and the versions of a file: the ledger alone.

A file *waits* from its arrival in the store until its first commit; one that is read again does
not.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl
from sqlalchemy import Connection, exists, func, select

from pipeline import fields
from pipeline.localtime import to_us
from pipeline.reread import PLANNED
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger
from pipeline.storage.requests import OPEN, REREAD
from pipeline.storage.sql import clock
from queries.deliveries import INSTANT

HOUR_US = 3_600_000_000
#: Ingestion is current while no file has waited for longer.
CURRENT_US = HOUR_US
#: Points of the age over time, none of less than a minute.
POINTS = 96
SHORTEST_US = 60_000_000

WAITS = {"arrived": pl.Int64, "taken": pl.Int64}


@dataclass(frozen=True)
class Availability:
    """Closed hours since the first run ``of`` which ingestion was current in ``current``."""

    current: int
    of: int


def availability(
    ledger: Ledger, start: datetime, end: datetime, districts: Sequence[str] = ()
) -> Availability:
    """Share of the closed hours in [start, end) in which no file waited for more than an hour."""
    with ledger.read() as connection:
        now, begun = clock(connection), _begun(connection)
        low = -(-max(to_us(start), begun) // HOUR_US) * HOUR_US
        high = min(to_us(end), now) // HOUR_US * HOUR_US
        late = _waits(connection, (low, high), now, districts, CURRENT_US)
    hours = range(low, high, HOUR_US)
    behind = set[int]()
    for arrived, taken in late.iter_rows():
        first = (arrived + CURRENT_US) // HOUR_US * HOUR_US
        behind.update(range(max(first, low), min(taken, high), HOUR_US))
    return Availability(len(hours) - len(behind), len(hours))


def oldest_waiting(ledger: Ledger, hours: int = 24) -> pl.DataFrame:
    """Age of the longest waiting file over the last hours: one row a stretch of time.

    ``at`` (UTC, its end), ``age_s``: the greatest age within it; 0 where nothing waited.
    """
    with ledger.read() as connection:
        now = clock(connection)
        low = max(now - hours * HOUR_US, min(_begun(connection), now))
        waits = _waits(connection, (low, now), now)
    size = max((now - low) // POINTS, SHORTEST_US)
    edges = list(range(now, low, -size))[::-1]
    # Arrays: a filter of a frame takes longer to begin than these take for all files.
    arrived, taken = (waits[name].to_numpy() for name in WAITS)
    ages = []
    for edge in edges:
        there = (arrived < edge) & (taken > edge - size)
        age = (np.minimum(taken, edge) - arrived)[there].max(initial=0)
        ages.append(float(age) / 1e6)
    frame = pl.DataFrame({"at": edges, "age_s": ages}, schema={"at": pl.Int64, "age_s": pl.Float64})
    return frame.with_columns(pl.col("at").cast(INSTANT))


def _begun(connection: Connection) -> int:
    """When work began here: nothing was late before that."""
    first = connection.execute(select(func.min(t.runs.c.started_at))).scalar_one_or_none()
    return clock(connection) if first is None else int(first)


def _waits(
    connection: Connection,
    span: tuple[int, int],
    now: int,
    districts: Iterable[str] = (),
    least: int = 0,
) -> pl.DataFrame:
    """arrived, taken (µs) of every file that waited in [low, high), and for more than ``least``.

    A file that was read again waited until it was read first.
    """
    (low, high), k, o = span, t.raw_keys.c, t.raw_objects.c
    e = t.raw_objects.alias().c
    before = exists().where(
        e.key == o.key, e.arrived_at == o.arrived_at, e.committed_at < o.committed_at
    )
    done = select(o.arrived_at, o.committed_at).where(
        o.committed_at > low, o.arrived_at < high, o.committed_at - o.arrived_at > least, ~before
    )
    open_ = select(k.arrived_at).where(
        k.state == "pending", k.reread.is_(False), k.arrived_at < min(high, now - least)
    )
    if names := list(districts):
        done, open_ = done.where(o.district.in_(names)), open_.where(k.district.in_(names))
    rows = [tuple(row) for row in connection.execute(done).all()]
    rows += [(row.arrived_at, now) for row in connection.execute(open_)]
    return pl.DataFrame(rows, schema=WAITS, orient="row")


def versions(ledger: Ledger, district: str, deviceid: str, hour: str) -> pl.DataFrame:
    """Every version of the files of a device-hour, newest first, with what became of it.

    Among them keys that have no version: waiting, or set aside before one could be read.
    """
    k, o = t.raw_keys.c, t.raw_objects.c
    query = (
        select(
            k.key,
            func.coalesce(o.status, k.state).label("status"),
            k.state,
            o.dead_at.is_not(None).label("replaced"),
            func.coalesce(o.arrived_at, k.arrived_at).label("arrived_at"),
            o.committed_at,
            func.coalesce(o.size, k.size).label("size"),
            *(o[name] for name in ("lines", "accepted", "duplicate", "quarantined", "blank")),
            o.overlapped,
            o.flags,
            func.coalesce(o.error, k.error).label("error"),
            o.rules_version,
        )
        .select_from(t.raw_keys.outerjoin(t.raw_objects, o.key == k.key))
        .where(k.district == district, k.deviceid == deviceid, k.hour == hour)
        .order_by(k.key, o.committed_at.desc())
    )
    numbers = ("size", "lines", "accepted", "duplicate", "quarantined", "blank", "overlapped")
    types = dict.fromkeys((*numbers, "rules_version"), pl.Int64)
    return _frame(ledger, query, {**types, "replaced": pl.Boolean})


def stale_rules(ledger: Ledger) -> dict[int, int]:
    """Live versions that were read by other rules than today's: their rules → how many."""
    o = t.raw_objects.c
    query = select(o.rules_version, func.count()).where(o.dead_at.is_(None))
    query = query.group_by(o.rules_version).order_by(o.rules_version)
    today = fields.RULES_VERSION
    # Not "another one": both ends of an index are looked up, what is between them is not.
    both = [query.where(o.rules_version < today), query.where(o.rules_version > today)]
    with ledger.read() as connection:
        rows = [row for one in both for row in connection.execute(one)]
    return {int(row[0]): int(row[1]) for row in rows}


def leader(ledger: Ledger) -> str | None:
    """The worker that builds, compacts and reads again; None while there is none."""
    n = t.leases.c
    with ledger.read() as connection:
        query = select(n.holder).where(n.name == "scheduler", n.expires_at > clock(connection))
        return connection.execute(query).scalar_one_or_none()


REQUESTS = {
    "id": pl.Int64,
    "kind": pl.String,
    "who": pl.String,
    "asked_at": pl.Int64,
    "taken_at": pl.Int64,
    "ended_at": pl.Int64,
    "state": pl.String,
    "detail": pl.String,
    "result": pl.String,
    "error": pl.String,
}


def requests(ledger: Ledger, limit: int = 50) -> pl.DataFrame:
    """What people asked for, newest first; ``done`` of ``files`` are read again, so far."""
    r = t.requests.c
    query = select(*(r[name] for name in REQUESTS)).order_by(r.id.desc()).limit(limit)
    frame = _frame(ledger, query, REQUESTS)
    counts = [_counts(ledger, row) for row in frame.iter_rows(named=True)]
    schema = {"done": pl.Int64, "files": pl.Int64, "failed": pl.Int64, "gone": pl.Int64}
    return frame.hstack(pl.DataFrame(counts, schema=schema, orient="row"))


def _counts(ledger: Ledger, row: dict[str, str]) -> tuple[int | None, ...]:
    if row["kind"] != REREAD:
        return None, None, None, None
    result, planned = json.loads(row["result"]), json.loads(row["detail"]).get(PLANNED, {})
    done, portion = result.get("done", 0), result.get("portion", [])
    if portion and row["state"] in OPEN:
        k = t.raw_keys.c
        left = select(func.count()).where(k.key.in_(portion), k.state == "pending", k.reread)
        with ledger.read() as connection:
            done += len(portion) - int(connection.execute(left).scalar_one())
    return done, planned.get("files", 0), result.get("failed", 0), result.get("gone", 0)


def _frame(ledger: Ledger, query: Any, types: Mapping[str, Any]) -> pl.DataFrame:
    """Rows as a frame; columns named ``*_at`` become UTC instants."""
    with ledger.read() as connection:
        result = connection.execute(query)
        names = list(map(str, result.keys()))
        rows = [tuple(row) for row in result]
    times = [name for name in names if name.endswith("_at")]
    kinds = {name: types.get(name, pl.Int64 if name in times else pl.String) for name in names}
    frame = pl.DataFrame(rows, schema=kinds, orient="row")
    return frame.with_columns(pl.col(name).cast(INSTANT) for name in times)
