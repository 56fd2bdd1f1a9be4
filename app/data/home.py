"""What the overview needs: counts alone, so that nobody who may see counts only is sent more."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import streamlit as st

from app import state
from app.access import HOME
from app.backend import backend
from app.data import delivery, fatigue, fleet
from app.data.asking import ask, require
from app.figures.changes import Changes, changes
from app.figures.fatigue import waits
from app.figures.home import Now, by_state
from app.filters import Filters
from app.shift import Shift, shift_at
from pipeline.localtime import hiveperiod, next_day
from pipeline.storage import visits
from queries.scope import Scope

#: That a visit goes on is noted this often.
NOTED_S = 60

#: More than this is no news but history.
LONGEST = timedelta(hours=48)

#: What a first visit is told about.
FIRST = timedelta(hours=12)

#: So far back it is known whether a unit had been heard of, at a moment.
BEFORE = timedelta(hours=4)


def now(filters: Filters) -> Now:
    """The figures of this shift, or of the days chosen."""
    shift = _shift(filters) if filters.usual else None
    first = filters.first if shift is None else hiveperiod(shift.before, filters.zone)
    last = filters.last if shift is None else hiveperiod(shift.now, filters.zone)
    # A production day may begin on the calendar day before.
    begin = min(next_day(first, -1), filters.first)
    worked = filters if shift is None else replace(filters, first=begin, last=last)
    days = Scope(first, last, filters.districts)
    if shift is None:  # a month of a fleet, maybe: the database counts
        cells, recent = pl.DataFrame(), delivery.devices(HOME.name, days)
    else:
        cells = _cells(days)
        recent = by_state(cells, shift.start)
    return Now(
        fleet.unit_now(HOME.name, filters),
        recent,
        cells,
        _cases(worked),
        ask(HOME.name, "shift_watch", worked.scope),
        shift,
        filters.zone,
        filters.address,
    )


def since_last_visit() -> tuple[datetime, bool]:
    """Since when changes are told, and whether that is the asker's last visit (else the first)."""
    user = require(HOME.name)
    kept = st.session_state.get(state.VISIT)
    if kept is None:
        kept = (visits.begin(backend().ledger, user.username), time.monotonic())
    elif time.monotonic() - kept[1] >= NOTED_S:
        visits.still_here(backend().ledger, user.username)
        kept = (kept[0], time.monotonic())
    st.session_state[state.VISIT] = kept
    present = datetime.now(UTC)
    if kept[0] is None:
        return present - FIRST, False
    return max(kept[0], present - LONGEST), True


def seen() -> None:
    """What has been told is known: changes are told from this moment on."""
    user = require(HOME.name)
    present = visits.seen(backend().ledger, user.username)
    st.session_state[state.VISIT] = (present, time.monotonic())


def changed(filters: Filters, since: datetime) -> Changes:
    """What changed since then in the districts chosen, whatever days are."""
    today = hiveperiod(datetime.now(UTC), filters.zone)
    days = Scope(hiveperiod(since - BEFORE, filters.zone), today, filters.districts)
    # Cases come late: what is new may have happened some days ago.
    cases = Scope(next_day(days.first or today, -3), today, filters.districts)
    units = fleet.unit_now(HOME.name, filters)
    return changes(units, _cells(days), ask(HOME.name, "case_times", cases), since)


def _cases(filters: Filters) -> pl.DataFrame:
    """When cases happened and were known, and whether they wait for contact."""
    cases = ask(HOME.name, "case_times", filters.scope)
    keys = ["hiveperiod", "dstrct_code", "shift"]
    timed = cases.join(fatigue.shift_times(filters), on=keys, how="left")
    return timed.with_columns(waits(datetime.now(UTC)))


def _cells(days: Scope) -> pl.DataFrame:
    return ask(HOME.name, "delivery", days, clocked=True, days=tuple(days.days or ()))


def _shift(filters: Filters) -> Shift | None:
    """The shift that runs, where the newest day with data is today or the day before.

    After midnight, and in an outage, today has no data for a while: the shift runs all the same.
    """
    present = datetime.now(UTC)
    shown_from, shown_until = filters.bounds
    if not shown_from <= present < shown_until + timedelta(days=1):
        return None
    district = filters.districts[0] if filters.districts else ""
    start = backend().settings.shift_start.get(district)
    return shift_at(present, filters.zone, start)
