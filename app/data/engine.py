"""One unit's signals, by the minute and by the second."""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl

from app.data.asking import ask, one_unit
from app.filters import Filters
from queries.scope import Scope


def units(filters: Filters) -> pl.DataFrame:
    """Units with telemetry in the span."""
    return ask("engine_telemetry", "units", filters.scope)


def minutes(filters: Filters, unit: str, columns: tuple[str, ...]) -> pl.DataFrame:
    """A unit's minutes with the columns asked for."""
    scope = one_unit(filters, unit)
    return ask("engine_telemetry", "engine_minutes", scope, columns=columns)


def seconds(filters: Filters, unit: str, start: datetime, columns: tuple[str, ...]) -> pl.DataFrame:
    """One hour of a unit's seconds from ``start`` on."""
    end = start + timedelta(hours=1)
    scope = Scope(filters.first, filters.last, filters.districts, (unit,), start, end)
    return ask("engine_telemetry", "engine_seconds", scope, columns=columns)


def exceedances(filters: Filters, unit: str) -> pl.DataFrame:
    """One row an exceedance of the unit."""
    return ask("engine_telemetry", "exceedances", one_unit(filters, unit))
