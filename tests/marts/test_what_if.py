"""What-if says what a build with those thresholds says, and which cases are still the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from pipeline.errors import UsageError
from pipeline.marts.build import build
from pipeline.marts.thresholds import change
from pipeline.settings import Settings
from pipeline.storage.ledger import Ledger
from queries import what_if
from queries.connect import Reader, open_reader
from queries.scope import Scope
from tests.marts.fleet import DAYS, NOW

SPAN = Scope(*DAYS)
#: What only the ledger knows: a case's lasting name, and when its file came.
LEDGERS = ("case_id", "arrived_at")


@pytest.fixture
def reader(built: None, settings: Settings, ledger: Ledger) -> Iterator[Reader]:
    with open_reader(settings, ledger) as opened:
        yield opened


def published(reader: Reader) -> pl.DataFrame:
    return reader.contract("SELECT * FROM fatigue_case")


def rows(frame: pl.DataFrame) -> list[dict[str, Any]]:
    found = frame.drop(LEDGERS).sort("dstrct_code", "started_at", "unitno").to_dicts()
    return [
        {k: pytest.approx(v, rel=1e-9) if isinstance(v, float) else v for k, v in row.items()}
        for row in found
    ]


def test_other_thresholds_are_told_as_a_build_tells_them(
    reader: Reader, settings: Settings, ledger: Ledger
) -> None:
    before = published(reader)
    assert {"microsleep", "drowsy"} <= set(before["kind"])
    same = what_if.cases(reader, SPAN, {})
    assert rows(same) == same.drop(LEDGERS).to_dicts() == rows(before)
    assert set(what_if.compared(before, same)["change"]) == {"kept"}
    unit = before["unitno"][0]
    alone = what_if.cases(reader, Scope(*DAYS, units=(unit,)), {})
    assert rows(alone) == rows(before.filter(pl.col("unitno") == unit))
    # each of them alone finds fewer or other cases, or names them otherwise
    changed = {"closure_s": 3.0, "snapshot_s": 3.0, "closed_ratio": 0.7, "drowsy_margin": 0.1}
    changed |= {"serious_m": 5.0}
    then = what_if.cases(reader, SPAN, changed)
    assert published(reader).equals(before, null_equal=True)  # nothing is put in force
    for name, value in changed.items():
        assert rows(what_if.cases(reader, SPAN, {name: value})) != rows(before), name
        change(ledger, name, value, "tester")
    build(ledger, settings, "w", now=NOW)
    assert then.drop(LEDGERS).to_dicts() == rows(published(reader))
    # what is changed now comes on top of it
    assert rows(what_if.cases(reader, SPAN, {})) == rows(then)


def test_what_it_cannot_answer(settings: Settings, ledger: Ledger) -> None:
    with open_reader(settings, ledger) as reader:
        with pytest.raises(UsageError, match="none of closure_s"):
            what_if.cases(reader, SPAN, {"clozure_s": 2})
        # evidence is kept at five ratios: between them there is nothing to look at
        with pytest.raises(UsageError, match=r"steps of 0\.05, 0\.62 lies between two"):
            what_if.cases(reader, SPAN, {"closed_ratio": 0.62})
        with pytest.raises(ValueError, match="a first and a last day"):
            what_if.cases(reader, Scope(), {})
        assert what_if.cases(reader, SPAN, {}).is_empty()


def test_a_case_that_moved_a_little_is_the_same() -> None:
    """A is overlapped, B has a neighbour 5 min later, C has one 5 min and 1 s later."""
    midnight = datetime(2026, 1, 31, tzinfo=UTC)

    def case(unit: str, start: int, name: str = "") -> dict[str, Any]:
        begin = midnight + timedelta(seconds=start)
        return {
            "case_id": name, "unitno": unit, "deviceid": unit, "kind": "microsleep",
            "started_at": begin, "ended_at": begin + timedelta(seconds=10),
        }  # fmt: skip

    now = pl.DataFrame([case("A", 0, "F-1"), case("B", 0, "F-2"), case("C", 0, "F-3")])
    then = pl.DataFrame([case("A", 5), case("B", 310), case("C", 311)])
    found = what_if.compared(now, then).select("unitno", "case_id", "change").rows()
    assert sorted(found, key=str) == [
        ("A", "F-1", "kept"),
        ("B", "F-2", "kept"),
        ("C", "F-3", "gone"),
        ("C", None, "new"),
    ]
