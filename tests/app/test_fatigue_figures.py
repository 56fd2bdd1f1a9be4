"""Figures, charts and the handover of fatigue events, on frames whose answers are worked out."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import polars as pl
import pytest

from app import figures, handover
from app.charts import fatigue as charts
from app.charts import fatigue_strip
from app.charts.palette import palette
from app.text import say
from pipeline.storage.ladder import USUAL

ZONE = "Asia/Makassar"
#: 06:00 at the site.
BEGIN = datetime(2026, 1, 30, 22, tzinfo=UTC)
DAY = "2026-01-31"
NOW = BEGIN + timedelta(hours=7)
EXPOSURE = {
    "units": 3.0,
    "moving_s": 7200.0,
    "blind_moving_s": 720.0,
    "no_data_s": 3600.0,
    "day_s": 36_000.0,
    "unobserved_km": 4.0,
    "unobserved_h": 0.5,
}


def case(name: str, **changed: Any) -> dict[str, Any]:
    started = changed.pop("started_at", BEGIN + timedelta(hours=2))
    return {
        "case_id": name,
        "hiveperiod": DAY,
        "dstrct_code": "MLKB",
        "shift": 1,
        "unitno": f"u-{name}",
        "deviceid": f"d-{name}",
        "kind": "microsleep",
        "evidence": "closure",
        "started_at": started,
        "ended_at": started + timedelta(seconds=5),
        "closure_s": 4.0,
        "closed_share": None,
        "closed_share_low": None,
        "usual_share": None,
        "speed_kmh": 30.0,
        "metres_closed": 30.0,
        "severity": 2,
        "device_agrees": True,
        "arrived_at": BEGIN + timedelta(hours=3),
        "same_operator": True,
        "state": "new",
        "action": None,
        "acknowledged_at": None,
    } | changed


def queue(*cases: dict[str, Any], now: datetime = NOW) -> pl.DataFrame:
    shifts = pl.DataFrame(
        {
            "hiveperiod": [DAY, "2026-01-30"],
            "dstrct_code": ["MLKB"] * 2,
            "shift": [1, 1],
            "from_at": [BEGIN, BEGIN - timedelta(days=1)],
            "until_at": [BEGIN + timedelta(hours=12), BEGIN - timedelta(hours=12)],
        },
        schema_overrides={name: pl.Datetime("us", "UTC") for name in ("from_at", "until_at")},
    )
    instants = {name: pl.Datetime("us", "UTC") for name in ("acknowledged_at", "arrived_at")}
    texts = {"action": pl.String}
    numbers = dict.fromkeys(
        ("closed_share", "closed_share_low", "usual_share", "metres_closed"), pl.Float64
    )
    frame = pl.DataFrame(list(cases), schema_overrides=instants | texts | numbers)
    return figures.fatigue.queue(frame, shifts, now)


def test_who_is_on_shift_whose_shift_ended_and_what_is_for_the_record() -> None:
    old = BEGIN - timedelta(hours=20)
    queued = queue(
        case("a"),
        case("left", same_operator=False),
        case("judged", state="confirmed", acknowledged_at=NOW),
        case("old", hiveperiod="2026-01-30", started_at=old),
        case("nowhere", hiveperiod="2025-01-01"),
    )
    assert dict(queued.select("case_id", "group").iter_rows()) == {
        "a": "on_shift",
        "left": "shift_ended",
        "judged": "for_record",
        # Its shift ended at 18:00 the day before; the next one began twelve hours later.
        "old": "for_record",
        "nowhere": "for_record",
    }
    assert figures.fatigue.counts(queued) == {"on_shift": 1, "shift_ended": 1, "for_record": 3}
    assert queued.filter("waiting")["case_id"].to_list() == ["a", "left"]


@pytest.mark.parametrize(
    ("hours", "group"), [(11, "on_shift"), (13, "shift_ended"), (25, "for_record")]
)
def test_a_case_moves_on_by_itself(hours: int, group: str) -> None:
    assert queue(case("a"), now=BEGIN + timedelta(hours=hours))["group"].to_list() == [group]


def test_the_contact_clock_runs_from_arrival_until_somebody_took_it_on() -> None:
    taken = BEGIN + timedelta(hours=3, minutes=20)
    queued = queue(case("a"), case("b", state="acknowledged", acknowledged_at=taken))
    clocks = dict(queued.select("case_id", "clock_s").iter_rows())
    assert clocks == {"a": 4 * 3600, "b": 20 * 60}
    assert figures.fatigue.clock(clocks["a"]) == "4 h 00"
    assert figures.fatigue.clock(clocks["b"]) == "20 min"
    assert figures.fatigue.clock(3_660) == "1 h 01"
    assert figures.fatigue.clock(-5) == "0 min"


def test_uncontacted_first_then_severity_then_metres() -> None:
    queued = queue(
        case("contacted", severity=3, state="acknowledged", acknowledged_at=NOW),
        case("mild", severity=1, metres_closed=90.0),
        case("far", severity=2, metres_closed=40.0),
        case("near", severity=2, metres_closed=None),
    )
    assert queued["case_id"].to_list() == ["far", "near", "mild", "contacted"]


def test_tiles_state_their_denominators() -> None:
    queued = queue(
        case("a"),
        case("b", same_operator=False),
        case("c", state="false_alarm"),
        case("d", state="confirmed"),
        case("e", state="not_assessable"),
    )
    found = [(tile.value, tile.note) for tile in figures.fatigue.tiles(queued, EXPOSURE)]
    assert found == [
        ("2", "1 on shift, 1 shift ended · of 5 cases"),
        ("3", "of 5 cases"),
        ("33.3 %", "1 of 3 reviewed"),
        ("10.0 %", "0.2 of 2.0 h moving"),
        ("10.0 %", "1.0 of 10.0 unit-hours · 4.0 km, 0.5 engine h"),
    ]


def test_no_figure_without_observation() -> None:
    nothing = dict.fromkeys(EXPOSURE, 0.0)
    none = queue(case("a")).clear()
    assert [tile.value for tile in figures.fatigue.tiles(none, nothing)] == ["–"] * 5


def roster(*shifts: tuple[str, int], cases: int = 1) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "hiveperiod": [day for day, _ in shifts],
            "shift": [number for _, number in shifts],
            "own": [False] * (len(shifts) - 1) + [True],
            "cases": [None] * (len(shifts) - 1) + [cases],
            "first_minute": [None] * len(shifts),
        },
        schema_overrides={"cases": pl.Int64, "first_minute": pl.Datetime("us", "UTC")},
    )


def test_nights_in_a_row_stop_at_a_day_off_and_at_a_day_shift() -> None:
    nights = roster(("2026-01-27", 2), ("2026-01-29", 2), ("2026-01-30", 2), ("2026-01-31", 2))
    assert figures.fatigue.in_a_row(nights) == (2, 3)
    mixed = roster(("2026-01-30", 1), ("2026-01-31", 2))
    assert figures.fatigue.in_a_row(mixed) == (2, 1)
    month = roster(("2026-01-31", 1), ("2026-02-01", 1))
    assert figures.fatigue.in_a_row(month) == (1, 2)
    assert figures.fatigue.in_a_row(nights.clear()) is None


@pytest.mark.parametrize(
    ("number", "step"),
    [(1, "radio_call"), (2, "visit"), (3, "rest"), (4, "off_truck"), (9, "off_truck")],
)
def test_the_ladder_goes_up_with_each_case_of_the_shift(number: int, step: str) -> None:
    assert figures.fatigue.suggested(roster((DAY, 1), cases=number), USUAL) == step


def test_facts_of_a_case_with_and_without_an_operator() -> None:
    one = case("a", closed_share=0.18, closed_share_low=0.14, usual_share=None)
    seat = {"since": one["started_at"] - timedelta(hours=3), "found": True, "unknown_s": 600.0}
    told = dict(figures.fatigue.facts(one, roster((DAY, 2)), seat, USUAL))
    assert told[say("fatigue.fact.closed")] == "**30 m** · longest 4.0 s · 30 km/h"
    assert told[say("fatigue.fact.share")] == "18.0 % · at least 14.0 % (95 %) · usual –"
    assert (
        told[say("fatigue.fact.seat")]
        == "3 h since the last stop of 10 min · 10 min of it not known"
    )
    assert told[say("fatigue.fact.row")] == "night shift no. 1 in a row"
    bare = dict(
        figures.fatigue.facts(one | {"metres_closed": None}, roster((DAY, 1)).clear(), None, USUAL)
    )
    assert bare[say("fatigue.fact.row")] == bare[say("fatigue.fact.seat")] == "–"
    assert bare[say("fatigue.fact.closed")] == "– · longest 4.0 s · 30 km/h"


def test_a_fresh_operator_is_not_told_the_hours_of_the_one_before() -> None:
    one = case("a")
    began = one["started_at"] - timedelta(hours=2)
    seat = {"since": one["started_at"] - timedelta(hours=5), "found": True, "unknown_s": 0.0}

    def told(*first: datetime | None) -> str:
        shifts = roster((DAY, 1), (DAY, 2)).with_columns(
            pl.Series("first_minute", first, dtype=pl.Datetime("us", "UTC"))
        )
        return dict(figures.fatigue.facts(one, shifts, seat, USUAL))[say("fatigue.fact.seat")]

    assert told(None, began).startswith("2 h since taking over")
    assert told(None, seat["since"] + timedelta(minutes=4)).startswith("5 h since the last stop")
    # Who drove that unit in the shift before, too, did not take it over.
    assert told(began - timedelta(hours=9), began).startswith("5 h since the last stop")


def units(*rows: tuple[str, int, float]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["unitno", "standing", "eye_h"], orient="row")


def test_few_hours_are_drawn_to_the_mean() -> None:
    """12 cases in 120 h: m = 0.1, s² = 0.88 / 120, A = 0.00483; weights 0.707 and 0.491."""
    found = units(("good", 2, 50), ("bad", 10, 50), ("short", 0, 20))
    m, hours, n = 0.1, 120, 3
    scatter = (50 * (0.04 - m) ** 2 + 50 * (0.2 - m) ** 2 + 20 * (0 - m) ** 2) / hours
    between = scatter - m * n / hours
    weight = {e: between / (between + m / e) for e in (50, 20)}
    assert weight == pytest.approx({50: 0.7073, 20: 0.4915}, abs=1e-4)
    ranked = figures.fatigue.ranked(found)
    assert ranked["unitno"].to_list() == ["bad", "good", "short"]
    expected = {
        "bad": 100 * (m + (0.2 - m) * weight[50]),
        "good": 100 * (m + (0.04 - m) * weight[50]),
        "short": 100 * (m - m * weight[20]),
    }
    assert dict(ranked.select("unitno", "shrunk").iter_rows()) == pytest.approx(expected)


def test_units_that_differ_by_chance_alone_keep_nothing_of_their_own() -> None:
    ranked = figures.fatigue.ranked(units(("a", 5, 50), ("b", 5, 50), ("c", 0, 0)))
    assert ranked["weight"].to_list() == [0, 0]
    assert ranked["shrunk"].to_list() == [10, 10]  # and c, which saw nothing, is not ranked
    assert figures.fatigue.ranked(units(("a", 0, 50)))["shrunk"].to_list() == [0]
    assert figures.fatigue.ranked(units(("a", 0, 0))).is_empty()


def driven() -> pl.DataFrame:
    return pl.DataFrame(
        {
            **{"moving_s": [180_000.0, 180_000.0], "blind_moving_s": [36_000.0, 0.0]},
            **{"unbelted_s": [3600.0, 0.0], "over_s": [600.0, 300.0], "over": [4, 2]},
            **{"over_crit": [1, 0], "distractions": [5, 0], "untracked": [1, 1]},
        }
    )


def test_rates_beside_their_denominators() -> None:
    frame = pl.DataFrame(
        {
            **{"eye_h": [60.0, 40.0], "eye_km": [1500.0, 500.0], "moving_s": [360_000.0, 0.0]},
            **{"blind_moving_s": [36_000.0, 0.0], "no_data_s": [3600.0, 7200.0]},
            **{"unobserved_km": [10.0, 2.0], "unbelted_s": [3600.0, 0.0]},
            **{"cases": [3, 2], "standing": [3, 1], "confirmed": [1, 0], "judged": [2, 1]},
            **{"alike": [1, 0], "device_alone": [0, 1]},
        }
    )
    shifts = {"withheld": False, "observed": 40, "with_confirmed": 1}
    values = [value for _, value, _ in figures.fatigue.rates(frame, shifts, driven())]
    # 900 s too fast, 3,600 s unbelted, 5 and 2 spells in 100 h
    assert values == ["0.50", "2.5", "4.0", "20.0 %", "10.0 %", "0.2 %", "1.0 %", "5.0", "2.0"]
    agree = figures.fatigue.rates(frame, shifts, driven())[3][2]
    assert agree == "1 of 5 cases; 3 by the eyes alone, 1 by the device's alarm alone"
    none = figures.fatigue.rates(frame, shifts, driven().clear())
    assert [value for _, value, _ in none[5:]] == ["–"] * 4
    withheld = {"withheld": True, "observed": None, "with_confirmed": None}
    few = figures.fatigue.rates(frame, withheld, driven())
    assert ["withheld" in value for _, value, _ in few[:4]] == [True, True, True, False]
    unjudged = frame.with_columns(pl.lit(0).alias("judged"), pl.lit(0).alias("confirmed"))
    rates = figures.fatigue.rates(unjudged, shifts, driven())
    assert [rates[0][1], rates[1][1]] == ["–", "–"]  # unreviewed is unknown, not zero


def test_what_goes_is_told_with_what_people_had_said() -> None:
    rows = [
        ("kept", "confirmed"),
        ("gone", "false_alarm"),
        ("gone", "confirmed"),
        ("gone", "new"),
        ("gone", "not_assessable"),
        ("new", None),
    ]
    tried = pl.DataFrame(rows, schema=["change", "state"], orient="row")
    assert figures.fatigue.changes(tried) == {
        "kept": 1,
        "gone": 4,
        "new": 1,
        "wrong": 1,
        "right": 1,
        "unjudged": 1,
    }


def looks(*found: tuple[str, str]) -> pl.DataFrame:
    at = [BEGIN + timedelta(hours=1, minutes=i) for i in range(len(found))]
    ended = [moment + timedelta(seconds=60) for moment in at]
    frame = pl.DataFrame(found, schema=["unitno", "kind"], orient="row")
    return frame.with_columns(pl.Series("started_at", at), pl.Series("ended_at", ended))


def test_days_by_season() -> None:
    before, first, second = "2026-02-17", "2026-02-18", "2026-02-19"
    assert figures.fatigue.seasons([before]) == {"every_day": (before,)}
    assert figures.fatigue.seasons([first, second]) == {"every_day": (first, second)}
    assert figures.fatigue.seasons([before, first]) == {
        "every_day": (before, first),
        "ramadan": (first,),
        "other_days": (before,),
    }


def runs(unit: str) -> pl.DataFrame:
    edges = [BEGIN + timedelta(hours=h) for h in range(4)]
    return pl.DataFrame(
        {
            "unitno": [unit] * 3,
            "state": ["seen", "blind", "none"],
            "started_at": edges[:3],
            "ended_at": edges[1:],
        }
    )


@pytest.mark.parametrize("dark", [False, True])
def test_the_strip(dark: bool) -> None:
    queued = queue(
        case("a", unitno="calm", severity=1, metres_closed=4.0),
        case("b", unitno="<b>wild</b>", kind="drowsy", metres_closed=100.0),
        case("c", unitno="done", state="confirmed", acknowledged_at=NOW),
        case("d", unitno="done", kind="device_alarm", metres_closed=None, state="confirmed"),
    )
    often = looks(("calm", "distraction"), ("idler", "not_tracked"), ("idler", "not_tracked"))
    units = fatigue_strip.strip_rows(queued, often.clear())
    assert units == ("<b>wild</b>", "calm", "done")
    assert fatigue_strip.strip_rows(queued, often) == (*units, "idler")
    span, night = (BEGIN, BEGIN + timedelta(hours=12)), (BEGIN, BEGIN + timedelta(minutes=60))
    figure = fatigue_strip.strip(queued, often, runs("calm"), units, span, [night], ZONE, dark)
    (shade,) = figure.layout.shapes
    assert [f"{at:%H:%M}" for at in (shade.x0, shade.x1)] == ["06:00", "07:00"]  # local
    left, right = figure.layout.xaxis.range
    assert (right - left) == timedelta(hours=12, minutes=20)
    assert left.hour == 5  # local
    assert figure.layout.yaxis.ticktext[0] == "&lt;b&gt;wild&lt;/b&gt;"
    marks = {t.name: t for t in figure.data if t.type == "scatter" and t.mode == "markers"}
    sleep, drowsy = marks[say("kind.microsleep")], marks[say("kind.drowsy")]
    assert (sleep.marker.symbol, drowsy.marker.symbol) == ("diamond", "circle")
    assert list(drowsy.marker.size) == [13 + 10]
    assert [tuple(data[1:3]) for data in sleep.customdata] == [("4 m", "a"), ("30 m", "c")]
    alarm = marks[say("kind.device_alarm")]  # nobody measured how far: that is not 0 m
    assert (alarm.marker.size, alarm.customdata[0][1]) == ((13,), "–")
    told = [note.text for note in figure.layout.annotations]
    assert told.pop(0) == say("fatigue.strip.night")
    wait = say("fatigue.strip.waits", n=1, time="09:00")
    assert told == [f"<b>{wait}</b>", f"<b>{wait}</b>", say("fatigue.strip.judged")]
    turned = marks[say("kind.distraction")]
    assert turned.marker.symbol.endswith("-open")
    assert list(turned.y) == [1 - 0.28]  # in the row of "calm", below its line
    assert say("kind.not_tracked") not in marks  # of a unit that has no row here
    none = next(trace for trace in figure.data if trace.name == say("fatigue.strip.none"))
    assert none.marker.color == palette(dark).unknown
    assert none.marker.pattern.shape == "/"


def seconds(*ears: float | None) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "ts": [BEGIN + timedelta(seconds=i) for i in range(len(ears))],
            "ear": ears,
            "open_ear": [0.3] * len(ears),
            "eyeclosedfrac": [None] * len(ears),
            "speed": [30.0] * len(ears),
            "lat": [None, *[-0.8] * (len(ears) - 1)],
            "lon": [None, *[115.4] * (len(ears) - 1)],
        },
        schema_overrides={"eyeclosedfrac": pl.Float64, "ear": pl.Float64},
    )


def test_where_the_eyes_were_not_read() -> None:
    at = [BEGIN + timedelta(seconds=i) for i in range(7)]
    assert charts.unseen(seconds(None, None, 0.3, 0.3, None, 0.3, None)) == [
        (at[0], at[2]),
        (at[3], at[5]),
    ]
    assert charts.unseen(seconds(0.3, 0.3)) == []


def test_the_trace_has_no_row_for_what_firmware_does_not_send() -> None:
    frame, one = seconds(0.3, 0.1, 0.3), case("a", started_at=BEGIN)
    figure = charts.eye_trace(frame, one, 0.55, ZONE, dark=False)
    assert say("fatigue.trace.closed") not in [trace.name for trace in figure.data]
    (rule,) = (trace for trace in figure.data if trace.name == "0.55 × open")
    assert list(rule.y) == pytest.approx([0.165] * 3)
    sent = frame.with_columns(pl.lit(0.5).alias("eyeclosedfrac"))
    figure = charts.eye_trace(sent, one | {"ended_at": None}, 0.6, ZONE, dark=True)
    assert say("fatigue.trace.closed") in [trace.name for trace in figure.data]


def test_the_place_in_kilometres_from_the_case() -> None:
    one = case("a", started_at=BEGIN)
    track = pl.DataFrame(
        {
            "minute": [BEGIN + timedelta(minutes=m) for m in (0, 1, 30)],
            "lat": [0.0, 0.01, 0.02],
            "lon": [115.0, 115.0, 115.01],
        }
    )
    at = figures.fatigue.spot(seconds(0.3, 0.3), track, one)
    assert at == (-0.8, 115.4)
    assert figures.fatigue.spot(seconds(0.3).clear(), track, one) == (0.0, 115.0)
    far = one | {"started_at": BEGIN - timedelta(hours=1)}
    assert figures.fatigue.spot(seconds(0.3).clear(), track, far) is None
    figure = charts.place(track, one, (0.0, 115.0), [[(115.0, 0.0), (115.01, 0.0)]], dark=False)
    lines = {trace.name: trace for trace in figure.data}
    way = lines[say("fatigue.place.way")]
    assert list(way.y)[:2] == pytest.approx([0, 1.106])
    assert way.y[2] is None  # half an hour without a position is no straight road
    road = lines[say("fatigue.place.roads")]
    assert list(road.x)[:2] == pytest.approx([0, 1.106])
    assert len(lines[say("fatigue.place.hour")].x) == 2  # the third minute lies beyond the hour


def test_the_profile_withholds_and_does_not_invent() -> None:
    cells = pl.DataFrame(
        {
            "hour": [1, 2],
            "nth": [1, 1],
            "withheld": [False, True],
            "eye_h": [50.0, None],
            "cases": [4, None],
        }
    )
    grey, rates = charts.profile(cells, dark=False).data
    assert list(rates.z[0])[:3] == [8.0, None, None]
    assert list(grey.z[0])[:3] == [None, 1, None]
    assert list(rates.text[0])[:3] == ["8", "", ""]
    assert list(rates.x) == list(range(1, 13))
    long = charts.profile(cells.with_columns(hour=pl.Series([12, 13])), dark=False).data
    assert (list(long[1].z[0])[11:], list(long[0].z[0])[11:]) == ([8.0, None], [None, 1])


class Page(HTMLParser):
    """Elements and text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [name for name, _ in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.text += data


WATCH = pl.DataFrame(
    {
        **{"dstrct_code": ["MLKB"], "unitno": ["<i>x</i>"], "moving_s": [7200.0]},
        **{"blind_moving_s": [3600.0], "no_data_s": [1800.0], "shift_s": [18_000.0]},
        "unobserved_km": [3.0],
    }
)


def drove(unit: str, **found: Any) -> dict[str, Any]:
    """A unit that moved for 100 minutes."""
    nothing = {"over_s": 0.0, "over": 0, "over_crit": 0, "worst_kmh": None, "distractions": 0}
    row = {"dstrct_code": "MLKB", "unitno": unit, "shift": 1, "moving_s": 6000.0}
    return row | {"blind_moving_s": 1800.0} | nothing | found


DRIVEN = pl.DataFrame(
    [
        drove("<i>slow</i>"),
        drove("<i>looks</i>", distractions=3),
        drove("<i>fast</i>", over_s=90.0, over=4, worst_kmh=66.4),
    ]
)


def test_the_handover_is_one_escaped_page_of_its_own() -> None:
    hostile = '<script src="http://evil/x.js">'
    queued = queue(case("a", unitno=hostile), case("b", state="false_alarm", acknowledged_at=NOW))
    found = handover.Handover(
        *(DAY, 1, ("MLKB",), ZONE, NOW, queued, WATCH),
        notes={"a": "<b>slept</b> & ate"},
        driven=DRIVEN,
    )
    page = Page(handover.html(found))
    assert not {"script", "b", "i", "img", "link"} & set(page.tags) - {"b"}
    assert page.tags.count("b") == 8  # the figures, and none from outside
    assert page.links == []
    assert hostile in page.text
    assert "<b>slept</b> & ate" in page.text
    assert say("fatigue.banner") in page.text  # ours, whole: only what comes from outside is cut
    assert "1 / 2" in page.text
    assert "50.0 % · 1.0 / 2.0 h" in page.text
    assert "4 h 00" in page.text
    assert page.tags.count("tr") == 1 + 2 + 1 + 1 + 1 + 2


def test_the_handover_of_a_shift_without_a_case_says_what_was_not_seen() -> None:
    none = queue(case("a")).clear()
    found = handover.Handover(*(DAY, 2, (), ZONE, NOW, none, WATCH), notes={}, driven=DRIVEN)
    page = Page(handover.html(found))
    assert say("handover.no_cases") in page.text
    assert "<i>x</i>" in page.text
    seen = handover.Handover(*(DAY, 2, (), ZONE, NOW, none, WATCH.clear()), notes={}, driven=DRIVEN)
    assert say("handover.all_seen") in Page(handover.html(seen)).text


def test_a_long_list_stays_on_its_page() -> None:
    queued = queue(*(case(f"c{i:03}") for i in range(60)))
    found = handover.Handover(*(DAY, 1, (), ZONE, NOW, queued, WATCH), notes={}, driven=DRIVEN)
    page = Page(handover.html(found))
    assert page.tags.count("tr") == 1 + handover.MOST_CASES + 1 + 1 + 1 + 2
    assert say("handover.more", n=60 - handover.MOST_CASES) in page.text


def test_the_handover_tells_who_was_too_fast_or_looked_away() -> None:
    none = queue(case("a")).clear()

    def told(driven: pl.DataFrame) -> tuple[Page, list[list[str]]]:
        found = handover.Handover(*(DAY, 1, (), ZONE, NOW, none, WATCH.clear()), {}, driven)
        page = handover.html(found)
        rows = re.findall("<tr>((?:<td>.*?</td>)+)</tr>", page)
        return Page(page), [re.findall("<td>(.*?)</td>", row) for row in rows]

    page, rows = told(DRIVEN)
    # 90 s of 3 × 100 min, and three times in these five hours
    assert "0.5 % · 1.5 min / 5.0 h" in page.text
    assert "3 / 5.0 h" in page.text
    assert rows == [
        ["&lt;i&gt;fast&lt;/i&gt;", "1.5 / 100", "0", "66", "0", "0.5 / 1.7"],
        ["&lt;i&gt;looks&lt;/i&gt;", "0.0 / 100", "0", "–", "3", "0.5 / 1.7"],
    ]
    many = [drove(f"u{n}", over=1, over_s=60.0 + n, worst_kmh=61.0) for n in range(7)]
    page, rows = told(pl.DataFrame([*many, drove("crit", over=1, over_crit=1, worst_kmh=71.0)]))
    assert [row[0] for row in rows] == ["crit", "u6", "u5", "u4", "u3"]
    assert say("handover.more_units", n=3) in page.text
    assert say("handover.well_driven") in told(DRIVEN.head(1))[0].text
    page, rows = told(DRIVEN.clear())
    assert say("handover.none_moved") in page.text
    assert rows == []
    assert f"{say('handover.away')}–" in page.text  # nothing moved: no zero that looks safe
