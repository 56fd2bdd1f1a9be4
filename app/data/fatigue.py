"""Cases, what was seen beside them, what people said of them, and the seconds around one."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import streamlit as st

from app import access, daylight, state
from app.access import Refused, allowed_districts
from app.backend import backend
from app.data import privacy
from app.data.asking import ask, require
from app.filters import Filters
from pipeline.localtime import hiveperiod, next_day, shifts
from pipeline.marts import thresholds, unlink
from pipeline.storage import reviews
from pipeline.storage.ledger import data_version
from pipeline.storage.reviews import Entry, Review
from queries import admin, operations, what_if
from queries.deliveries import INSTANT
from queries.scope import Scope

PAGE = "fatigue_events"

SECONDS_AROUND_CASE = timedelta(minutes=2)
#: The road that a case lies on is drawn from so much of the unit's way.
TRACK_AROUND_CASE = timedelta(hours=6)
#: Nobody sits longer than that; a row of shifts is counted over so many days.
SEAT_BACK, ROSTER_DAYS = timedelta(hours=14), 14


def cases(page: str, filters: Filters) -> pl.DataFrame:
    """One row a case with its review, without the operator."""
    return ask(page, "fatigue_cases", filters.scope)


def exposure(filters: Filters) -> dict[str, float]:
    """Seconds moving, seen, blind and without data; km."""
    return ask(PAGE, "fatigue_exposure", filters.scope).to_dicts()[0]


def shift_times(filters: Filters) -> pl.DataFrame:
    """One row a shift that has begun: hiveperiod, dstrct_code, shift, from_at, until_at (UTC)."""
    settings, now = backend().settings, datetime.now(UTC)
    rows = []
    for day in filters.scope.days or ():
        for district in filters.districts or operations.districts(backend().ledger):
            begins = settings.shift_start.get(district)
            edges = shifts(day, settings.zone_of(district), begins)
            for shift in (1, 2):
                if edges[shift - 1] <= now:
                    rows.append((day, district, shift, edges[shift - 1], edges[shift]))
    schema: dict[str, Any] = {"hiveperiod": pl.String, "dstrct_code": pl.String, "shift": pl.Int64}
    schema |= dict.fromkeys(("from_at", "until_at"), INSTANT)
    return pl.DataFrame(rows, schema=schema, orient="row")


def strip(
    filters: Filters, units: tuple[str, ...], span: tuple[datetime, datetime]
) -> pl.DataFrame:
    """One row per unit and unbroken run of minutes of a shift, so far: seen, blind or none."""
    now = datetime.now(UTC)
    so_far = now.replace(minute=now.minute // 5 * 5, second=0, microsecond=0)
    return ask(PAGE, "fatigue_strip", _scope(filters, units, span[0], min(span[1], so_far)))


def looks(
    filters: Filters, shift: tuple[str, int], span: tuple[datetime, datetime]
) -> pl.DataFrame:
    """One row a time in a shift that a head was turned away, or that no face was tracked."""
    begin, end = span
    scope = Scope(shift[0], shift[0], filters.districts, start=begin, end=end)
    return ask(PAGE, "fatigue_looks", scope)


def nights(
    filters: Filters,
    units: tuple[str, ...],
    shift: tuple[str, int],
    span: tuple[datetime, datetime],
) -> list[daylight.Span]:
    """When it was dark in a shift, where these units were; where none told its place: shift 2."""
    day, number = shift
    where = ask(PAGE, "fatigue_where", Scope(day, day, filters.districts, units))
    if where.is_empty():
        return [span] if number == 2 else []
    return daylight.nights(span, *where.row(0))


def watch(filters: Filters, shift: tuple[str, int]) -> pl.DataFrame:
    """One row a unit: what was seen of it, and what was not, in a shift of a production day."""
    day, number = shift
    scope = Scope(day, day, filters.districts)
    return ask(PAGE, "fatigue_watch", scope, shift=number)


def notes(filters: Filters) -> pl.DataFrame:
    """The newest note of each case that has one."""
    return ask(PAGE, "fatigue_notes", filters.scope)


def units(filters: Filters) -> pl.DataFrame:
    """One row a unit: cases, verdicts, and what they are divided by."""
    return ask(PAGE, "fatigue_units", filters.scope)


def driving(filters: Filters) -> pl.DataFrame:
    """One row per unit and shift that moved: too fast, belt open, turned away, not tracked."""
    nights = shift_times(filters).filter(shift=2)
    return ask(
        PAGE,
        "fatigue_driving",
        filters.scope,
        shift_days=tuple(nights["hiveperiod"]),
        shift_districts=tuple(nights["dstrct_code"]),
        shift_starts=tuple(nights["from_at"].dt.epoch("s")),
    )


def driven(filters: Filters, shift: tuple[str, int]) -> pl.DataFrame:
    """The same of one shift of a production day: one row a unit that moved."""
    day, number = shift
    return driving(replace(filters, first=day, last=day)).filter(shift=number)


def operator_shifts(filters: Filters) -> dict[str, Any]:
    """Operator-shifts seen, and those with a confirmed case, of all operators together."""
    return ask(PAGE, "fatigue_shifts", filters.scope).to_dicts()[0]


def profile(filters: Filters, days: Collection[str]) -> pl.DataFrame:
    """One row per hour into the shift and number of the shift in a row, of some days of the span.

    Of days whose cases still say whose they are: of others there is exposure alone.
    """
    house, now = backend(), datetime.now(UTC)
    districts = filters.districts or operations.districts(house.ledger) or ("",)
    known = max(unlink.first_linked(house.settings, district, now) for district in districts)
    filters = replace(filters, first=max(filters.first, known))
    times = shift_times(filters).filter(pl.col("hiveperiod").is_in(list(days)))
    wide = Scope(next_day(filters.first, -ROSTER_DAYS), filters.last, filters.districts)
    return ask(
        PAGE,
        "fatigue_profile",
        wide,
        first=filters.first,
        last=filters.last,
        shift_days=tuple(times["hiveperiod"]),
        shift_districts=tuple(times["dstrct_code"]),
        shift_numbers=tuple(times["shift"]),
        shift_starts=tuple(times["from_at"].dt.epoch("s")),
    )


def days(filters: Filters) -> pl.DataFrame:
    """One row a production day: cases, hours of eyes seen, firmware; of few operators no cases."""
    return ask(PAGE, "fatigue_days", filters.scope)


def thresholds_set() -> pl.DataFrame:
    """Every threshold that was set, newest first. Raises Refused."""
    require(PAGE)
    return admin.threshold_history(backend().ledger)


def case(filters: Filters, case_id: str) -> dict[str, Any] | None:
    """The case of a link, wherever it lies in time; None where there is none for the asker."""
    require(PAGE)
    place = reviews.place_of(backend().ledger, case_id)
    if place is None:
        return None
    there = replace(filters, first=place[0], last=place[0], districts=(place[1],))
    found = cases(PAGE, there).filter(case_id=case_id)
    return found.row(0, named=True) if found.height else None


def case_operator(filters: Filters, case: Mapping[str, Any]) -> tuple[str | None, int | None]:
    """Who drove, for an opened case; that somebody looked is recorded.

    Nobody where the link is to be gone, whether gc has come by or not: then beside it the days for
    which a case keeps its operator unless it is confirmed.
    """
    user, case_id = require(PAGE), case["case_id"]
    settings, now = backend().settings, datetime.now(UTC)
    over = unlink.is_past(settings, (case["hiveperiod"], case["dstrct_code"]), now)
    kept_days = settings.keep_operator_days if over else None
    if not privacy.linked(case, settings, now):
        return None, kept_days
    found = ask(PAGE, "fatigue_case_operator", _day_of(filters, case), case_id=case_id)
    seen = st.session_state.setdefault(state.OPERATORS_SEEN, set())
    if case_id not in seen:
        seen.add(case_id)
        reviews.opened(backend().ledger, case_id, user.username)
    return None if found.is_empty() else found["operatorid"][0], kept_days


def roster(filters: Filters, case: Mapping[str, Any]) -> pl.DataFrame:
    """Shifts of the operator of an opened case, up to it; none where the link is to be gone."""
    day = case["hiveperiod"]
    scope = Scope(next_day(day, -ROSTER_DAYS), day, filters.districts)
    found = ask(PAGE, "fatigue_roster", scope, case_id=case["case_id"])
    return found if privacy.linked(case, backend().settings, datetime.now(UTC)) else found.clear()


def seat(filters: Filters, case: Mapping[str, Any]) -> dict[str, Any] | None:
    """Since when the unit of a case had been driven without a stop; None where unknown."""
    at = case["started_at"]
    found = ask(PAGE, "fatigue_seat", _unit_of(filters, case, at - SEAT_BACK, at))
    return found.row(0, named=True) if found.height else None


def track(filters: Filters, case: Mapping[str, Any]) -> pl.DataFrame:
    """Where the unit of a case was in the hours around it, by the minute."""
    at = case["started_at"]
    span = at - TRACK_AROUND_CASE, at + TRACK_AROUND_CASE
    return ask(PAGE, "fatigue_track", _unit_of(filters, case, *span))


def roads(case: Mapping[str, Any]) -> list[list[tuple[float, float]]]:
    """Haul roads of the district of a case as lines of (lon, lat), from ``terrain.geojson`` in the
    home; none where the site has given none."""
    require(PAGE)
    path = backend().settings.home / "terrain.geojson"
    try:
        features = json.loads(path.read_text(encoding="utf-8"))["features"]
        return [
            [(float(lon), float(lat)) for lon, lat, *_ in feature["geometry"]["coordinates"]]
            for feature in features
            if feature["geometry"]["type"] == "LineString"
            and feature["properties"].get("district") == case["dstrct_code"]
        ]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def eye_trace(filters: Filters, case: Mapping[str, Any]) -> pl.DataFrame:
    """One row a second around a case."""
    start = case["started_at"] - SECONDS_AROUND_CASE
    end = (case["ended_at"] or case["started_at"]) + SECONDS_AROUND_CASE
    scope = replace(_scope(filters, (), start, end), devices=(case["deviceid"],))
    return ask(PAGE, "eye_trace", scope, deviceid=case["deviceid"])


def history(case: Mapping[str, Any]) -> tuple[Entry, ...]:
    """What people said of an opened case, oldest first. Raises Refused."""
    require(PAGE)
    return reviews.history(backend().ledger, case["case_id"])


def review(case: Mapping[str, Any], said: Review, seen: int) -> None:
    """Add to a case's history as the asker. Raises Refused and ReviewRefused."""
    user = require(PAGE)
    if not access.may(user, "review cases"):
        raise Refused
    reviews.add(
        backend().ledger,
        case["case_id"],
        said,
        user.username,
        districts=user.districts,
        seen=seen,
    )


def thresholds_in_force() -> dict[str, float]:
    """Every threshold by name. Raises Refused."""
    require(PAGE)
    with backend().ledger.read() as connection:
        return thresholds.current(connection)


def tried(filters: Filters, changed: Mapping[str, float]) -> pl.DataFrame:
    """Cases now against those that other thresholds would find, with what people said of them.

    Raises Refused and UsageError.
    """
    user = require(PAGE)
    if not access.may(user, "try thresholds"):
        raise Refused
    districts = allowed_districts(user.districts, filters.districts)
    scope = Scope(filters.first, filters.last, districts)
    now = cases(PAGE, filters)
    then = _would_be(data_version(backend().ledger), scope, tuple(sorted(changed.items())))
    return what_if.compared(now, then).join(
        now.select("case_id", "state", "metres_closed"), on="case_id", how="left"
    )


@st.cache_data(max_entries=20, show_spinner=False)
def _would_be(version: int, scope: Scope, changed: tuple[tuple[str, float], ...]) -> pl.DataFrame:
    del version  # part of the key only
    return what_if.cases(backend().reader, scope, dict(changed))


def _day_of(filters: Filters, case: Mapping[str, Any]) -> Scope:
    return Scope(case["hiveperiod"], case["hiveperiod"], filters.districts)


def _unit_of(filters: Filters, case: Mapping[str, Any], start: datetime, end: datetime) -> Scope:
    """A span of time of the unit of a case: another district may have one of the same number."""
    scope = _scope(filters, (case["unitno"],), start, end)
    return replace(scope, districts=(case["dstrct_code"],))


def _scope(filters: Filters, units: tuple[str, ...], start: datetime, end: datetime) -> Scope:
    """A span of time. Files are of local days and of production days: a day more at each end."""
    first, last = (hiveperiod(moment, filters.zone) for moment in (start, end))
    return Scope(
        next_day(first, -1), next_day(last), filters.districts, units, start=start, end=end
    )
