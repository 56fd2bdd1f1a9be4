"""Figures of a day that was made by hand: availability, health, coverage, trust, operators."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pipeline.flow import Flow
from pipeline.marts.build import build
from pipeline.settings import Settings, load
from pipeline.storage import devices, downtime
from pipeline.storage.ledger import Ledger, open_ledger
from tests.make import deliver, rows
from tests.marts.test_marts import NOW, ask

HOUR = "2026013106"  # 06:00 local: the first hour of a production day
REGISTER = "deviceid,unitno,unittype,dstrct_code,model,valid_from,valid_to\n"


def seconds(unit: int) -> list[dict[str, Any]]:
    """An hour of a unit that drives 20 km/h; nobody drives it but OP1, and only unit 1 is odd."""
    lines = rows(
        HOUR,
        3600,
        f"HW-{unit}",
        unitno=f"DT10{unit}",
        EngineSpeed=1500,
        operatorid="OP1" if unit == 1 else "",
        gpslat=-2.0021,
        gpslong=115.0021,
        gpsfixtype=3,
        gpsfixage=0,
        gpsnumsat=11,
        netstatus="up",
        camcabinstatus=1,
        camcabinblocked=0,
        camfrontstatus=1,
    )
    for i, row in enumerate(lines):
        row["VehicleSpeed"] = 20.0 + i % 7
        row["gpsspeed"] = row["VehicleSpeed"] + 2
        if i % 2:
            row["netstatus"] = "down"
        if unit == 1 and i >= 2700:  # the camera fails for the last quarter
            row["camcabinstatus"] = 0
        if unit == 2:  # … and that of another is slow at times
            row["camcabinfps"] = 9 if i < 900 else 10
        if unit == 3 and 60 <= i < 180:  # one that restarts is not called slow
            row["camcabinstatus"] = int(i % 60 >= 50)
            row["camcabinfps"] = 5
    return lines


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """(settings, ledger) of three units over an hour, with a log that covers two days."""
    folder = tmp_path_factory.mktemp("kpis")
    # Positions lie in its south-western corner: edges in another order would leave them outside.
    boxes = {"MLKB": [-2.01, 115.0, -1.0, 116.0]}
    settings = load(home=folder / "home", threads=1, boxes=boxes)
    ledger = open_ledger(settings)
    register = folder / "register.csv"
    register.write_text(
        REGISTER + "".join(f"HW-{n},DT10{n},dump,MLKB,X,2026-01-01,\n" for n in (1, 2, 3))
    )
    devices.import_csv(ledger, register)
    for unit in (1, 2, 3):
        deliver(settings.raw_root, HOUR, seconds(unit), device=f"HW-{unit}")
    log = folder / "log.csv"
    log.write_text(
        "unit,start,end,code,note\n"
        "DT101,2026-01-31T10:00,2026-01-31T12:00,BD,\n"
        "DT101,2026-01-31T13:00,2026-01-31T14:00,RAIN,\n"
        "DT102,2026-01-31T05:00,2026-01-31T07:00,SERV,began the day before\n"
    )
    with Flow(settings, ledger) as flow:
        flow.ingest()
    taken = downtime.import_csv(
        ledger, settings, log, who="ana", first=date(2026, 1, 31), last=date(2026, 2, 1)
    )
    assert not taken.errors
    devices.close_hours(ledger, settings, NOW)
    build(ledger, settings, "w", now=NOW)
    yield settings, ledger
    ledger.close()


def test_availability_needs_the_log(built: tuple[Settings, Ledger]) -> None:
    columns = "unitno, eu, pa, ma, ua, breakdowns, repair_s, work_s, log_covers"
    query = f"SELECT {columns} FROM unit_availability WHERE hiveperiod = '2026-01-31' ORDER BY 1"
    first, second, third = ask(*built, "unit_availability", query)
    # one hour is known of each, and it moved in it
    assert first[:2] == ("DT101", 1.0)
    # W = 24 - 2 (R) - 1 (S) = 21 h
    assert first[2:5] == pytest.approx((22 / 24, 21 / 23, 21 / 22))
    assert first[5:] == (1, 7200, 21 * 3600, True)
    # of two hours of service one lies in the day; it was planned
    assert second[2:5] == pytest.approx((23 / 24, 23 / 24, 1.0))
    assert second[5:7] == (0, 3600)
    assert third[2:5] == pytest.approx((1, 1, 1))
    query = f"SELECT {columns} FROM unit_availability WHERE hiveperiod = '2026-02-01' ORDER BY 1"
    later = ask(*built, "unit_availability", query)
    # the log ends at midnight, the production day at six: it does not cover it
    assert [row[1:] for row in later] == [(None,) * 7 + (False,)] * 3


def test_a_part_that_fails_says_since_when(built: tuple[Settings, Ledger]) -> None:
    query = (
        "SELECT part, observed_s, up_s, state, reason, epoch(since)::BIGINT, action IS NOT NULL,"
        " all_day"
        " FROM device_health WHERE unitno = 'DT101' AND part IN ('cab_camera', 'gps') ORDER BY 1"
    )
    camera, gps = ask(*built, "device_health", query)
    begin = datetime(2026, 1, 30, 22, tzinfo=UTC) + timedelta(seconds=2700)
    assert camera == (
        "cab_camera", 3600, 2700, "at_times", "down", int(begin.timestamp()), True, False
    )  # fmt: skip
    assert gps == ("gps", 3600, 3600, "well", None, None, False, False)
    query = (
        "SELECT unitno, up_s, state, reason, since FROM device_health"
        " WHERE unitno <> 'DT101' AND part = 'cab_camera' ORDER BY 1"
    )
    assert ask(*built, "device_health", query) == [
        ("DT102", 2700, "at_times", "slow", None),
        ("DT103", 3480, "at_times", "down", None),  # else it does not tell its frames
    ]


def test_a_cell_needs_three_units(built: tuple[Settings, Ledger]) -> None:
    query = (
        "SELECT round(lat, 4), round(lon, 4), units, first_unit, last_unit, seconds, down_s, enough"
        " FROM coverage_cell"
    )
    # -2.0021 lies in the cell from -2.005 to -2.000
    assert ask(*built, "coverage_cell", query) == [
        (-2.0025, 115.0025, 3, "DT101", "DT103", 10800, 5400, True)
    ]


def test_a_signal_that_stands_still_is_not_trusted(built: tuple[Settings, Ledger]) -> None:
    query = (
        "SELECT signal, absent_minutes, frozen_hours, trusted FROM signal_trust"
        " WHERE unitno = 'DT101' AND signal IN ('EngineSpeed', 'VehicleSpeed', 'TireTemp1')"
        " ORDER BY 1"
    )
    assert ask(*built, "signal_trust", query) == [
        ("EngineSpeed", 0, 1, False),  # 1,500 rpm to the dot for an hour on the move
        ("TireTemp1", 60, None, None),  # not fitted: no unit of the model has it
        ("VehicleSpeed", 0, 0, True),
    ]


def test_speeds_are_compared_by_hour(built: tuple[Settings, Ledger]) -> None:
    query = "SELECT seconds, gap_mean, gap_max, satellites_mean FROM speed_deviation"
    assert ask(*built, "speed_deviation", query) == [(3600, 2.0, 2.0, 11.0)] * 3


def test_what_was_seen_of_an_operator(built: tuple[Settings, Ledger]) -> None:
    query = "SELECT operatorid, shift, moving_s, blind_moving_s, km, cases FROM operator_shift"
    ((operator, shift, moving, blind, km, cases),) = ask(*built, "operator_shift", query)
    assert (operator, shift, moving, blind, cases) == ("OP1", 1, 3600, 3600, 0)
    mean = (sum(range(20, 27)) * 514 + 20 + 21) / 3600  # 3,600 = 7 × 514 + 2
    assert km == pytest.approx(mean, rel=1e-4)  # metres are rounded by the minute


def test_a_production_day_is_as_long_as_the_clock_says(tmp_path: Path) -> None:
    """The nights in which Berlin's clocks change belong to the days before."""
    settings = load(home=tmp_path / "home", threads=1, zones={"MLKB": "Europe/Berlin"})
    ledger = open_ledger(settings)
    begins = {
        day: datetime.fromisoformat(f"{day}T06:00").replace(tzinfo=ZoneInfo("Europe/Berlin"))
        for day in ("2026-03-28", "2026-10-24")
    }
    with Flow(settings, ledger) as flow:
        for day, begin in begins.items():
            stamp = day.replace("-", "")
            lines = rows(f"{stamp}06", 60, EngineSpeed=1500, VehicleSpeed=0)
            for i, row in enumerate(lines):
                row["heartbeat"] = int(begin.timestamp()) + i
            deliver(settings.raw_root, f"{stamp}06", lines)
        flow.ingest()
        build(ledger, settings, "w", now=begins["2026-10-24"] + timedelta(days=3))
    for (day, begin), hours in zip(begins.items(), (23, 25), strict=True):
        of_day = f"WHERE hiveperiod = '{day}'"
        query = f"SELECT day_s, observed_s, idle_s, unknown_s FROM unit_day {of_day}"
        found = ask(settings, ledger, "unit_day", query)
        assert found == [(hours * 3600, 60, 60, hours * 3600 - 60)]
        query = "SELECT sum(seconds)::INT, min(started_at), max(ended_at) FROM state_interval"
        ((total, first, last),) = ask(settings, ledger, "state_interval", f"{query} {of_day}")
        end = begin.astimezone(UTC) + timedelta(hours=hours)
        assert (total, first, last) == (hours * 3600, begin, end)
    ledger.close()
