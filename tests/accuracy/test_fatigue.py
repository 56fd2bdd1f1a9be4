"""Matching worked out by hand: one device, seconds from 0."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from tests.accuracy import fatigue, fatigue_tables, watched
from tests.accuracy.fatigue import Case, Matched, Spell, Watched

LONG = Spell("HW-1", "A", "microsleep", 100, 106, sampling="snapshot")
SHORT = Spell("HW-1", "A", "microsleep", 500, 501.6)
SLOW = Spell("HW-1", "A", "drowsy", 5000, 5900, share=0.16)
FOUND = Case("HW-1", "A", "microsleep", "ear_snapshot", 102, 106, sampling="snapshot")


def matched(spells: list[Spell], cases: list[Case], hours: float = 50) -> Matched:
    both = {"snapshot": hours, "closure": hours}
    return Matched(Watched(spells, cases, both, {"A": hours, "B": hours}))


def test_a_case_over_a_closure_is_a_hit() -> None:
    found = matched([LONG], [FOUND])
    assert found.recall(fatigue.closure(5, sampling="snapshot")) == (1, 1)
    assert found.recall(fatigue.closure(5, sampling="closure")) == (0, 0)
    assert found.recall(fatigue.closure(3, 5)) == (0, 0)
    assert found.false_cases("microsleep") == (0, 100)


@pytest.mark.parametrize(
    ("start", "end", "hit"),
    [(108, 109, True), (108.1, 109, False), (90, 98, True), (90, 97.9, False), (0, 200, True)],
)
def test_two_seconds_beside_are_the_same_time(start: float, end: float, hit: bool) -> None:
    found = matched([LONG], [replace(FOUND, start=start, end=end)])
    assert (LONG in found.found) is hit
    assert bool(found.false) is not hit


def test_another_device_is_another_story() -> None:
    found = matched([LONG], [replace(FOUND, device="HW-2")])
    assert found.recall(fatigue.closure(5)) == (0, 1)
    assert found.false_cases("microsleep", "snapshot") == (1, 50)
    assert fatigue_tables.per_100h((1, 50)) == 2


def test_a_short_closure_is_no_goal_but_no_false_case_either() -> None:
    over = replace(FOUND, start=500, end=502, sampling="closure")
    found = matched([SHORT], [over])
    assert not fatigue.expected(SHORT)
    assert not found.false
    assert found.recall(fatigue.closure(1.5, 2)) == (1, 1)
    shorter = replace(SHORT, end=501.44)
    assert matched([shorter], [over]).false == [over]


def test_the_devices_word_counts_neither_way() -> None:
    alarm = Case("HW-1", "A", "device_alarm", "device", 102, 106)
    stray = replace(alarm, start=900, end=901)
    found = matched([LONG], [alarm, stray])
    assert found.recall(fatigue.closure(5)) == (0, 1)
    assert not found.false
    named = replace(stray, kind="microsleep")
    assert not matched([LONG], [named]).false


def test_other_kinds_say_nothing_of_eyes() -> None:
    away = Case("HW-1", "A", "distraction", "head", 102, 106)
    found = matched([LONG], [away, replace(away, start=900, end=905)])
    assert found.recall(fatigue.closure(5)) == (0, 1)
    assert not found.false


def test_a_drowsy_spell_needs_a_case_of_closed_share() -> None:
    closed = replace(FOUND, start=5400, end=5404)
    assert matched([SLOW], [closed]).recall(fatigue.drowsy) == (0, 1)
    assert not matched([SLOW], [closed]).false  # whoever is drowsy is no false alarm
    both = replace(closed, share=0.2)  # merged: one case with both kinds of evidence
    assert matched([SLOW], [both]).recall(fatigue.drowsy) == (1, 1)
    slow = replace(closed, kind="drowsy", evidence="closed_share")
    assert matched([SLOW], [slow]).recall(fatigue.drowsy) == (1, 1)
    assert matched([LONG], [replace(slow, start=102, end=103)]).recall(fatigue.closure(5)) == (0, 1)


def test_what_could_not_be_seen_does_not_count() -> None:
    unseen = replace(LONG, counts=False)
    found = matched([unseen], [FOUND])
    assert found.recall(fatigue.closure(5)) == (0, 0)
    assert not found.false


def test_only_long_and_heavy_drowsiness_is_expected() -> None:
    assert fatigue.drowsy(SLOW)
    assert not fatigue.drowsy(replace(SLOW, end=5599))
    assert not fatigue.drowsy(replace(SLOW, share=0.149))


def test_quarters_of_open_ear() -> None:
    """Eight operators, 10 h each; the two with the narrowest eyes have 3 of 4 false cases."""
    ear = {f"O{i}": 0.2 + 0.02 * i for i in range(8)} | {"idle": 0.1}
    hours = {name: 10.0 for name in ear if name != "idle"}
    spells = [
        replace(LONG, operator=f"O{i}", start=1000 * i, end=1000 * i + 6, device=f"D{i}")
        for i in range(8)
    ]
    hits = [
        replace(FOUND, device=s.device, operator=s.operator, start=s.start, end=s.end)
        for s in spells[1:]
    ]
    stray = replace(FOUND, start=90_000, end=90_004, operator="O0", device="D0")
    false = [
        stray,
        replace(stray, start=91_000, end=91_004),
        replace(stray, operator="O1"),
        replace(stray, operator="O7", device="D7"),
    ]
    made = fatigue.quarters(Matched(Watched(spells, hits + false, {}, hours)), ear)
    assert [(q.operators, q.hours, q.false, q.spells, q.recall) for q in made] == [
        (2, 20, 3, 2, 0.5),
        (2, 20, 0, 2, 1),
        (2, 20, 0, 2, 1),
        (2, 20, 1, 2, 1),
    ]
    assert (made[0].low, made[0].high) == (0.2, 0.22)
    assert fatigue.recall_gap(made) == 50
    # 3 of 4 in a quarter of the time: the share's limit is 0.1941, / 0.8059 * 60 / 20 = 0.7226
    assert made[0].ratio_low == pytest.approx(0.7226, abs=1e-3)
    assert made[1].ratio_low == 0


def test_a_quarter_that_was_given_the_hard_spells_is_no_worse() -> None:
    """A has an easy spell (found) and three hard ones (not), B three easy ones and a hard one."""

    def easy(operator: str, start: float) -> Spell:
        return replace(LONG, operator=operator, device=operator, start=start, end=start + 6)

    def hard(operator: str, start: float) -> Spell:
        return replace(SLOW, operator=operator, device=operator, start=start, end=start + 900)

    found = [easy("A", 0), *(easy("B", 100.0 * i) for i in range(3))]
    missed = [*(hard("A", 10_000.0 * i) for i in range(1, 4)), hard("B", 10_000)]
    cases = [replace(FOUND, device=s.device, start=s.start, end=s.end) for s in found]
    hours = {"A": 10.0, "B": 10.0}
    made = fatigue.quarters(
        Matched(Watched(found + missed, cases, {}, hours)), {"A": 0.2, "B": 0.3}
    )
    assert [q.recall for q in made] == [0.5, 0.5]
    assert fatigue.recall_gap(made) == 0


def test_cases_near_each_other_hide_who_was_found() -> None:
    first, second = replace(LONG, start=0, end=6), replace(LONG, start=306, end=312)
    third, other = replace(LONG, start=700, end=706), replace(LONG, device="HW-2", start=10, end=16)
    marked = {s.start: s.alone for s in watched.alone([third, first, other, second])}
    assert marked == {0: False, 306: False, 700: True, 10: True}


def test_drowsiness_is_told_while_moving() -> None:
    moving = np.zeros(900, np.bool_)
    moving[100:200] = moving[260:400] = True  # 240 of the 300 from 100 on
    assert watched.judgeable(moving)
    moving[150] = False
    assert not watched.judgeable(moving)
    assert not watched.judgeable(np.ones(299, np.bool_))


def test_an_episode_in_a_blind_second_is_seen() -> None:
    own = pl.DataFrame({"row_seen": [True, False, None]})
    assert watched.blind_starts(own) == 2
