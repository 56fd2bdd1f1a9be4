"""Operators of cases are let go: on the day, by the mart and the ledger, and for good."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from pipeline.flow import Flow
from pipeline.localtime import shifts
from pipeline.marts.build import build
from pipeline.marts.unlink import first_linked, is_past
from pipeline.settings import Settings
from pipeline.storage import manifest, reviews
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger
from pipeline.storage.reviews import Review
from pipeline.verify import verify
from queries.connect import open_reader
from tests.marts.fleet import DAYS

MICROSECOND = timedelta(microseconds=1)
DAY = DAYS[0]


def ask(settings: Settings, ledger: Ledger, query: str) -> list[tuple[Any, ...]]:
    with open_reader(settings, ledger) as reader:
        return reader.contract(query).rows()


def cases(settings: Settings, ledger: Ledger) -> dict[str, tuple[str, str, tuple[Any, ...]]]:
    """Production day, operator and all the rest of each case, by its name."""
    query = "SELECT case_id, hiveperiod, operatorid, unitno, kind, started_at, ended_at, severity"
    rows = ask(settings, ledger, f"{query} FROM fatigue_case ORDER BY case_id")
    return {row[0]: (row[1], row[2], row[3:]) for row in rows}


def in_ledger(ledger: Ledger) -> dict[str, str]:
    c = t.fatigue_cases.c
    with ledger.read() as connection:
        rows = connection.execute(select(c.id, c.operator).where(c.hiveperiod == DAY))
        return {f"F-{number}": operator for number, operator in rows}


def linked(settings: Settings, ledger: Ledger, mart: str) -> list[tuple[Any, ...]]:
    """Rows of the production day that say whose they are."""
    end = shifts(DAY, settings.zone_of("MLKB"))[-1].isoformat()
    query = f"SELECT unitno, started_at, ended_at FROM {mart} WHERE started_at < '{end}'"
    return ask(settings, ledger, f"{query} AND operatorid <> '' ORDER BY ALL")


def of_others(settings: Settings, ledger: Ledger) -> list[tuple[Any, ...]]:
    """Evidence of the production day after, with whose it is."""
    end = shifts(DAY, settings.zone_of("MLKB"))[-1].isoformat()
    query = f"SELECT * FROM fatigue_evidence WHERE started_at >= '{end}' ORDER BY ALL"
    return ask(settings, ledger, query)


def test_operators_of_cases_that_nobody_confirmed_are_let_go(
    built: None, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    before = cases(settings, ledger)
    of_day = [name for name, (day, operator, _) in before.items() if day == DAY and operator]
    assert len(of_day) >= 3
    assert len(of_day) < len(before)
    right, wrong = of_day[0], of_day[1]
    reviews.add(ledger, right, Review("confirmed", "clip"), "ana")
    reviews.add(ledger, wrong, Review("false_alarm", "clip"), "ana")
    runs, others = linked(settings, ledger, "fatigue_evidence"), of_others(settings, ledger)

    due = shifts(DAY, settings.zone_of("MLKB"))[-1] + timedelta(days=30)
    assert flow.gc(now=due - MICROSECOND).unlinked == []
    assert cases(settings, ledger) == before
    assert flow.gc(now=due).unlinked == [f"{DAY}/MLKB"]
    after = {
        name: (day, "" if day == DAY and name != right else operator, rest)
        for name, (day, operator, rest) in before.items()
    }
    assert cases(settings, ledger) == after
    assert {name for name, operator in in_ledger(ledger).items() if operator} == {right}
    unit, _, begin, end, _ = before[right][2]
    own = [run for run in runs if run[0] == unit and run[1] < end and run[2] > begin]
    assert own
    assert len(own) < len(runs)
    assert linked(settings, ledger, "fatigue_evidence") == own
    assert of_others(settings, ledger) == others
    assert {run[0] for run in linked(settings, ledger, "fatigue_episode")} == {unit}
    counted = f"SELECT sum(cases)::INT FROM operator_shift WHERE hiveperiod = '{DAY}'"
    assert ask(settings, ledger, counted) == [(1,)]
    assert flow.gc(now=due).unlinked == []

    # A build of the day tells the same cases by the same names, and nobody's operator again.
    with ledger.write() as connection:
        manifest.touch(connection, [(DAY, "MLKB")])
    assert build(ledger, settings, "w", now=due).partitions
    assert cases(settings, ledger) == after
    assert linked(settings, ledger, "fatigue_evidence") == own
    assert ask(settings, ledger, counted) == [(1,)]

    # Who is confirmed too late is not found out again; who was confirmed wrongly is let go, too.
    for case, verdict in ((wrong, "confirmed"), (right, "false_alarm")):
        seen = reviews.history(ledger, case)[-1].number
        reviews.add(ledger, case, Review(verdict, "radio", note="looked again"), "ana", seen=seen)
    assert flow.gc(now=due).unlinked == [f"{DAY}/MLKB"]
    assert not any(in_ledger(ledger).values())
    for mart in ("fatigue_evidence", "fatigue_episode"):
        assert linked(settings, ledger, mart) == []
    assert {operator for day, operator, _ in cases(settings, ledger).values() if day == DAY} == {""}
    assert verify(ledger, settings, deep=True).ok


@pytest.mark.parametrize(("start", "hour"), [({}, 6), ({"MLKB": "18:30"}, 18.5)])
def test_a_day_is_past_by_its_own_clock(
    settings: Settings, start: dict[str, str], hour: float
) -> None:
    site = settings.model_copy(update={"shift_start": start, "keep_operator_days": 2})
    midnight = shifts("2026-02-03", site.zone_of("MLKB"), "00:00")[0]
    due = midnight + timedelta(hours=hour)  # two days after the end, which is on the 1st
    assert not is_past(site, ("2026-01-31", "MLKB"), due - MICROSECOND)
    assert is_past(site, ("2026-01-31", "MLKB"), due)
    assert first_linked(site, "MLKB", due - MICROSECOND) == "2026-01-31"
    assert first_linked(site, "MLKB", due) == "2026-02-01"
