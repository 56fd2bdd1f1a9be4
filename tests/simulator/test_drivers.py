"""The people: their eyes, their glances, and how often they tire."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from pipeline.simulator import DEFAULT_START, SimSpec, eyes, fatigue, fleet
from pipeline.simulator.seeds import stream
from tests.simulator.conftest import Made

SPEC = SimSpec(units=100, hours=1, start=DEFAULT_START)


@pytest.fixture(scope="module")
def people() -> list[fleet.Operator]:
    return [person for unit in fleet.build(SPEC) for person in unit.crews]


@pytest.fixture(scope="module")
def lids(people: list[fleet.Operator]) -> list[eyes.Lids]:
    return [eyes.simulate(stream(1, i), person, [], 0) for i, person in enumerate(people)]


def test_open_eyes_of_the_population(people: list[fleet.Operator]) -> None:
    level = np.array([person.open_ear for person in people])
    assert 0.20 <= level.min() < 0.205
    assert 0.375 < level.max() <= 0.38
    assert (level < 0.24).mean() == pytest.approx(0.15, abs=0.01)
    assert max(person.rho for person in people) > 0.85
    assert {person.eyewear for person in people} == {"none", "clear", "sun"}


def test_blinks_take_3_to_6_percent_and_last_100_to_400_ms(
    people: list[fleet.Operator], lids: list[eyes.Lids]
) -> None:
    share = np.array([one.closed.mean() for one in lids])
    assert ((share > 0.022) & (share < 0.066)).all()
    assert 0.03 < share.mean() < 0.06
    at, length = fatigue.blink_times(stream(2), people[0], 0, 3600, None)
    assert (at[1:] > at[:-1] + length[:-1]).all()
    assert 0.1 <= length.min() <= length.max() <= 0.4


def test_about_40_glances_an_hour(lids: list[eyes.Lids]) -> None:
    turned = [(np.abs(one.yaw) > 20) | (one.pitch < -8) for one in lids]
    begun = [np.sum(np.diff(flags.astype(int), prepend=0) == 1) for flags in turned]
    assert np.mean(begun) == pytest.approx(40, abs=4)


def test_a_closure_is_told_to_the_second(people: list[fleet.Operator]) -> None:
    spell = fatigue.Spell("microsleep", 1000.4, 1003.9)
    one = eyes.simulate(stream(3), people[0], [spell], 0)
    assert one.closed[1001:1003].tolist() == [1, 1]
    assert one.running[1002] == pytest.approx(2.6, abs=1e-3)
    assert one.running[1002] + one.closed[1003] == pytest.approx(3.5, abs=0.12)
    assert one.last_depth[1002] > 0.7
    assert one.most_depth[1001] > 0.7


def test_a_drowsy_spell_closes_the_eyes_for_its_share(people: list[fleet.Operator]) -> None:
    spell = fatigue.Spell("drowsy", 600, 1800, share=0.16)
    one = eyes.simulate(stream(4), people[0], [spell], 0)
    assert one.closed[600:1800].mean() == pytest.approx(0.16, abs=0.03)
    assert one.closed[1900:].mean() < 0.07


def test_the_base_rate_is_a_quarter_per_100_hours() -> None:
    rates = [
        fatigue.rate(clock, (clock - 6) % 12 + 0.5, night)
        for clock in range(24)
        for night in range(1, 5)
    ]
    assert 100 * np.mean(rates) == pytest.approx(0.25, rel=0.02)
    night = [fatigue.rate(c, 6, 2) for c in (*range(18, 24), *range(6))]
    assert 0.5 < sum(night) / sum(fatigue.rate(c, 6, 2) for c in range(24)) < 0.7
    assert fatigue.rate(4, 10, 4) > 2 * fatigue.rate(9, 3, 1)


def test_spells_scale_with_the_rate() -> None:
    wheel = np.ones(3600, bool)
    found = [
        spell
        for i in range(2000)
        for spell in fatigue.spells(stream(5, i), 0, wheel, wheel, per_hour=0.25)
        if spell.kind != "distraction"
    ]
    assert len([s for s in found if s.kind == "drowsy"]) == pytest.approx(
        2000 * 0.25 * 0.3, rel=0.2
    )
    sleeps = np.array([s.end - s.start for s in found if s.kind == "microsleep"])
    assert (sleeps >= 5).mean() > 0.12
    assert (sleeps < 2).mean() > 0.12


def test_closures_of_the_truth_are_in_the_rows(quiet: Made, quiet_rows: pl.DataFrame) -> None:
    episodes = quiet.table("episodes")
    assert {"microsleep", "drowsy", "yawning", "distraction"} <= set(episodes["kind"])
    told = episodes.filter((pl.col("kind") == "microsleep") & pl.col("observed"))
    told = told.filter(pl.col("closure_s") >= 2.5)
    modern = quiet_rows.filter(pl.col("fwversion") >= "3")
    checked = found = 0
    for unit, start, end in told.select("deviceid", "start", "end").iter_rows():
        rows = modern.filter(
            (pl.col("deviceid") == unit)
            & (pl.col("second") >= int(start.timestamp()))
            & (pl.col("second") <= int(end.timestamp()))
        )
        if rows.height:
            checked += 1
            length = (end - start).total_seconds()
            found += rows["eyecloseddur"].max() >= length - 1.01
    assert checked >= 5
    assert found == checked


def test_the_device_sees_some_and_not_all(quiet: Made, quiet_rows: pl.DataFrame) -> None:
    alarms = quiet_rows.filter(pl.col("alarmtype") == "microsleep")
    assert alarms.height > 0
    assert (alarms["clipid"] != "").all()
    assert (alarms["dmsalarm"] == 1).all()
    told = quiet.table("episodes").filter(pl.col("kind") == "microsleep")
    heard = 0
    for unit, start in told.select("deviceid", "start").iter_rows():
        begin = start.timestamp()
        near = (alarms["deviceid"] == unit) & alarms["second"].is_between(begin, begin + 12)
        heard += bool(near.any())
    assert 0 < heard < told.height


def test_nobody_at_the_wheel_has_no_eyes(quiet_rows: pl.DataFrame) -> None:
    empty = quiet_rows.filter(pl.col("driverpresent") == 0)
    assert empty.height > 0
    assert (empty["ear"] == -9999).all()
    assert (empty["faceconf"] == 0).all()
    assert quiet_rows.filter(pl.col("ear") != -9999)["operatorid"].str.starts_with("OP").all()
    signed_off = quiet_rows.filter(pl.col("operatorid") == "")
    assert (signed_off["driverpresent"] == 0).all()
