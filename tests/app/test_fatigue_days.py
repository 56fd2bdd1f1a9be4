"""Cases day by day: what they are divided by, what came late, where the series is broken."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from app import state
from app.charts import fatigue_days as charts
from app.figures import fatigue_days as figures
from app.text import say
from pipeline.localtime import next_day, shifts
from pipeline.marts import thresholds
from pipeline.settings import Settings
from pipeline.storage.ledger import Ledger
from queries.connect import open_reader
from queries.run import ask
from queries.scope import Scope
from tests.app.fabricate import DISTRICT, UNITS, Lake
from tests.app.fabricate_fatigue import publish
from tests.app.test_fatigue_page import opened, texts

ZONE = "Asia/Makassar"
DAYS = ("2026-01-05", "2026-01-06", "2026-01-07")


def day(at: str, **values: Any) -> dict[str, Any]:
    nothing = {"microsleep": 0, "drowsy": 0, "microsleep_first": 0, "drowsy_first": 0}
    firmware = {"units": 100, "changed": 0, "came_from": None, "came_to": None}
    about = {"hiveperiod": at, "withheld": False, "eye_h": 200.0, "blind_h": 20.0}
    return about | nothing | firmware | values


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(rows, infer_schema_length=None)


def set_values(*rows: tuple[str, float, str]) -> pl.DataFrame:
    """Thresholds as they were set, oldest first, as the ledger tells them: newest first."""
    schema = {"name": pl.String, "value": pl.Float64, "set_at": pl.Datetime("us", "UTC")}
    moments = [(name, value, datetime.fromisoformat(at)) for name, value, at in rows]
    return pl.DataFrame(moments[::-1], schema=schema, orient="row")


def test_a_rate_is_per_100_hours_of_eyes_seen() -> None:
    rates = figures.rates(
        frame(
            day(DAYS[0], microsleep=6, microsleep_first=4, drowsy=1, drowsy_first=1),
            day(DAYS[1], microsleep=3, eye_h=9.0),
            day(DAYS[2], microsleep=None, microsleep_first=None, drowsy=None, drowsy_first=None),
        )
    )
    shown = rates.filter(kind="microsleep").select("now", "first").rows()
    assert shown == [(3.0, 2.0), (None, None), (None, None)]
    assert rates.filter(kind="drowsy")["now"].to_list() == [0.5, None, None]


def test_breaks_are_other_values_and_enough_units() -> None:
    days = frame(
        day(DAYS[0], changed=4, came_from="2.4.1", came_to="3.0.0"),
        day(DAYS[1], changed=5, came_from="2.4.1", came_to="3.0.0"),
        day(DAYS[2]),
    )
    found = figures.breaks(
        days,
        set_values(
            ("closed_ratio", 0.55, "2026-01-04T10:00+00:00"),  # before the days that are shown
            ("closed_ratio", 0.55, "2026-01-05T10:00+00:00"),  # the same again
            ("closed_ratio", 0.65, "2026-01-06T15:59+00:00"),
            ("closure_s", 2.0, "2026-01-06T16:00+00:00"),  # midnight in the mine
        ),
        ZONE,
    )
    assert [(one.day, one.kind) for one in found] == [
        (DAYS[1], "firmware"),
        (DAYS[1], "threshold"),
        (DAYS[2], "threshold"),
    ]
    assert "5 of 100 units" in found[0].told
    assert "0.55 → 0.65" in found[1].told
    assert "1.5 → 2" in found[2].told


def test_a_line_ends_at_a_break_and_where_days_are_missing() -> None:
    names = ["2026-01-05", "2026-01-06", "2026-01-07", "2026-01-09"]
    rates = figures.rates(frame(*(day(at, microsleep=n) for n, at in enumerate(names, 2))))
    broken = [figures.Break(names[1], kind, "why") for kind in ("firmware", "threshold")]
    figure = charts.daily(rates, broken, dark=False)
    line = next(trace for trace in figure.data if trace.name == say("kind.microsleep"))
    assert list(line.y) == [1.0, None, 1.5, 2.0, None, 2.5]
    assert list(line.x) == sorted(line.x)
    (mark,) = figure.layout.annotations
    assert mark.text == "firmware<br>threshold"
    assert len(figure.layout.shapes) == 1


def test_what_came_late_is_hollow() -> None:
    rates = figures.rates(
        frame(
            day(DAYS[0], microsleep=6, microsleep_first=4),
            day(DAYS[1], microsleep=6, microsleep_first=6),
        )
    )
    figure = charts.daily(rates, [], dark=True)
    name = say("fatigue.days.first", kind=say("kind.microsleep"))
    (hollow,) = [trace for trace in figure.data if trace.mode == "markers"]
    assert (hollow.name, list(hollow.y)) == (name, [2.0])
    assert "6 cases" in hollow.text[0]
    assert "4 as first published" in hollow.text[0]


def test_days_without_a_rate_are_no_chart() -> None:
    assert not charts.daily(figures.rates(frame(day(DAYS[0], eye_h=1.0))), [], dark=False).data


@pytest.fixture
def week(settings: Settings, ledger: Ledger) -> Lake:
    """Three production days of four units; the second has another firmware on one of them."""
    lake = Lake(settings, ledger, ZONE, UNITS)
    units, roster, cases = [], [], []
    for n, at in enumerate(DAYS):
        begin = shifts(at, ZONE)[0]
        for unit in UNITS:
            row = {"hiveperiod": at, "dstrct_code": DISTRICT, "unitno": unit}
            seconds = {"eyes_valid_moving_s": 18_000, "blind_moving_s": 1_800}
            # Of one unit nobody knew the firmware on the second day, and on the third it is new.
            new = n >= {UNITS[0]: 1, UNITS[1]: 2}.get(unit, len(DAYS))
            unknown = unit == UNITS[1] and n == 1
            version = None if unknown else "3.0.0" if new else "2.4.1"
            units.append(row | seconds | {"fwversion": version})
        for who in range(4 if n == 2 else 5):
            row = {"hiveperiod": at, "dstrct_code": DISTRICT, "unitno": UNITS[who % 4], "shift": 1}
            roster.append(row | {"operatorid": f"op-{who}"})
        for number, (kind, late) in enumerate(
            [("microsleep", False), ("microsleep", True), ("drowsy", False), ("yawning", False)]
        ):
            ended = begin + timedelta(hours=number, minutes=50)
            grace = begin + timedelta(hours=number + 3)
            row = {"hiveperiod": at, "dstrct_code": DISTRICT, "unitno": UNITS[0], "shift": 1}
            moments = {"started_at": ended - timedelta(seconds=5), "ended_at": ended}
            arrived = grace + timedelta(seconds=1) if late else grace
            about = {"case_id": f"C-{n}-{number}", "kind": kind, "arrived_at": arrived}
            cases.append(row | moments | about)
    with ledger.write() as connection:
        publish(lake, connection, "unit_day", units)
        publish(lake, connection, "operator_shift", roster)
        publish(lake, connection, "fatigue_case", cases)
    return lake


def test_days_as_the_marts_tell_them(week: Lake) -> None:
    with open_reader(week.settings, week.ledger) as reader:
        found = ask(reader, "fatigue_days", Scope(DAYS[0], DAYS[2]))
        assert ask(reader, "fatigue_days", Scope(DAYS[0], DAYS[2], ("ELSEWHERE",))).is_empty()
    counts = found.select("microsleep", "microsleep_first", "drowsy", "drowsy_first").rows()
    assert counts == [(2, 1, 1, 1), (2, 1, 1, 1), (None, None, None, None)]
    assert found["withheld"].to_list() == [False, False, True]
    assert found["eye_h"].to_list() == [20.0, 20.0, 20.0]
    firmware = found.select("units", "changed", "came_from", "came_to").rows()
    moved = (1, "2.4.1", "3.0.0")
    assert firmware == [(4, 0, None, None), (3, *moved), (4, *moved)]


def test_the_page_tells_of_breaks(home: Settings, ledger: Ledger, script: str) -> None:
    lake = Lake(home, ledger, home.zone_of(DISTRICT), UNITS)
    today = lake.day(datetime.now(UTC))
    rows = [
        {
            **{"hiveperiod": next_day(today, -back), "dstrct_code": DISTRICT, "unitno": unit},
            **{"eyes_valid_moving_s": 18_000, "moving_s": 20_000, "fwversion": version},
        }
        for back, version in ((1, "2.4.1"), (0, "3.0.0"))
        for unit in UNITS
    ]
    with ledger.write() as connection:
        publish(lake, connection, "unit_day", rows)
    thresholds.change(ledger, "closure_s", 2.0, "somebody", "drill")
    days = {state.FIRST: next_day(today, -1), state.LAST: today}
    app = opened(script, view="patterns", **days)
    assert say("fatigue.days.none") in texts(app)  # nobody drove: fewer than five
    assert "4 of 4 units, on most of these 2\\.4\\.1 → 3\\.0\\.0" in texts(app)
    assert "1.5 → 2" in texts(app)
