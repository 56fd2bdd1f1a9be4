"""Fleet health: figures, charts and tables worked out by hand, and the page as people use it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

from app import figures, pickers, tables
from app.charts import fleet_gantt, fleet_map, fleet_parts
from app.text import EN, fleet, say
from pipeline.settings import Settings
from pipeline.storage import people
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger
from tests.app.fabricate import DISTRICT, UNITS, Lake, fabricate
from tests.app.fabricate_fatigue import publish
from tests.app.test_pages import open_page, texts

ZONE = "Asia/Makassar"
START = datetime(2026, 1, 30, 22, tzinfo=UTC)  # 06:00 there

NOW = pl.DataFrame(
    {
        "dstrct_code": ["A", "A", "A", "B", "B"],
        "unitno": ["u1", "u2", "u3", "u4", "u5"],
        "unittype": ["dump"] * 5,
        "deviceid": ["d1", "d2", "d3", "d4", "d5"],
        "status": ["reporting", "silent", "parked", "late", "never_seen"],
        "last_state": ["moving", "idle", "off", "moving", None],
        "last_seen": [START, START, START, START, None],
        "age_s": [600.0, 90_000.0, 7_200.0, 9_000.0, None],
        "lat": [0.0, 0.01, 0.0, -2.0, None],
        "lon": [117.0, 117.0, 117.01, 115.0, None],
        "heading": [90.0, None, None, 10.0, None],
    },
    schema_overrides={"last_seen": pl.Datetime("us", "UTC")},
)
NO_TRACKS = pl.DataFrame(
    schema={
        "dstrct_code": pl.String,
        "unitno": pl.String,
        "minute": pl.Datetime("us", "UTC"),
        "lat": pl.Float64,
        "lon": pl.Float64,
    }
)


def test_bahasa_has_every_sentence_with_the_same_values() -> None:
    assert set(fleet.ID) == set(fleet.EN)
    for key, text in fleet.EN.items():
        for value in ("{units}", "{shown}", "{log}", "{stops}", "{zone}"):
            assert (value in text) == (value in fleet.ID[key]), key


def test_a_page_is_narrowed_to_a_unit_or_a_status() -> None:
    frame = NOW.select("dstrct_code", "unitno").vstack(
        pl.DataFrame({"dstrct_code": ["A"], "unitno": ["unregistered"]})
    )
    nobody = figures.fleet.Only(NOW, None, None)
    assert nobody.of(frame).height == 6
    silent = figures.fleet.Only(NOW, None, "silent")
    assert silent.of(frame)["unitno"].to_list() == silent.now["unitno"].to_list() == ["u2"]
    one = figures.fleet.Only(NOW, "unregistered", None)
    assert one.of(frame)["unitno"].to_list() == ["unregistered"]
    assert one.now.is_empty()


def log(**values: float) -> pl.DataFrame:
    usual = {"days": 2, "day_s": 172_800.0, "known_s": 144_000.0, "engine_on_s": 108_000.0}
    usual |= {"moving_s": 72_000.0, "log_days": 0, "log_s": 0.0, "work_s": 0.0, "standby_s": 0.0}
    usual |= {"delay_s": 0.0, "repair_s": 0.0, "breakdown_s": 0.0, "breakdowns": 0}
    return pl.DataFrame([{"dstrct_code": "A", "unitno": "u1", **usual, **values}])


def test_without_a_log_there_is_no_availability_but_eu() -> None:
    tiles = figures.fleet.availability(log())
    assert [(tile.value, tile.note) for tile in tiles] == [
        ("75.0 %", "engine on 30.0 of 40.0 known h"),
        ("50.0 %", "moving 20.0 of 40.0 known h"),
    ]


def test_availability_is_that_of_the_time_which_the_log_covers() -> None:
    # 24 h: 3 h of repair, of which 2 h are 2 breakdowns, 1 h of rain, 20 h of work, of which 90 min
    # are rest and refuelling.
    covered = log(
        log_days=1,
        log_s=86_400.0,
        work_s=72_000.0,
        delay_s=5_400.0,
        standby_s=3_600.0,
        repair_s=10_800.0,
        breakdown_s=7_200.0,
        breakdowns=2,
    )
    _, _, pa, ma, ua, mtbf, mttr = figures.fleet.availability(covered)
    assert (pa.value, pa.note) == ("87.5 %", "log covers 24.0 of 48.0 h")  # 21/24
    assert ma.value == "87.0 %"  # 20/23
    assert ua.value == "95.2 %"  # 20/21
    assert (mtbf.value, mttr.value) == ("10.0 h", "1.0 h")
    shown = tables.fleet.availability(covered, bands())
    assert shown.select("PA (%)", "MA (%)", "UA (%)").row(0) == (87.5, 87.0, 95.2)
    stood = ["Delay (h)", "Standby (h)", "Repair (h)"]
    assert shown.select(stood).row(0) == (1.5, 1.0, 3.0)
    bare = tables.fleet.availability(log(), bands())
    assert bare.select("MA (%)", *stood).row(0) == (None,) * 4


def bands() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "dstrct_code": ["A", "A"],
            "unitno": ["u1", "u2"],
            "idle_s": [9_000.0, 60.0],
            "spells_3_6": [4, 0],
            "idle_3_6_s": [1_800.0, 0.0],
            "spells_6_9": [0, 0],
            "idle_6_9_s": [0.0, 0.0],
            "spells_9": [2, 0],
            "idle_9_s": [7_200.0, 0.0],
        }
    )


def test_long_idling_tells_hours_and_spells() -> None:
    figure = fleet_parts.idle(bands(), dark=False)
    assert [list(trace.x) for trace in figure.data] == [[0.5], [0.0], [2.0]]
    assert [list(trace.text) for trace in figure.data] == [["4×"], [""], ["2×"]]
    assert list(figure.data[0].y) == ["u1"]  # u2 never idled for three minutes


def intervals() -> pl.DataFrame:
    states = [("moving", 0, 60), ("idle", 60, 70), ("unknown", 70, 130), ("inferred", 130, 190)]
    rows = [
        {
            "hiveperiod": "2026-01-31",
            "dstrct_code": "A",
            "unitno": unit,
            "state": state,
            "started_at": START + timedelta(minutes=begin),
            "ended_at": START + timedelta(minutes=end),
            "seconds": (end - begin) * 60.0,
        }
        for unit in ("u1", "u2")
        for state, begin, end in states
    ]
    return pl.DataFrame(rows)


def days(lost: dict[str, float]) -> pl.DataFrame:
    rows = [
        {
            "hiveperiod": "2026-01-31",
            "dstrct_code": "A",
            "unitno": unit,
            "day_s": 86_400.0,
            "moving_s": 86_400.0 - seconds,
            "idle_s": 0.0,
            "off_s": 0.0,
            "inferred_s": 0.0,
            "unknown_s": seconds,
            "lost_s": seconds,
        }
        for unit, seconds in lost.items()
    ]
    return pl.DataFrame(rows)


def test_who_lost_most_stands_on_top_and_unknown_is_hatched() -> None:
    found = days({"u1": 3_600.0, "u2": 36_000.0})
    figure = fleet_gantt.units(found, intervals(), ZONE, dark=False)
    traces = {trace.name: trace for trace in figure.data}
    assert list(figure.layout.yaxis.ticktext) == ["u2 · 10.0 h", "u1 · 1.0 h"]
    assert list(figure.layout.yaxis.tickvals) == [1, 0]
    unknown = traces[say("state.unknown")]
    assert unknown.type == "bar"
    assert unknown.marker.pattern.shape == "/"
    assert list(unknown.x) == [3_600_000.0] * 2
    moving, idle = traces[say("state.moving")], traces[say("state.idle")]
    assert moving.line.width > idle.line.width > traces[say("state.inferred")].line.width
    # Wall-clock time: 22:00 UTC is 06:00 of the next day there; lines end between units.
    assert moving.x[0] == datetime(2026, 1, 31, 6, tzinfo=UTC).timestamp() * 1000
    assert np.isnan(moving.x[2])


def test_more_days_are_drawn_by_the_day_and_add_up() -> None:
    found = days({"u1": 21_600.0})
    figure = fleet_gantt.units(found, None, ZONE, dark=True)
    assert {trace.name: trace.y[0] / fleet_gantt.ROW for trace in figure.data if len(trace.y)} == {
        say("state.moving"): 0.75,
        say("state.unknown"): 0.25,
    }


def test_a_large_fleet_draws_those_that_lost_most() -> None:
    found = days({f"u{i:03}": float(i) for i in range(500)})
    order = fleet_gantt.by_lost(found)
    assert len(order) == fleet_gantt.SHOWN
    assert order[0] == "u499"


def test_days_of_a_unit_lie_over_one_day() -> None:
    later = (
        intervals()
        .filter(unitno="u1")
        .with_columns(
            pl.lit("2026-02-01").alias("hiveperiod"),
            pl.col("started_at", "ended_at") + timedelta(days=1),
        )
    )
    figure = fleet_gantt.days(intervals().filter(unitno="u1").vstack(later), ZONE, dark=False)
    moving = next(trace for trace in figure.data if trace.name == say("state.moving"))
    assert moving.x[0] == moving.x[3]
    assert list(figure.layout.yaxis.ticktext) == ["2026-02-01", "2026-01-31"]


def test_the_map_has_a_shape_for_each_status_and_true_distances() -> None:
    doing = figures.fleet.doing(NOW)
    assert fleet_map.districts(doing) == ["A", "B"]
    figure = fleet_map.positions(doing, NO_TRACKS, dark=False)
    marks = [trace for trace in figure.data if trace.mode == "markers"]
    assert len({trace.marker.symbol for trace in marks}) == len(marks) == 4
    place = {trace.customdata[0]: (trace.x[0], trace.y[0]) for trace in marks}
    # A hundredth of a degree is 1.1132 km, along the equator as across it.
    assert place["u2"][1] - place["u1"][1] == pytest.approx(1.113, abs=0.002)
    assert place["u3"][0] - place["u1"][0] == pytest.approx(1.113, abs=0.002)
    assert figure.layout.yaxis.scaleanchor == "x"
    arrow = next(trace for trace in marks if trace.customdata[0] == "u1")
    assert list(arrow.marker.angle) == [90.0]


def test_roads_end_where_minutes_are_missing_or_far_apart() -> None:
    moments = [0, 1, 2, 9, 10]
    lats = [0.0, 0.001, 0.002, 0.003, 0.9]  # the last step is some 100 km
    tracks = NO_TRACKS.vstack(
        pl.DataFrame(
            {
                "dstrct_code": ["A"] * 5,
                "unitno": ["u1"] * 5,
                "minute": [START + timedelta(minutes=m) for m in moments],
                "lat": lats,
                "lon": [117.0] * 5,
            }
        )
    )
    figure = fleet_map.positions(figures.fleet.doing(NOW), tracks, dark=True)
    roads = next(trace for trace in figure.data if trace.name == say("fleet.map.roads"))
    # Three minutes in a row are one line, with a break after it; nothing leads to the others.
    # Km north of the middle of the three units, which is at 0.01° / 3.
    north = [-0.371, -0.260, -0.148, np.nan]
    assert roads.y.tolist() == pytest.approx(north, abs=0.001, nan_ok=True)
    assert roads.x.tolist()[:3] == pytest.approx([roads.x[0]] * 3)


def test_where_many_drove_one_road_is_drawn() -> None:
    """Twenty units on one way, each a metre beside the other, and a way that one alone took."""
    rows = [
        ("A", f"u{unit:02}", START + timedelta(minutes=minute), 0.005 * minute, 117 + 1e-5 * unit)
        for unit in range(20)
        for minute in range(10)
    ]
    rows += [("A", "v", START + timedelta(minutes=m), 0.02, 117.02 + 0.005 * m) for m in range(5)]
    tracks = NO_TRACKS.vstack(pl.DataFrame(rows, NO_TRACKS.schema, orient="row"))
    figure = fleet_map.positions(figures.fleet.doing(NOW), tracks, dark=True)
    roads = next(trace for trace in figure.data if trace.name == say("fleet.map.roads"))
    assert len(roads.x) == len(roads.y) <= 2 * (10 + 1) + 5 + 1
    for axis, column, scale in (("y", "lat", 1.0), ("x", "lon", np.cos(np.radians(0.01 / 3)))):
        reach = np.nanmax(roads[axis]) - np.nanmin(roads[axis])
        degrees = float(tracks[column].max() - tracks[column].min())  # type: ignore[operator]
        assert reach == pytest.approx(degrees * 111.32 * scale, abs=0.03)


def test_units_close_together_share_a_label() -> None:
    near = figures.fleet.doing(NOW).filter(dstrct_code="A").with_columns(pl.lit(117.0).alias("lon"))
    near = near.with_columns(pl.Series("lat", [0.0, 0.00001, 0.2]))
    figure = fleet_map.positions(near, NO_TRACKS, dark=False)
    labels = next(trace for trace in figure.data if trace.mode == "text")
    assert sorted(labels.text) == ["u1, u2", "u3"]
    # With another district's map beside it there is room for one number.
    far = figures.fleet.doing(NOW).filter(dstrct_code="B").with_columns(lat=0.5, lon=117.5)
    figure = fleet_map.positions(near.vstack(far.select(near.columns)), NO_TRACKS, dark=False)
    labels = next(trace for trace in figure.data if trace.mode == "text" and len(trace.text) == 2)
    assert sorted(labels.text) == ["u1 +1", "u3"]


def test_what_needs_action_comes_first() -> None:
    shown = tables.fleet.to_act(NOW, ZONE)
    assert shown["Unit"].to_list() == ["u2", "u5", "u4", "u1", "u3"]
    assert shown["Hours ago"].to_list()[0] == 25.0
    assert shown["What to do"][0] == EN["remedy.silent"]
    districts = tables.fleet.districts(NOW)
    assert districts["District"].to_list() == ["B", "A"]
    assert districts.row(1) == ("A", 3, 1, 0, 1, 1, 0)


def test_who_was_not_ready_comes_first() -> None:
    ready = pl.DataFrame(
        {
            "hiveperiod": ["2026-01-31"] * 4,
            "dstrct_code": ["A"] * 4,
            "shift": [1] * 4,
            "shift_start": [START] * 4,
            "unitno": ["u1", "u2", "u3", "u4"],
            "state": ["moving", "idle", "off", "unknown"],
            "first_moved_at": [START, START + timedelta(minutes=12), None, None],
        },
        schema_overrides={"first_moved_at": pl.Datetime("us", "UTC")},
    )
    shown = tables.fleet.ready(ready, ZONE)
    assert shown["Unit"].to_list() == ["u3", "u4", "u2", "u1"]
    assert shown["After (min)"].to_list() == [None, None, 12.0, 0.0]
    (said,) = figures.fleet.began(ready, ZONE)
    assert said["time"] == "2026-01-31 06:00"
    assert (said["on"], said["off"], said["unknown"], said["units"]) == (2, 1, 1, 4)


def totals() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "dstrct_code": ["A", "A"],
            "unitno": ["u1", "u2"],
            "unittype": ["dump", "dump"],
            "day_s": [172_800.0, 172_800.0],
            "observed_s": [100_000.0, 90_000.0],
            "engine_h": [40.0, 0.0],
            "km": [600.0, 0.0],
            "fuel_l": [1_200.0, 0.0],
            "trips": [20.0, 0.0],
            "payload_t": [1_800.0, 0.0],
            "engine_hours_last": [5_000.0, None],
            "service_km_last": [900.0, -50.0],
            "fuel_pct_last": [50.0, None],
        }
    )


def test_service_soonest_first_and_fuel_by_hour_and_km() -> None:
    service = tables.fleet.service(totals())
    assert service["Unit"].to_list() == ["u2", "u1"]
    assert service["In about (days)"].to_list() == [None, 3.0]  # 900 km at 300 km a day
    work = tables.fleet.work(totals())
    assert work.select(
        "Fuel (L/h)", "Fuel (L/km)", "Per trip (min)", "Payload a trip (t)"
    ).rows() == [
        (30.0, 2.0, 120.0, 90.0),
        (None, None, None, None),
    ]
    meter, service_tile, fuel = figures.fleet.counters(totals().head(1))
    assert (meter.value, service_tile.value, fuel.value) == ("5,000.0 h", "900 km", "30.0 L/h")
    none = figures.fleet.counters(totals().clear())
    assert [tile.value for tile in none] == ["–"] * 3


def parts() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "dstrct_code": ["A"] * 3,
            "unitno": ["u1", "u1", "u2"],
            "deviceid": ["d1", "d1", "d2"],
            "part": ["gps", "clock", "gps"],
            "observed_s": [7_200.0, 7_200.0, 3_600.0],
            "up_s": [720.0, 7_200.0, 3_600.0],
            "state": ["unwell", "well", "well"],
            "reason": ["no fix", None, None],
            "since": [START, None, None],
            "at_least": [False, False, False],
        },
        schema_overrides={"since": pl.Datetime("us", "UTC")},
    )


def test_parts_at_fault_say_what_to_do() -> None:
    shown = tables.fleet.parts(parts(), ZONE)
    assert shown.height == 1
    assert shown.select("Unit", "Part", "Well (%)", "Observed (h)", "Reason", "Since").row(0) == (
        "u1",
        "GPS",
        10.0,
        2.0,
        "No fix",
        "2026-01-31 06:00",
    )
    assert shown["What to do"][0] == EN["remedy.gps"]
    older = tables.fleet.parts(parts().with_columns(at_least=True), ZONE)
    assert older["Since"].to_list() == ["2026-01-31 06:00 or earlier"]
    grid = fleet_parts.health(parts(), dark=False).data[0]
    assert list(grid.y) == ["u1"]
    texts = dict(zip(grid.x, grid.text[0], strict=True))
    # What was not observed is blank, never well.
    assert (texts["GPS"], texts["Clock"], texts["Storage"]) == ("10 %", "100 %", "")


def test_firmware_counts_devices_at_fault() -> None:
    found = pl.DataFrame(
        {"fwversion": ["2.1"], "part": ["gps"], "devices": [4], "faulty": [1], "up_s": [1.0]}
    )
    grid = fleet_parts.firmware(found, dark=True).data[0]
    assert grid.text[0][fleet_parts.PARTS.index("gps")] == "1 of 4"
    assert grid.z[0][fleet_parts.PARTS.index("gps")] == 0.25


def test_a_tile_narrows_the_page_and_the_address_says_so(filled: Settings, script: str) -> None:
    app = open_page(script, "fleet_health", "supervisor#1")
    click(app, say("fleet.only", status=say("status.silent")))
    assert app.query_params["status"] == "silent"
    assert say("fleet.none") in texts(app)
    click(app, say("fleet.all"))
    assert "status" not in app.query_params
    assert say("fleet.map") in texts(app)


@pytest.mark.parametrize("address", [*({"view": v} for v in pickers.fleet.VIEWS), {"unit": "u1"}])
def test_units_that_have_never_been_seen(
    home: Settings, ledger: Ledger, script: str, address: dict[str, str]
) -> None:
    device = {"deviceid": "d1", "unitno": "u1", "unittype": "dump", "dstrct_code": "MLKB"}
    with ledger.write() as connection:
        connection.execute(t.devices.insert(), [{**device, "valid_from": "2020-01-01"}])
        connection.execute(t.zones.insert(), [{"district": "MLKB", "zone": ZONE}])
    app = open_page(script, "fleet_health", "admin#1", **address)
    assert not app.exception
    assert not app.warning
    tiles = {tile.label: tile.value for tile in app.metric}
    if "unit" in address:
        assert tiles["EU"] == tiles[say("fleet.meter")] == "–"
        assert say("status.never_seen") in texts(app)
    else:
        assert tiles[say("status.never_seen")] == "1"


def test_what_stood_when_it_was_last_seen_is_parked_however_long_ago(
    home: Settings, ledger: Ledger, script: str
) -> None:
    ended = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=10)
    lake = Lake(home, ledger, home.zone_of(DISTRICT), UNITS[:2])
    hour = {"dstrct_code": DISTRICT, "hiveperiod": lake.day(ended), "unittype": "dump"}
    hour |= {"hour_start": ended, "last_minute": ended + timedelta(minutes=59)}
    states = zip(UNITS[:2], ("off", "idle"), strict=True)
    with ledger.write() as connection:
        connection.execute(t.devices.insert(), [lake.device(unit) for unit in UNITS[:2]])
        connection.execute(t.zones.insert(), [{"district": DISTRICT, "zone": ZONE}])
        for unit in UNITS[:2]:
            lake.raw_hour(connection, unit, ended, 9)
        rows = [hour | {"unitno": u, "deviceid": f"dev-{u}", "last_state": s} for u, s in states]
        publish(lake, connection, "unit_hour", rows)
    app = open_page(script, "fleet_health", "supervisor#1")
    assert not app.exception
    tiles = {tile.label: tile.value for tile in app.metric}
    assert (tiles[say("status.parked")], tiles[say("status.silent")]) == ("1", "1")


def click(app: AppTest, label: str) -> None:
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception


def test_each_view_has_its_address(filled: Settings, script: str) -> None:
    firsts = {"hours": "fleet.gantt", "work": "fleet.idle", "service": "fleet.service"}
    assert set(pickers.fleet.VIEWS) == {"now", "devices", *firsts}
    for view, title in {**firsts, "devices": "fleet.health"}.items():
        app = open_page(script, "fleet_health", "fleet_manager#1", view=view)
        assert not app.exception
        assert app.subheader[0].value == say(title)
        assert app.query_params["view"] == view


def test_down_to_a_unit_and_back(home: Settings, ledger: Ledger, script: str) -> None:
    fabricate(home, ledger, now=datetime(2026, 1, 31, 4, tzinfo=UTC))  # noon: one day
    app = open_page(script, "fleet_health", "fleet_manager#1", unit="DT-101")
    tiles = {tile.label: tile for tile in app.metric}
    # Half an hour of repair, a quarter of rain in six hours that the log covers.
    assert (tiles["EU"].value, tiles["PA"].value) == ("86.7 %", "91.7 %")
    assert tiles["MTTR"].value == "0.5 h"
    assert say("status.parked") in texts(app)  # it stood when it was seen last, a long time ago
    click(app, "MLKB")
    assert "unit" not in app.query_params
    assert app.subheader[0].value == say("fleet.map")
    other = open_page(script, "fleet_health", "fleet_manager#1", unit="DT-103")
    assert "PA" not in {tile.label for tile in other.metric}
    assert say("fleet.log.none") in texts(other)


def test_a_unit_of_another_district_is_not_there(
    filled: Settings, ledger: Ledger, script: str
) -> None:
    people.add_user(ledger, "far", "Far", "supervisor", "correct-horse-battery", ["OTHR"])
    app = open_page(script, "fleet_health", "far#1", unit="DT-101")
    assert not app.exception
    assert "DT" not in texts(app)


@pytest.mark.parametrize("view", pickers.fleet.VIEWS)
def test_views_of_hostile_names_and_of_a_large_fleet(
    home: Settings, ledger: Ledger, script: str, view: str
) -> None:
    names = ("<script>alert(1)</script>", "[a](javascript:x)", *(f"U{i}" for i in range(60)))
    fabricate(home, ledger, hours=2, units=names)
    app = open_page(script, "fleet_health", "admin#1", view=view)
    assert not app.exception
    assert not app.warning
    one = open_page(script, "fleet_health", "admin#1", unit=names[0])
    assert not one.exception
    for part in (*one.markdown, *one.subheader, *app.markdown, *app.caption):
        assert "<script" not in str(part.value).replace("\\<", "")
        assert "](" not in str(part.value).replace("\\]", "").replace("\\(", "")
    labels = [button.label for button in one.button]
    assert not any("<script" in label.replace("\\<", "") for label in labels)
