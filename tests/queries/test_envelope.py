"""Envelopes, gaps and conditions: pure, with numbers that can be checked by eye."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from pipeline import fields
from queries import conditions, envelope
from queries.conditions import NONE, PARTLY, WHOLLY

START = datetime(2026, 1, 31, 2, tzinfo=UTC)
HOUR, DAY = 3600, 86_400


def seconds(values: dict[int, float | None], unit: str = "DT-1", signal: str = "x") -> pl.DataFrame:
    """Second from the start → value, in an envelope's shape."""
    rows = pl.DataFrame(
        {
            "unitno": [unit] * len(values),
            "at": [START + timedelta(seconds=second) for second in values],
            signal: list(values.values()),
        },
        schema_overrides={signal: pl.Float64},
    )
    return envelope.of_seconds(rows, (signal,))


def minutes(rows: list[tuple[int, int, float, float, float]]) -> pl.DataFrame:
    """(minute, seconds with rows, mean, min, max)."""
    return pl.DataFrame(
        [
            {
                "unitno": "DT-1",
                "at": START + timedelta(minutes=minute),
                "seconds": seen,
                "x_mean": mean,
                "x_min": low,
                "x_max": high,
            }
            for minute, seen, mean, low, high in rows
        ]
    )


@pytest.mark.parametrize(
    ("span_s", "source", "step_s"),
    [
        (600, "second", 1),
        (HOUR, "second", 2),
        (2 * HOUR, "second", 5),
        (2 * HOUR + 1, "minute", 60),
        (DAY, "minute", 120),
        (3 * DAY, "minute", 300),
        (3 * DAY + 1, "hour", HOUR),
        (31 * DAY, "hour", HOUR),
    ],
)
def test_the_coarsest_source_serves_a_span(span_s: int, source: str, step_s: int) -> None:
    level = envelope.level_of(span_s)
    assert (level.source, level.step_s) == (source, step_s)
    assert span_s / level.step_s <= 1800


def test_a_peak_of_one_second_survives() -> None:
    values = dict.fromkeys(range(10), 20.0) | {7: 95.0}
    found = envelope.envelope(seconds(values), ("x",), 1, 5)
    assert found.select("seconds", "x_mean", "x_min", "x_max").rows() == [
        (5.0, 20.0, 20.0, 20.0),
        (5.0, 35.0, 20.0, 95.0),  # (4 × 20 + 95) / 5
    ]
    assert found["run"].to_list() == [1, 1]


def test_minutes_weigh_as_many_seconds_as_they_have() -> None:
    rows = minutes([(0, 60, 10.0, 4.0, 12.0), (1, 55, 20.0, 5.0, 88.0)])
    found = envelope.envelope(rows, ("x",), 60, 120)
    assert found.select("x_min", "x_max").row(0) == (4.0, 88.0)
    assert found["x_mean"][0] == pytest.approx((60 * 10 + 55 * 20) / 115)


def test_a_minute_without_a_value_does_not_count() -> None:
    rows = minutes([(0, 60, 10.0, 10.0, 10.0), (1, 60, 0.0, 0.0, 0.0)])
    unknown = rows.with_columns(
        pl.when(pl.col("at") > START).then(None).otherwise(pl.col(name)).alias(name)
        for name in ("x_mean", "x_min", "x_max")
    )
    assert envelope.envelope(unknown, ("x",), 60, 120)["x_mean"].to_list() == [10.0]


def test_no_line_bridges_a_gap_of_more_than_ten_seconds() -> None:
    near = envelope.envelope(seconds({0: 1.0, 1: 1.0, 11: 1.0}), ("x",), 1, 1)
    assert near["run"].n_unique() == 1
    far = envelope.envelope(seconds({0: 1.0, 1: 1.0, 12: 1.0}), ("x",), 1, 1)
    assert far["run"].to_list() == [1, 1, 2]
    # The same gap inside and between buckets of five seconds.
    assert envelope.envelope(seconds({4: 1.0, 15: 1.0}), ("x",), 1, 5)["run"].to_list() == [1, 2]


def test_a_bucket_with_a_gap_in_it_stands_alone() -> None:
    rows = [(0, 60), (1, 51), (2, 49), (3, 60), (4, 60), (6, 60)]
    frame = minutes([(minute, seen, 1.0, 1.0, 1.0) for minute, seen in rows])
    assert envelope.envelope(frame, ("x",), 60, 60)["run"].to_list() == [1, 1, 2, 3, 3, 4]


def test_units_do_not_touch() -> None:
    both = pl.concat([seconds({0: 1.0}, "DT-1"), seconds({1: 9.0}, "DT-2")])
    found = envelope.envelope(both, ("x",), 1, 5)
    assert found.select("unitno", "x_max", "run").rows() == [("DT-1", 1.0, 1), ("DT-2", 9.0, 1)]


def test_runs_are_closed_at_the_end_of_their_last_bucket() -> None:
    found = envelope.envelope(seconds({0: 1.0, 5: 2.0, 30: 3.0}), ("x",), 1, 5)
    drawn = envelope.drawn(found, 5)
    offsets = [(at - START).total_seconds() for at in drawn["at"]]
    assert offsets == [0, 5, 10, 10, 30, 35, 35]
    assert drawn["x_mean"].to_list() == [1.0, 2.0, 2.0, None, 3.0, 3.0, None]


def band(name: str, number: int = 0) -> fields.Band:
    return conditions.of(name)[number]


def judged(speeds: dict[int, float | None], name: str, step_s: int = 1) -> list[int]:
    found = envelope.envelope(seconds(speeds, signal="EngineSpeed"), ("EngineSpeed",), 1, step_s)
    return conditions.holding(found, band(name)).to_list()


def test_the_first_ten_seconds_after_the_engine_came_on_are_not_judged() -> None:
    speeds = {second: 0.0 if second < 5 else 700.0 for second in range(30)}
    assert judged(speeds, "EngineCoolantTemp") == [
        *([NONE] * 5),
        *([PARTLY] * 10),
        *([WHOLLY] * 15),
    ]


def test_a_warm_engine_is_one_that_has_run_for_fifteen_minutes() -> None:
    found = judged(dict.fromkeys(range(1000), 700.0), "EngineOilTemp")
    assert found.index(WHOLLY) == 900
    assert set(found[900:]) == {WHOLLY}


def test_what_is_not_known_is_not_met_and_a_gap_starts_anew() -> None:
    unknown = judged(dict.fromkeys(range(20), 700.0) | {15: None}, "EngineCoolantTemp")
    assert (unknown[14], unknown[15], unknown[16]) == (WHOLLY, NONE, PARTLY)
    gap = dict.fromkeys([*range(12), *range(40, 52)], 700.0)
    assert judged(gap, "EngineCoolantTemp")[11:14] == [WHOLLY, PARTLY, PARTLY]


def test_a_band_at_rest_holds_where_that_of_a_running_engine_does_not() -> None:
    speeds = dict.fromkeys(range(700), 0.0)
    found = envelope.envelope(seconds(speeds, signal="EngineSpeed"), ("EngineSpeed",), 1, 1)
    running, rest = (conditions.holding(found, band("BatteryVoltage", i)) for i in (0, 1))
    assert set(running) == {NONE}
    assert rest.to_list().index(WHOLLY) == 600


def test_a_band_without_a_condition_always_holds_and_one_without_its_signal_never() -> None:
    frame = envelope.envelope(seconds({0: 1.0, 1: 2.0}), ("x",), 1, 1)
    assert conditions.holding(frame, band("FuelLevel")).to_list() == [WHOLLY, WHOLLY]
    assert conditions.holding(frame, band("gpshdop")).to_list() == [NONE, NONE]


def test_what_bands_need_is_known_beforehand() -> None:
    assert conditions.signals(["BoostPressure", "FuelLevel"]) == ("EngineLoad",)
    assert conditions.lead_s(["EngineOilTemp", "EngineCoolantTemp"]) == 900
    assert conditions.lead_s(["EngineCoolantTemp"]) == 10
    assert conditions.lead_s(["TirePressure1"]) == 0
    assert conditions.words(band("EngineOilTemp")) == "EngineSpeed ≥ 400, 900 s"
    assert conditions.words(band("FuelLevel")) == ""


def test_every_condition_in_the_dictionary_can_be_tested() -> None:
    for one in fields.bands():
        if one.cond_signal:
            frame = envelope.envelope(
                seconds({0: one.cond_value}, signal=one.cond_signal), (one.cond_signal,), 1, 1
            )
            met = one.cond_op.endswith("=")
            expected = PARTLY if met and one.cond_hold_s <= 10 else NONE
            assert conditions.holding(frame, one).to_list() == [expected], one
