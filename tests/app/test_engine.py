"""The page of engine telemetry: spans, signals, charts, and the page itself over known numbers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

from app import access, data, faults, figures, pickers, signals, spans, state, tables, text
from app.charts import bands, devices, engine, marks, palette, series
from app.looks import View
from app.spans import Span
from app.text import say
from pipeline import fields
from pipeline.settings import Settings
from pipeline.storage.ledger import Ledger
from queries import conditions, envelope
from queries.connect import mart_columns
from queries.envelope import Level
from tests.app import engine_lake as known
from tests.app.engine_lake import START, UNIT, at

ZONE = known.ZONE
WHOLE = Span(START, START + timedelta(hours=3))


class TestSpan:
    def test_an_address_is_read_as_it_was_written(self) -> None:
        span = Span(at(5), at(65))
        assert span.address == ("2026-01-31T02:00:05Z", "2026-01-31T02:01:05Z")
        assert spans.read(*span.address) == span
        for wrong in (("", ""), ("x", "y"), ("2026-01-31", "2026-02-01"), span.address[::-1]):
            assert spans.read(*wrong) is None

    def test_what_is_outside_is_cut_off_or_nothing(self) -> None:
        assert Span(at(-600), at(600)).within(WHOLE) == Span(at(0), at(600))
        assert Span(at(-600), at(0)).within(WHOLE) is None
        assert Span(at(-9e5), at(9e5)).within(WHOLE) == WHOLE
        # Never shorter than can be seen, also at an edge.
        assert Span(at(10_799), at(10_801)).within(WHOLE) == Span(at(10_770), at(10_800))

    def test_zooming_keeps_the_middle(self) -> None:
        span = Span(at(1000), at(1400))
        assert span.zoomed(0.25) == Span(at(1150), at(1250))
        assert span.zoomed(4) == Span(at(400), at(2000))
        assert span.moved(-0.5) == Span(at(800), at(1200))

    def test_an_exceedance_is_seen_with_what_was_before_and_after(self) -> None:
        assert spans.around(at(600), at(620)) == Span(at(480), at(740))
        assert spans.around(at(600), at(1200)) == Span(at(0), at(1800))

    def test_a_box_is_drawn_in_local_time(self) -> None:
        box = ["2026-01-31 10:20:00.75", "2026-01-31 10:05:00"]
        assert spans.boxed(box, ZONE) == Span(at(300), at(1200))
        for wrong in ([], [None, 3], ["yesterday", "today"]):
            assert spans.boxed(wrong, ZONE) is None


class TestDictionary:
    def test_every_field_is_in_it_and_drivers_are_not_drawn(self) -> None:
        frame = signals.dictionary()
        assert frame["name"].to_list() == [field.name for field in fields.FIELDS]
        driver = {field.name for field in fields.FIELDS if field.group == "driver"}
        assert {"ear", "perclos", "operatorid"}.isdisjoint(signals.shown())
        assert driver.isdisjoint(signals.shown())
        assert set(frame.filter(pl.col("where") == "driver")["name"]) == driver

    def test_what_is_kept_by_marts_is_in_them(self) -> None:
        columns = {name for name, _ in mart_columns()["unit_minute"]}
        assert set(envelope.columns(tuple(signals.kept()))) <= columns
        assert "EngineCoolantLevel" not in signals.kept()
        assert set(signals.USUAL) <= signals.kept()

    @pytest.mark.parametrize(
        ("words", "found"),
        [
            ("OIL press", {"EngineOilPressure", "TransmissionOilPressure"}),
            ("urea °", set()),
            ("enginecoolantlevel", {"EngineCoolantLevel"}),
            ("[", set()),
        ],
    )
    def test_a_search_finds_every_word(self, words: str, found: set[str]) -> None:
        assert set(signals.found(words)["name"]) == found

    def test_a_click_shows_a_signal_or_takes_it_away(self) -> None:
        assert pickers.engine.toggled(["a", "b"], "a") == ["b"]
        many = [f"s{i}" for i in range(signals.MOST)]
        assert pickers.engine.toggled(many, "new") == [*many[1:], "new"]
        frame = signals.found("enginespeed")
        assert tables.engine.entry(frame, frame["name"].to_list().index("EngineSpeed"))
        assert tables.engine.entry(signals.found("operatorid"), 0) is None


def view(seconds: dict[int, float], step_s: int = 1) -> View:
    """Engine speed by second from the start on, as the page gets it."""
    rows = pl.DataFrame(
        {"unitno": UNIT, "at": [at(s) for s in seconds], "EngineSpeed": list(seconds.values())}
    )
    names = ("EngineSpeed",)
    frame = envelope.envelope(envelope.of_seconds(rows, names), names, 1, step_s)
    holds = conditions.holding(frame, conditions.of("EngineSpeed")[0])
    frame = frame.with_columns(holds.alias(conditions.column("EngineSpeed", 0)))
    return View(frame, Level("second", 1, step_s), ())


MOMENT = pl.Datetime("us", "UTC")
NOTHING = marks.Beside(
    pl.DataFrame(
        schema={"signal": pl.String, "level": pl.String, "side": pl.String, "started_at": MOMENT}
    ),
    pl.DataFrame(
        schema={"spn": pl.Float64, "fmi": pl.Float64, "source": pl.Float64, "times": pl.Int64}
    ),
    pl.DataFrame(schema={"unittype": pl.String, "at": MOMENT}),
)


class TestCharts:
    def test_a_ribbon_is_a_polygon_a_run(self) -> None:
        shown = view({0: 1.0, 4: 5.0, 5: 2.0, 30: 3.0}, 5)
        frame = series.along_the_clock(shown.frame, ZONE)
        outline = series.ribbon(frame, "EngineSpeed_min", "EngineSpeed_max", 5)
        x, y = outline["clock"].to_list(), outline["value"].to_list()
        assert y[:9] == [5.0, 5.0, 2.0, 2.0, 2.0, 2.0, 1.0, 1.0, None]
        assert y[9:] == [3.0, 3.0, 3.0, 3.0, None]
        assert x[0] == datetime(2026, 1, 31, 10)
        assert len(x) == len(y)

    def test_a_band_is_shaded_where_its_condition_holds(self) -> None:
        # Off, then on for half a minute: ten seconds of that are not judged.
        shown = view({s: 700.0 if 20 <= s < 50 else 0.0 for s in range(60)})
        frame = series.along_the_clock(shown.frame, ZONE)
        clock = datetime(2026, 1, 31, 10)
        whole, part = (
            series.stretches(frame, "EngineSpeed_holds_0", value, 1)
            for value in (conditions.WHOLLY, conditions.PARTLY)
        )
        assert whole == [(clock + timedelta(seconds=30), clock + timedelta(seconds=50))]
        assert part == [(clock + timedelta(seconds=20), clock + timedelta(seconds=30))]
        figure = engine.along(shown, ["EngineSpeed"], Span(at(0), at(60)), ZONE, NOTHING, False)
        fills = {trace.fillcolor: list(trace.x) for trace in figure.data if trace.fill == "toself"}
        assert fills[bands.WHOLE][0] == whole[0][0]
        assert fills[bands.WHOLE][2] == whole[0][1]
        assert "while EngineSpeed ≥ 400" in figure.layout.annotations[0].text

    def test_nothing_received_is_hatched_and_no_line_crosses_it(self) -> None:
        shown = view(dict.fromkeys([*range(10), *range(40, 50)], 700.0))
        span = Span(at(0), at(70))
        figure = engine.along(shown, ["EngineSpeed"], span, ZONE, NOTHING, True)
        hatched = next(t for t in figure.data if t.name == say("engine.device.unseen"))
        assert hatched.fillpattern.shape == "/"
        assert hatched.fillcolor == palette.DARK.unknown
        edges = [x for x in hatched.x if x is not None]
        assert {(x - datetime(2026, 1, 31, 10)).seconds for x in edges} == {10, 40, 50, 70}
        line = next(t for t in figure.data if t.name == UNIT)
        assert np.isnan(line.y).sum() == 2
        assert not line.connectgaps

    def test_a_distrusted_signal_is_marked_in_its_heading_and_its_line(self) -> None:
        shown, span = view({0: 700.0, 1: 700.0}), Span(at(0), at(60))
        doubted = marks.Beside(
            NOTHING.exceeded, NOTHING.codes, NOTHING.peers, {(UNIT, "EngineSpeed")}
        )
        figure = engine.along(shown, ["EngineSpeed"], span, ZONE, doubted, False)
        assert f"⚠ {say('engine.trust.not')}" in figure.layout.annotations[0].text
        line = next(t for t in figure.data if t.name == UNIT)
        assert (line.line.dash, line.line.color) == ("dot", palette.LIGHT.hatch)
        plain = engine.along(shown, ["EngineSpeed"], span, ZONE, NOTHING, False)
        assert "⚠" not in plain.layout.annotations[0].text

    def test_days_lie_over_each_other_by_time_of_day_the_newest_first(self) -> None:
        every = [START + timedelta(days=day, minutes=5) for day in range(10)]
        frame = pl.DataFrame({"unitno": "u", "at": every, "run": 1})
        found = series.over_each_other(frame, ZONE)
        assert series.names(found) == [f"2026-02-{day:02}" for day in range(2, 10)]
        assert found["clock"].unique().to_list() == [datetime(2000, 1, 1, 10, 5)]
        two = pl.concat([frame, frame.with_columns(unitno=pl.lit("v"))])
        assert "2026-02-09 · v" in series.names(series.over_each_other(two, ZONE))

    def test_a_camera_is_up_partly_down_or_unseen(self) -> None:
        rows = pl.DataFrame(
            {
                "unitno": "u",
                "at": [at(60 * minute) for minute in (1, 2, 3, 6)],
                "seconds": [60, 60, 60, 20],
                "cam_cabin_up_s": [60, 57, 56, 0],
                "cam_front_up_s": [2, 0, 3, 20],
                "gps_fix_s": [60, 60, 60, 20],
            }
        )
        found = devices.strips(rows, 60, Span(at(0), at(480)), ZONE)
        clock = datetime(2026, 1, 31, 10)
        told = {
            device: [
                (
                    row["state"],
                    (row["start"] - clock).seconds // 60,
                    (row["end"] - clock).seconds // 60,
                )
                for row in found.filter(pl.col("device") == device).to_dicts()
            ]
            for device in ("cabin", "front")
        }
        assert told["cabin"] == [
            ("unseen", 0, 1),
            ("up", 1, 3),  # 60 of 60, 57 of 60
            ("partly", 3, 4),
            ("unseen", 4, 6),
            ("down", 6, 7),
            ("unseen", 7, 8),
        ]
        assert [state for state, *_ in told["front"]][1:4] == ["down", "partly", "unseen"]

    def test_the_speed_gap_keeps_its_largest_second_and_the_share_by_gps(self) -> None:
        rows = pl.DataFrame(
            {
                "unitno": "u",
                "at": [at(0), at(60)],
                "seconds": [60, 60],
                "gap_mean": [1.0, 3.0],
                "gap_max": [2.0, 40.0],
                "satellites_mean": [10.0, 12.0],
                "satellites_min": [9.0, 4.0],
                "by_gps_s": [60, 0],
            }
        )
        one = envelope.deviation(rows, 60, 120).row(0, named=True)
        names = ("gap_mean", "gap_max", "satellites_min", "by_gps_mean")
        assert [one[name] for name in names] == [2.0, 40.0, 4.0, 50.0]


class TestFaults:
    def test_the_most_frequent_code_comes_first_with_its_exceedances(self) -> None:
        codes = pl.DataFrame(
            [
                {"unitno": "u", "spn": 110.0, "fmi": 0.0, "source": 0.0, "active_s": 500},
                {"unitno": "u", "spn": 241.0, "fmi": 18.0, "source": 51.0, "active_s": 5},
                {"unitno": "u", "spn": 241.0, "fmi": 18.0, "source": 51.0, "active_s": 6},
            ]
        ).with_columns(
            started_at=pl.Series([at(0), at(10), at(90)]),
            ended_at=pl.Series([at(500), at(15), at(96)]),
            occurrence=pl.Series([1.0, 4.0, 5.0]),
            times=pl.Series([1, 1, 1]),
            carried=pl.Series([False, False, False]),
        )
        exceeded = pl.DataFrame(
            {"unitno": ["u"], "dtc_spn": [241.0], "dtc_fmi": [18.0], "dtc_source": [51.0]}
        )
        first, second = faults.repeats(codes, exceeded).to_dicts()
        assert (first["spn"], first["times"], first["active_s"]) == (241.0, 2, 11)
        assert (first["first_at"], first["last_at"]) == (at(10), at(96))
        assert (first["occurrence"], first["exceedances"]) == (5.0, 1)
        assert (second["times"], second["exceedances"]) == (1, 0)

    def test_what_goes_on_from_hour_to_hour_came_once(self) -> None:
        """Active when the span begins, on into the second hour, where it also comes twice."""
        hours = pl.DataFrame(
            [
                {
                    "unitno": "u",
                    "spn": 1.0,
                    "fmi": 2.0,
                    "source": 3.0,
                    "active_s": s,
                    "occurrence": 1.0,
                }
                for s in (50, 3600, 3600)
            ]
        ).with_columns(
            started_at=pl.Series([at(7200), at(3600), at(0)]),
            ended_at=pl.Series([at(7250), at(7200), at(3600)]),
            times=pl.Series([0, 2, 0]),
            carried=pl.Series([True, True, True]),
        )
        schema = {"unitno": pl.String} | dict.fromkeys(
            ("dtc_spn", "dtc_fmi", "dtc_source"), pl.Int64
        )
        (one,) = faults.repeats(hours, pl.DataFrame(schema=schema)).to_dicts()
        assert (one["times"], one["active_s"]) == (3, 7250)
        assert (one["first_at"], one["last_at"]) == (at(0), at(7250))

    def test_a_code_in_words(self) -> None:
        assert faults.code_name(241.0, 18.0, 51.0) == "SPN 241 FMI 18 SA 51"
        told = faults.code_words(241.0, 18.0, 51.0)
        assert told == f"TirePressure · {say('fmi.18')} · {say('sa.51')}"
        assert faults.code_words(9e5, 30.0, 200.0) == say("engine.codes.unknown")


def test_both_languages_say_the_same_things() -> None:
    assert text.engine.ID.keys() == text.engine.EN.keys()
    for key, sentence in text.engine.EN.items():
        holes = {part.split("}")[0] for part in sentence.split("{")[1:]}
        assert holes == {part.split("}")[0] for part in text.engine.ID[key].split("{")[1:]}, key


@pytest.fixture
def lake(home: Settings, ledger: Ledger) -> Settings:
    known.fill(home, ledger)
    return home


def open_page(script: str, **address: str | list[str]) -> AppTest:
    app = AppTest.from_file(script, default_timeout=120)
    app.session_state[state.SIGNED_IN] = True
    app.session_state[state.IDENTITY] = "fleet_manager#1"
    for key, value in ({"from": known.DAY, "to": known.DAY} | address).items():
        app.query_params[key] = value
    app.run()
    app.switch_page(str(access.BY_NAME["engine_telemetry"].path)).run()
    assert not app.exception
    return app


def asked(app: AppTest, key: str) -> list[str]:
    """What the address says."""
    value = app.query_params[key]
    return [value] if isinstance(value, str) else list(value)


def tile(app: AppTest, key: str) -> tuple[str, str]:
    found = next(m for m in app.metric if m.label == say(key))
    return found.value, found.delta


def press(app: AppTest, key: str) -> AppTest:
    next(b for b in app.button if b.label == say(key)).click().run()
    assert not app.exception
    return app


def captions(app: AppTest) -> str:
    return "\n".join(str(caption.value) for caption in app.caption)


def test_the_page_opens_on_the_unit_with_most_exceedances(lake: Settings, script: str) -> None:
    app = open_page(script)
    assert asked(app, "unit") == [UNIT]
    assert asked(app, "signals") == list(signals.USUAL)
    assert tile(app, "engine.exceedances") == ("2", "1 critical")
    listed = next(t.value for t in app.dataframe if say("column.beyond") in t.value)
    assert list(listed[say("column.beyond")]) == [60, 17]  # of 60 and 20 s with gaps
    # A minute with 40 seconds in three hours, of a whole local day.
    assert tile(app, "engine.observed") == ("3.0 h", "of 24.0 h in the span")
    assert tile(app, "engine.distrusted")[0] == "1"
    # The wheels' speed stood still: the gap is no figure any more.
    assert tile(app, "engine.gap") == ("–", say("engine.gap.distrusted"))
    assert not app.info


def test_zooming_goes_down_to_seconds_and_back(lake: Settings, script: str) -> None:
    start, end = Span(at(480), at(740)).address
    app = open_page(script, start=start, end=end)
    assert say("engine.span.second") in captions(app)
    assert "2026-01-31 10:08:00 – 2026-01-31 10:12:20" in captions(app)
    assert tile(app, "engine.exceedances") == ("1", "0 critical")
    press(app, "engine.out")
    assert asked(app, "start") == ["2026-01-31T02:01:30Z"]
    assert asked(app, "end") == ["2026-01-31T02:18:50Z"]
    press(app, "engine.whole")
    assert "start" not in app.query_params
    press(press(app, "engine.back"), "engine.back")
    assert (asked(app, "start"), asked(app, "end")) == ([start], [end])


def test_a_signal_that_only_seconds_hold_is_shown_for_hours(lake: Settings, script: str) -> None:
    told = say("engine.unseen", hours=6, signals="EngineCoolantLevel")
    app = open_page(script, signals=["EngineSpeed", "EngineCoolantLevel"])
    assert [info.value for info in app.info] == [told]
    start, end = Span(at(0), at(1200)).address
    app = open_page(script, signals=["EngineSpeed", "EngineCoolantLevel"], start=start, end=end)
    assert not app.info


def test_addresses_that_make_no_sense_fall_back(lake: Settings, script: str) -> None:
    app = open_page(script, unit="NOPE", signals=["ear", "x"], start="x", end="y", compare="z")
    assert asked(app, "unit") == [UNIT]
    assert asked(app, "signals") == list(signals.USUAL)
    assert "compare" not in app.query_params
    assert tile(app, "engine.observed")[1] == "of 24.0 h in the span"


def test_units_and_days_compare(lake: Settings, script: str) -> None:
    app = open_page(script, unit=[UNIT, known.SECOND])
    assert tile(app, "engine.observed")[1] == "of 48.0 h in the span"
    app = open_page(script, compare="days")
    assert say("engine.compare.days.note", most=series.MOST) in captions(app)
    app.multiselect(key=state.UNIT).set_value([]).run()
    assert [info.value for info in app.info] == [say("engine.choose")]


def test_the_dictionary_is_made_when_it_is_opened(lake: Settings, script: str) -> None:
    app = open_page(script)
    tables = len(app.dataframe)
    assert say("engine.dictionary.search") not in [field.label for field in app.text_input]
    app.session_state[state.DICTIONARY] = True
    app.run()
    assert not app.exception
    assert len(app.dataframe) == tables + 1
    search = next(f for f in app.text_input if f.label == say("engine.dictionary.search"))
    search.set_value("coolant").run()
    listed = next(t.value for t in app.dataframe if say("column.measure") in t.value)
    assert "EngineCoolantTemp" in listed[say("column.signal")].to_list()
    assert len(listed) < 20


def test_what_is_shown_can_be_taken_along(lake: Settings, script: str) -> None:
    app = open_page(script)
    labels = [element.proto.label for element in app.get("download_button")]
    assert labels.count(say("download.csv")) == labels.count(say("download.parquet"))
    assert len(labels) == 8  # signals, exceedances, codes, devices
    shown = tables.engine.shown(view({0: 1.0, 4: 5.0}, 5).frame, ("EngineSpeed",), ZONE)
    assert shown.rows() == [(UNIT, "2026-01-31T10:00:00+08:00", 2, 3.0, 1.0, 5.0)]


def test_tiles_weigh_what_was_observed() -> None:
    rows = pl.DataFrame(
        {"seconds": [60, 20], "gap_mean": [1.0, 5.0], "gap_max": [2.0, 30.0]},
    )
    trust = pl.DataFrame(
        {
            "unitno": ["u"] * 3,
            "signal": ["EngineSpeed", "VehicleSpeed", "payload"],
            "distrusted_days": [1, 2, 0],
            "judged_days": [1, 2, 0],
            "gap_days": [0, 2, 0],  # for nothing but the gap, which is a figure then
        }
    )
    exceeded = pl.DataFrame({"level": ["crit", "warn"]})
    found = figures.engine.tiles(rows, exceeded, trust, 7200, 2)
    assert [(one.value, one.note) for one in found[1:3]] == [
        ("2", "1 critical"),
        ("2.0 km/h", "largest: 30.0 km/h"),  # (60 × 1 + 20 × 5) / 80
    ]
    assert (found[3].value, found[3].note) == ("2", "of 2 judged, on the days chosen")
    assert figures.engine.distrusted(trust) == {("u", "EngineSpeed"), ("u", "VehicleSpeed")}
    frozen = trust.with_columns(gap_days=pl.lit(1))
    assert figures.engine.tiles(rows, exceeded, frozen, 7200, 2)[2].value == "–"


def tables_of(app: AppTest, heading: str) -> list[pl.DataFrame]:
    frames = [pl.from_pandas(one.value) for one in app.dataframe]
    return [frame for frame in frames if say(f"column.{heading}") in frame.columns]


def test_what_is_not_trusted_and_what_is_not_judged(lake: Settings, script: str) -> None:
    app = open_page(script, unit=[UNIT, known.SECOND])
    (doubted,) = tables_of(app, "distrusted")
    assert doubted.select(
        say("column.unit"), say("column.signal"), say("column.reason")
    ).rows() == [
        (UNIT, "VehicleSpeed", say("engine.trust.fault.frozen")),
        (known.SECOND, "RetarderOilTemp", "never there, 2 of 2 other units of the model have it"),
        (known.SECOND, "VehicleSpeed", say("engine.trust.fault.gap")),
    ]
    (unjudged,) = tables_of(app, "unit_model")
    told = say("engine.unjudged.not_fitted", sisters=2)
    assert unjudged.rows() == [
        (UNIT, "R55", told, "payload"),
        (known.SECOND, "R55", told, "TirePressure1, payload"),
    ]
    assert say("engine.unjudged") in captions(app)


def test_the_gap_of_each_unit_stands_on_its_minutes(lake: Settings, script: str) -> None:
    app = open_page(script, unit=[UNIT, known.SECOND])
    (gaps,) = tables_of(app, "verdict")
    assert gaps.rows() == [
        (known.SECOND, 9.0, 120.0, 11.0, say("engine.gap.wide", signals="VehicleSpeed")),
        (UNIT, None, None, None, say("engine.gap.distrusted")),  # the wheels' speed stood still
    ]
    speed = {"unitno": "u", "signal": "gpsspeed", "distrusted_days": 0, "gap_days": 0}
    nothing = dict.fromkeys(("gap_kmh", "gap_s", "gap_satellites"))
    short = pl.DataFrame([speed | nothing]).cast(dict.fromkeys(nothing, pl.Float64))
    assert tables.engine.gaps(short)[say("column.verdict")].to_list() == [say("engine.gap.untold")]
    near = pl.DataFrame([speed | {"gap_kmh": 0.2, "gap_s": 600, "gap_satellites": 11.0}])
    assert tables.engine.gaps(near).row(0) == ("u", 0.2, 10.0, 11.0, say("engine.gap.close"))
    # A gap does not hide itself: 1 and 2 km/h in turn.
    assert tile(open_page(script, unit=known.SECOND), "engine.gap")[0] == "1.5 km/h"


def test_days_over_each_other_are_the_newest_that_fit() -> None:
    from app.filters import Filters
    from app.looks import DAYS, Look

    chosen = Filters((), "2026-01-01", "2026-01-31", ZONE)
    whole = data.engine.whole(chosen)
    assert whole.end == datetime(2026, 1, 31, 16, tzinfo=UTC)
    for units, days in ((("a",), 8), (("a", "b"), 4), (("a", "b", "c"), 2)):
        look = Look(units, (), (), (), DAYS)
        found = data.engine.newest_days(chosen, look, whole, series.MOST)
        assert found == Span(whole.end - timedelta(days=days), whole.end)


def test_hostile_words_stay_words() -> None:
    shown = View(
        view({0: 700.0}).frame.with_columns(unitno=pl.lit("<b>x</b>")), Level("second", 1, 1), ()
    )
    span = Span(at(0), at(60))
    figure = engine.along(shown, ["EngineSpeed"], span, ZONE, NOTHING, False)
    assert "&lt;b&gt;" in next(t.name for t in figure.data if t.name and "x" in t.name)
