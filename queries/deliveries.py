"""Device-hours as the ledger knows them: what arrived, and which days a build has settled."""

from __future__ import annotations

import polars as pl
from sqlalchemy import BigInteger, ColumnElement, Connection, and_, case, false, func, or_, select

from pipeline.localtime import day_span
from pipeline.storage import tables as t
from queries.scope import Scope

INSTANT = pl.Datetime("us", "UTC")

SETTLED = {"day": pl.String, "district": pl.String}


def settled(connection: Connection, scope: Scope) -> pl.DataFrame:
    """Days and districts of the scope whose ``device_hour`` says all that the ledger could.

    Built since anything of them changed, every hour closed, and no file of theirs waits or was set
    aside: a month of a fleet are 360,000 files that need not be summed up again.
    """
    done, _ = _settled(connection, scope)
    return pl.DataFrame(sorted(done), schema=SETTLED, orient="row")


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


def _unsettled(connection: Connection, scope: Scope) -> ColumnElement[bool]:
    """Of raw keys: those whose hour and district are to be asked of the ledger."""
    k = t.raw_keys.c
    done, districts = _settled(connection, scope)
    wanted = []
    for day in scope.days or ():
        # A day with nothing to ask for is left out: its keys need not be looked at.
        left = [name for name in sorted(districts) if (day, name) not in done]
        left = [name for name in left if not scope.districts or name in scope.districts]
        if left:
            first = day.replace("-", "")
            here = (k.hour >= first + "00", k.hour <= first + "23")
            wanted.append(and_(*here, k.district.in_(left)))
    return or_(false(), *wanted)


#: What arrived, one row per device and local hour of the scope: summed up by the database itself,
#: for a fleet has ten thousands of files a day, each with forty columns in two tables.
ARRIVED = {
    "district": pl.String,
    "deviceid": pl.String,
    "hour": pl.String,
    "key": pl.String,
    # the first arrival: the same content again, put there later, is no news
    "arrived_at": pl.Int64,
    "waiting": pl.Int64,
    "failed": pl.Int64,
    "status": pl.String,
    "lines": pl.Int64,
    "accepted": pl.Int64,
    "overlapped": pl.Int64,
    "quarantined": pl.Int64,
    "unitno": pl.String,
    "span_us": pl.Int64,
}


def arrivals(connection: Connection, scope: Scope) -> pl.DataFrame:
    """What arrived, by device and hour, of the days that no build has settled."""
    k, o = t.raw_keys.c, t.raw_objects.c
    lost = (k.state == "failed") & (func.coalesce(o.status, "") != "ok")
    whole = func.max(case((o.status == "ok", 1), else_=0))
    query = (
        select(
            k.district,
            k.deviceid,
            k.hour,
            func.min(k.key),
            func.coalesce(func.min(o.arrived_at), func.min(k.arrived_at)),
            func.max(case((k.state == "pending", 1), else_=0)),
            func.max(case((lost, 1), else_=0)),
            case((whole == 1, "ok"), else_=func.max(o.status)),
            func.sum(o.lines).cast(BigInteger),
            func.sum(o.accepted).cast(BigInteger),
            func.sum(o.overlapped).cast(BigInteger),
            func.sum(o.quarantined).cast(BigInteger),
            func.max(o.unitno),
            func.max(o.max_ts) - func.min(o.min_ts),
        )
        .select_from(t.raw_keys.outerjoin(t.raw_objects, (o.key == k.key) & o.dead_at.is_(None)))
        .where(k.state != "ignored", _unsettled(connection, scope))
        .group_by(k.district, k.deviceid, k.hour)
    )
    columns = zip(*map(tuple, connection.execute(query)), strict=True)
    values = dict(zip(ARRIVED, columns, strict=False)) or dict.fromkeys(ARRIVED, ())
    frame = pl.DataFrame(values, schema=ARRIVED)
    return frame.with_columns(pl.col("arrived_at").cast(INSTANT))
