"""Units: their status now, their hours, their sums."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl

from app.data.asking import ask
from app.filters import Filters
from pipeline.localtime import next_day
from queries.scope import Scope


def unit_now(page: str, filters: Filters) -> pl.DataFrame:
    """Status of each registered unit now: one row a device."""
    today = datetime.now(UTC).date().isoformat()
    # The last minutes seen of a unit lie in the newest days; an older state says little.
    scope = Scope(next_day(today, -3), next_day(today, 1), filters.districts)
    return ask(page, "unit_now", scope, clocked=True)


def unit_hours(filters: Filters) -> pl.DataFrame:
    """One row per unit and hour; the states add up to 3600 s."""
    return ask("fleet_health", "unit_hours", filters.scope)


def unit_totals(filters: Filters) -> pl.DataFrame:
    """One row a unit, summed over the span."""
    return ask("fleet_health", "unit_totals", filters.scope)
