"""The chart of cases day by day, its lines broken where something else made them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

import plotly.graph_objects as go
import polars as pl

from app.charts.palette import VERMILION, base, palette
from app.figures.fatigue_days import KINDS, Break
from app.text import say, spelled

HALF_DAY = timedelta(hours=12)
SYMBOLS = {"microsleep": "diamond", "drowsy": "circle"}


def daily(rates: pl.DataFrame, breaks: Sequence[Break], dark: bool) -> go.Figure:
    """Rates by day, a line a kind; hollow where late files have changed what was first published.

    ``rates``: as of ``figures.fatigue_days.rates``. A line ends where a day has no rate, and before
    the first day of a break.
    """
    colours, figure = palette(dark), go.Figure()
    broken = {one.day for one in breaks}
    looks = {"microsleep": VERMILION, "drowsy": colours.accent}
    for kind in KINDS:
        rows = rates.filter(kind=kind).sort("day").to_dicts()
        if all(row["now"] is None for row in rows):
            continue
        figure.add_scatter(
            **_line(rows, broken),
            name=say(f"kind.{kind}"),
            mode="lines+markers",
            line={"color": looks[kind], "width": 2},
            marker={"symbol": SYMBOLS[kind], "size": 10},
            hovertemplate="%{text}<extra></extra>",
        )
        moved = [row for row in rows if row["now"] is not None and row["now"] != row["first"]]
        if moved:
            figure.add_scatter(
                x=[_noon(row["day"]) for row in moved],
                y=[row["first"] for row in moved],
                text=[_told(row) for row in moved],
                name=say("fatigue.days.first", kind=say(f"kind.{kind}")),
                mode="markers",
                marker={"symbol": f"{SYMBOLS[kind]}-open", "size": 10, "color": looks[kind]},
                hovertemplate="%{text}<extra></extra>",
            )
    for day in sorted(broken):
        kinds = sorted({one.kind for one in breaks if one.day == day})
        figure.add_vline(
            x=_noon(day) - HALF_DAY,
            line={"color": colours.hatch, "width": 2, "dash": "dot"},
            annotation={
                "text": "<br>".join(say(f"fatigue.days.{kind}.mark") for kind in kinds),
                "align": "left",
                "font": {"color": colours.text},
            },
        )
    figure.update_xaxes(tickformat="%d %b", dtick=_tick(rates), range=_span(rates))
    figure.update_yaxes(title=say("fatigue.profile.scale"), rangemode="tozero")
    return base(figure, dark, 280)


def _noon(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), time(12))


def _tick(rates: pl.DataFrame) -> int:
    """Milliseconds between the ticks: whole days, few enough to be read."""
    days = rates["day"].n_unique()
    return 86_400_000 * next(step for step in (1, 2, 7) if days <= 12 * step)


def _span(rates: pl.DataFrame) -> list[datetime]:
    first, last = _noon(str(rates["day"].min())), _noon(str(rates["day"].max()))
    return [first - timedelta(hours=14), last + timedelta(hours=14)]


def _line(rows: Sequence[dict[str, Any]], breaks: set[str]) -> dict[str, list[Any]]:
    """Points of a line; an empty one where days are missing, and at the begin of each break."""
    points: list[tuple[datetime, float | None, str]] = []
    for row in rows:
        noon = _noon(row["day"])
        if points and (row["day"] in breaks or noon - points[-1][0] > 2 * HALF_DAY):
            points.append((noon - HALF_DAY, None, ""))
        points.append((noon, row["now"], _told(row)))
    x, y, text = map(list, zip(*points, strict=True))
    return {"x": x, "y": y, "text": text}


def _told(row: dict[str, Any]) -> str:
    if row["now"] is None:
        return ""
    numbers = {"hours": f"{row['eye_h']:,.0f}", "blind": f"{row['blind_h']:,.0f}"}
    numbers |= {"cases": f"{row['cases']:,}", "first": f"{row['cases_first']:,}"}
    return spelled(say("fatigue.days.of", day=row["day"], **numbers))
