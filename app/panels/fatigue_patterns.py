"""Pieces of the page of fatigue events: cases by hour, day by day, and what rates rest on."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app import data, drawing, figures, tables
from app.charts import fatigue, fatigue_days
from app.daylight import in_ramadan
from app.figures.fatigue_days import Break
from app.filters import Filters
from app.panels import pieces
from app.panels.fatigue import grid
from app.text import say, spelled


def profile(filters: Filters, days: Sequence[str]) -> drawing.Drawn | None:
    """Cases by hour into the shift, of some days; None where there is nothing to divide by."""
    cells = data.fatigue.profile(filters, days)
    return None if cells.is_empty() else drawing.once(fatigue.profile, cells, pieces.dark())


def daily(filters: Filters) -> tuple[drawing.Drawn, list[Break]]:
    """Cases day by day, and what else than drivers moved them."""
    days, changes = data.fatigue.days(filters), data.fatigue.thresholds_set()
    found = figures.fatigue_days.breaks(days, changes, filters.zone)
    rates = figures.fatigue_days.rates(days)
    return drawing.once(fatigue_days.daily, rates, found, pieces.dark()), found


def ramadan(days: Sequence[str]) -> None:
    """Which of the days that are shown lie in Ramadan, where some do."""
    fasting = in_ramadan(days)
    if fasting:
        numbers = {"n": len(fasting), "all": len(days), "first": fasting[0], "last": fasting[-1]}
        st.caption(f":material/dark_mode: {say('fatigue.ramadan', **numbers)}")


def breaks(found: Sequence[Break]) -> None:
    """What else than drivers moved a series of days."""
    for one in found:
        st.caption(f":material/line_end: {one.day} · {one.told}")


def rates(filters: Filters) -> None:
    """Rates beside their denominators; units by what few hours leave of their rate, and by how
    they were driven."""
    units, driven = data.fatigue.units(filters), data.fatigue.driving(filters)
    pieces.section("fatigue.rates", "fatigue.rates.help")
    head = tuple(say(f"column.{name}") for name in ("figure", "value", "rests_on"))
    found = figures.fatigue.rates(units, data.fatigue.operator_shifts(filters), driven)
    grid([head, *((what, spelled(value), spelled(of)) for what, value, of in found)])
    pieces.section("fatigue.ranking", "fatigue.ranking.help")
    ranked = figures.fatigue.ranked(units)
    if ranked.height and ranked["weight"].sum() == 0:
        st.caption(say("fatigue.ranking.none"))
    shown = tables.fatigue.units(ranked)
    pieces.table(shown, "ranking")
    pieces.download(shown, "fatigue_units")
    warn, crit = figures.fatigue.speed_limits()
    pieces.section("fatigue.driving", "fatigue.driving.help", warn=f"{warn:g}", crit=f"{crit:g}")
    shown = tables.fatigue.driving(driven)
    pieces.table_or(shown, "driving", "fatigue.driving.none")
    pieces.download(shown, "fatigue_driving")
