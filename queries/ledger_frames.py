"""Ledger tables as Polars frames, cut to a scope. What is not named here cannot be read."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import polars as pl
from sqlalchemy import (
    Boolean,
    Connection,
    Integer,
    Select,
    Table,
    func,
    select,
    text,
)

from pipeline.localtime import CLOSES_AFTER
from pipeline.storage import tables as t
from pipeline.storage.sql import chunks, clock
from queries import deliveries
from queries.deliveries import INSTANT
from queries.scope import Scope

#: Most devices have delivered within so many microseconds.
RECENT_US = 36 * 3_600_000_000

#: People, their sign-ins and the audit are not among them.
TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        t.data_files,
        t.devices,
        t.fields,
        t.mart_tests,
        t.partitions,
        t.raw_keys,
        t.raw_objects,
        t.requests,
        t.runs,
        t.workers,
    )
}

#: Reviews as they were added, oldest first, and what they make of each case.
CASE_REVIEWS, CASE_STATES = "case_reviews", "case_states"


def ledger_frame(
    connection: Connection, name: str, scope: Scope, wanted: Collection[str] | None = None
) -> pl.DataFrame:
    """A table's rows in scope; times as UTC instants instead of integers.

    With ``wanted`` only the columns among those names: a month of a fleet are 360,000 raw files,
    and most of what is known of them is seldom asked for.
    """
    if name in SPECIAL:
        return SPECIAL[name](connection)
    if name in SCOPED:
        return SCOPED[name](connection, scope)
    table = TABLES[name]
    asked = [c for c in table.columns if wanted is None or c.name in wanted] or [*table.columns][:1]
    query = _cut(select(*asked), table, scope)
    schema = {column.name: _polars_type(column) for column in asked}
    return deliveries.frame(connection, query, schema)


def relation_names() -> set[str]:
    """Every name that ``ledger_frame`` answers to."""
    return {*SPECIAL, *SCOPED, *TABLES}


def _now(connection: Connection) -> pl.DataFrame:
    """This moment by the database's clock, and how long after its end an hour is expected."""
    return pl.DataFrame(
        {"now": [clock(connection)], "grace_s": [CLOSES_AFTER.total_seconds()]},
        schema={"now": INSTANT, "grace_s": pl.Float64},
    )


def _last_seen(connection: Connection) -> pl.DataFrame:
    """The newest second of each device over all time, whatever the scope.

    Of most devices it is among the rows of the last hours, which an index finds; all the objects of
    a device are only looked through for one that has been silent since.
    """
    o = t.raw_objects.c
    # Grouped by what is no column: SQLite would walk through all devices rather than sort a few.
    device = o.deviceid.concat("")
    query = select(device, func.max(o.max_ts)).where(o.dead_at.is_(None)).group_by(device)
    since = clock(connection) - RECENT_US
    recent = query.where(o.district.in_(district_names(connection)), o.max_ts >= since)
    newest = {str(name): seen for name, seen in connection.execute(recent)}
    silent = [name for name in _devices(connection) if name not in newest]
    for some in chunks(silent):
        found = connection.execute(query.where(o.deviceid.in_(some)))
        newest |= {str(name): seen for name, seen in found}
    rows = sorted(newest.items())
    return pl.DataFrame(rows, schema={"deviceid": pl.String, "last_seen": INSTANT}, orient="row")


def _devices(connection: Connection) -> list[str]:
    """Every device that has delivered: from name to name along the index."""
    return [str(row[0]) for row in connection.execute(_DEVICES)]


_DEVICES = text(
    "WITH RECURSIVE found (name) AS ("
    " SELECT min(deviceid) FROM raw_objects"
    " UNION ALL"
    " SELECT (SELECT min(deviceid) FROM raw_objects WHERE deviceid > name) FROM found"
    " WHERE name IS NOT NULL"
    ") SELECT name FROM found WHERE name IS NOT NULL"
)


def _first_hour(connection: Connection) -> pl.DataFrame:
    """The first hour that any device of a district delivered: nothing is expected before it."""
    k = t.raw_keys.c
    rows: list[tuple[str, str]] = []
    for district in district_names(connection):
        query = select(k.hour).where(k.district == district, k.state != "ignored")
        first = connection.execute(query.order_by(k.hour).limit(1)).scalar_one_or_none()
        rows += [(district, str(first))] if first else []
    return pl.DataFrame(rows, schema={"district": pl.String, "hour": pl.String}, orient="row")


SPECIAL: dict[str, Callable[[Connection], pl.DataFrame]] = {
    "now": _now,
    "last_seen": _last_seen,
    "first_hour": _first_hour,
}


#: A case's number as its name.
_NAMED = pl.format("F-{}", "case_id").alias("case_id")

_REVIEW: dict[str, Any] = {
    "case_id": pl.Int64(),
    "id": pl.Int64(),
    "state": pl.String(),
    "basis": pl.String(),
    "action": pl.String(),
    "note": pl.String(),
    "fit_to_work": pl.Boolean(),
    "sleep_h": pl.Float64(),
    "who": pl.String(),
    "reviewed_at": INSTANT,
}


def _case_reviews(connection: Connection, scope: Scope) -> pl.DataFrame:
    """One row a review of a case in scope, with the case's name."""
    r, c = t.case_reviews, t.fatigue_cases
    columns = [r.c[name] for name in _REVIEW if name != "case_id"]
    query = select(c.c.id, *columns).join_from(r, c, r.c.case_number == c.c.id).order_by(r.c.id)
    return deliveries.frame(connection, _cut(query, c, scope), _REVIEW).with_columns(_NAMED)


def _case_states(connection: Connection, scope: Scope) -> pl.DataFrame:
    """One row a case in scope that was ever found: its state, and when what was done.

    ``acknowledged_at``: the first time; ``action``: the last one taken; ``reviews``: how many.
    """
    c = t.fatigue_cases
    query = select(c.c.id, c.c.minted_at, c.c.withdrawn_at, c.c.opened_at)
    times = ("minted_at", "withdrawn_at", "opened_at")
    schema = {"case_id": pl.Int64()} | dict.fromkeys(times, INSTANT)
    cases = deliveries.frame(connection, _cut(query, c, scope), schema).with_columns(_NAMED)
    of_case = (
        _case_reviews(connection, scope)
        .group_by("case_id")
        .agg(
            pl.col("state").last(),
            pl.col("basis").last(),
            pl.col("action").drop_nulls().last(),
            pl.col("reviewed_at").first().alias("acknowledged_at"),
            pl.col("reviewed_at").last(),
            pl.len().cast(pl.Int64).alias("reviews"),
        )
    )
    return cases.join(of_case, on="case_id", how="left").with_columns(
        pl.col("state").fill_null("new"), pl.col("reviews").fill_null(0)
    )


SCOPED: dict[str, Callable[[Connection, Scope], pl.DataFrame]] = {
    CASE_REVIEWS: _case_reviews,
    CASE_STATES: _case_states,
    "arrivals": deliveries.arrivals,
    "settled": deliveries.settled,
}


def district_names(connection: Connection) -> list[str]:
    """Every district that has data or registered devices."""
    found = {str(row[0]) for row in connection.execute(select(t.zones.c.district))}
    found |= {str(row[0]) for row in connection.execute(select(t.devices.c.dstrct_code).distinct())}
    return sorted(found)


def _cut(query: Select[Any], table: Table, scope: Scope) -> Select[Any]:
    columns = table.columns
    district = columns.get("district", columns.get("dstrct_code"))
    if district is not None and scope.districts:
        query = query.where(district.in_(scope.districts))
    if "hiveperiod" in columns and scope.days is not None:
        query = query.where(columns["hiveperiod"].in_(scope.days))
    if "hour" in columns and scope.first and scope.last:
        first, last = scope.first.replace("-", "") + "00", scope.last.replace("-", "") + "23"
        query = query.where(columns["hour"] >= first, columns["hour"] <= last)
    for name in ("superseded_at", "dead_at"):
        if name in columns:
            query = query.where(columns[name].is_(None))
    return query


def _polars_type(column: Any) -> Any:
    checks: tuple[tuple[Callable[[], bool], Any], ...] = (
        (lambda: isinstance(column.type, Boolean), pl.Boolean()),
        (lambda: column.name.endswith(("_at", "_ts")), INSTANT),
        (lambda: isinstance(column.type, Integer), pl.Int64()),
    )
    return next((kind for check, kind in checks if check()), pl.String())
