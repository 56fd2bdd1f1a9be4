"""Units: their status now, their days, what their devices report, where they drove."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import polars as pl

from app.data.asking import ask
from app.filters import Filters
from pipeline.localtime import next_day
from queries.scope import Scope

PAGE = "fleet_health"
#: The last hour of most units lies in so many newest days.
NEAR_DAYS = 3
#: A level that falls by less, in % of the tank, may be slosh.
FUEL_POINTS = 3.0


def unit_now(page: str, filters: Filters) -> pl.DataFrame:
    """Status of each registered unit now: one row a device.

    A unit that stands for weeks is parked, not silent: for those that were seen last before the
    newest days, their own last hours are looked for.
    """
    today = datetime.now(UTC).date().isoformat()
    near = Scope(next_day(today, -NEAR_DAYS), next_day(today, 1), filters.districts)
    found = ask(page, "unit_now", near, clocked=True)
    gone = found.filter(pl.col("last_state").is_null() & pl.col("last_seen").is_not_null())
    if gone.is_empty():
        return found
    since = next_day(min(gone["last_seen"]).date().isoformat(), -1)
    units = tuple(gone["unitno"].unique().sort())
    far = ask(page, "unit_now", replace(near, first=since, units=units), clocked=True)
    return pl.concat(
        [
            found.join(gone, on="deviceid", how="anti"),
            far.join(gone, on="deviceid", how="semi"),
        ]
    ).sort("dstrct_code", "unitno")


def unit_totals(filters: Filters) -> pl.DataFrame:
    """One row a unit, summed over the span."""
    return ask(PAGE, "unit_totals", filters.scope)


def unit_days(filters: Filters) -> pl.DataFrame:
    """One row per unit and production day; the states add up to the day."""
    return ask(PAGE, "unit_days", filters.scope)


def intervals(filters: Filters, units: tuple[str, ...]) -> pl.DataFrame:
    """One row per unit and interval of one state, of some units."""
    scope = Scope(filters.first, filters.last, filters.districts, units)
    return ask(PAGE, "unit_intervals", scope)


def availability(filters: Filters) -> pl.DataFrame:
    """One row a unit: known, working, standby and repair seconds."""
    return ask(PAGE, "availability", filters.scope)


def idle_bands(filters: Filters) -> pl.DataFrame:
    """One row a unit that idled: spells and seconds by length of the spell."""
    return ask(PAGE, "idle_bands", filters.scope)


def ready(filters: Filters) -> pl.DataFrame:
    """One row a unit of each district's latest shift in the span: what it did as that began."""
    return ask(PAGE, "ready", Scope(next_day(filters.last, -1), filters.last, filters.districts))


def parts(filters: Filters) -> pl.DataFrame:
    """One row per device and part of it."""
    return ask(PAGE, "device_parts", filters.scope)


def firmware(filters: Filters) -> pl.DataFrame:
    """One row per firmware and part."""
    return ask(PAGE, "firmware_faults", filters.scope)


def fuel_drops(filters: Filters) -> pl.DataFrame:
    """One row a standstill over which fuel went."""
    return ask(PAGE, "fuel_drops", filters.scope, points=FUEL_POINTS)


def tracks(filters: Filters, units: tuple[str, ...]) -> pl.DataFrame:
    """Positions of some units by minute, of the last day of the span and the one before."""
    first = max(filters.first, next_day(filters.last, -1))
    return ask(PAGE, "tracks", Scope(first, filters.last, filters.districts, units))
