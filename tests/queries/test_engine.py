"""What the page of engine telemetry asks, over a lake whose numbers are known."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline import fields
from pipeline.localtime import next_day
from pipeline.settings import Settings
from pipeline.storage.ledger import Ledger
from pipeline.storage.records import CLEAN
from queries.connect import Reader, open_reader
from queries.run import ask
from queries.scope import Scope
from tests.app import engine_lake as known
from tests.app.engine_lake import RPM, SECOND, START, UNIT, at
from tests.app.fabricate import Lake
from tests.app.fabricate_fatigue import publish


@pytest.fixture
def reader(settings: Settings, ledger: Ledger) -> Iterator[Reader]:
    known.fill(settings, ledger)
    with open_reader(settings, ledger) as reader:
        yield reader


def answer(
    reader: Reader, name: str, start_s: float, end_s: float, *units: str, **more: Any
) -> pl.DataFrame:
    first, last = next_day(known.DAY, -1), next_day(known.DAY, 1)
    scope = Scope(first, last, units=units or (UNIT,), start=at(start_s), end=at(end_s))
    return ask(reader, name, scope, **more)


def test_seconds_minutes_and_hours_of_a_span(reader: Reader) -> None:
    seconds = answer(reader, "engine_seconds", 290, 330, columns=["EngineCoolantLevel"])
    assert seconds.columns == ["unitno", "at", "EngineCoolantLevel"]
    assert seconds.height == 40 - len(known.MISSING)
    columns = ["EngineSpeed_mean", "EngineCoolantTemp_max"]
    minutes = answer(reader, "engine_minutes", 540, 720, UNIT, SECOND, columns=columns)
    assert minutes.select(
        "unitno", "seconds", "EngineSpeed_mean", "EngineCoolantTemp_max"
    ).rows() == [
        (UNIT, 60, RPM[UNIT], 85.0),
        (UNIT, 60, RPM[UNIT], known.PEAK),
        (UNIT, 60, RPM[UNIT], 85.0),
        *[(SECOND, 60, RPM[SECOND], 85.0)] * 3,
    ]
    hours = answer(reader, "engine_hours", 0, 7200, columns=columns)
    assert hours["seconds"].to_list() == [3580, 3600]
    assert hours["EngineCoolantTemp_max"].to_list() == [known.PEAK, 85.0]


def test_a_second_of_two_devices_counts_once(
    reader: Reader, settings: Settings, ledger: Ledger
) -> None:
    other = known.seconds()[:5]
    lake = Lake(settings, ledger, known.ZONE, known.UNITS)
    rows = [{**row, "deviceid": "dev-ZZ", "EngineSpeed": 1.0} for row in other]
    table = pa.Table.from_pylist(rows, schema=fields.arrow_schema())
    path = lake.path(CLEAN, "telemetry", known.DAY).replace("fabricated", "another")
    pq.write_table(table, settings.lake_root / path)
    with ledger.write() as connection:
        lake.record(connection, CLEAN, "telemetry", known.DAY, path, table.num_rows, 1)
    seconds = answer(reader, "engine_seconds", 0, 10, columns=["EngineSpeed"])
    assert seconds["EngineSpeed"].to_list() == [RPM[UNIT]] * 10


def test_a_code_comes_back_after_a_minute_and_is_another_from_another_source(
    reader: Reader,
) -> None:
    codes = answer(reader, "fault_codes", 0, 3600)
    found = codes.select("spn", "fmi", "source", "active_s").rows()
    assert found == [
        (110.0, 16.0, 0.0, 60),
        (110.0, 16.0, 0.0, 30),
        (110.0, 16.0, 0.0, 21),  # half a minute without it in between
        (110.0, 16.0, 3.0, 10),
    ]
    third = codes.row(2, named=True)
    assert (third["started_at"], third["ended_at"]) == (at(600), at(650))
    assert answer(reader, "fault_codes", 0, 3600, SECOND).is_empty()
    assert codes["times"].to_list() == [1] * 4
    # By the hour: the same codes, seconds and times, between the first and the last of each.
    hours = answer(reader, "fault_code_hours", 0, 7200)
    assert hours.columns == codes.columns
    assert hours.select("source", "active_s", "times", "started_at", "ended_at").rows() == [
        (0.0, 60 + 30 + 21, 3, at(100), at(650)),
        (3.0, 10, 1, at(700), at(710)),
    ]
    for span in ((0, 100), (710, 7200)):
        assert answer(reader, "fault_code_hours", *span).is_empty()


@pytest.mark.parametrize(
    ("start_s", "end_s", "levels"),
    [(0, 7200, ["crit", "warn"]), (3600, 7200, ["crit"]), (0, 3590, ["warn"]), (620, 3000, [])],
)
def test_exceedances_that_touch_a_span(
    reader: Reader, start_s: int, end_s: int, levels: list[str]
) -> None:
    found = answer(reader, "exceedances", start_s, end_s)
    assert found["level"].to_list() == levels
    assert found["beyond_s"].to_list() == [{"warn": 17, "crit": 60}[level] for level in levels]


def test_devices_by_minute_and_by_hour_tell_the_same(reader: Reader) -> None:
    minutes = answer(reader, "engine_devices", 3600, 7200)
    hours = answer(reader, "engine_devices_hours", 3600, 7200)
    assert minutes.columns == hours.columns
    assert (minutes.height, hours.height) == (60, 1)
    one = hours.row(0, named=True)
    for name in ("cam_cabin_up_s", "cam_front_up_s", "gps_fix_s", "by_gps_s", "seconds"):
        assert minutes[name].sum() == one[name], name
    assert minutes["gap_max"].max() == one["gap_max"] == 9.0
    assert minutes["gap_mean"].mean() == one["gap_mean"] == 1.5


def test_what_is_usual_is_the_median_of_three_units_or_more(reader: Reader) -> None:
    columns = ["EngineSpeed_mean"]
    peers = answer(reader, "engine_peers", 0, 7200, types=["dump"], columns=columns)
    assert peers.rows() == [
        ("dump", START, 3, RPM[SECOND]),
        ("dump", START + timedelta(hours=1), 3, RPM[SECOND]),
    ]
    assert answer(reader, "engine_peers", 0, 7200, types=["bus"], columns=columns).is_empty()


def test_trust_over_days(reader: Reader) -> None:
    found = {row["signal"]: row for row in answer(reader, "signal_trust", 0, 1).to_dicts()}
    frozen, fine = found["VehicleSpeed"], found["EngineSpeed"]
    assert (frozen["frozen_hours"], frozen["distrusted_days"]) == (2, 1)
    assert frozen["last_distrusted"] == known.DAY
    assert (fine["distrusted_days"], fine["last_distrusted"]) == (0, None)
    # built before there were reasons: they are told from what is known
    assert (frozen["faults"], frozen["unjudged"], frozen["judged_days"]) == (["frozen"], [], 1)
    assert (frozen["gap_kmh"], frozen["gap_s"], frozen["gap_days"]) == (None, None, 0)


def test_what_is_not_fitted_and_how_far_the_speeds_lie_apart(
    reader: Reader, settings: Settings, ledger: Ledger
) -> None:
    """A second day: 3,600 s with 6 km/h between them, and 300 s that tell nothing on a third."""
    common = {"dstrct_code": "MLKB", "unitno": SECOND, "deviceid": "d", "minutes": 60}
    speeds = {"signal": "VehicleSpeed", "absent_minutes": 0, "frozen_hours": 0, "trusted": True}
    lake = Lake(settings, ledger, known.ZONE, known.UNITS)
    day, last = next_day(known.DAY, 1), next_day(known.DAY, -1)
    rows = [
        {**common, **speeds, "hiveperiod": day, "gap_s": 3600, "gap_kmh": 6.0,
         "gap_satellites": 8.0, "model": "newer", "trusted": False, "reason": "gap"},
        {**common, **speeds, "hiveperiod": last, "gap_s": 300, "model": "older"},
    ]  # fmt: skip
    with ledger.write() as connection:
        lake.write(connection, "signal_trust", rows, 1)
    found = {row["signal"]: row for row in answer(reader, "signal_trust", 0, 1, SECOND).to_dicts()}
    wheels, load, oil = found["VehicleSpeed"], found["payload"], found["RetarderOilTemp"]
    assert (wheels["gap_s"], wheels["gap_kmh"]) == (10800, (2 * 9.0 + 6.0) / 3)
    assert wheels["gap_satellites"] == (2 * 11.0 + 8.0) / 3
    assert (wheels["days"], wheels["distrusted_days"], wheels["gap_days"]) == (3, 2, 2)
    assert wheels["model"] == "newer"
    assert (load["judged_days"], load["distrusted_days"]) == (0, 0)
    assert (load["faults"], load["unjudged"]) == ([], ["not_fitted"])
    assert (oil["faults"], oil["sisters"], oil["sisters_with"]) == (["missing"], 2, 2)


def test_rows_that_came_twice_and_clocks(
    reader: Reader, settings: Settings, ledger: Ledger
) -> None:
    lake = Lake(settings, ledger, settings.zone_of(known.DISTRICT), (UNIT, SECOND))
    own = {"hiveperiod": known.DAY, "dstrct_code": known.DISTRICT, "unitno": UNIT}
    files = [
        own | {"lines": lines, "duplicate": twice, "quarantined": bad}
        for lines, twice, bad in ((3600, 7, 0), (3601, 0, 2))
    ]
    parts = [
        own | {"part": name, "observed_s": 7200, "up_s": up}
        for name, up in (("clock", 6000), ("gps", 0))
    ]
    with ledger.write() as connection:
        publish(lake, connection, "device_hour", files)
        publish(lake, connection, "device_health", parts)
    (row,) = answer(reader, "unit_rows", 0, 1, UNIT, SECOND).to_dicts()
    assert row == {
        "unitno": UNIT,
        **{"lines": 7201, "duplicate": 7, "quarantined": 2},
        **{"clock_s": 7200, "clock_well_s": 6000},
    }
