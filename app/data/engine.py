"""Signals of some units at the detail that the span allows, and what went wrong with them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from app import signals as catalogue
from app.data.asking import ask
from app.filters import Filters
from app.looks import DAYS, Look, View
from app.spans import Span
from pipeline.localtime import day_span, hiveperiod, next_day
from queries import conditions, envelope
from queries.envelope import Level
from queries.scope import Scope

PAGE = "engine_telemetry"

HOUR = timedelta(hours=1)

#: How days that lie over each other are read: five minutes a point.
DAYS_LEVEL = Level("minute", 60, 300)


def units(filters: Filters) -> pl.DataFrame:
    """Units with telemetry in the span."""
    return ask(PAGE, "units", filters.scope)


def whole(filters: Filters) -> Span:
    """The days of the filters, up to the end of the present hour."""
    start, end = filters.bounds
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + HOUR
    return Span(start, max(min(end, now), start + HOUR))


def newest_days(filters: Filters, look: Look, whole: Span, most: int) -> Span:
    """So many of the newest days that there are at most ``most`` lines, one per unit and day."""
    days = max(most // max(len(look.units), 1), 1)
    first = next_day(hiveperiod(whole.end - timedelta(seconds=1), filters.zone), 1 - days)
    return Span(max(day_span(first, filters.zone)[0], whole.start), whole.end)


def view(filters: Filters, look: Look, span: Span) -> View:
    """The signals of a look in a span."""
    level = DAYS_LEVEL if look.compare == DAYS else envelope.level_of(span.seconds)
    wanted = tuple(dict.fromkeys((*look.signals, *conditions.signals(look.signals))))
    in_marts = tuple(name for name in wanted if name in catalogue.kept())
    by_second = tuple(name for name in wanted if name not in in_marts)
    # What was before the span tells since when a band's condition has held.
    lead = timedelta(seconds=conditions.lead_s(look.signals))
    early = Span(span.start - lead, span.end)
    if level.source == "second":
        found = _seconds(filters, look, early, wanted, level)
        return View(_judged(found, look, span), level, ())
    found = _mart(filters, look, early, in_marts, level)
    short = span.seconds <= envelope.SECONDS_ALONE_S
    if by_second and short:
        other = _seconds(filters, look, early, by_second, level).drop("seconds", "run")
        found = found.join(other, on=["unitno", "at"], how="left")
    unseen = tuple(name for name in look.signals if name in by_second and not short)
    return View(_judged(found, look, span), level, unseen)


def _seconds(
    filters: Filters, look: Look, span: Span, signals: tuple[str, ...], level: Level
) -> pl.DataFrame:
    rows = _ask(filters, look, span, "engine_seconds", columns=signals)
    shaped = envelope.of_seconds(rows, signals)
    return envelope.envelope(shaped, signals, 1, level.step_s)


def _mart(
    filters: Filters, look: Look, span: Span, signals: tuple[str, ...], level: Level
) -> pl.DataFrame:
    # One column at least, so that runs are known where every signal comes from seconds.
    columns = envelope.columns(signals) or ("EngineSpeed_mean",)
    rows = _ask(filters, look, span, f"engine_{level.source}s", columns=columns)
    return envelope.envelope(rows, signals, level.grain_s, level.step_s)


def _judged(frame: pl.DataFrame, look: Look, span: Span) -> pl.DataFrame:
    """The span alone, with where each band's condition holds: ``{signal}_holds_{i}``."""
    holds = [
        conditions.holding(frame, band).alias(conditions.column(signal, i))
        for signal in look.signals
        for i, band in enumerate(conditions.of(signal))
    ]
    return frame.with_columns(holds).filter(pl.col("at") >= span.start)


def peers(filters: Filters, look: Look, span: Span) -> pl.DataFrame:
    """Medians of the units of the same types, by hour; no row where there are too few."""
    names = [name for name in look.signals if name in catalogue.kept()]
    if not names:
        return pl.DataFrame(schema={"unittype": pl.String, "at": pl.Datetime("us", "UTC")})
    start = span.start.replace(minute=0, second=0, microsecond=0)
    everyone = Look((), look.districts, look.types, look.signals, look.compare)
    return _ask(
        filters,
        everyone,
        Span(start, span.end),
        "engine_peers",
        types=look.types,
        columns=tuple(f"{name}_mean" for name in names),
    )


def devices(filters: Filters, look: Look, span: Span) -> tuple[pl.DataFrame, Level]:
    """Cameras, GPS and the two speeds, by the minute at the finest."""
    level = envelope.level_of(max(span.seconds, 2 * envelope.HOUR + 1))
    name = "engine_devices" if level.source == "minute" else "engine_devices_hours"
    start = span.start.replace(second=0, microsecond=0)
    return _ask(filters, look, Span(start, span.end), name), level


def exceedances(filters: Filters, look: Look, span: Span) -> pl.DataFrame:
    """One row an exceedance that touches the span."""
    return _ask(filters, look, span, "exceedances")


def codes(filters: Filters, look: Look, span: Span) -> pl.DataFrame:
    """One row a time that a fault code was active; by the hour where the span is longer."""
    fine = envelope.level_of(span.seconds).source == "second"
    return _ask(filters, look, span, "fault_codes" if fine else "fault_code_hours")


def trust(filters: Filters, look: Look) -> pl.DataFrame:
    """One row per unit and signal: how far it can be believed on the days of the filters."""
    scope = Scope(filters.first, filters.last, look.districts, look.units)
    return ask(PAGE, "signal_trust", scope).filter(pl.col("signal").is_in(catalogue.shown()))


def rows(filters: Filters, look: Look) -> pl.DataFrame:
    """One row a unit: lines that came twice or were bad, and whether its clock was right."""
    scope = Scope(filters.first, filters.last, look.districts, look.units)
    return ask(PAGE, "unit_rows", scope)


def _ask(filters: Filters, look: Look, span: Span, name: str, **more: Any) -> pl.DataFrame:
    # A night shift belongs to the production day before: one day more on either side.
    scope = Scope(
        first=next_day(hiveperiod(span.start, filters.zone), -1),
        last=next_day(hiveperiod(span.end, filters.zone), 1),
        districts=look.districts,
        units=look.units,
        start=span.start,
        end=span.end,
    )
    return ask(PAGE, name, scope, **more)
