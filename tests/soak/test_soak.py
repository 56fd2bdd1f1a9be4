"""Two minutes of service in every run of the tests, and an hour of it in the long ones."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.soak.sessions import SENTENCES
from tests.soak.soak import Figures, Plan, Sample, quantile, run

#: Seconds that the long form lasts, and its fleet.
SECONDS = float(os.environ.get("SOAK_SECONDS", "3600"))
UNITS = int(os.environ.get("SOAK_UNITS", "500"))
#: MB an hour: what may be noise of a heap over so long.
FLAT_LONG = 100


def check(found: Figures, slack: float = 1) -> None:
    """What holds however long it lasts; ``slack`` where other tests run beside it."""
    told = found.summary()
    print(json.dumps(told, indent=1))
    assert told["session_errors"] == []
    assert "Traceback" not in found.log, found.log
    assert len(found.sessions["opened"]) == found.sessions["expected"]
    assert told["clicks"] > len(found.sessions["opened"])
    assert told["seen_p95_s"] <= 60 * slack
    assert told["marts_files"] > 0
    assert told["marts_p95_s"] <= 180 * slack
    assert told["stopped_s"] <= 15 * slack
    assert found.left == []
    assert found.after["ingest"]["backlog"] == 0
    assert found.after["ingest"]["files"]["failed"] == 0
    assert found.after["verify"]["ok"], found.after["verify"]["breaches"]


@pytest.mark.timeout(400)
def test_two_minutes(tmp_path: Path) -> None:
    found = run(tmp_path, Plan(seconds=100, units=12, before=0))
    check(found, slack=2)
    assert found.peak("app") < 1_200
    assert found.peak("worker") < 2_500


@pytest.mark.long
@pytest.mark.timeout(3 * 3600)
def test_an_hour(tmp_path: Path) -> None:
    """``SOAK_SECONDS`` and ``SOAK_UNITS`` make it shorter or smaller."""
    found = run(tmp_path, Plan(seconds=SECONDS, units=UNITS, before=UNITS))
    check(found)
    assert found.slope("app") < FLAT_LONG
    assert found.slope("worker") < FLAT_LONG


def test_a_slope_is_that_of_the_second_half() -> None:
    """300 MB at once, then 1 MB every 100 s: 36 MB an hour."""
    grown = [Sample(at, int(at * 30_000_000), 0, at / 4, 0) for at in range(0, 10, 2)]
    steady = [Sample(at, 300_000_000 + at * 10_000, 0, at / 4, 0) for at in range(10, 1000, 2)]
    found = Figures(samples=grown + steady)
    assert found.slope("app") == pytest.approx(36)
    assert found.slope("worker") == 0
    assert found.peak("app") == pytest.approx(309.98)
    assert found.cpu("app") == pytest.approx(0.25)


def test_a_quantile() -> None:
    assert quantile([], 0.95) == 0
    assert quantile(list(range(100)), 0.95) == 95
    assert quantile([3.0, 1.0, 2.0], 0.5) == 2


def test_sentences_of_trouble_are_known_in_both_languages() -> None:
    assert any("could not be loaded" in sentence for sentence in SENTENCES)
    assert any("tidak" in sentence for sentence in SENTENCES)
    assert any("no worker gives a sign of life" in sentence for sentence in SENTENCES)
    assert all(len(sentence) > 12 for sentence in SENTENCES)
