"""dbt's unit tests of the tricky SQL, and data tests of severity warn that look at whole days."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.flow import Flow
from pipeline.localtime import from_us
from pipeline.marts import build as builder
from pipeline.marts import dbt_runner
from pipeline.marts.catalogue import PROJECT
from pipeline.settings import Settings
from pipeline.storage import manifest
from pipeline.storage.ledger import Ledger
from tests.make import DISTRICT, deliver, epoch, rows
from tests.marts.test_marts import ask

UNIT_TESTS = "test --select test_type:unit"


def named() -> list[str]:
    text = (PROJECT / "models" / "unit_tests.yml").read_text(encoding="utf-8")
    return [test["name"] for test in yaml.safe_load(text)["unit_tests"]]


@pytest.fixture
def scratch(
    raw: Path,
    settings: Settings,
    ledger: Ledger,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """What a build leaves behind: every model is there, so dbt knows the types of their columns."""
    kept = tmp_path / "scratch"
    kept.mkdir()

    @contextmanager
    def keeping(_: Any) -> Iterator[Path]:
        yield kept

    monkeypatch.setattr(builder, "_scratch", keeping)
    deliver(raw, "2026013107", rows("2026013107", 60, VehicleSpeed=30, EngineSpeed=1500))
    with Flow(settings, ledger) as flow:
        flow.ingest()
        builder.build(ledger, settings, "w")
    return kept


def test_of_dbt(scratch: Path, settings: Settings) -> None:
    found = {
        test.test: (test.status, test.message)
        for test in dbt_runner.run(scratch, UNIT_TESTS, settings.duckdb)
    }
    assert sorted(found) == sorted(named())
    assert {name: what for name, what in found.items() if what[0] != "pass"} == {}


def warnings(settings: Settings, ledger: Ledger, day: str) -> set[str]:
    query = f"SELECT test FROM data_quality WHERE status = 'warn' AND hiveperiod = '{day}'"
    return {row[0] for row in ask(settings, ledger, "data_quality", query)}


def test_a_thin_day_and_a_silent_district_are_told(
    raw: Path, settings: Settings, ledger: Ledger
) -> None:
    with Flow(settings, ledger) as flow:
        for day in ("28", "29", "30"):
            deliver(raw, f"202601{day}07", rows(f"202601{day}07", 600, VehicleSpeed=0))
        flow.ingest()
        builder.build(ledger, settings, "w", now=from_us(epoch("2026013108") * 1_000_000))
        assert warnings(settings, ledger, "2026-01-30") == set()
        deliver(raw, "2026013107", rows("2026013107", 290, VehicleSpeed=0))
        flow.ingest()
    silent_at = from_us((epoch("2026013108") + 4 * 3600) * 1_000_000)
    builder.build(ledger, settings, "w", now=silent_at)
    assert warnings(settings, ledger, "2026-01-31") == {"as_much_as_usual"}
    with ledger.write() as connection:
        manifest.touch(connection, [("2026-01-31", DISTRICT)])
    builder.build(ledger, settings, "w", now=silent_at + timedelta(seconds=1))
    assert warnings(settings, ledger, "2026-01-31") == {"as_much_as_usual", "fresh"}
