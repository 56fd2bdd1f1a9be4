"""The overview's figures, worked out by hand: shift, before, and since the last visit."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from sqlalchemy import update
from streamlit.testing.v1 import AppTest

from app import state
from app.figures import changes, home
from app.panels.pieces import parquet
from app.shift import Shift, shift_at
from app.tables.columns import safe_csv
from app.text import EN
from pipeline.localtime import day_span, hiveperiod, next_day, to_us
from pipeline.settings import Settings
from pipeline.storage import tables as t
from pipeline.storage import visits
from pipeline.storage.ledger import Ledger
from tests.app.fabricate import fabricate
from tests.app.test_pages import open_page, texts

ZONE = "Asia/Makassar"  # eight hours ahead
INSTANT = pl.Datetime("us", "UTC")
NOON = datetime(2026, 1, 31, 4, tzinfo=UTC)  # 12:00 there, six hours into shift 1
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("now", "start", "expected"),
    [
        # 12:00: shift 1 since 06:00; before it shift 2, since 18:00 the day before
        ("2026-01-31T04:00", None, ("2026-01-31", 1, "2026-01-30T22:00", "2026-01-30T10:00")),
        # 03:00: shift 2 of the production day before
        ("2026-01-30T19:00", None, ("2026-01-30", 2, "2026-01-30T10:00", "2026-01-29T22:00")),
        # 06:00 on the dot is shift 1
        ("2026-01-30T22:00", None, ("2026-01-31", 1, "2026-01-30T22:00", "2026-01-30T10:00")),
        # 06:15 where the day begins at 06:30 is still the night
        ("2026-01-30T22:15", "06:30", ("2026-01-30", 2, "2026-01-30T10:30", "2026-01-29T22:30")),
    ],
)
def test_the_shift_that_runs(
    now: str, start: str | None, expected: tuple[str, int, str, str]
) -> None:
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    found = shift_at(moment, ZONE, start)
    begin, before = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in expected[2:])
    assert found == Shift(expected[0], expected[1], begin, moment, before)
    assert found.before_now - found.before == moment - begin
    assert found.previous == ((found.day, 1) if found.number == 2 else ("2026-01-30", 2))


def cell(
    device: str,
    hours_ago: float,
    state: str,
    delay: timedelta | None,
    cause: str | None = None,
) -> dict[str, object]:
    start = NOON - hours_ago * HOUR
    return {
        "district": "A",
        "deviceid": device,
        "hour": (start + 8 * HOUR).strftime("%Y%m%d%H"),
        "hour_start": start,
        "state": state,
        "due": hours_ago >= 3,
        "cause": cause,
        "arrived_at": None if delay is None else start + HOUR + delay,
    }


def frame(*rows: dict[str, object]) -> pl.DataFrame:
    kinds = {"arrived_at": INSTANT, "hour_start": INSTANT, "cause": pl.String}
    return pl.DataFrame(list(rows), schema_overrides=kinds)


SOON = timedelta(minutes=5)


def units(**statuses: tuple[str, float | None]) -> pl.DataFrame:
    """Device → status and hours since it was last seen."""
    return pl.DataFrame(
        [
            {
                "dstrct_code": "A",
                "unitno": name.upper(),
                "deviceid": name,
                "status": status,
                "last_seen": None if seen is None else NOON - seen * HOUR,
            }
            for name, (status, seen) in statuses.items()
        ],
        schema_overrides={"last_seen": INSTANT},
    )


def cases(*found: tuple[int, float, float]) -> pl.DataFrame:
    """Severity, hours since it happened, hours since it was known."""
    return pl.DataFrame(
        [
            {"severity": s, "started_at": NOON - at * HOUR, "arrived_at": NOON - known * HOUR}
            for s, at, known in found
        ],
        schema={"severity": pl.Int64, "started_at": INSTANT, "arrived_at": INSTANT},
    ).with_columns(waiting=True)


def watched(*rows: tuple[str, int, float, float]) -> pl.DataFrame:
    names = {
        "hiveperiod": pl.String,
        "shift": pl.Int64,
        "moving_s": pl.Float64,
        "blind_moving_s": pl.Float64,
    }
    return pl.DataFrame(list(rows), schema=names, orient="row")


def present(**others: object) -> home.Now:
    usual: dict[str, object] = {
        "units": units(u1=("reporting", 1), u2=("silent", 4), u3=("parked", 9)),
        "shift": shift_at(NOON, ZONE),
        "cells": frame(
            # this shift: two came, two are missing, one is still awaited
            cell("u1", 5, "complete", SOON),
            cell("u1", 4, "complete", SOON),
            cell("u2", 5, "missing", None, "unknown"),
            cell("u2", 4, "missing", None, "no_coverage"),
            cell("u2", 1, "pending", None),
            cell("u9", 4, "not_registered", SOON),
            # the shift before, 18 to 12 h ago: by 12 h ago the grace of two was over, and one of
            # them had come; of the two that were not due yet one had come, and one came later
            cell("u1", 18, "complete", SOON),
            cell("u1", 13, "complete", timedelta()),
            cell("u2", 18, "complete", 9 * HOUR),
            cell("u2", 14, "complete", 9 * HOUR),
        ),
        "cases": cases((3, 1, 0.5), (1, 2, 1), (3, 13, 12), (3, 17, 16), (3, 8, 7)),
        "watched": watched(("2026-01-31", 1, 7200.0, 1800.0), ("2026-01-30", 2, 3600.0, 360.0)),
        "zone": ZONE,
    }
    found: dict[str, Any] = usual | others
    shift = found["shift"]
    recent = home.by_state(found["cells"], shift.start if shift else NOON - 99 * HOUR)
    found["cells"] = found["cells"] if shift else pl.DataFrame()
    return home.Now(**found, recent=recent)


def test_the_sentence_of_state() -> None:
    assert home.sentence(present()) == (
        "**1 of 2** expected units reporting; **4** critical fatigue cases wait; delivery "
        "**50.0 %** since 06:00 (shift 1), **2** hours missing, 1 of them no coverage."
    )


def test_the_sentence_where_nothing_waits_nothing_is_due_and_nothing_was_seen() -> None:
    quiet = present(
        units=units(u1=("parked", 9)), cells=frame(cell("u1", 1, "pending", None)), cases=cases()
    )
    assert home.sentence(quiet) == (
        "No unit is expected; no fatigue case in what was seen; no file is due since 06:00 "
        "(shift 1)."
    )
    blind = present(cases=cases(), watched=watched(("2026-01-31", 1, 60.0, 60.0)))
    assert "fatigue unknown: no eyes were seen" in home.sentence(blind)
    mild = present(cases=cases((1, 1, 1)))
    assert "no critical fatigue case waits, **1** of lower severity" in home.sentence(mild)
    told = present(cases=cases((3, 1, 1), (1, 1, 1)).with_columns(waiting=False))
    assert "no fatigue case waits, **2** taken on or for the record" in home.sentence(told)
    tile = home.tiles(told)[2]
    assert (tile.value, tile.note) == ("0", "of 1 critical, 2 cases in all")


def test_each_tile_has_its_denominator_and_how_it_was() -> None:
    reporting, attention, waiting, delivered, missing, blind = home.tiles(present())
    # 12 h ago one unit had a file whose hour had just ended; now one reports.
    assert (reporting.value, reporting.note) == ("1", "of 2 expected; 1 parked")
    assert reporting.change == "±0 against 12 h ago"
    assert (attention.value, attention.note) == ("1", "of 3 registered")
    assert attention.change == "1 fell silent within 12 h"
    assert (waiting.value, waiting.note) == ("4", "of 4 critical, 5 cases in all")
    # 13 and 17 h ago lie in the same stretch of the shift before, 8 h ago later in it.
    assert waiting.change == "1 this shift; 2 by this time of the shift before"
    assert delivered.note == "2 of 4 device-hours since 06:00 (shift 1)"
    # One of the two due by then, too.
    assert delivered.change == "±0 points against the shift before"
    assert missing.value == "2"
    assert missing.note == "since 06:00 (shift 1); no coverage: 1; pending: 1"
    assert missing.change == "+1 against the shift before"
    assert (blind.value, blind.note) == ("25.0 %", "0.5 of 2.0 h moving since 06:00 (shift 1)")
    assert blind.change == "+15.0 points against the shift before"


def test_what_came_within_its_grace_makes_no_shift_begin_with_all_delivered() -> None:
    """Half of the files of an hour are in: nobody knows yet how many will be missing."""
    early = frame(
        *(cell(f"u{i}", 1.5, "complete", SOON) for i in range(50)),
        *(cell(f"v{i}", 1.5, "pending", None) for i in range(50)),
    )
    tile = home.tiles(present(cells=early))[3]
    assert (tile.value, tile.note) == ("–", "no file is due since 06:00 (shift 1)")
    # An hour that is due counts alone.
    due = frame(cell("u1", 4, "complete", SOON), cell("u2", 4, "missing", None))
    tile = home.tiles(present(cells=pl.concat([early, due])))[3]
    assert (tile.value, tile.note) == ("50.0 %", "1 of 2 device-hours since 06:00 (shift 1)")


def test_days_that_were_chosen_are_compared_with_nothing() -> None:
    found = home.tiles(present(shift=None))
    assert [tile.change for tile in found] == [""] * 6
    assert found[3].note == "6 of 8 device-hours in the days chosen"
    assert found[5].note == "0.6 of 3.0 h moving in the days chosen"


def test_what_changed_since() -> None:
    since = NOON - 6 * HOUR
    found = changes.changes(
        units(
            lost=("silent", 4),  # its grace ended 1 h ago
            gone=("silent", 30),  # silent long before
            back=("reporting", 1),
            here=("reporting", 1),
        ),
        frame(
            cell("here", 8, "complete", SOON),
            cell("here", 2, "complete", SOON),
            cell("back", 20, "complete", SOON),
            cell("back", 2, "complete", SOON),
            cell("lost", 8, "missing", None),  # due 5 h ago
            cell("gone", 20, "missing", None),  # due 17 h ago
            cell("here", 12, "complete", 10 * HOUR),  # due 9 h ago, came an hour ago
            cell("here", 4, "pending", None),
        ),
        cases((3, 20, 5), (2, 1, 1), (3, 9, 8)),
        since,
    )
    assert found == changes.Changes(2, 1, 1, 1, ("LOST",), ("BACK",))
    assert changes.lines(found) == [
        "New fatigue cases: **2**, critical: **1**",
        "Device-hours that became missing: **1**",
        "Device-hours that came late after all: **1**",
        "Units that fell silent: **1** (LOST)",
        "Units that report and had not been heard from: **1** (BACK)",
    ]


def test_names_of_units_are_told_as_they_are_and_not_all_of_them() -> None:
    found = changes.Changes(0, 0, 0, 0, ("[x](http://evil)", *"abcdefg"), ())
    (line,) = changes.lines(found)
    assert r"\[x\]\(http\://evil\)" in line
    assert line.endswith("a, b, c, d and 3 more)")
    assert changes.lines(changes.Changes(0, 0, 0, 0, (), ())) == []


def test_a_visit_ends_when_nobody_looks_for_half_an_hour(ledger: Ledger) -> None:
    assert visits.begin(ledger, "anna") is None
    assert visits.begin(ledger, "anna") is None  # loaded again: still the first visit
    away = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=9)
    with ledger.write() as connection:
        connection.execute(update(t.visits).values(seen_at=to_us(away)))
    assert visits.begin(ledger, "anna") == away
    visits.still_here(ledger, "anna")
    assert visits.begin(ledger, "anna") == away
    assert visits.begin(ledger, "budi") is None
    seen = visits.seen(ledger, "anna")
    assert abs(seen - datetime.now(UTC)) < timedelta(minutes=1)
    assert visits.begin(ledger, "anna") == seen


def tell(app: AppTest) -> list[str]:
    return [part.value for part in app.markdown if part.value.startswith("- ")]


def test_the_overview_tells_what_is_new_until_it_is_seen(
    filled: Settings, ledger: Ledger, script: str
) -> None:
    app = open_page(script, "home", "supervisor#1")
    assert "Your first visit" in texts(app)
    # Two cases came with the second of the last six hours; one hour never came.
    assert "New fatigue cases: **2**, critical: **1**" in tell(app)[0]
    next(b for b in app.button if b.label == EN["home.changes.seen"]).click().run()
    assert not app.exception
    assert tell(app) == []
    assert EN["home.changes.none"] in texts(app)
    # Nor in another session, of the same person.
    assert tell(open_page(script, "home", "supervisor#1")) == []
    assert tell(open_page(script, "home", "admin#1"))


def test_a_case_that_waits_on_the_overview_waits_on_the_page_that_it_leads_to(
    home: Settings, ledger: Ledger, script: str
) -> None:
    """Nobody looked at two cases whose shift ended a day ago: they are for the record."""
    fabricate(home, ledger, now=datetime.now(UTC) - timedelta(hours=34))
    overview = open_page(script, "home", "supervisor#1")
    tile = next(m for m in overview.metric if m.label == EN["home.waiting"])
    assert (tile.value, tile.delta) == ("0", "of 1 critical, 2 cases in all")
    assert "no fatigue case waits, **2** taken on or for the record" in texts(overview)
    page = open_page(script, "fatigue_events", "supervisor#1")
    assert {m.label: m.value for m in page.metric}[EN["fatigue.waiting"]] == "0"


def test_those_who_see_counts_only_are_led_to_no_case(filled: Settings, script: str) -> None:
    for role, leads in (("fleet_manager", False), ("supervisor", True)):
        app = open_page(script, "home", f"{role}#1")
        assert {m.label: m.value for m in app.metric}[EN["home.waiting"]] == "1"
        links = [link.proto.label for link in app.get("page_link")]
        assert (EN["tile.fatigue_events"] in links) is leads
        assert EN["tile.fleet_health"] in links


@pytest.mark.parametrize(("days_ago", "runs"), [(0, True), (1, False)])
def test_the_shift_runs_on_after_midnight_before_the_new_day_has_data(
    home: Settings, ledger: Ledger, script: str, days_ago: int, runs: bool
) -> None:
    today = hiveperiod(datetime.now(UTC), ZONE)
    midnight = day_span(today, ZONE)[0] - timedelta(days=days_ago)
    assert fabricate(home, ledger, now=midnight) == next_day(today, -1 - days_ago)
    app = open_page(script, "home", "supervisor#1")
    assert not app.exception
    assert (EN["home.since.days"] not in texts(app)) is runs


def test_a_link_counts_more_than_what_was_chosen_before(filled: Settings, script: str) -> None:
    app = open_page(script, "home", "admin#1")
    app.query_params[state.FIRST], app.query_params[state.LAST] = "2026-01-05", "2026-01-07"
    app.run()
    assert [d.value.isoformat() for d in app.date_input] == ["2026-01-05", "2026-01-07"]
    app.date_input[0].set_value(datetime(2026, 1, 6).date()).run()
    assert [d.value.isoformat() for d in app.date_input] == ["2026-01-06", "2026-01-07"]
    assert app.query_params[state.FIRST] in ("2026-01-06", ["2026-01-06"])
    app.query_params[state.FIRST] = "nonsense"
    app.run()
    assert not app.exception
    assert "home.since.days" not in texts(app)


def test_downloads_hold_what_is_shown_and_no_formula() -> None:
    shown = pl.DataFrame(
        {"Unit": ["DT-1", "=cmd|x", "-2+3"], "Type": ["dump", "@x", None], "Delay": [-1.5, None, 2]}
    )
    assert safe_csv(shown).splitlines() == [
        "Unit,Type,Delay",
        "DT-1,dump,-1.5",
        "'=cmd|x,'@x,",
        "'-2+3,,2.0",
    ]
    assert pl.read_parquet(io.BytesIO(parquet(shown))).equals(shown)
