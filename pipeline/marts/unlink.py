"""Operators of fatigue cases are let go: after some days a case keeps one only if it was confirmed.

The link goes from the ledger and from the marts that hold it, not from what is shown alone: their
files are replaced, and a later build of such a day leaves it out as well. Who drove a unit in a
shift stays known (``operator_shift``, ``unit_minute``): rosters are no evidence.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl
from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from pipeline.errors import ClaimLost
from pipeline.localtime import next_day, shifts, to_us
from pipeline.marts import publish
from pipeline.marts.catalogue import MARTS
from pipeline.settings import Settings
from pipeline.storage import claims, commits, manifest, reviews
from pipeline.storage import tables as t
from pipeline.storage.lake import open_lake
from pipeline.storage.ledger import Ledger
from pipeline.storage.records import DataFile, Partition
from pipeline.storage.reviews import Linked
from pipeline.storage.visible import mart_sql

Day = tuple[str, str]

#: Marts that say whose evidence and whose case something was, and how many cases somebody had.
HOLD = ("fatigue_case", "fatigue_episode", "fatigue_evidence", "operator_shift")


def is_past(settings: Settings, day: Day, now: datetime) -> bool:
    """True from so many days after the end of a district's production day on."""
    return now >= _end(settings, day) + timedelta(days=settings.keep_operator_days)


def _end(settings: Settings, day: Day) -> datetime:
    begins = settings.shift_start.get(day[1])
    return shifts(day[0], settings.zone_of(day[1]), begins)[-1]


def past(settings: Settings, days: Iterable[Day], now: datetime) -> set[Day]:
    """Those of these days and of the days before each that are past.

    Evidence is filed by the calendar: that of a night lies in the day after.
    """
    near = {(next_day(day, -by), district) for day, district in days for by in (0, 1)}
    return {day for day in near if is_past(settings, day, now)}


def first_linked(settings: Settings, district: str, now: datetime) -> str:
    """The first production day whose cases all still say whose they are."""
    day = (now.astimezone(UTC) - timedelta(days=settings.keep_operator_days + 2)).date().isoformat()
    while is_past(settings, (day, district), now):
        day = next_day(day)
    return day


def unlink(ledger: Ledger, settings: Settings, worker: str, now: datetime) -> list[str]:
    """Let go of the operators of every day that is due at ``now``; return the days.

    A day that changes meanwhile is left to the next pass.
    """
    done = []
    for day in _due(ledger, settings, now):
        try:
            _one(ledger, settings, worker, day)
        except ClaimLost:
            continue
        done.append("/".join(day))
    return done


def in_scratch(
    database: Path, settings: Settings, days: Collection[Day], kept: Iterable[Linked]
) -> None:
    """Take the operators out of those of the marts ``HOLD`` that a scratch database has.

    Of each district all that began before the end of the last of these days is changed, but for
    what belongs to a case of ``kept``.
    """
    if not days:
        return
    ends: dict[str, datetime] = {}
    for day in days:
        ends[day[1]] = max(_end(settings, day), ends.get(day[1], _end(settings, day)))
    tables = {
        "old": pl.DataFrame(
            [(district, to_us(end)) for district, end in ends.items()],
            schema={"dstrct_code": pl.String, "until_us": pl.Int64},
            orient="row",
        ),
        "kept": pl.DataFrame([case.__dict__ for case in kept], schema=_KEPT),
    }
    with duckdb.connect(str(database)) as duck:
        duck.execute("SET TimeZone = 'UTC'")
        for name, frame in tables.items():
            duck.register("incoming", frame.to_arrow())
            duck.execute(f"CREATE TEMP TABLE {name} AS SELECT * FROM incoming")
            duck.unregister("incoming")
        for name, statement in _STATEMENTS.items():
            duck.execute(statement.format(name=name))


_KEPT = {"number": pl.Int64, "dstrct_code": pl.String, "unitno": pl.String}
_KEPT |= {"started_at": pl.Int64, "ended_at": pl.Int64}
_OLD = (
    " EXISTS (FROM old AS o WHERE o.dstrct_code = r.dstrct_code AND epoch_us({begin}) < o.until_us)"
)
_RUNS = (
    "UPDATE {name} AS r SET operatorid = '', operator = unitno WHERE operatorid <> '' AND"
    + _OLD.replace("{begin}", "r.started_at")
    + " AND NOT EXISTS (FROM kept AS k WHERE k.dstrct_code = r.dstrct_code AND k.unitno = r.unitno"
    " AND k.started_at < epoch_us(r.ended_at) AND k.ended_at > epoch_us(r.started_at))"
)
_STATEMENTS = {
    "fatigue_case": "UPDATE {name} AS r SET operatorid = '' WHERE"
    + _OLD.replace("{begin}", "r.started_at")
    + " AND NOT EXISTS (FROM kept AS k WHERE 'F-' || k.number = r.case_id)",
    "fatigue_episode": _RUNS,
    "fatigue_evidence": _RUNS,
    "operator_shift": "UPDATE {name} AS r SET cases = (SELECT count(*) FROM fatigue_case AS f"
    " WHERE f.operatorid = r.operatorid AND f.unitno = r.unitno AND f.hiveperiod = r.hiveperiod"
    " AND f.dstrct_code = r.dstrct_code AND f.shift = r.shift) WHERE cases > 0 AND"
    + _OLD.replace("{begin}", "r.first_minute"),
}


def _due(ledger: Ledger, settings: Settings, now: datetime) -> list[Day]:
    """Days that are past and were never seen to, or of which a case lost its confirmation."""
    p, c = t.partitions.c, t.fatigue_cases.c
    latest = next_day(now.astimezone(UTC).date().isoformat(), 1 - settings.keep_operator_days)
    new = select(p.hiveperiod, p.dstrct_code)
    new = new.where(p.unlinked_at.is_(None), p.hiveperiod <= latest, p.built_version > 0)
    changed = select(c.hiveperiod, c.dstrct_code).distinct()
    changed = changed.where(c.operator != "", c.hiveperiod <= latest)
    changed = changed.where(c.id.not_in(reviews.confirmed()))
    with ledger.read() as connection:
        found = {
            (str(row[0]), str(row[1]))
            for query in (new, changed)
            for row in connection.execute(query)
        }
    return sorted(day for day in found if is_past(settings, day, now))


def _one(ledger: Ledger, settings: Settings, worker: str, day: Day) -> None:
    """One day: its files with others in their place, and its cases in the ledger, in one commit."""
    lake = open_lake(settings)
    parts = [Partition(name, day[1], 0) for name in (day[0], next_day(day[0]))]
    with ledger.write() as connection:
        claim_id = claims.begin(connection, "unlink", worker, settings.lease_seconds)
    try:
        with ledger.read() as connection:
            old = {name: _files(connection, name, day) for name in HOLD}
            # Evidence of the night lies in the next day's file.
            after = (next_day(day[0]), day[1])
            old["fatigue_evidence"] += _files(connection, "fatigue_evidence", after)
            kept = reviews.linked(connection, [day])
        files = [file for some in old.values() for file in some]
        settings.scratch.mkdir(parents=True, exist_ok=True)
        prefix = f"build-{os.getpid()}-"
        with (
            tempfile.TemporaryDirectory(prefix=prefix, dir=settings.scratch) as folder,
            lake.loan() as loan,
        ):
            database = Path(folder) / "scratch.duckdb"
            loan.fetch(file.path for file in files)
            _fill(database, loan.root, old)
            in_scratch(database, settings, [day], kept)
            new = publish.written(database, lake, claim_id, parts, HOLD)
        commits.commit_unlinked(ledger, claim_id, day, files, new, kept)
    except BaseException:
        with suppress(SQLAlchemyError):  # it ends by itself
            claims.release(ledger, [claim_id])
        raise


def _files(connection: Connection, name: str, day: Day) -> list[DataFile]:
    return manifest.live(connection, name, days=[day[0]], districts=[day[1]], whole=True)


def _fill(database: Path, root: Path, old: dict[str, list[DataFile]]) -> None:
    with duckdb.connect(str(database)) as duck:
        duck.execute("SET TimeZone = 'UTC'")
        for name, files in old.items():
            duck.execute(f"CREATE TABLE {name} AS {mart_sql(root, files, MARTS[name].schema)}")
