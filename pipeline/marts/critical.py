"""Critical fatigue cases of now are told to people, once each, with the marts that show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
from sqlalchemy import Connection, select

from pipeline import localtime, notify
from pipeline.notify.trouble import local
from pipeline.settings import Settings
from pipeline.storage import tables as t

#: Severity of a case that somebody is called about.
CRITICAL = 3
#: A case that ended longer ago is history: the operator's shift is over.
FRESH = timedelta(hours=12)


@dataclass(frozen=True)
class Case:
    """What is told of a case: nothing of who drove. Times in µs."""

    name: str
    dstrct_code: str
    unitno: str
    started_at: int
    ended_at: int
    metres_closed: float


def found(database: Path, now: datetime) -> list[Case]:
    """Critical cases of the built days that are fresh at ``now``, under their lasting names."""
    with duckdb.connect(str(database), read_only=True) as duck:
        rows = duck.execute(
            "SELECT case_id, dstrct_code, unitno, epoch_us(started_at), epoch_us(ended_at),"
            " coalesce(metres_closed, 0) FROM fatigue_case"
            " WHERE severity >= $critical AND epoch_us(ended_at) >= $since ORDER BY ended_at",
            {"critical": CRITICAL, "since": localtime.to_us(now - FRESH)},
        ).fetchall()
    return [Case(*row) for row in rows]


def note(connection: Connection, settings: Settings, cases: Sequence[Case]) -> None:
    """Note those that were not noted before: a build finds the same case again and again."""
    n = t.notices.c
    known = {str(row[0]) for row in connection.execute(select(n.topic).where(n.kind == "fatigue"))}
    for case in cases:
        if f"fatigue/{case.name}" not in known:
            since = local(case.started_at, settings.zone_of(case.dstrct_code))
            text = (
                f"{case.name} since {since}: {case.metres_closed:.0f} m driven with eyes closed,"
                f" district {case.dstrct_code}"
            )
            notify.fatigue_case(connection, case.name, case.unitno, text)
