"""Ledger tables as Polars frames, cut to a scope. What is not named here cannot be read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
from sqlalchemy import Boolean, Connection, Integer, Select, Table, func, select

from pipeline.localtime import CLOSES_AFTER
from pipeline.storage import tables as t
from pipeline.storage.sql import clock
from queries.scope import Scope

INSTANT = pl.Datetime("us", "UTC")

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


def ledger_frame(connection: Connection, name: str, scope: Scope) -> pl.DataFrame:
    """All columns of a table's rows in scope; times as UTC instants instead of integers."""
    if name in SPECIAL:
        return SPECIAL[name](connection)
    table = TABLES[name]
    query = _cut(select(table), table, scope)
    schema = {column.name: _polars_type(column) for column in table.columns}
    rows = [tuple(row) for row in connection.execute(query)]
    return pl.DataFrame(rows, schema=schema, orient="row")


def relation_names() -> set[str]:
    """Every name that ``ledger_frame`` answers to."""
    return {*SPECIAL, *TABLES}


def _now(connection: Connection) -> pl.DataFrame:
    """This moment by the database's clock, and how long after its end an hour is expected."""
    return pl.DataFrame(
        {"now": [clock(connection)], "grace_s": [CLOSES_AFTER.total_seconds()]},
        schema={"now": INSTANT, "grace_s": pl.Float64},
    )


def _last_seen(connection: Connection) -> pl.DataFrame:
    """The newest second of each device over all time, whatever the scope."""
    o = t.raw_objects.c
    query = select(o.deviceid, func.max(o.max_ts)).where(o.dead_at.is_(None)).group_by(o.deviceid)
    rows = [tuple(row) for row in connection.execute(query)]
    return pl.DataFrame(rows, schema={"deviceid": pl.String, "last_seen": INSTANT}, orient="row")


def _first_hour(connection: Connection) -> pl.DataFrame:
    """The first hour that any device of a district delivered: nothing is expected before it."""
    k = t.raw_keys.c
    query = select(k.district, func.min(k.hour)).where(k.state != "ignored").group_by(k.district)
    rows = [tuple(row) for row in connection.execute(query)]
    return pl.DataFrame(rows, schema={"district": pl.String, "hour": pl.String}, orient="row")


SPECIAL: dict[str, Callable[[Connection], pl.DataFrame]] = {
    "now": _now,
    "last_seen": _last_seen,
    "first_hour": _first_hour,
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
