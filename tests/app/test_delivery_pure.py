"""Delivery's figures and charts: outages, causes, delays, escaped lines, on made-up hours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from app import access, figures, tables
from app.charts import delivery
from app.charts import ingestion as ingestion_charts
from app.text import delivery as delivery_text
from app.text import ingestion as ingestion_text
from app.text import say
from pipeline.storage import people
from queries.ingestion import Availability

START = datetime(2026, 1, 30, 16, tzinfo=UTC)
SHORT = {"c": "complete", "p": "partial", "x": "corrupt", "m": "missing", "o": "proven_off"}
SHORT |= {"w": "pending", "?": "not_registered"}


def hours(**devices: str) -> pl.DataFrame:
    """A frame of device-hours: one letter an hour, upper case where it came late."""
    rows: list[dict[str, Any]] = []
    for name, states in devices.items():
        district, _, device = name.partition("_")
        for i, letter in enumerate(states):
            state = SHORT[letter.lower()]
            came = state in figures.delivery.DELIVERED
            late = letter.isupper()
            rows.append(
                {
                    "district": district,
                    "deviceid": device,
                    "unitno": f"U{device}",
                    "hour": f"{START + timedelta(hours=i + 8):%Y%m%d%H}",
                    "hour_start": START + timedelta(hours=i),
                    "state": state,
                    "due": state != "pending",
                    "late": late,
                    "lines": 3600 if came else 0,
                    "accepted": 3600 if came else 0,
                    "overlapped": 0,
                    "delay_s": (9000.0 if late else 60.0) if came else None,
                    "cause": "no_coverage" if state == "missing" else None,
                    "cause_confidence": 0.8 if state == "missing" else None,
                }
            )
    numbers = dict.fromkeys(("delay_s", "cause_confidence"), pl.Float64)
    return pl.DataFrame(rows, schema_overrides={**numbers, "cause": pl.String})


def summed(cells: pl.DataFrame) -> pl.DataFrame:
    """The same summed up by device, state and whether due, as ``delivery_devices.sql`` does."""
    out = pl.col("hour_start").filter(pl.col("state").is_in(["missing", "corrupt"]))
    return cells.group_by("district", "deviceid", "state", "due").agg(
        pl.len().alias("hours"),
        pl.col("late").sum(),
        (pl.col("cause") == "no_coverage").sum().alias("uncovered"),
        (pl.col("accepted") - pl.col("overlapped")).sum().alias("rows"),
        pl.col("delay_s").alias("delays"),
        out.alias("out"),
        *(pl.lit(0).alias(name) for name in ("built", "lost", "counted")),
    )


def grid(cells: pl.DataFrame, dark: bool = False) -> Any:
    """The grid of all that the page would draw of these."""
    return delivery.grid(cells, figures.delivery.drawn(summed(cells)), dark)


def letters(states: str) -> list[str]:
    """What stands in the cells of a device's missing hours."""
    figure = grid(hours(A_1=states))
    bars = next(trace for trace in figure.data if trace.name == say("cell.missing"))
    return [text.removeprefix("<b>").removesuffix("</b>") for text in bars.text]


def test_alike_neighbours_share_a_letter_where_cells_are_narrow() -> None:
    own = say("cause.no_coverage.letter")
    assert letters("mm" + "c" * 26 + "mm") == [own] * 4  # thirty hours
    assert letters("mm" + "c" * 27 + "mm") == [own, "", own, ""]
    assert letters("mm" + "c" * 77 + "mm") == [own, own]  # two bars


def test_the_longest_outage_comes_first_not_the_most_hours() -> None:
    states = summed(hours(A_1="mcmcmc", A_2="cmmccc", B_3="cccccc", B_4="xmxccc"))
    found = figures.delivery.outages(states)
    assert found.select("deviceid", "longest", "hours_out").rows() == [
        ("4", 3, 3),
        ("2", 2, 2),
        ("1", 1, 3),
        ("3", 0, 0),
    ]
    # District B has the worst device, so it stands on top, whole.
    assert figures.delivery.drawn(states) == [("B", "4"), ("B", "3"), ("A", "2"), ("A", "1")]


def test_hours_in_which_nothing_was_expected_end_an_outage() -> None:
    cells = hours(A_1="mmcmmm")
    found = figures.delivery.outages(summed(cells.filter(pl.col("state") == "missing")))
    assert found["longest"].to_list() == [3]


def bars(figure: Any) -> dict[str, Any]:
    return {trace.name: trace for trace in figure.data if trace.type == "bar"}


def test_a_bar_opens_its_hour_and_tells_its_cause() -> None:
    figure = grid(hours(A_1="cCmo", A_2="cccc"), dark=True)
    found = bars(figure)
    assert list(found) == [say("delivery.late"), say("cell.missing")]
    missing = found[say("cell.missing")]
    assert missing.customdata[0][0] == "A/1/2026013102"
    assert list(missing.text) == ["<b>C</b>"]
    assert missing.marker.pattern.shape == "/"
    assert list(found[say("delivery.late")].text) == ["<b>L</b>"]
    assert list(missing.y) == [0]


def test_in_a_long_span_alike_hours_are_one_bar() -> None:
    states = "c" * 10 + "m" * 50 + "c" * 20 + "m" * 30
    missing = bars(grid(hours(A_1=states)))[say("cell.missing")]
    assert [round(ms / 0.96 / 3_600_000) for ms in missing.x] == [50, 30]
    assert [data[0] for data in missing.customdata] == ["A/1/2026013110", "A/1/2026020308"]


def test_a_fleet_of_500_is_readable() -> None:
    fleet = {f"A_{i:03}": "cccc" for i in range(499)} | {"A_999": "cmmc"}
    figure = grid(hours(**fleet))
    assert len(figure.layout.yaxis.tickvals) == figures.delivery.SHOWN
    assert figure.layout.yaxis.ticktext[0] == "U999"
    assert figure.layout.height < 900


def test_a_single_hour_is_as_wide_as_any() -> None:
    """Of a column alone Plotly cannot tell the width: without one it would not be seen."""
    figure = grid(hours(A_1="ccoc"))
    (off,) = (trace for trace in figure.data if trace.name == say("cell.proven_off"))
    assert (off.dx, [list(row) for row in off.z]) == (3_600_000, [[1]])
    assert off.x0 == datetime(2026, 1, 31, 2, 30)


def test_every_cause_has_a_colour_of_its_own() -> None:
    for dark in (False, True):
        found = pl.DataFrame(
            {
                "cause": list(figures.delivery.CAUSES),
                "hours": 1,
                "devices": 1,
                "confidence": 0.5,
            }
        )
        looks = [str(trace.marker) for trace in delivery.causes(found, dark).data]
        assert len(set(looks)) == len(figures.delivery.CAUSES)


@pytest.mark.parametrize("spoken", [delivery_text.EN, delivery_text.ID], ids=["EN", "ID"])
def test_the_help_of_the_grid_tells_every_letter(spoken: dict[str, str]) -> None:
    told = spoken["delivery.grid.help"].lower()
    for cause in figures.delivery.CAUSES:
        letter, name = spoken[f"cause.{cause}.letter"], spoken[f"cause.{cause}"]
        assert f"{letter} {name}".lower() in told, cause


def test_hostile_names_keep_no_mark() -> None:
    cells = hours(A_1="mm").with_columns(pl.lit("<script>x</script>").alias("unitno"))
    figure = grid(cells)
    assert "<script" not in figure.to_json().replace("\\u003c", "<")


def test_what_has_not_come_is_a_bar_of_its_own() -> None:
    figure = delivery.delays(summed(hours(A_1="ccCmmow")), dark=False)
    came, never = figure.data
    assert dict(zip(came.x, came.y, strict=True))["≤ 2 min"] == 2
    assert dict(zip(came.x, came.y, strict=True))["≤ 4 h"] == 1
    # Proven off was not going to come, pending is not due.
    assert (list(never.x), list(never.y)) == ([say("delivery.never")], [2])


def test_delays_of_an_outage_are_no_improvement() -> None:
    # What is pending, proven off or not registered has no delay.
    due = summed(hours(A_1="cccccccccC", A_2="mcccccccccwo", A_3="?"))
    # 18 of 20 within a minute, one after 2 h 30 min, one never: 95 % is the late one.
    assert figures.delivery.delay(due, 0.95) == "2 h"
    worse = summed(hours(A_1="cccccccccC", A_2="mmcccccccc"))
    assert figures.delivery.delay(worse, 0.95) == say("delivery.beyond", longest="2 h")


def test_causes_are_counted_with_how_sure_they_are() -> None:
    cells = hours(A_1="mmc", A_2="mcc").with_columns(
        pl.when(pl.col("deviceid") == "2")
        .then(pl.lit("unknown"))
        .otherwise("cause")
        .alias("cause"),
        pl.when(pl.col("deviceid") == "1").then("cause_confidence").alias("cause_confidence"),
    )
    cells = cells.filter(pl.col("state") == "missing")
    found = figures.delivery.causes(cells)
    assert found.rows() == [("no_coverage", 2, 1, 0.8), ("unknown", 1, 1, None)]
    first, unknown = delivery.causes(found, dark=False).data
    assert list(first.text) == ["2 h · 80%"]
    assert list(unknown.text) == ["1 h"]
    assert unknown.marker.pattern.shape == "/"


def test_still_to_come_has_its_denominators() -> None:
    states = summed(hours(A_1="cm", A_2="c", A_3="c"))
    backlog = pl.DataFrame({"deviceid": ["1", "2"], "files": [4, 0]})
    waiting, _, current = figures.delivery.keeping_up(states, backlog, Availability(23, 24))
    assert (waiting.value, waiting.note) == (
        "4",
        "on 1 devices; 2 of 3 told in the last 24 h",
    )
    assert (current.value, current.note) == (
        "95.8 %",
        "ingestion current in 23 of 24 closed hours",
    )
    *_, never = figures.delivery.keeping_up(states, backlog.clear(), Availability(0, 0))
    assert (never.value, never.note) == ("–", say("delivery.availability.none"))


def lost(states: pl.DataFrame) -> tuple[str, str]:
    backlog = pl.DataFrame(schema={"files": pl.Int64})
    _, tile, _ = figures.delivery.keeping_up(states, backlog, Availability(0, 0))
    return tile.value, tile.note


def test_what_devices_lost_is_told_of_hours_that_are_built() -> None:
    states = summed(hours(A_1="ccm", A_2="ccw"))
    assert lost(states)[0] == "–"
    # Device 1: of its three hours two are built, a whole one and ten minutes of another were lost.
    own = (pl.col("deviceid") == "1").cast(pl.Int64)
    missing = (pl.col("state") == "missing").cast(pl.Int64)
    told = states.with_columns(built=own, lost=own * (600 + 3000 * missing), counted=own * 3600)
    # What is not due may come yet, and shows no loss.
    early = told.with_columns(due=False, deviceid=pl.lit("3"))
    assert lost(pl.concat([told, early])) == (
        "4,200",
        "58.3 % of 7,200 rows that devices counted, in 2 of 5 device-hours",
    )


@pytest.mark.parametrize("dark", [False, True])
def test_coverage_is_told_by_shape_too(dark: bool) -> None:
    row = {"district": "A", "lat": 0.1, "lon": 1.0, "units": 3, "seconds": 7200, "rsrp": -90.0}
    cells = pl.DataFrame(
        [
            {**row, "down_s": 0, "down_share": 0.0, "enough": True},
            {**row, "lat": 0.2, "down_s": 3600, "down_share": 0.5, "enough": True},
            {**row, "lat": 0.3, "rsrp": None, "down_s": 9, "down_share": 0.9, "enough": False},
        ]
    )
    figure = delivery.coverage(cells, dark)
    shapes = {trace.marker.symbol: list(trace.y) for trace in figure.data if trace.y != (None,)}
    assert shapes == {"square-open": [0.3], "square": [0.1], "square-x": [0.2]}
    few = next(trace for trace in figure.data if trace.marker.symbol == "square-open")
    assert say("coverage.unknown") in few.customdata[0]


def test_bytes_are_escaped_and_cut() -> None:
    escaped = tables.delivery.escaped
    assert escaped("41 5c 00 ff 7f e280ae".replace(" ", ""), 8) == r"A\x5c\x00\xff\x7f\xe2\x80\xae"
    assert escaped("4142", 900) == "AB …"


def test_the_limit_is_drawn_where_it_is_in_sight() -> None:
    at = pl.Series("at", [START], dtype=pl.Datetime("us", "UTC"))
    for age, unit, lines in ((600.0, "min", 0), (3000.0, "min", 1), (86_400.0, "h", 1)):
        figure = ingestion_charts.ages(pl.DataFrame({"at": at, "age_s": [age]}), "UTC", False)
        assert figure.layout.yaxis.title.text == unit
        assert len(figure.layout.shapes) == lines
    assert list(figure.data[0].y) == [24.0]


def test_only_admins_act() -> None:
    for action in ("run work", "see raw lines"):
        for role in people.ROLES:
            user = people.User("u", "U", role, (), False, 1, "")
            assert access.may(user, action) == (role == access.ADMIN)


@pytest.mark.parametrize("module", [delivery_text, ingestion_text])
def test_every_sentence_is_there_in_both_languages(module: Any) -> None:
    assert module.EN.keys() == module.ID.keys()
    for key, sentence in module.EN.items():
        names = {part.split(":")[0] for part in sentence.split("{")[1:]}
        other = {part.split(":")[0] for part in module.ID[key].split("{")[1:]}
        assert {n.split("}")[0] for n in names} == {n.split("}")[0] for n in other}, key
