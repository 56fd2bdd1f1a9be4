"""The marts on seconds made by hand: every expected figure was worked out, not printed."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from sqlalchemy import select

from pipeline.errors import BuildFailed
from pipeline.flow import Flow
from pipeline.marts import build as module
from pipeline.marts.build import build, is_due
from pipeline.marts.catalogue import MARTS
from pipeline.settings import Settings
from pipeline.storage import devices, manifest
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger
from pipeline.storage.visible import mart_sql
from queries import deliveries
from queries.connect import open_reader
from queries.run import ask as ask_named
from queries.scope import Scope
from tests.make import deliver, epoch, rows, text

NOW = datetime(2026, 2, 2, tzinfo=UTC)
DAY = "2026-01-31"


def ask(settings: Settings, ledger: Ledger, mart: str, query: str) -> list[tuple[Any, ...]]:
    with ledger.read() as connection:
        files = manifest.live(connection, mart)
    columns = [(name, kind) for name, kind, _ in MARTS[mart].columns]
    with duckdb.connect() as duck:
        duck.execute("SET TimeZone = 'UTC'")
        duck.execute(f"CREATE VIEW {mart} AS {mart_sql(settings.lake_root, files, columns)}")
        return duck.execute(query).fetchall()


@pytest.fixture
def day(raw: Path, settings: Settings, ledger: Ledger, tmp_path: Path) -> Iterator[Flow]:
    """07–11 h of one unit: idle, moving, a lost hour in which it worked, a parked hour, off.

    Bus signals are missing in the first and last rows around the parked hour, as on real trucks.
    """
    register = tmp_path / "register.csv"
    register.write_text(
        "deviceid,unitno,unittype,dstrct_code,model,valid_from,valid_to\n"
        "HW-1,DT101,dump,MLKB,X,2026-01-31,\nHW-9,DT109,dump,MLKB,X,2026-01-31,2026-01-31\n"
    )
    devices.import_csv(ledger, register)
    on = {"EngineSpeed": 1500, "ignition": 1, "bootcount": 4}
    h7 = rows("2026013107", 3600, **on, EngineHours=100.0, TotalDistance=50.0)
    for i, row in enumerate(h7):
        # idle 30 min; then 10, 4, 2 km/h for 10 min each: 4 keeps moving, 2 ends it
        row["VehicleSpeed"] = 0 if i < 1800 else (10, 4, 2)[(i - 1800) // 600]
        row["seqno"] = i
    # 08 h is lost: seqno goes on, counters move by 1 h and 20 km
    h9 = rows("2026013109", 1800, **on, EngineHours=101.0, TotalDistance=70.0, VehicleSpeed=0)
    for i, row in enumerate(h9):
        row["seqno"] = 7200 + i
    for row in h9[-60:]:
        for name in ("EngineSpeed", "EngineHours", "TotalDistance", "VehicleSpeed"):
            row[name] = -9999
        row["ignition"] = 0
    # parked from 09:30 to 11:00 without a row: counters stand still
    h11 = rows("2026013111", 600, bootcount=5, ignition=0, VehicleSpeed=0)
    for i, row in enumerate(h11):
        row |= {"seqno": i, "EngineSpeed": 0}
        if i >= 60:
            row |= {"EngineHours": 101.0, "TotalDistance": 70.0}
    for hour, lines in (("07", h7), ("09", h9), ("11", h11)):
        deliver(raw, f"20260131{hour}", lines)
    with Flow(settings, ledger) as flow:
        flow.ingest()
        devices.close_hours(ledger, settings, NOW)
        yield flow


def test_seconds_counters_and_hours(day: Flow, settings: Settings, ledger: Ledger) -> None:
    result = build(ledger, settings, "w", now=NOW)
    assert result.failed == ["fresh"]  # nothing has come since the day before
    columns = "day_s, observed_s, moving_s, idle_s, off_s, unknown_s, inferred_off_s, km, engine_h"
    got, silent = ask(
        settings,
        ledger,
        "unit_day",
        f"SELECT {columns} FROM unit_day WHERE hiveperiod = '{DAY}' ORDER BY unitno",
    )
    observed = 3600 + 1800 + 600
    moving, idle, inferred = 1200, 1800 + 600 + 1740, 5400
    off = 60 + 600 + inferred
    # the production day begins at 06:00, and nothing is expected before the first delivered hour
    day_s = 23 * 3600
    assert got[:7] == (day_s, observed, moving, idle, off, day_s - moving - idle - off, inferred)
    assert silent == (day_s, 0, 0, 0, 0, day_s, 0, None, None)
    assert got[7:] == pytest.approx((20.0, 1.0))
    query = (
        "SELECT unobserved_km, unobserved_h FROM unit_day"
        f" WHERE unitno = 'DT101' AND hiveperiod = '{DAY}'"
    )
    (work,) = ask(settings, ledger, "unit_day", query)
    assert work == pytest.approx((20.0, 1.0))
    hours = dict(
        ask(
            settings,
            ledger,
            "device_hour",
            "SELECT hour, state FROM device_hour WHERE deviceid = 'HW-1' AND hour >= '2026013107'"
            " AND hour <= '2026013111' ORDER BY hour",
        )
    )
    assert hours == {
        "2026013107": "complete",
        "2026013108": "missing",  # it worked: never "parked"
        "2026013109": "complete",
        "2026013110": "proven_off",
        "2026013111": "complete",
    }
    never = ask(
        settings,
        ledger,
        "device_hour",
        "SELECT state, count(*) FROM device_hour WHERE deviceid = 'HW-9' GROUP BY ALL",
    )
    # registered until that day, never heard of; expected from the first delivered hour on
    assert never == [("missing", 17)]
    (minutes,) = ask(
        settings,
        ledger,
        "unit_minute",
        "SELECT count(*), sum(seconds)::INT, sum(moving_s)::INT FROM unit_minute",
    )
    assert minutes == (60 + 30 + 10, observed, moving)


def test_a_build_is_due_only_when_something_changed(
    day: Flow, raw: Path, settings: Settings, ledger: Ledger
) -> None:
    assert is_due(ledger)
    build(ledger, settings, "w", now=NOW)
    assert not is_due(ledger)
    first = ask(settings, ledger, "unit_minute", "SELECT * FROM unit_minute ORDER BY ALL")
    with ledger.write() as connection:
        manifest.touch(connection, [(DAY, "MLKB")])
    assert is_due(ledger)
    build(ledger, settings, "w", now=NOW)
    assert ask(settings, ledger, "unit_minute", "SELECT * FROM unit_minute ORDER BY ALL") == first
    late = rows("2026013108", 3600, EngineSpeed=1500, VehicleSpeed=20, bootcount=4)
    deliver(raw, "2026013108", late)
    day.ingest()
    assert build(ledger, settings, "w", now=NOW).partitions >= 1
    (state,) = ask(
        settings,
        ledger,
        "device_hour",
        "SELECT state FROM device_hour WHERE hour = '2026013108' AND deviceid = 'HW-1'",
    )
    assert state == ("complete",)


def test_a_failed_test_keeps_the_last_good_version(
    day: Flow, settings: Settings, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(ledger, settings, "w", now=NOW)
    good = ask(settings, ledger, "unit_day", "SELECT * FROM unit_day")
    with ledger.write() as connection:
        manifest.touch(connection, [(DAY, "MLKB")])
    real = module.dbt_runner.run

    def sabotaged(*args: Any) -> Any:
        return [*real(*args), module.dbt_runner.TestResult("t", "m", "error", "fail", 3, "3 rows")]

    monkeypatch.setattr(module.dbt_runner, "run", sabotaged)
    with pytest.raises(BuildFailed, match="3 rows"):
        build(ledger, settings, "w", now=NOW)
    assert ask(settings, ledger, "unit_day", "SELECT * FROM unit_day") == good
    assert is_due(ledger)
    with ledger.read() as connection:
        failed = connection.execute(
            select(t.mart_tests.c.test).where(t.mart_tests.c.status == "fail")
        ).all()
    assert [tuple(row) for row in failed] == [("t",)]


def exceed(
    raw: Path,
    settings: Settings,
    ledger: Ledger,
    flow: Flow,
    temps: list[float],
    speeds: Sequence[float] = (),
) -> Any:
    lines = rows("2026013107", len(temps), EngineSpeed=1500)
    for row, temp in zip(lines, temps, strict=True):
        row["EngineCoolantTemp"] = temp
    for row, speed in zip(lines, speeds, strict=False):
        row["VehicleSpeed"] = speed
    deliver(raw, "2026013107", lines)
    flow.ingest()
    build(ledger, settings, "w", now=NOW)
    start = datetime.fromtimestamp(epoch("2026013107"), UTC)
    found = ask(
        settings,
        ledger,
        "exceedance",
        "SELECT level, limit_value, epoch(started_at), duration_s, worst FROM exceedance"
        " WHERE signal = 'EngineCoolantTemp' ORDER BY ALL",
    )
    return [
        (level, limit, int(at - start.timestamp()), length, worst)
        for level, limit, at, length, worst in found
    ]


def test_exceedances_merge_short_gaps_and_need_ten_seconds(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    # limits of the dictionary: warn above 103, crit above 108; equal is legal
    temps = [90.0] * 60 + [104.0] * 12 + [103.0] * 20 + [109.0] * 12 + [90.0] * 60 + [105.0] * 9
    speeds = (
        [59.0] * 30 + [62.0] * 8 + [60.0] * 10 + [71.0] * 10 + [58.0] * 60 + [75.0] * 9 + [0.0] * 46
    )
    got = exceed(raw, settings, ledger, flow, temps, speeds)
    assert got == [("crit", 108, 92, 12, 109), ("warn", 103, 60, 44, 109)]
    # warn above 60 km/h, crit above 70: 18 s of the spell's 28 lie above 60
    query = (
        "SELECT level, duration_s, beyond_s, worst FROM exceedance WHERE signal = 'VehicleSpeed'"
    )
    fast = ask(settings, ledger, "exceedance", query + " ORDER BY ALL")
    assert fast == [("crit", 10, 10, 71), ("warn", 28, 18, 71)]
    days = ask(settings, ledger, "unit_day", "SELECT sum(exceedances) FROM unit_day")
    assert days == [(2,)]  # of the machine alone


def test_the_first_ten_seconds_of_an_engine_are_not_judged(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    assert exceed(raw, settings, ledger, flow, [110.0] * 15) == []


def fatigue(raw: Path, settings: Settings, ledger: Ledger, flow: Flow, lines: Any) -> Any:
    deliver(raw, "2026013107", lines)
    flow.ingest()
    build(ledger, settings, "w", now=NOW)
    return ask(
        settings,
        ledger,
        "fatigue_case",
        "SELECT kind, evidence, closure_s, round(metres_closed, 3) FROM fatigue_case ORDER BY ALL",
    )


def eyes(seconds: int, **values: Any) -> list[dict[str, Any]]:
    base = {
        "EngineSpeed": 1500,
        "camcabinstatus": 1,
        "camcabinblocked": 0,
        "driverpresent": 1,
        "faceconf": 0.9,
        "eyewear": "none",
        "headpitch": 0,
        "earbaseline": 0.3,
        "ear": 0.3,
        "operatorid": "OP1",
        "VehicleSpeed": 36.0,
    }
    return rows("2026013107", seconds, **{**base, **values})


def test_a_measured_closure_opens_a_case(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    lines = eyes(600, fwversion="3.1.0", eyecloseddur=0, eyeclosedfrac=0)
    # closed from 0.6 s before the end of second 300, through 301, until 0.4 s into 302: 2.0 s
    lines[300] |= {"eyecloseddur": 0.6, "eyeclosedfrac": 0.6}
    lines[301] |= {"eyecloseddur": 1.6, "eyeclosedfrac": 1.0}
    lines[302] |= {"eyecloseddur": 0, "eyeclosedfrac": 0.4}
    lines[500] |= {"eyecloseddur": 0.9, "eyeclosedfrac": 0.9}  # 0.9 + 0.3 s: too short
    lines[501] |= {"eyeclosedfrac": 0.3}
    got = fatigue(raw, settings, ledger, flow, lines)
    assert got == [("microsleep", "closure", pytest.approx(2.0), pytest.approx(20.0))]


@pytest.mark.parametrize(
    ("closed", "changes", "cases"),
    [
        (range(300, 304), {}, 1),
        (range(300, 303), {}, 0),  # three snapshots are a suspect only
        (range(300, 304), {"VehicleSpeed": 0.0}, 0),
        (range(300, 304), {"camcabinblocked": 1}, 0),  # blind, not asleep
        (range(300, 304), {"eyewear": "sun"}, 0),
        (range(300, 304), {"earbaseline": 0.2}, 0),  # narrow eyes: 0.15 is not closed for them
    ],
)
def test_snapshots_need_four_seconds_seen_while_moving(
    raw: Path,
    settings: Settings,
    ledger: Ledger,
    flow: Flow,
    closed: range,
    changes: dict[str, Any],
    cases: int,
) -> None:
    lines = eyes(600, fwversion="2.4.0", **changes)
    for i in closed:
        lines[i]["ear"] = 0.15
    assert len(fatigue(raw, settings, ledger, flow, lines)) == cases


def test_a_device_alarm_always_opens_a_case(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    lines = eyes(60, camcabinstatus=0, VehicleSpeed=0)
    lines[30] |= {"dmsalarm": 1}
    assert fatigue(raw, settings, ledger, flow, lines) == [("device_alarm", "device", None, None)]


def test_cases_merge_within_five_minutes(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    lines = eyes(2000)
    for i in (100, 350, 1000):
        lines[i] |= {"dmsalarm": 1}
    assert len(fatigue(raw, settings, ledger, flow, lines)) == 2


def test_the_catalogue_says_what_one_row_is() -> None:
    for mart in MARTS.values():
        assert mart.grain.startswith("One row per "), mart.name
        assert all(description for _, _, description in mart.columns)


def test_a_day_without_any_file_is_missing(day: Flow, settings: Settings, ledger: Ledger) -> None:
    devices.close_hours(ledger, settings, NOW + timedelta(days=2))
    build(ledger, settings, "w", now=NOW + timedelta(days=2))
    got = ask(
        settings,
        ledger,
        "device_hour",
        "SELECT state, count(*) FROM device_hour WHERE hiveperiod = '2026-02-02'"
        " AND deviceid = 'HW-1' GROUP BY ALL",
    )
    assert got == [("missing", 24)]


def test_a_warning_is_published_and_listed(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    """One odd counter (40 engine hours in a day) must not keep everybody's marts back."""
    for hour, hours in (("2026013107", 100.0), ("2026013109", 140.0)):
        deliver(raw, hour, rows(hour, 60, EngineSpeed=1500, ignition=1, EngineHours=hours))
    flow.ingest()
    result = build(ledger, settings, "w", now=NOW)
    assert len(result.failed) == 2  # of the shift and of the day
    assert ask(settings, ledger, "unit_day", "SELECT engine_h FROM unit_day") == [(40.0,)]
    with ledger.read() as connection:
        m = t.mart_tests.c
        warned = connection.execute(select(m.model, m.failures).where(m.status == "warn")).all()
    assert sorted(tuple(row) for row in warned) == [("unit_day", 1), ("unit_shift", 1)]


def test_two_devices_on_one_unit_do_not_double_it(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    """A device set up with another's unit number must not keep everybody's marts back."""
    for device, seconds in (("HW-1", 60), ("HW-2", 90)):
        deliver(raw, "2026013107", rows("2026013107", seconds, device), device=device)
    flow.ingest()
    build(ledger, settings, "w", now=NOW)
    assert ask(settings, ledger, "unit_day", "SELECT observed_s FROM unit_day") == [(90,)]
    minutes = ask(settings, ledger, "unit_minute", "SELECT seconds FROM unit_minute ORDER BY 1")
    assert minutes == [(30,), (60,)]


def test_no_figure_is_made_of_rows_with_a_wrong_checksum(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    deliver(raw, "2026013107", rows("2026013107", 60))
    packed = gzip.compress(text(rows("2026013108", 60)), mtime=0)
    wrong = packed[:-8] + bytes([packed[-8] ^ 1]) + packed[-7:]
    deliver(raw, "2026013108", wrong, packed=False)
    assert flow.ingest().lines["accepted"] == 120
    build(ledger, settings, "w", now=NOW)
    assert ask(settings, ledger, "unit_day", "SELECT observed_s FROM unit_day") == [(60,)]
    states = ask(settings, ledger, "device_hour", "SELECT hour, state, accepted FROM device_hour")
    assert ("2026013108", "not_registered", 60) in states


def test_settled_days_are_told_by_the_mart_as_by_the_ledger(
    day: Flow, settings: Settings, ledger: Ledger, raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(ledger, settings, "w", now=NOW)
    scope = Scope(DAY, DAY)

    def told() -> tuple[pl.DataFrame, int, int]:
        with open_reader(settings, ledger) as reader, ledger.read() as connection:
            cells = ask_named(reader, "delivery", scope, days=scope.days)
            frames = [way(connection, scope) for way in (deliveries.settled, deliveries.arrivals)]
        return cells.sort("deviceid", "hour"), *(frame.height for frame in frames)

    by_mart, settled, arrivals = told()
    assert (settled, arrivals) == (1, 0)
    assert set(by_mart["state"]) == {"complete", "missing", "proven_off"}
    with monkeypatch.context() as patched:
        patched.setattr(deliveries, "_settled", lambda *_: (set(), {"MLKB"}))
        by_ledger, settled, arrivals = told()
    assert (settled, arrivals) == (0, 3)
    assert_frame_equal(by_mart, by_ledger)
    # whatever changes the day makes the ledger speak again, until the next build
    deliver(raw, "2026013108", rows("2026013108", 3600))
    day.ingest()
    late, settled, arrivals = told()
    assert (settled, arrivals) == (0, 4)
    assert late.filter(deviceid="HW-1", hour="2026013108")["state"].to_list() == ["complete"]
