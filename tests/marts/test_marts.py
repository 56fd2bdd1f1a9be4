"""The marts on seconds made by hand: every expected figure was worked out, not printed."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from sqlalchemy import func, select

from pipeline.errors import BuildFailed
from pipeline.flow import Flow
from pipeline.marts import build as module
from pipeline.marts.build import BuildResult, build, is_due
from pipeline.marts.catalogue import MARTS
from pipeline.settings import Settings, load
from pipeline.storage import devices, manifest
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger, open_ledger
from pipeline.storage.visible import mart_sql
from queries import deliveries
from queries.connect import open_reader
from queries.run import ask as ask_named
from queries.scope import Scope
from tests.conftest import Children
from tests.make import deliver, epoch, rows, text

NOW = datetime(2026, 2, 2, tzinfo=UTC)
DAY = "2026-01-31"
HOUR = "2026013107"


def ask(settings: Settings, ledger: Ledger, mart: str, query: str) -> list[tuple[Any, ...]]:
    with ledger.read() as connection:
        files = manifest.live(connection, mart)
    columns = [(name, kind) for name, kind, _ in MARTS[mart].columns]
    with duckdb.connect() as duck:
        duck.execute("SET TimeZone = 'UTC'")
        duck.execute(f"CREATE VIEW {mart} AS {mart_sql(settings.lake_root, files, columns)}")
        return duck.execute(query).fetchall()


@dataclass(frozen=True)
class Built:
    """A home that was built at NOW. Nobody writes to it."""

    settings: Settings
    ledger: Ledger
    result: BuildResult

    def ask(self, mart: str, query: str) -> list[tuple[Any, ...]]:
        return ask(self.settings, self.ledger, mart, query)


@pytest.fixture(scope="module")
def built_day(tmp_path_factory: pytest.TempPathFactory, children: Children) -> Iterator[Built]:
    """07–11 h of one unit: idle, moving, a lost hour in which it worked, a parked hour, off.

    Bus signals are missing in the first and last rows around the parked hour, as on real trucks.
    """
    folder = tmp_path_factory.mktemp("day")
    settings = load(home=folder / "home", threads=1)
    ledger, raw = open_ledger(settings), settings.raw_root
    register = folder / "register.csv"
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
    taken_in(settings, ledger, children)
    devices.close_hours(ledger, settings, NOW)
    assert is_due(ledger)
    yield Built(settings, ledger, build(ledger, settings, "w", now=NOW))
    ledger.close()


def taken_in(settings: Settings, ledger: Ledger, children: Children) -> None:
    with Flow(settings, ledger) as flow:
        children.lend(flow)
        flow.ingest()
        children.take_back(flow)


@pytest.fixture
def day(built_day: Built, settings: Settings) -> None:
    """The test's own home is a copy of it; to be asked for before its ledger."""
    shutil.copytree(built_day.settings.home, settings.home, copy_function=shutil.copy2)


def test_seconds_counters_and_hours(built_day: Built) -> None:
    assert built_day.result.failed == ["fresh"]  # nothing has come since the day before
    columns = "day_s, observed_s, moving_s, idle_s, off_s, unknown_s, inferred_off_s, km, engine_h"
    got, silent = built_day.ask(
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
    (work,) = built_day.ask("unit_day", query)
    assert work == pytest.approx((20.0, 1.0))
    hours = dict(
        built_day.ask(
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
    never = built_day.ask(
        "device_hour",
        "SELECT state, count(*) FROM device_hour WHERE deviceid = 'HW-9' GROUP BY ALL",
    )
    # registered until that day, never heard of; expected from the first delivered hour on
    assert never == [("missing", 17)]
    (minutes,) = built_day.ask(
        "unit_minute",
        "SELECT count(*), sum(seconds)::INT, sum(moving_s)::INT FROM unit_minute",
    )
    assert minutes == (60 + 30 + 10, observed, moving)


def test_a_build_is_due_only_when_something_changed(
    day: None, raw: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    assert not is_due(ledger)
    first = ask(settings, ledger, "unit_minute", "SELECT * FROM unit_minute ORDER BY ALL")
    with ledger.write() as connection:
        manifest.touch(connection, [(DAY, "MLKB")])
    assert is_due(ledger)
    build(ledger, settings, "w", now=NOW)
    assert ask(settings, ledger, "unit_minute", "SELECT * FROM unit_minute ORDER BY ALL") == first
    late = rows("2026013108", 3600, EngineSpeed=1500, VehicleSpeed=20, bootcount=4)
    deliver(raw, "2026013108", late)
    flow.ingest()
    assert build(ledger, settings, "w", now=NOW).partitions >= 1
    (state,) = ask(
        settings,
        ledger,
        "device_hour",
        "SELECT state FROM device_hour WHERE hour = '2026013108' AND deviceid = 'HW-1'",
    )
    assert state == ("complete",)


def test_a_failed_test_keeps_the_last_good_version(
    day: None, settings: Settings, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
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


def warm(temps: list[float], speeds: Sequence[float] = ()) -> list[dict[str, Any]]:
    lines = rows(HOUR, len(temps), EngineSpeed=1500)
    for row, temp in zip(lines, temps, strict=True):
        row["EngineCoolantTemp"] = temp
    for row, speed in zip(lines, speeds, strict=False):
        row["VehicleSpeed"] = speed
    return lines


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
    return rows(HOUR, seconds, **{**base, **values})


def closure() -> list[dict[str, Any]]:
    lines = eyes(600, fwversion="3.1.0", eyecloseddur=0, eyeclosedfrac=0)
    # closed from 0.6 s before the end of second 300, through 301, until 0.4 s into 302: 2.0 s
    lines[300] |= {"eyecloseddur": 0.6, "eyeclosedfrac": 0.6}
    lines[301] |= {"eyecloseddur": 1.6, "eyeclosedfrac": 1.0}
    lines[302] |= {"eyecloseddur": 0, "eyeclosedfrac": 0.4}
    lines[500] |= {"eyecloseddur": 0.9, "eyeclosedfrac": 0.9}  # 0.9 + 0.3 s: too short
    lines[501] |= {"eyeclosedfrac": 0.3}
    return lines


def snapshots(closed: range, **changes: Any) -> list[dict[str, Any]]:
    lines = eyes(600, fwversion="2.4.0", **changes)
    for i in closed:
        lines[i]["ear"] = 0.15
    return lines


def alarms(lines: list[dict[str, Any]], *seconds: int) -> list[dict[str, Any]]:
    for i in seconds:
        lines[i] |= {"dmsalarm": 1}
    return lines


#: Unit → snapshots of closed eyes, other values, and the cases that come of them.
SNAPSHOTS: dict[str, tuple[range, dict[str, Any], int]] = {
    "S4": (range(300, 304), {}, 1),
    "S3": (range(300, 303), {}, 0),  # three snapshots are a suspect only
    "STANDING": (range(300, 304), {"VehicleSpeed": 0.0}, 0),
    "BLOCKED": (range(300, 304), {"camcabinblocked": 1}, 0),  # blind, not asleep
    "SUN": (range(300, 304), {"eyewear": "sun"}, 0),
    "NARROW": (range(300, 304), {"earbaseline": 0.2}, 0),  # 0.15 is not closed for such eyes
}


def units() -> dict[str, list[dict[str, Any]]]:
    """What each unit sends for one hour. Each has a device and an operator of its own."""
    # limits of the dictionary: warn above 103, crit above 108; equal is legal
    temps = [90.0] * 60 + [104.0] * 12 + [103.0] * 20 + [109.0] * 12 + [90.0] * 60 + [105.0] * 9
    speeds = (
        [59.0] * 30 + [62.0] * 8 + [60.0] * 10 + [71.0] * 10 + [58.0] * 60 + [75.0] * 9 + [0.0] * 46
    )
    return {
        "HOT": warm(temps, speeds),
        "STARTED": warm([110.0] * 15),
        "CLOSURE": closure(),
        **{unit: snapshots(closed, **more) for unit, (closed, more, _) in SNAPSHOTS.items()},
        "ALARM": alarms(eyes(60, camcabinstatus=0, VehicleSpeed=0), 30),
        "ALARMS": alarms(eyes(2000), 100, 350, 1000),
    }


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory, children: Children) -> Iterator[Built]:
    """One home for all that a unit may do by itself: a build costs seconds, a unit nothing."""
    settings = load(home=tmp_path_factory.mktemp("scenes") / "home", threads=1)
    ledger, raw = open_ledger(settings), settings.raw_root
    for unit, lines in units().items():
        own = {"deviceid": f"HW-{unit}", "unitno": unit}
        for row in lines:
            row.update(own)
            if "operatorid" in row:
                row["operatorid"] = f"OP-{unit}"
        deliver(raw, HOUR, lines, device=f"HW-{unit}")
    for hour, hours in ((HOUR, 100.0), ("2026013109", 140.0)):
        odd = {"unitno": "ODD", "EngineSpeed": 1500, "ignition": 1, "EngineHours": hours}
        deliver(raw, hour, rows(hour, 60, "HW-ODD", **odd), device="HW-ODD")
    for device, seconds in (("HW-T1", 60), ("HW-T2", 90)):
        deliver(raw, HOUR, rows(HOUR, seconds, device, unitno="TWICE"), device=device)
    deliver(raw, HOUR, rows(HOUR, 60, "HW-WRONG", unitno="WRONG"), device="HW-WRONG")
    packed = gzip.compress(text(rows("2026013108", 60, "HW-WRONG", unitno="WRONG")), mtime=0)
    wrong = packed[:-8] + bytes([packed[-8] ^ 1]) + packed[-7:]
    deliver(raw, "2026013108", wrong, device="HW-WRONG", packed=False)
    taken_in(settings, ledger, children)
    yield Built(settings, ledger, build(ledger, settings, "w", now=NOW))
    ledger.close()


def exceeded(scenes: Built, unit: str) -> Any:
    start = datetime.fromtimestamp(epoch(HOUR), UTC)
    found = scenes.ask(
        "exceedance",
        "SELECT level, limit_value, epoch(started_at), duration_s, worst FROM exceedance"
        f" WHERE signal = 'EngineCoolantTemp' AND unitno = '{unit}' ORDER BY ALL",
    )
    return [
        (level, limit, int(at - start.timestamp()), length, worst)
        for level, limit, at, length, worst in found
    ]


def test_exceedances_merge_short_gaps_and_need_ten_seconds(scenes: Built) -> None:
    got = exceeded(scenes, "HOT")
    assert got == [("crit", 108, 92, 12, 109), ("warn", 103, 60, 44, 109)]
    # warn above 60 km/h, crit above 70: 18 s of the spell's 28 lie above 60
    query = (
        "SELECT level, duration_s, beyond_s, worst FROM exceedance"
        " WHERE signal = 'VehicleSpeed' AND unitno = 'HOT' ORDER BY ALL"
    )
    fast = scenes.ask("exceedance", query)
    assert fast == [("crit", 10, 10, 71), ("warn", 28, 18, 71)]
    query = "SELECT sum(exceedances) FROM unit_day WHERE unitno = 'HOT'"
    assert scenes.ask("unit_day", query) == [(2,)]  # of the machine alone


def test_the_first_ten_seconds_of_an_engine_are_not_judged(scenes: Built) -> None:
    observed = "SELECT observed_s FROM unit_day WHERE unitno = 'STARTED'"
    assert scenes.ask("unit_day", observed) == [(15,)]
    assert exceeded(scenes, "STARTED") == []


def cases(scenes: Built, unit: str) -> Any:
    observed = f"SELECT observed_s > 0 FROM unit_day WHERE unitno = '{unit}'"
    assert scenes.ask("unit_day", observed) == [(True,)]
    return scenes.ask(
        "fatigue_case",
        "SELECT kind, evidence, closure_s, round(metres_closed, 3) FROM fatigue_case"
        f" WHERE unitno = '{unit}' ORDER BY ALL",
    )


def test_a_measured_closure_opens_a_case(scenes: Built) -> None:
    got = cases(scenes, "CLOSURE")
    assert got == [("microsleep", "closure", pytest.approx(2.0), pytest.approx(20.0))]


@pytest.mark.parametrize("unit", SNAPSHOTS)
def test_snapshots_need_four_seconds_seen_while_moving(scenes: Built, unit: str) -> None:
    assert len(cases(scenes, unit)) == SNAPSHOTS[unit][2]


def test_a_device_alarm_always_opens_a_case(scenes: Built) -> None:
    assert cases(scenes, "ALARM") == [("device_alarm", "device", None, None)]


def test_cases_merge_within_five_minutes(scenes: Built) -> None:
    assert len(cases(scenes, "ALARMS")) == 2


def test_the_catalogue_says_what_one_row_is() -> None:
    for mart in MARTS.values():
        assert mart.grain.startswith("One row per "), mart.name
        assert all(description for _, _, description in mart.columns)


def test_a_day_without_any_file_is_missing(day: None, settings: Settings, ledger: Ledger) -> None:
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


def test_a_warning_is_published_and_listed(scenes: Built) -> None:
    """One odd counter (40 engine hours in a day) must not keep everybody's marts back."""
    assert len(scenes.result.failed) == 2  # of the shift and of the day
    hours = "SELECT engine_h FROM unit_day WHERE unitno = 'ODD'"
    assert scenes.ask("unit_day", hours) == [(40.0,)]
    with scenes.ledger.read() as connection:
        m = t.mart_tests.c
        warned = connection.execute(select(m.model, m.failures).where(m.status == "warn")).all()
    assert sorted(tuple(row) for row in warned) == [("unit_day", 1), ("unit_shift", 1)]


def test_two_devices_on_one_unit_do_not_double_it(scenes: Built) -> None:
    """A device set up with another's unit number must not keep everybody's marts back."""
    seconds = "SELECT observed_s FROM unit_day WHERE unitno = 'TWICE'"
    assert scenes.ask("unit_day", seconds) == [(90,)]
    minutes = "SELECT seconds FROM unit_minute WHERE unitno = 'TWICE' ORDER BY 1"
    assert scenes.ask("unit_minute", minutes) == [(30,), (60,)]


def test_no_figure_is_made_of_rows_with_a_wrong_checksum(scenes: Built) -> None:
    with scenes.ledger.read() as connection:
        o = t.raw_objects.c
        query = select(func.sum(o.accepted)).where(o.key.contains("HW-WRONG"))
        assert connection.execute(query).scalar_one() == 120
    seconds = "SELECT observed_s FROM unit_day WHERE unitno = 'WRONG'"
    assert scenes.ask("unit_day", seconds) == [(60,)]
    states = scenes.ask(
        "device_hour", "SELECT hour, state, accepted FROM device_hour WHERE deviceid = 'HW-WRONG'"
    )
    assert ("2026013108", "not_registered", 60) in states


def test_settled_days_are_told_by_the_mart_as_by_the_ledger(
    day: None,
    settings: Settings,
    ledger: Ledger,
    flow: Flow,
    raw: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
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
    flow.ingest()
    late, settled, arrivals = told()
    assert (settled, arrivals) == (0, 4)
    assert late.filter(deviceid="HW-1", hour="2026013108")["state"].to_list() == ["complete"]
