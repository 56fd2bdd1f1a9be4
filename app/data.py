"""What pages ask for: one function a query, checked for the asker, cached by the data's version.

Nothing is kept by time: a commit moves the ledger's data version, and with it every key.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import streamlit as st

from app import access, auth, state
from app.backend import backend
from app.filters import Filters
from pipeline.localtime import next_day
from pipeline.storage import people
from pipeline.storage.ledger import data_version
from pipeline.storage.people import User
from queries.run import ask
from queries.scope import Scope

#: What depends on the clock is computed anew this often.
TICK_S = 30
SECONDS_AROUND_CASE = timedelta(minutes=2)


def require(page: str) -> User:
    """The signed-in user, checked against the ledger now. Raises Refused."""
    user = auth.current(backend())
    if user is None or not access.may_open(user.role, page):
        raise access.Refused
    return user


@st.cache_data(max_entries=400, show_spinner=False)
def _answer(
    name: str, version: tuple[int, ...], scope: Scope, parameters: tuple[tuple[str, Any], ...]
) -> pl.DataFrame:
    del version  # part of the key only
    values = {key: list(v) if isinstance(v, tuple) else v for key, v in parameters}
    return ask(backend().reader, name, scope, **values)


def _ask(
    page: str, name: str, scope: Scope, *, clocked: bool = False, **parameters: Any
) -> pl.DataFrame:
    user = require(page)
    narrowed = Scope(
        first=scope.first,
        last=scope.last,
        districts=access.allowed_districts(user.districts, scope.districts),
        units=scope.units,
        start=scope.start,
        end=scope.end,
    )
    version: tuple[int, ...] = (data_version(backend().ledger),)
    if clocked:
        version += (int(time.time() // TICK_S),)
    return _answer(name, version, narrowed, tuple(sorted(parameters.items())))


def unit_now(page: str, filters: Filters) -> pl.DataFrame:
    """Status of each registered unit now: one row a device."""
    today = datetime.now(UTC).date().isoformat()
    # The last minutes seen of a unit lie in the newest days; an older state says little.
    scope = Scope(next_day(today, -3), next_day(today, 1), filters.districts)
    return _ask(page, "unit_now", scope, clocked=True)


def fatigue_cases(page: str, filters: Filters) -> pl.DataFrame:
    """One row a case, without the operator."""
    return _ask(page, "fatigue_cases", filters.scope)


def fatigue_exposure(filters: Filters) -> dict[str, float]:
    """Seconds moving, seen, blind and without data; km."""
    return _ask("fatigue_events", "fatigue_exposure", filters.scope).to_dicts()[0]


def fatigue_strip(filters: Filters, units: tuple[str, ...]) -> pl.DataFrame:
    """One row per unit and unbroken run of minutes, seen or blind."""
    scope = Scope(filters.first, filters.last, filters.districts, units)
    return _ask("fatigue_events", "fatigue_strip", scope)


def eye_trace(filters: Filters, case: dict[str, Any]) -> pl.DataFrame:
    """One row a second around a case."""
    scope = Scope(
        next_day(filters.first, -1),
        next_day(filters.last, 1),
        filters.districts,
        start=case["started_at"] - SECONDS_AROUND_CASE,
        end=(case["ended_at"] or case["started_at"]) + SECONDS_AROUND_CASE,
    )
    return _ask("fatigue_events", "eye_trace", scope, deviceid=case["deviceid"])


def case_operator(filters: Filters, case_id: str) -> str | None:
    """Who drove, for an opened case; that somebody looked is recorded."""
    user = require("fatigue_events")
    found = _ask("fatigue_events", "fatigue_case_operator", filters.scope, case_id=case_id)
    seen = st.session_state.setdefault(state.OPERATORS_SEEN, set())
    if case_id not in seen:
        seen.add(case_id)
        with backend().ledger.write() as connection:
            people.audit(connection, user.username, "operator of case seen", case_id)
    return None if found.is_empty() else found["operatorid"][0]


def unit_hours(filters: Filters) -> pl.DataFrame:
    """One row per unit and hour; the states add up to 3600 s."""
    return _ask("fleet_health", "unit_hours", filters.scope)


def unit_totals(filters: Filters) -> pl.DataFrame:
    """One row a unit, summed over the span."""
    return _ask("fleet_health", "unit_totals", filters.scope)


def units(filters: Filters) -> pl.DataFrame:
    """Units with telemetry in the span."""
    return _ask("engine_telemetry", "units", filters.scope)


def _one_unit(filters: Filters, unit: str) -> Scope:
    return Scope(filters.first, filters.last, filters.districts, (unit,))


def engine_minutes(filters: Filters, unit: str, columns: tuple[str, ...]) -> pl.DataFrame:
    """A unit's minutes with the columns asked for."""
    scope = _one_unit(filters, unit)
    return _ask("engine_telemetry", "engine_minutes", scope, columns=columns)


def engine_seconds(
    filters: Filters, unit: str, start: datetime, columns: tuple[str, ...]
) -> pl.DataFrame:
    """One hour of a unit's seconds from ``start`` on."""
    end = start + timedelta(hours=1)
    scope = Scope(filters.first, filters.last, filters.districts, (unit,), start, end)
    return _ask("engine_telemetry", "engine_seconds", scope, columns=columns)


def exceedances(filters: Filters, unit: str) -> pl.DataFrame:
    """One row an exceedance of the unit."""
    return _ask("engine_telemetry", "exceedances", _one_unit(filters, unit))


def delivery(page: str, filters: Filters) -> pl.DataFrame:
    """One row per device and local hour with its state."""
    scope = filters.scope
    return _ask(page, "delivery", scope, clocked=True, days=tuple(scope.days or ()))
