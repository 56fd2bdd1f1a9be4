"""Queries of fleet health over a fabricated lake whose numbers are known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from pipeline.localtime import next_day
from pipeline.settings import Settings
from pipeline.storage.ledger import Ledger
from pipeline.storage.records import ANALYTICS
from pipeline.storage.sql import step
from queries.connect import Reader, open_reader
from queries.run import ask
from queries.scope import Scope
from tests.app.fabricate import DISTRICT, UNITS, Lake, fabricate

#: Noon of the fabricated site: six hours before lie in one local day.
NOON = datetime(2026, 1, 31, 4, tzinfo=UTC)
DAY = "2026-01-31"


@pytest.fixture
def lake(settings: Settings, ledger: Ledger) -> Iterator[tuple[Reader, Scope]]:
    fabricate(settings, ledger, now=NOON)
    with open_reader(settings, ledger) as reader:
        yield reader, Scope(DAY, DAY)


def unit(frame: pl.DataFrame, name: str) -> dict[str, object]:
    return frame.filter(unitno=name).row(0, named=True)


def test_days_add_up_and_lost_is_idle_or_unknown(lake: tuple[Reader, Scope]) -> None:
    days = ask(lake[0], "unit_days", lake[1])
    assert days["hiveperiod"].to_list() == [DAY] * len(UNITS)
    states = pl.sum_horizontal("moving_s", "idle_s", "off_s", "inferred_s", "unknown_s")
    assert days.select(states).to_series().to_list() == [6 * 3600.0] * len(UNITS)
    # 8 of 30 minutes idle over six hours; DT-102 lacks one hour of the six.
    assert unit(days, "DT-101")["lost_s"] == 12 * 480
    assert unit(days, "DT-102")["lost_s"] == 10 * 480 + 3600


def test_intervals_are_those_of_the_units_asked_for(lake: tuple[Reader, Scope]) -> None:
    reader, scope = lake
    found = ask(reader, "unit_intervals", Scope(scope.first, scope.last, units=("DT-102",)))
    assert found["unitno"].unique().to_list() == ["DT-102"]
    gap = found.filter(state="unknown")
    assert gap["seconds"].to_list() == [3600.0]
    assert found["seconds"].sum() == 6 * 3600
    assert (found["started_at"][1:] == found["ended_at"][:-1]).all()


def test_availability_counts_the_log_only_where_it_covers(lake: tuple[Reader, Scope]) -> None:
    found = ask(lake[0], "availability", lake[1])
    first, second = unit(found, "DT-101"), unit(found, "DT-102")
    assert (first["known_s"], first["engine_on_s"], first["moving_s"]) == (21600, 18720, 12960)
    assert (first["log_days"], first["log_s"], first["work_s"]) == (1, 21600, 18900)
    assert (first["repair_s"], first["standby_s"], first["breakdowns"]) == (1800, 900, 1)
    assert (first["delay_s"], second["delay_s"]) == (600, 0)
    assert (second["known_s"], second["log_days"], second["log_s"]) == (18000, 0, 0)


def test_idle_spells_stand_in_their_band(lake: tuple[Reader, Scope]) -> None:
    found = unit(ask(lake[0], "idle_bands", lake[1]), "DT-101")
    # Each half hour has one spell of 8 min.
    assert (found["spells_3_6"], found["spells_6_9"], found["spells_9"]) == (0, 12, 0)
    assert (found["idle_6_9_s"], found["idle_s"]) == (12 * 480, 12 * 480)


def test_who_was_ready_when_the_shift_began(lake: tuple[Reader, Scope]) -> None:
    found = ask(lake[0], "ready", lake[1])
    start = NOON - timedelta(hours=6)
    assert found["shift_start"].unique().to_list() == [start]
    # Phases of 7 min a unit: 0 and 7 and 14 min into moving, 21 min is idling.
    assert dict(found.select("unitno", "state").iter_rows()) == {
        "DT-101": "moving",
        "DT-102": "moving",
        "DT-103": "moving",
        "WT-201": "idle",
    }
    # WT-201 idles until minute 5, is off until 9, then moves.
    assert unit(found, "WT-201")["first_moved_at"] == start + timedelta(minutes=9)


def test_parts_and_firmware_at_fault(lake: tuple[Reader, Scope]) -> None:
    parts = ask(lake[0], "device_parts", lake[1])
    gps = parts.filter(part="gps", unitno="DT-102").row(0, named=True)
    assert (gps["up_s"], gps["observed_s"], gps["state"]) == (0, 18000, "unwell")
    assert gps["reason"] == "no fix"
    firmware = ask(lake[0], "firmware_faults", lake[1])
    of_gps = firmware.filter(part="gps").row(0, named=True)
    assert (of_gps["fwversion"], of_gps["devices"], of_gps["faulty"]) == ("3.1", 4, 1)
    # The cab camera is down for 6 of 30 min in units 0 and 2.
    assert firmware.filter(part="cab_camera")["faulty"].to_list() == [2]


def test_a_fault_goes_back_over_the_days_in_which_it_was_never_well(
    settings: Settings, ledger: Ledger
) -> None:
    lake = Lake(settings, ledger, "Asia/Makassar", ())
    begins = [datetime(2026, 1, day, 22, tzinfo=UTC) for day in (26, 27, 29)]  # none of the 29th
    later = timedelta(hours=4)
    # since when, as each day tells it, and whether it was well in no minute of it
    told = {
        "dead": [(begins[0] + later, False), (begins[1], True), (begins[2], True)],
        "never": [(begin, True) for begin in begins],
        "late": [(None, False), (begins[1] + later, False), (begins[2], True)],
        "mended": [(begins[0], True), (begins[1], True), (None, False)],
        "again": [(begins[0], True), (None, False), (begins[2] + later, False)],
    }
    schema = {"since": pl.Datetime("us", "UTC"), "all_day": pl.Boolean}

    def publish(number: int, *left_out: str) -> None:
        day = next_day(begins[number].date().isoformat())
        keys = {"hiveperiod": day, "dstrct_code": DISTRICT, "deviceid": "d", "part": "gps"}
        more = {"observed_s": 3600, "up_s": 0, "state": "unwell", "reason": "no fix"}
        rows = [
            {**keys, **more, "unitno": name, "since": days[number][0], "all_day": days[number][1]}
            for name, days in told.items()
        ]
        frame = pl.DataFrame(rows, schema_overrides=schema).drop(left_out)
        with ledger.write() as connection:
            lake.publish(
                connection, ANALYTICS, "device_health", day, frame, step(connection, "data")
            )

    def found(scope: Scope) -> dict[str, tuple[datetime | None, bool]]:
        with open_reader(settings, ledger) as reader:
            parts = ask(reader, "device_parts", scope)
        return {row["unitno"]: (row["since"], row["at_least"]) for row in parts.to_dicts()}

    for number in (1, 2):
        publish(number)
    ends = {"mended": (None, False), "again": (begins[2] + later, False)}
    ends["late"] = (begins[1] + later, False)
    since = (begins[1], True)
    assert found(Scope("2026-01-28", "2026-01-30")) == {"dead": since, "never": since, **ends}
    publish(0, "all_day")  # a build of before
    dead, never = (begins[0] + later, True), (begins[0], True)
    assert found(Scope("2026-01-27", "2026-01-30")) == {"dead": dead, "never": never, **ends}


def test_roads_are_minutes_in_which_a_unit_moved(lake: tuple[Reader, Scope]) -> None:
    reader, scope = lake
    found = ask(reader, "tracks", Scope(scope.first, scope.last, units=("DT-101", "DT-102")))
    assert found.group_by("unitno").len().sort("unitno")["len"].to_list() == [216, 180]


LEVELS = [
    # hour, moving, off, lowest, highest
    (0, 3600, 0, 70.0, 74.0),
    (1, 0, 3600, None, None),
    (2, 0, 3600, None, None),
    (3, 3600, 0, 55.0, 58.0),  # 70 → 58 while it stood: 12 points
    (4, 0, 3600, 54.6, 54.9),  # slosh: less than 3 points
    (5, 1800, 1800, 50.0, 54.0),  # half an hour of standing is not a whole hour
    (6, 0, 3600, 50.0, 50.0),
    (7, 3600, 0, 78.0, 80.0),  # filled up
]


def levels(
    settings: Settings, ledger: Ledger, told: Sequence[tuple[int, int, int, Any, Any]]
) -> list[dict[str, Any]]:
    """What is found of drops of 0.05 points and more among these hours of one unit."""
    start = datetime(2026, 1, 31, 0, tzinfo=UTC)
    names = ("hour_start", "moving_s", "off_s", "FuelLevel_min", "FuelLevel_max")
    common = {"hiveperiod": DAY, "dstrct_code": DISTRICT, "unitno": "DT-101"}
    rows = [
        common
        | {"idle_s": 0, "unknown_s": 0, "lat": float((-1) ** i * i), "lon": float(i)}
        | dict(zip(names, (start + timedelta(hours=row[0]), *row[1:]), strict=True))
        for i, row in enumerate(told)
    ]
    with ledger.write() as connection:
        Lake(settings, ledger, "Asia/Makassar", UNITS).write(connection, "unit_hour", rows, 1)
    with open_reader(settings, ledger) as reader:
        found = ask(reader, "fuel_drops", Scope(DAY, DAY), points=0.05)
        large = ask(reader, "fuel_drops", Scope(DAY, DAY), points=3.0)
    assert large.rows() == [row for row in found.rows() if row[6] >= 3]
    places = {(row["lat"], row["lon"]) for row in rows}
    assert set(found.select("lat", "lon").iter_rows()) <= places
    hour = (pl.col("parked_at") - start).dt.total_hours().alias("hour")
    pct = (pl.col(name).round(3) for name in ("before_pct", "after_pct", "drop_pct"))
    return found.select(hour, "hours", *pct).to_dicts()


def test_fuel_that_went_while_parked(settings: Settings, ledger: Ledger) -> None:
    found = levels(settings, ledger, LEVELS)
    # From the third hour's 55.0 to the fourth's 54.9 while off; refills and drives make no drop.
    assert [tuple(row.values()) for row in found] == [
        (1, 2, 70.0, 58.0, 12.0),
        (4, 1, 55.0, 54.9, 0.1),
    ]


def test_what_went_beside_unknown_hours_is_not_told(settings: Settings, ledger: Ledger) -> None:
    """A unit that is in no register has no rows of days without files: it may have been driven."""
    told = [
        (0, 3600, 0, 90.0, 90.0),
        # the first hour is not there: who knows whether it stood
        (2, 0, 3600, 60.0, 60.0),
        (3, 3600, 0, 50.0, 50.0),
        (4, 0, 3600, None, None),
        # two hours are not there
        (7, 3600, 0, 30.0, 30.0),
        (8, 0, 3600, 25.0, 25.0),
        # nor one between two hours off
        (10, 0, 3600, 20.0, 20.0),
        (11, 3600, 0, 20.0, 20.0),
    ]
    assert levels(settings, ledger, told) == [
        {"hour": 8, "hours": 1, "before_pct": 30.0, "after_pct": 25.0, "drop_pct": 5.0}
    ]


def test_an_hour_of_two_production_days_is_one_hour(settings: Settings, ledger: Ledger) -> None:
    told = [
        (0, 1800, 0, 70.0, 74.0),
        (0, 1800, 0, 71.0, 74.0),
        (1, 0, 1800, None, None),
        (1, 0, 1800, 66.0, 66.0),
        (2, 0, 1800, 60.0, 60.0),
        (2, 900, 900, 50.0, 58.0),  # it drove off in the half that belongs to the next day
        (3, 3600, 0, 40.0, 44.0),
    ]
    assert levels(settings, ledger, told) == [
        {"hour": 1, "hours": 1, "before_pct": 70.0, "after_pct": 66.0, "drop_pct": 4.0}
    ]


def test_districts_narrow_every_answer(lake: tuple[Reader, Scope]) -> None:
    reader, scope = lake
    elsewhere = Scope(scope.first, scope.last, districts=("ZZZZ",), units=UNITS)
    names = ("unit_days", "unit_intervals", "availability", "idle_bands", "ready", "device_parts")
    for name in (*names, "firmware_faults", "tracks"):
        assert ask(reader, name, elsewhere).is_empty(), name
    assert ask(reader, "fuel_drops", elsewhere, points=3.0).is_empty()


def test_the_next_day_is_another(lake: tuple[Reader, Scope]) -> None:
    after = Scope(next_day(DAY), next_day(DAY), units=UNITS)
    for name in ("unit_days", "unit_intervals", "idle_bands", "ready", "device_parts"):
        assert ask(lake[0], name, after).is_empty(), name
