"""Device-hours as the ledger knows them: what arrived, and which days a build has settled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any

import polars as pl
from sqlalchemy import ColumnElement, Connection, Select, Table, and_, false, or_, select

from pipeline.localtime import day_span
from pipeline.storage import tables as t
from pipeline.storage.records import DataFile
from pipeline.storage.sql import count_by, counter
from queries.scope import Scope

INSTANT = pl.Datetime("us", "UTC")

SETTLED = {"day": pl.String, "district": pl.String}

#: ``device_hour`` of the days that are settled, and of the others: files are told apart rather than
#: rows, for to compare a month of a fleet with a list of days takes longer than to sum it up.
SETTLED_HOUR, OPEN_HOUR = "settled_hour", "open_hour"
HALVES = dict.fromkeys((SETTLED_HOUR, OPEN_HOUR), "device_hour")


def settled(connection: Connection, scope: Scope) -> pl.DataFrame:
    """Days and districts of the scope whose ``device_hour`` says all that the ledger could.

    Built since anything of them changed, every hour closed, and no file of theirs waits or was set
    aside: a month of a fleet are 360,000 files that need not be summed up again.
    """
    done, _ = _settled(connection, scope)
    return pl.DataFrame(sorted(done), schema=SETTLED, orient="row")


def half(
    connection: Connection, scope: Scope, name: str, files: Iterable[DataFile]
) -> list[DataFile]:
    """Those of the mart's files that belong to one of its ``HALVES``."""
    done, _ = _settled(connection, scope)
    wanted = name == SETTLED_HOUR
    return [file for file in files if ((file.hiveperiod, file.dstrct_code) in done) == wanted]


def _settled(connection: Connection, scope: Scope) -> tuple[set[tuple[str, str]], set[str]]:
    """Settled (day, district)s, and every district of which there is a raw key."""
    p, k = t.partitions.c, t.raw_keys.c
    zones = {str(row[0]): str(row[1]) for row in connection.execute(select(t.zones))}
    query = select(p.hiveperiod, p.dstrct_code, p.closed_hours).where(
        p.built_version > 0,
        p.built_version >= p.data_version,
        p.built_version >= p.context_version,
        p.marts_expired_at.is_(None),
        p.hiveperiod.in_(scope.days or ()),
    )
    done = set()
    for row in connection.execute(query):
        day, district, closed = str(row[0]), str(row[1]), int(str(row[2]))
        if district in zones and (not scope.districts or district in scope.districts):
            start, end = day_span(day, zones[district])
            if closed >= (end - start).total_seconds() // 3600:
                done.add((day, district))
    open_ = select(k.hour, k.district).where(k.state.in_(("pending", "failed"))).distinct()
    hours = [(str(row[0]), str(row[1])) for row in connection.execute(open_) if row[0]]
    # What was taken in brought its zone along; what was not is pending or failed.
    districts = {*zones, *(name for _, name in hours)}
    waits = {(f"{hour[:4]}-{hour[4:6]}-{hour[6:8]}", name) for hour, name in hours}
    return done - waits, districts


def _unsettled(
    scope: Scope, done: Set[tuple[str, str]], districts: Set[str], table: Table
) -> ColumnElement[bool]:
    """Of raw keys or objects: those whose hour and district are to be asked of the ledger."""
    wanted = []
    # SQLite would rather walk through all objects of a district than through a day's hours.
    hour, district = table.c.hour, table.c.district.concat("")
    for day in scope.days or ():
        # A day with nothing to ask for is left out: its keys need not be looked at.
        left = [name for name in sorted(districts) if (day, name) not in done]
        left = [name for name in left if not scope.districts or name in scope.districts]
        if left:
            first = day.replace("-", "")
            wanted.append(and_(hour >= first + "00", hour <= first + "23", district.in_(left)))
    return or_(false(), *wanted)


#: What the ledger is asked for of raw keys, and of what came of them.
KEYS = {
    "key": pl.String,
    "district": pl.String,
    "deviceid": pl.String,
    "hour": pl.String,
    "state": pl.String,
    "arrived_at": pl.Int64,
}
OBJECTS = {
    "key": pl.String,
    "status": pl.String,
    "arrived_at": pl.Int64,
    "lines": pl.Int64,
    "accepted": pl.Int64,
    "overlapped": pl.Int64,
    "quarantined": pl.Int64,
    "unitno": pl.String,
    "min_ts": pl.Int64,
    "max_ts": pl.Int64,
}


#: What arrived, as it was last put together: several queries of a page ask for the same.
_arrived: dict[tuple[Any, ...], pl.DataFrame] = {}
#: Scopes that are kept so; the oldest goes first.
KEPT = 8


def arrivals(connection: Connection, scope: Scope) -> pl.DataFrame:
    """What arrived, by device and hour, of the days that no build has settled."""
    done, districts = _settled(connection, scope)
    place = (str(connection.engine.url), scope.first, scope.last, scope.districts)
    # What changes it moves the data's version, or the number of files that wait or were set aside.
    k = t.raw_keys.c
    states = count_by(connection, k.state, k.state.in_(("pending", "failed", "ignored")))
    state = (counter(connection, "data"), *sorted(states.items()))
    moment = (*place, frozenset(done), frozenset(districts), *state)
    found = _arrived.get(moment)
    if found is None:
        keys, objects = (_unsettled(scope, done, districts, x) for x in (t.raw_keys, t.raw_objects))
        found = _arrived[moment] = _arrivals(connection, keys, objects)
        for old in list(_arrived)[:-KEPT]:
            _arrived.pop(old, None)
    return found


def _arrivals(
    connection: Connection, own_keys: ColumnElement[bool], own_objects: ColumnElement[bool]
) -> pl.DataFrame:
    """The same from the ledger, of some keys and of their objects.

    A fleet has ten thousands of files a day: keys and objects are read apart, each along the index
    of its hours, and put together here, which takes half the time of a join in SQLite.
    """
    k, o = t.raw_keys, t.raw_objects
    asked = select(*(k.c[name] for name in KEYS)).where(k.c.state != "ignored")
    keys = frame(connection, asked.where(own_keys), KEYS)
    live = select(*(o.c[name] for name in OBJECTS)).where(o.c.dead_at.is_(None))
    objects = frame(connection, live.where(own_objects), OBJECTS)
    both = keys.join(objects, on="key", how="left", suffix="_object")
    whole, state = pl.col("status") == "ok", pl.col("state")
    lost = (state == "failed") & ~whole.fill_null(False)
    sums = ("lines", "accepted", "overlapped", "quarantined")
    return both.group_by("district", "deviceid", "hour").agg(
        pl.col("key").min(),
        # the first arrival: the same content again, put there later, is no news
        pl.coalesce(pl.col("arrived_at_object").min(), pl.col("arrived_at").min())
        .cast(INSTANT)
        .alias("arrived_at"),
        (state == "pending").any().cast(pl.Int64).alias("waiting"),
        lost.any().cast(pl.Int64).alias("failed"),
        pl.when(whole.any()).then(pl.lit("ok")).otherwise(pl.col("status").max()).alias("status"),
        # of no object nothing is known, which is not none
        *(pl.when(pl.col(name).count() > 0).then(pl.col(name).sum()).alias(name) for name in sums),
        pl.col("unitno").max(),
        (pl.col("max_ts").max() - pl.col("min_ts").min()).alias("span_us"),
    )


def frame(connection: Connection, query: Select[Any], schema: Mapping[str, Any]) -> pl.DataFrame:
    """Rows as the driver hands them out, column by column: a third of the time of row by row."""
    cursor: Any = connection.execute(query).cursor
    columns = list(zip(*cursor.fetchall(), strict=True)) or [()] * len(schema)
    return pl.DataFrame(
        [
            pl.Series(name, values, kind if kind == pl.String else None, strict=False).cast(kind)
            for (name, kind), values in zip(schema.items(), columns, strict=True)
        ]
    )
