"""Marts where districts touch: a device that moves, one district's rows that beat another's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from pipeline.errors import BuildFailed
from pipeline.flow import Flow
from pipeline.marts import build as module
from pipeline.marts.build import build, is_due, plan
from pipeline.settings import Settings
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger
from tests.make import deliver, epoch, rows
from tests.marts.test_marts import NOW, ask

HOUR = "2026013106"


def test_a_device_that_moves_to_another_district_within_a_minute(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    """To the day, the hour and the minute what it did in both is told of both."""
    face = {"camcabinstatus": 1, "driverpresent": 1, "faceconf": 0.9, "ear": 0.3}
    lines = rows(HOUR, 1200, "d1", EngineSpeed=1500, gpsspeed=10, VehicleSpeed=10, **face)
    for district, own in (("AAA", lines[:630]), ("BBB", lines[630:])):
        moved = [line | {"dstrct_code": district} for line in own]
        deliver(raw, HOUR, moved, device="d1", district=district)
    flow.ingest()
    build(ledger, settings, "w", now=NOW)
    assert not is_due(ledger)

    def told(mart: str, what: str, where: str = "true") -> dict[str, Any]:
        query = f"SELECT dstrct_code, {what} FROM {mart} WHERE {where} GROUP BY ALL"
        return dict(ask(settings, ledger, mart, query))

    seconds = {"AAA": 630, "BBB": 570}
    assert told("unit_day", "sum(moving_s)") == seconds
    assert told("unit_fragment", "sum(seconds)") == seconds
    assert told("unit_minute", "sum(seconds)") == seconds
    # the minute of the move is one of both: half of it each, and each with its own signals
    assert told("unit_minute", "count(*)") == {"AAA": 11, "BBB": 10}
    assert told("unit_minute", "sum(can_s)") == seconds
    assert told("eye_hour", "sum(readable_s)") == seconds
    assert told("speed_deviation", "sum(seconds)") == seconds
    assert told("device_hour", "sum(observed_s)") == seconds
    assert told("device_health", "sum(observed_s)", "part = 'gps'") == seconds
    assert told("signal_trust", "sum(minutes)", "signal = 'EngineSpeed'") == {"AAA": 11, "BBB": 10}


def test_districts_that_number_units_alike_and_one_that_beats_another(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    """Of what beat its rows later a district's own files tell nothing."""

    def arrive(district: str, device: str, unit: str, seconds: int, **when: int) -> None:
        lines = rows(HOUR, seconds, device, unitno=unit, dstrct_code=district)
        deliver(raw, HOUR, lines, device=device, district=district, **when)

    def built() -> list[tuple[Any, ...]]:
        flow.ingest()
        build(ledger, settings, "w", now=NOW)
        assert not is_due(ledger)
        query = "SELECT dstrct_code, unitno, deviceid, sum(seconds) FROM unit_minute GROUP BY ALL"
        return sorted(ask(settings, ledger, "unit_minute", query))

    arrive("AAA", "d1", "DT101", 90)
    arrive("O'B", "d2", "DT101", 60)
    assert built() == [("AAA", "DT101", "d1", 90), ("O'B", "DT101", "d2", 60)]
    arrive("O'B", "d1", "DT102", 60, arrived=epoch(HOUR) + 7200)
    assert built() == [
        ("AAA", "DT101", "d1", 30),
        ("O'B", "DT101", "d2", 60),
        ("O'B", "DT102", "d1", 60),
    ]


def test_days_that_fail_do_not_hold_back_the_others(
    raw: Path,
    settings: Settings,
    ledger: Ledger,
    flow: Flow,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for hour in ("2026013007", "2026013107"):
        deliver(raw, hour, rows(hour, 60))
    flow.ingest()
    monkeypatch.setattr(module, "DAYS_AT_ONCE", 1)
    real, runs = module.dbt_runner.run, []

    def first_fails(*args: Any) -> Any:
        runs.append(args)
        if len(runs) > 1:
            return real(*args)
        return [module.dbt_runner.TestResult("t", "m", "error", "fail", 3, "3 rows")]

    monkeypatch.setattr(module.dbt_runner, "run", first_fails)
    with pytest.raises(BuildFailed) as found:
        build(ledger, settings, "w", now=NOW)
    assert found.value.failures == ["t: 3 rows"]
    days = ask(settings, ledger, "unit_day", "SELECT DISTINCT hiveperiod FROM unit_day")
    assert days == [("2026-01-31",)]
    assert [part.hiveperiod for part in plan(ledger)] == ["2026-01-30"]
    # what failed is still told, beside the results of what was built after it
    m = t.mart_tests.c
    with ledger.read() as connection:
        kept = connection.execute(select(m.test, m.status)).all()
    assert [row.test for row in kept if row.status == "fail"] == ["t"]
    assert len([row for row in kept if row.status == "pass"]) > 30
