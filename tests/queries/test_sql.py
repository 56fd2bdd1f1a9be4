"""The named queries: their headers, and their answers over a lake whose numbers are known."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipeline.localtime import next_day, path_hour
from pipeline.settings import Settings
from pipeline.storage import manifest
from pipeline.storage.ledger import Ledger
from pipeline.storage.records import QUARANTINE
from pipeline.storage.sql import step
from pipeline.storage.visible import KEYS
from queries.connect import TELEMETRY, ZONES, Reader, mart_columns, open_reader
from queries.deliveries import HALVES
from queries.ledger_frames import relation_names
from queries.run import ask, load
from queries.scope import Scope
from tests.app.fabricate import DISTRICT, LATE, MISSING, UNITS, Lake, fabricate
from tests.app.fabricate_fatigue import publish

#: Sums over everything: nothing is a row, too.
ONE_ROW = ("fatigue_exposure", "fatigue_shifts")

NAMES = sorted(
    Path(item.name).stem for item in resources.files("queries").joinpath("sql").iterdir()
)


@pytest.fixture
def lake(settings: Settings, ledger: Ledger) -> Iterator[tuple[Reader, Scope]]:
    day = fabricate(settings, ledger)
    with open_reader(settings, ledger) as reader:
        yield reader, Scope(next_day(day, -1), next_day(day, 1))


@pytest.mark.parametrize("name", NAMES)
def test_a_header_tells_grain_relations_parameters_and_columns(name: str) -> None:
    query = load(name)
    header = "\n".join(line for line in query.text.splitlines() if line.startswith("--"))
    assert "-- grain: one row" in header
    assert "-- columns:" in header
    known = {TELEMETRY, ZONES, QUARANTINE, *mart_columns(), *HALVES, *relation_names()}
    assert query.reads
    assert set(query.reads) <= known
    for parameter in query.parameters:
        assert f"${parameter}" in header, f"{parameter} is not explained"
    used = set(re.findall(r"\b(?:FROM|JOIN)\s+(\w+)", re.sub(r"--.*", "", query.text)))
    assert set(query.reads) & used == set(query.reads), "the header names what is not read"


def test_seconds_are_asked_for_by_the_names_of_their_columns(
    lake: tuple[Reader, Scope],
) -> None:
    """Only columns that a query names are bound: one that asks for all would miss most."""
    reader, scope = lake
    for name in NAMES:
        query = load(name)
        body = re.sub(r"--.*", "", query.text)
        if TELEMETRY in query.reads:
            assert not re.search(r"(SELECT|,)\s*(\w+\.)?\*", body), f"{name} asks for all columns"
    with reader.cursor([TELEMETRY], scope, ["ear", "ENGINESPEED"]) as cursor:
        names = {row[0] for row in cursor.sql(f"DESCRIBE {TELEMETRY}").fetchall()}
        assert names == {*KEYS, "ear", "EngineSpeed"}
        assert cursor.sql(f"SELECT count(*), count(EngineSpeed) FROM {TELEMETRY}").fetchall()
    with reader.cursor([TELEMETRY], scope) as cursor:
        assert len(cursor.sql(f"DESCRIBE {TELEMETRY}").fetchall()) > 179


def unit_scope(scope: Scope, unit: str) -> Scope:
    end = datetime.now(UTC) + timedelta(hours=1)
    return Scope(scope.first, scope.last, units=(unit,), start=end - timedelta(days=2), end=end)


def test_every_query_answers_an_empty_lake(settings: Settings, ledger: Ledger) -> None:
    values: dict[str, Any] = {
        "days": ["2026-01-31"],
        "devices": ["x"],
        "columns": ["VehicleSpeed_mean"],
        "types": ["dump"],
        "deviceid": "x",
        "case_id": "x",
        "points": 3.0,
        "shift": 1,
        "shift_days": ["2026-01-31"],
        "shift_districts": ["MLKB"],
        "shift_numbers": [1],
        "shift_starts": [1769810400],
        **{"key": "", "device": "", "reason": "", "skip": 0, "most": 50},
    }
    start = datetime(2026, 1, 31, tzinfo=UTC)
    scope = Scope("2026-01-31", "2026-01-31", units=("x",), start=start)
    with open_reader(settings, ledger) as reader:
        for name in NAMES:
            columns = ["ear"] if name == "engine_seconds" else values["columns"]
            frame = ask(reader, name, scope, **(values | {"columns": columns}))
            assert frame.height == (1 if name in ONE_ROW else 0), name


def test_delivery_tells_missing_late_and_pending(lake: tuple[Reader, Scope]) -> None:
    reader, scope = lake
    cells = ask(reader, "delivery", scope, days=scope.days)
    states = dict(cells["state"].value_counts().iter_rows())
    # The hour under way is pending for each device; MISSING's hour is three hours old or more.
    assert states == {"complete": 23, "missing": 1, "pending": 4}
    missing = cells.filter(state="missing")
    assert missing["deviceid"].to_list() == [MISSING[0]]
    assert cells.filter("late")["deviceid"].to_list() == [LATE[0]]
    assert cells.filter("late")["delay_s"].to_list() == [3 * 3600]
    # Of the last three hours the grace is not over, be their files there or not.
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    early = cells.filter(~pl.col("due"))
    assert set(early["hour_start"]) == {end - timedelta(hours=i) for i in (0, 1, 2)}
    assert dict(early["state"].value_counts().iter_rows()) == {"complete": 8, "pending": 4}


def test_a_device_s_hours_are_summed_up_by_what_became_of_them(
    lake: tuple[Reader, Scope],
) -> None:
    reader, scope = lake
    found = ask(reader, "delivery_devices", scope, days=scope.days)
    keys = ("deviceid", "state", "due")
    rows = {tuple(row[key] for key in keys): row for row in found.iter_rows(named=True)}
    # The last two hours came at once, and count once their grace is over.
    assert {key: row["hours"] for key, row in rows.items()} == {
        **{(f"dev-{unit}", "complete", True): 4 for unit in UNITS},
        **{(f"dev-{unit}", "complete", False): 2 for unit in UNITS},
        **{(f"dev-{unit}", "pending", False): 1 for unit in UNITS},
        (MISSING[0], "complete", True): 3,
        (MISSING[0], "missing", True): 1,
    }
    came, gone = rows[MISSING[0], "complete", True], rows[MISSING[0], "missing", True]
    assert (came["rows"], came["delays"], came["out"]) == (3 * 3600, [240.0] * 3, None)
    # What has not come has no delay: it is not left out.
    assert (gone["rows"], gone["delays"], gone["uncovered"]) == (0, [None], 0)
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    assert gone["out"] == [end - timedelta(hours=6 - MISSING[1])]
    late = rows[LATE[0], "complete", True]
    assert (late["late"], sorted(late["delays"])) == (1, [240.0] * 3 + [3 * 3600.0])


def test_rows_lost_on_devices_are_told_of_hours_that_are_built(
    lake: tuple[Reader, Scope], settings: Settings, ledger: Ledger
) -> None:
    reader, scope = lake
    made = Lake(settings, ledger, settings.zone_of(DISTRICT), UNITS)
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    rows = []
    for unit, i, lines, lost in (
        ("DT-101", 0, 3600, 100.0),
        ("DT-101", 1, 3000, 999.0),  # built before the rest of the file came
        ("DT-101", 5, 3600, 7.0),  # within its grace
        (MISSING[0].removeprefix("dev-"), MISSING[1], None, 3600.0),
    ):
        start = end - timedelta(hours=6 - i)
        row = {"dstrct_code": DISTRICT, "unitno": unit, "deviceid": f"dev-{unit}", "lines": lines}
        row |= {"hiveperiod": made.day(start), "hour": path_hour(start, made.zone)}
        rows.append(row | {"hour_start": start, "seqno_lost": lost, "powered_s": 3600.0})
    with ledger.write() as connection:
        made.write(connection, "device_hour", rows, step(connection, "data"))
    found = ask(reader, "delivery_devices", scope, days=scope.days)
    told = ("built", "lost", "counted")
    keys = ("deviceid", "state", "due")
    known = {
        tuple(row[key] for key in keys): tuple(row[name] for name in told)
        for row in found.iter_rows(named=True)
    }
    assert {key: value for key, value in known.items() if value != (0, 0, 0)} == {
        ("dev-DT-101", "complete", True): (1, 100, 3600),
        ("dev-DT-101", "complete", False): (1, 7, 3600),
        (MISSING[0], "missing", True): (1, 3600, 3600),
    }


def test_hours_that_need_a_look_and_all_of_some_devices(lake: tuple[Reader, Scope]) -> None:
    reader, scope = lake
    bad = ask(reader, "delivery_cells", scope, days=scope.days, devices=[])
    assert sorted(bad.select("deviceid", "state").rows()) == [
        (MISSING[0], "missing"),
        (LATE[0], "complete"),
    ]
    more = ask(reader, "delivery_cells", scope, days=scope.days, devices=["dev-DT-101"])
    own = more.filter(deviceid="dev-DT-101")
    assert dict(own["state"].value_counts().iter_rows()) == {"complete": 6, "pending": 1}
    assert more.height == bad.height + own.height


def test_status_now(lake: tuple[Reader, Scope]) -> None:
    reader, scope = lake
    now = ask(reader, "unit_now", scope)
    assert now["unitno"].to_list() == list(UNITS)
    assert now["status"].unique().to_list() == ["reporting"]


def test_districts_narrow_every_answer(lake: tuple[Reader, Scope]) -> None:
    reader, scope = lake
    elsewhere = Scope(scope.first, scope.last, districts=("ZZZZ",))
    for name in ("unit_now", "unit_totals", "units", "fatigue_cases"):
        assert ask(reader, name, elsewhere).is_empty(), name
    assert ask(reader, "delivery", elsewhere, days=scope.days).is_empty()
    assert ask(reader, "fatigue_exposure", elsewhere)["units"].to_list() == [0]


def test_the_strip_shows_blind_and_no_data(lake: tuple[Reader, Scope]) -> None:
    reader, scope = lake
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    span = {"start": end - timedelta(hours=6), "end": end}
    runs = ask(reader, "fatigue_strip", Scope(scope.first, scope.last, units=UNITS, **span))
    by_unit = runs.group_by("unitno").agg(pl.col("state").unique().sort())
    states = dict(by_unit.iter_rows())
    assert "blind" in states["DT-101"]
    none = runs.filter(unitno="DT-102", state="none")
    assert (none["ended_at"] - none["started_at"]).to_list() == [timedelta(hours=1)]


def test_seconds_of_a_case(lake: tuple[Reader, Scope], settings: Settings, ledger: Ledger) -> None:
    reader, scope = lake
    case = ask(reader, "fatigue_cases", scope).filter(case_id="F-1").row(0, named=True)
    around = timedelta(minutes=2)
    narrow = Scope(
        scope.first,
        scope.last,
        start=case["started_at"] - around,
        end=case["ended_at"] + around,
        devices=(case["deviceid"],),
    )
    with reader.ledger.read() as connection:  # files with rows of others alone are not opened
        for devices, files in ((narrow.devices, 1), (("dev-DT-102",), 0)):
            found = manifest.live(connection, **replace(narrow, devices=devices).files)
            assert len(found) == files
    trace = ask(reader, "eye_trace", narrow, deviceid=case["deviceid"])
    assert trace.height == 240
    assert trace.filter(pl.col("ear") < 0.1).height == 4
    assert trace["open_ear"].is_null().all(), "no hour was judged"
    # Nobody was signed on: it is the level of the unit, not that of somebody else.
    hour = case["started_at"].replace(minute=0, second=0, microsecond=0)
    judged = [
        {
            **{name: case[name] for name in ("hiveperiod", "dstrct_code", "unitno")},
            **{"hour_start": hour, "operator": who, "open_ear": level},
        }
        for who, level in (("op-7", 0.2), (case["unitno"], 0.3))
    ]
    filled = Lake(settings, ledger, settings.zone_of(DISTRICT), UNITS)
    with ledger.write() as connection:
        publish(filled, connection, "eye_hour", judged)
    trace = ask(reader, "eye_trace", narrow, deviceid=case["deviceid"])
    assert trace.height == 240
    assert trace["open_ear"].unique().to_list() == [0.3]
    assert "operatorid" not in ask(reader, "fatigue_cases", scope).columns


def test_signals_by_name(lake: tuple[Reader, Scope]) -> None:
    reader, scope = lake
    frame = ask(reader, "engine_minutes", unit_scope(scope, "DT-102"), columns=["EngineSpeed_max"])
    assert frame.columns == ["unitno", "at", "seconds", "EngineSpeed_max"]
    assert frame.height == 5 * 60


def test_cursors_of_many_threads_do_not_mix(lake: tuple[Reader, Scope]) -> None:
    reader, scope = lake
    wrong: list[str] = []

    def read(unit: str) -> None:
        for _ in range(8):
            frame = ask(
                reader, "engine_minutes", unit_scope(scope, unit), columns=["VehicleSpeed_mean"]
            )
            if frame.height != (300 if unit == "DT-102" else 360):
                wrong.append(unit)

    threads = [threading.Thread(target=read, args=(unit,)) for unit in UNITS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_vanished_file_is_looked_up_again_once(lake: tuple[Reader, Scope]) -> None:
    reader, scope = lake
    paths = list(reader.settings.lake_root.glob("analytics/unit_day/*/*/*.parquet"))
    moved = paths[0].with_suffix(".new.parquet")

    def answer() -> pl.DataFrame:
        if not moved.exists():
            paths[0].rename(moved)
            return ask(reader, "units", scope)
        moved.rename(paths[0])
        return ask(reader, "units", scope)

    assert reader.retrying(answer).height == len(UNITS)
