"""Queries of the page of fatigue events over marts whose numbers are known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from pipeline.localtime import next_day
from pipeline.settings import Settings
from pipeline.storage import reviews
from pipeline.storage.ledger import Ledger
from pipeline.storage.reviews import Review
from queries.connect import Reader, open_reader
from queries.run import ask
from queries.scope import Scope
from tests.app.fabricate import DISTRICT, Lake
from tests.app.fabricate_fatigue import publish, watched

#: 06:00 at the site on DAY.
BEGIN, DAY = datetime(2026, 1, 30, 22, tzinfo=UTC), "2026-01-31"
SPAN = Scope(DAY, DAY)


@pytest.fixture
def lake(settings: Settings, ledger: Ledger) -> Lake:
    return Lake(settings, ledger, settings.zone_of(DISTRICT), ("DT-1",))


@pytest.fixture
def reader(settings: Settings, ledger: Ledger) -> Iterator[Reader]:
    with open_reader(settings, ledger) as opened:
        yield opened


def write(lake: Lake, name: str, rows: list[dict[str, Any]]) -> None:
    common = {"hiveperiod": DAY, "dstrct_code": DISTRICT, "unitno": "DT-1", "deviceid": "d"}
    with lake.ledger.write() as connection:
        publish(lake, connection, name, [common | row for row in rows])


def watched_day(settings: Settings, ledger: Ledger) -> str:
    """Production day of the cases F-1 and F-2, made now."""
    watched(settings, ledger)
    place = reviews.place_of(ledger, "F-1")
    assert place is not None
    return place[0]


def states(*lengths: tuple[str, int]) -> list[dict[str, Any]]:
    """Intervals in a row from BEGIN on, in minutes."""
    rows, at = [], BEGIN
    for state, minutes in lengths:
        until = at + timedelta(minutes=minutes)
        rows.append({"state": state, "started_at": at, "ended_at": until})
        at = until
    return rows


@pytest.mark.parametrize(
    ("lengths", "minutes", "found", "unknown_s"),
    [
        ([("moving", 60), ("idle", 12), ("moving", 40)], 40, True, 0),
        ([("moving", 60), ("idle", 5), ("moving", 40)], 105, False, 0),
        # Two kinds of standing make one stop …
        ([("moving", 60), ("idle", 6), ("off", 6), ("moving", 40)], 40, True, 0),
        # … but what nobody saw is none.
        ([("moving", 60), ("unknown", 30), ("moving", 40)], 130, False, 1800),
        ([("off", 90), ("moving", 10), ("idle", 2), ("moving", 20)], 32, True, 0),
    ],
)
def test_since_when_it_was_driven_without_a_stop(
    lake: Lake,
    reader: Reader,
    lengths: list[tuple[str, int]],
    minutes: int,
    found: bool,
    unknown_s: float,
) -> None:
    write(lake, "state_interval", states(*lengths))
    at = BEGIN + timedelta(minutes=sum(length for _, length in lengths))
    span = Scope(DAY, DAY, units=("DT-1",), start=at - timedelta(hours=14), end=at)
    seat = ask(reader, "fatigue_seat", span).row(0, named=True)
    assert (at - seat["since"], seat["found"]) == (timedelta(minutes=minutes), found)
    assert seat["unknown_s"] == unknown_s


def test_a_stop_after_the_case_is_none_before_it(lake: Lake, reader: Reader) -> None:
    write(lake, "state_interval", states(("moving", 60), ("idle", 20)))
    at = BEGIN + timedelta(minutes=50)
    span = Scope(DAY, DAY, units=("DT-1",), start=at - timedelta(hours=14), end=at)
    seat = ask(reader, "fatigue_seat", span).row(0, named=True)
    assert (at - seat["since"], seat["found"]) == (timedelta(minutes=50), False)


def test_the_roster_of_an_opened_case(settings: Settings, ledger: Ledger, reader: Reader) -> None:
    day = watched_day(settings, ledger)
    scope = Scope(next_day(day, -14), day)
    roster = ask(reader, "fatigue_roster", scope, case_id="F-2")
    assert roster["hiveperiod"].to_list() == [next_day(day, -2), next_day(day, -1), day]
    assert roster["own"].to_list() == [False, False, True]
    assert roster["cases"].to_list() == [None, None, 2]  # F-1 came before it
    assert ask(reader, "fatigue_roster", scope, case_id="F-1")["cases"].to_list()[-1] == 1
    reviews.add(ledger, "F-1", Review("false_alarm", "clip"), "ana")
    after = ask(reader, "fatigue_roster", scope, case_id="F-2")
    assert after["cases"].to_list()[-1] == 1  # what was none does not lead up the ladder
    assert "operatorid" not in roster.columns


def test_cases_with_what_people_said(settings: Settings, ledger: Ledger, reader: Reader) -> None:
    day = watched_day(settings, ledger)
    span = Scope(next_day(day, -1), next_day(day))
    reviews.add(ledger, "F-1", Review("confirmed", "clip", "rest"), "ana")
    cases = {row["case_id"]: row for row in ask(reader, "fatigue_cases", span).to_dicts()}
    assert (cases["F-1"]["state"], cases["F-1"]["action"]) == ("confirmed", "rest")
    assert cases["F-1"]["same_operator"]
    assert (cases["F-2"]["state"], cases["F-2"]["acknowledged_at"]) == ("new", None)
    units = {row["unitno"]: row for row in ask(reader, "fatigue_units", span).to_dicts()}
    assert [units["DT-101"][name] for name in ("cases", "confirmed", "judged")] == [1, 1, 1]
    assert [units["WT-201"][name] for name in ("cases", "standing", "judged")] == [1, 1, 0]
    assert units["DT-102"]["cases"] == 0
    seen = reader.contract("SELECT case_id, state, who FROM case_reviews ORDER BY id").rows()
    assert seen == [("F-1", "acknowledged", "ana"), ("F-1", "confirmed", "ana")]
    joined = "SELECT s.state FROM fatigue_case JOIN case_states AS s USING (case_id) ORDER BY 1"
    assert reader.contract(joined)["state"].to_list() == ["confirmed", "new"]


def test_another_operator_on_the_unit_since(lake: Lake, reader: Reader) -> None:
    def shift(operator: str, minutes: int) -> dict[str, Any]:
        last = BEGIN + timedelta(minutes=minutes)
        return {"shift": 1, "operatorid": operator, "last_minute": last}

    def case(name: str, unit: str, operator: str) -> dict[str, Any]:
        at = {"started_at": BEGIN, "ended_at": BEGIN}
        return {"case_id": name, "unitno": unit, "operatorid": operator, "shift": 1, **at}

    write(lake, "operator_shift", [shift("op-1", 60), shift("op-2", 90)])
    cases = [case("old", "DT-1", "op-1"), case("new", "DT-1", "op-2"), case("nobody", "DT-1", "")]
    write(lake, "fatigue_case", [*cases, case("unseen", "DT-9", "op-1")])
    found = ask(reader, "fatigue_cases", SPAN)
    # Where nobody was signed on, or nothing came since, whoever sits in the unit is to be called.
    assert dict(found.select("case_id", "same_operator").iter_rows()) == {
        "old": False,
        "new": True,
        "nobody": True,
        "unseen": True,
    }


def crew(number: int, hours: Sequence[int] = (3600,)) -> list[dict[str, Any]]:
    """Operators of shift 1, with the seconds seen of each hour of it."""
    seen = {"eyes_valid_moving_s": sum(hours), "eyes_valid_moving_by_hour_s": list(hours)}
    return [{"shift": 1, "operatorid": f"op-{i}", **seen} for i in range(number)]


def profile(reader: Reader, begin: datetime = BEGIN, first: str = DAY) -> pl.DataFrame:
    """Of DAY, whose shift 1 begins at ``begin``, and of the day before when that is ``first``."""
    days = sorted({first, DAY})
    lists = {
        "shift_days": days,
        "shift_districts": [DISTRICT] * len(days),
        "shift_numbers": [1] * len(days),
        "shift_starts": [int(begin.timestamp()) - 86_400 * (day != DAY) for day in days],
    }
    wide = Scope(next_day(first, -14), DAY)
    return ask(reader, "fatigue_profile", wide, first=first, last=DAY, **lists)


@pytest.mark.parametrize(("operators", "withheld"), [(5, False), (4, True)])
def test_the_profile_is_divided_by_exposure_and_withheld_of_few(
    lake: Lake, reader: Reader, operators: int, withheld: bool
) -> None:
    # op-0 also worked the day before: this is their second shift in a row.
    seen = (0, 0, 1800)
    before = crew(1, seen)[0] | {"hiveperiod": next_day(DAY, -1)}
    write(lake, "operator_shift", [before, *crew(operators + 1, seen)])
    hour = BEGIN + timedelta(hours=2)
    at = {"started_at": hour, "ended_at": hour, "shift": 1}
    write(lake, "fatigue_case", [{"case_id": "x", "operatorid": "op-1", **at}])
    cells = {row["nth"]: row for row in profile(reader).to_dicts()}
    assert {row["hour"] for row in cells.values()} == {3}
    alone = {"withheld": True, "eye_h": None, "cases": None}
    assert cells[2] == {"hour": 3, "nth": 2, **alone}
    enough = {"withheld": False, "eye_h": 2.5, "cases": 1}
    assert cells[1] == {"hour": 3, "nth": 1, **(alone if withheld else enough)}


@pytest.mark.parametrize(
    ("before", "nth"),
    [
        ([], 1),
        ([1], 2),
        ([2], 1),
        ([1, 2, 4, 5], 3),
        ([1, 2, 3, 5], 4),
        ([1, 2, 3, 4], 5),
        (range(1, 6), 6),
        (range(1, 7), 7),
        (range(1, 15), 7),
        ([2, 3, 4, 5, 6, 7, 14], 1),
    ],
)
def test_shifts_in_a_row_end_at_a_day_without(
    lake: Lake, reader: Reader, before: Iterable[int], nth: int
) -> None:
    (own,) = crew(1)
    rows = [own | {"hiveperiod": next_day(DAY, -back)} for back in (0, *before)]
    other = [own | {"hiveperiod": next_day(DAY, -back), "shift": 2} for back in (1, 2, 3)]
    write(lake, "operator_shift", [*rows, *other])
    assert profile(reader)["nth"].to_list() == [nth]


def test_hours_of_a_shift_are_those_the_mart_names(lake: Lake, reader: Reader) -> None:
    """Each with the cases that began in it, the thirteenth of a long night among them."""
    write(lake, "operator_shift", crew(5, [720 * (hour + 1) for hour in range(13)]))
    begin = BEGIN + timedelta(minutes=30)
    case = {"operatorid": "op-1", "shift": 1}
    times = {"a": begin, "b": begin + timedelta(hours=12, minutes=59)}
    cases = [{"case_id": n, "started_at": t, "ended_at": t, **case} for n, t in times.items()]
    write(lake, "fatigue_case", cases)
    found = profile(reader, begin)
    assert found["hour"].to_list() == list(range(1, 14))
    # Five operators with 0.2 h each, times the number of the hour.
    assert found["eye_h"].to_list() == list(range(1, 14))
    assert found["cases"].to_list() == [1, *[0] * 11, 1]


def test_marts_of_an_older_release_do_not_know_the_hours(lake: Lake, reader: Reader) -> None:
    """Their cases are left out with them: to divide these by the other days' hours misleads."""
    before = next_day(DAY, -1)
    old = [row | {"hiveperiod": before, "eyes_valid_moving_by_hour_s": None} for row in crew(5)]
    fresh = [row | {"operatorid": f"new-{i}"} for i, row in enumerate(crew(5, (720,)))]
    write(lake, "operator_shift", [*crew(5, (720,)), *fresh, *old])
    # The day's case is one of a second shift in a row, that of the day before one of a first.
    case = {"operatorid": "op-1", "shift": 1}
    times = {DAY: BEGIN, before: BEGIN - timedelta(days=1)}
    cases = [
        {"case_id": day, "hiveperiod": day, "started_at": t, "ended_at": t, **case}
        for day, t in times.items()
    ]
    write(lake, "fatigue_case", cases)
    found = profile(reader, BEGIN, before).to_dicts()
    told = [(row["nth"], row["eye_h"], row["cases"]) for row in found]
    assert told == [(1, 1.0, 0), (2, 1.0, 1)]


@pytest.mark.parametrize("operators", [4, 5])
def test_operator_shifts_with_a_confirmed_case(lake: Lake, reader: Reader, operators: int) -> None:
    short = {"shift": 1, "operatorid": "op-9", "eyes_valid_moving_s": 3599}
    write(lake, "operator_shift", [*crew(operators), short])
    found = ask(reader, "fatigue_shifts", SPAN).row(0, named=True)
    few = {"withheld": True, "observed": None, "with_confirmed": None}
    enough = {"withheld": False, "observed": 5, "with_confirmed": 0}
    assert found == (enough if operators == 5 else few)


def test_a_unit_without_a_row_is_no_data_over_the_whole_shift(lake: Lake, reader: Reader) -> None:
    rows = [
        {"minute": BEGIN + timedelta(minutes=m), "seconds": 60, "moving_s": 60, "blind_moving_s": b}
        for m, b in ((10, 0), (11, 0), (12, 60))
    ]
    write(lake, "unit_minute", rows)
    end = BEGIN + timedelta(minutes=30)
    span = Scope(DAY, DAY, units=("DT-1", "DT-2"), start=BEGIN, end=end)
    found = ask(reader, "fatigue_strip", span)
    edges = [
        (unit, state, (a - BEGIN).total_seconds() / 60, (b - BEGIN).total_seconds() / 60)
        for unit, state, a, b in found.iter_rows()
    ]
    assert edges == [
        ("DT-1", "none", 0, 10),
        ("DT-1", "seen", 10, 12),
        ("DT-1", "blind", 12, 13),
        ("DT-1", "none", 13, 30),
        ("DT-2", "none", 0, 30),
    ]


def spell(mart: str, minutes: float, seconds: int, **values: Any) -> tuple[str, dict[str, Any]]:
    at = BEGIN + timedelta(minutes=minutes)
    return mart, {"started_at": at, "ended_at": at + timedelta(seconds=seconds), **values}


def test_how_a_unit_was_driven_by_shift(lake: Lake, reader: Reader) -> None:
    night = 12 * 60
    moved = {"moving_s": 7200, "blind_moving_s": 600, "unbelted_s": 90}
    write(
        lake,
        "unit_shift",
        [
            {"shift": 1, **moved},
            {"shift": 2, **moved, "unbelted_s": 0},
            {"shift": 2, **moved, "unitno": "DT-2"},
            {"shift": 1, "moving_s": 0, "unitno": "DT-3"},  # nothing to divide by
        ],
    )

    def fast(minutes: float, level: str, seconds: int, worst: float) -> dict[str, Any]:
        values = {"signal": "VehicleSpeed", "side": "high", "level": level, "worst": worst}
        return spell("exceedance", minutes, seconds + 5, beyond_s=seconds, **values)[1]

    hot = {"signal": "EngineCoolantTemp", "side": "high", "level": "warn", "beyond_s": 99}
    exceeded = [fast(5, "warn", 40, 66), fast(60, "warn", 20, 71), fast(60, "crit", 12, 71)]
    write(
        lake,
        "exceedance",
        # the night begins with its first second
        [*exceeded, fast(night, "warn", 15, 61), spell("exceedance", 9, 99, **hot)[1]],
    )
    seen = [("distraction", 10, 5), ("distraction", night + 1, 6), ("not_tracked", 20, 120)]
    write(
        lake,
        "fatigue_episode",
        [
            *(spell("fatigue_episode", at, length, kind=kind)[1] for kind, at, length in seen),
            spell("fatigue_episode", 30, 4, kind="microsleep")[1],
        ],
    )
    nights = {
        "shift_days": [DAY],
        "shift_districts": [DISTRICT],
        "shift_starts": [int(BEGIN.timestamp()) + night * 60],
    }
    found = ask(reader, "fatigue_driving", SPAN, **nights)
    told = ("unitno", "shift", "moving_s", "unbelted_s", "over_s", "over", "over_crit", "worst_kmh")
    assert found.select(told).rows() == [
        ("DT-1", 1, 7200, 90, 60, 2, 1, 71),
        ("DT-1", 2, 7200, 0, 15, 1, 0, 61),
        ("DT-2", 2, 7200, 90, 0, 0, 0, None),
    ]
    looks = ("distractions", "distracted_s", "untracked", "untracked_s", "blind_moving_s")
    assert found.select(looks).rows() == [
        (1, 5, 1, 120, 600),
        (1, 6, 0, 0, 600),
        (0, 0, 0, 0, 600),
    ]
    assert not {"operatorid", "operator"} & set(found.columns)


def test_looks_of_a_shift_and_where_its_units_were(lake: Lake, reader: Reader) -> None:
    kinds = [("distraction", 0), ("not_tracked", 11 * 60 + 59), ("distraction", 12 * 60)]
    episodes = [spell("fatigue_episode", at, 60, kind=kind)[1] for kind, at in kinds]
    write(lake, "fatigue_episode", [*episodes, spell("fatigue_episode", 5, 4, kind="yawning")[1]])
    span = Scope(DAY, DAY, start=BEGIN, end=BEGIN + timedelta(hours=12))
    found = ask(reader, "fatigue_looks", span)
    assert found["kind"].to_list() == ["distraction", "not_tracked"]
    assert not {"operatorid", "operator"} & set(found.columns)
    elsewhere = Scope(DAY, DAY, ("ZZZZ",), start=span.start, end=span.end)
    assert ask(reader, "fatigue_looks", elsewhere).is_empty()
    places = [(-0.8, 115.0), (-0.9, 115.4), (-1.0, 115.5), (None, None)]
    hours = [
        {"hour_start": BEGIN + timedelta(hours=i), "lat": lat, "lon": lon}
        for i, (lat, lon) in enumerate(places)
    ]
    write(lake, "unit_hour", hours)
    assert ask(reader, "fatigue_where", Scope(DAY, DAY, units=("DT-1",))).rows() == [(-0.9, 115.4)]
    assert ask(reader, "fatigue_where", Scope(DAY, DAY, units=("DT-2",))).is_empty()
