"""Cases, what was seen beside them, and the seconds around one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import polars as pl
import streamlit as st

from app import state
from app.backend import backend
from app.data.asking import ask, require
from app.filters import Filters
from pipeline.localtime import next_day
from pipeline.storage import people
from queries.scope import Scope

SECONDS_AROUND_CASE = timedelta(minutes=2)


def cases(page: str, filters: Filters) -> pl.DataFrame:
    """One row a case, without the operator."""
    return ask(page, "fatigue_cases", filters.scope)


def exposure(filters: Filters) -> dict[str, float]:
    """Seconds moving, seen, blind and without data; km."""
    return ask("fatigue_events", "fatigue_exposure", filters.scope).to_dicts()[0]


def strip(filters: Filters, units: tuple[str, ...]) -> pl.DataFrame:
    """One row per unit and unbroken run of minutes, seen or blind."""
    scope = Scope(filters.first, filters.last, filters.districts, units)
    return ask("fatigue_events", "fatigue_strip", scope)


def eye_trace(filters: Filters, case: dict[str, Any]) -> pl.DataFrame:
    """One row a second around a case."""
    scope = Scope(
        next_day(filters.first, -1),
        next_day(filters.last, 1),
        filters.districts,
        start=case["started_at"] - SECONDS_AROUND_CASE,
        end=(case["ended_at"] or case["started_at"]) + SECONDS_AROUND_CASE,
    )
    return ask("fatigue_events", "eye_trace", scope, deviceid=case["deviceid"])


def case_operator(filters: Filters, case_id: str) -> str | None:
    """Who drove, for an opened case; that somebody looked is recorded."""
    user = require("fatigue_events")
    found = ask("fatigue_events", "fatigue_case_operator", filters.scope, case_id=case_id)
    seen = st.session_state.setdefault(state.OPERATORS_SEEN, set())
    if case_id not in seen:
        seen.add(case_id)
        with backend().ledger.write() as connection:
            people.audit(connection, user.username, "operator of case seen", case_id)
    return None if found.is_empty() else found["operatorid"][0]
