"""The marts against the simulator's truth, over the whole path."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import polars as pl

from pipeline.flow import Flow
from pipeline.marts.build import build
from pipeline.settings import Settings
from pipeline.simulator import DEFAULT_START, SimSpec, simulate
from pipeline.storage import devices
from pipeline.storage.ledger import Ledger
from pipeline.verify import verify
from tests.ingest.test_run import visible
from tests.marts.test_marts import ask

UNITS, HOURS = 4, 4


def test_states_rows_and_deliveries(settings: Settings, ledger: Ledger) -> None:
    """Without faults; a storm is verified in test_unlink, and its marts in test_hours."""
    home = settings.home
    spec = SimSpec(units=UNITS, hours=HOURS, start=DEFAULT_START, seed=5, faults="none")
    simulate(spec, home, processes=1)
    devices.import_csv(ledger, home / "register.csv")
    with Flow(settings, ledger) as flow:
        taken = flow.ingest()
    truth = json.loads((home / "truth.json").read_text())
    assert taken.lines["total"] == truth["lines"]
    assert taken.lines["quarantined"] == truth["bad_lines"] == 0
    assert visible(settings, ledger, "count(*)") == [(truth["distinct_rows"],)]
    assert verify(ledger, settings).ok
    now = DEFAULT_START + timedelta(hours=HOURS + 24)
    build(ledger, settings, "w", now=now)
    states = pl.concat(
        pl.read_parquet(p) for p in sorted((home / "truth").glob("states-*.parquet"))
    )
    seen = pl.DataFrame(
        ask(
            settings,
            ledger,
            "unit_minute",
            "SELECT unitno, sum(moving_s)::INT, sum(idle_s)::INT, sum(off_s)::INT,"
            " sum(unknown_s)::INT FROM unit_minute GROUP BY ALL",
        ),
        schema=["unitno", "moving", "idle", "off", "unknown"],
        orient="row",
    )
    _same_states(states, seen)


def _same_states(states: pl.DataFrame, seen: pl.DataFrame) -> None:
    """Of the seconds with a row, each state's total is within 0.5 % of all seconds."""
    powered = states.filter("powered")
    total = powered.height
    for state in ("moving", "idle", "off"):
        true = powered.filter(pl.col("state") == state).height
        assert abs(seen[state].sum() - true) <= 0.005 * total, (state, seen[state].sum(), true)
    assert seen["unknown"].sum() <= 0.005 * total


def test_truth_is_never_read_by_the_pipeline() -> None:
    for folder in ("pipeline", "queries"):
        for path in (Path(__file__).parents[2] / folder).rglob("*.py"):
            if "simulator" not in path.parts:
                assert "truth" not in path.read_text().replace("the truth", ""), path
