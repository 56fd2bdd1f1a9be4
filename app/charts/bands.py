"""A signal's usual range and its limits, dimmed where their condition does not hold."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import plotly.graph_objects as go
import polars as pl

from app.charts.palette import ORANGE, VERMILION, Palette, unknown_marker
from app.charts.series import stretches
from app.text import say
from pipeline.fields import Band
from queries import conditions

#: The shade where a band's condition holds throughout, and where it holds in part of a bucket.
WHOLE, PART = "rgba(0, 158, 115, 0.24)", "rgba(0, 158, 115, 0.10)"

LIMITS = (
    ("warn_low", ORANGE, "dash"),
    ("warn_high", ORANGE, "dash"),
    ("crit_low", VERMILION, "solid"),
    ("crit_high", VERMILION, "solid"),
)

Stretches = list[tuple[datetime, datetime]]


def add(figure: go.Figure, row: int, signal: str, frame: pl.DataFrame, step_s: int) -> None:
    """Draw a signal's bands behind its lines and fit the panel's axis to both."""
    found = conditions.of(signal)
    low, high = _reach(frame, signal)
    if low is None or high is None:
        figure.update_yaxes(range=[0, 1], showticklabels=False, row=row, col=1)
        return
    near = [low, high]
    for number, band in enumerate(found):
        holds = conditions.column(signal, number)
        whole = stretches(frame, holds, conditions.WHOLLY, step_s)
        part = stretches(frame, holds, conditions.PARTLY, step_s)
        _shade(figure, row, band, whole, WHOLE)
        _shade(figure, row, band, part, PART)
        near += _limits(figure, row, band, sorted(whole + part), (low, high), len(found) == 1)
    pad = max((max(near) - min(near)) * 0.08, 0.5)
    figure.update_yaxes(range=[min(near) - pad, max(near) + pad], row=row, col=1)


def told(signal: str) -> str:
    """A signal's bands in a line: usual range, limits, and the condition of both."""
    lines = []
    several = len(conditions.of(signal)) > 1
    for band in conditions.of(signal):
        parts = []
        if band.typical_low is not None and band.typical_high is not None:
            shown = f"{band.typical_low:g}–{band.typical_high:g}"
            parts.append(say("engine.band.usual", range=shown))
        for level in () if several else ("warn", "crit"):
            low, high = (getattr(band, f"{level}_{side}") for side in ("low", "high"))
            beyond = [
                f"{sign} {value:g}"
                for sign, value in (("<", low), (">", high))
                if value is not None
            ]
            if beyond:
                parts.append(f"{say(f'level.{level}')} {', '.join(beyond)}")
        rule = conditions.words(band)
        if rule and parts:
            parts.append(say("engine.band.while", rule=rule))
        lines.append(" · ".join(parts))
    return " | ".join(lines)


def hatch(figure: go.Figure, rows: int, holes: Stretches, colours: Palette) -> None:
    """Grey hatch over the first rows' panels where nothing was received."""
    if not holes:
        return
    for row in range(1, rows + 1):
        low, high = next(figure.select_yaxes(row=row, col=1)).range
        _area(
            figure,
            row,
            holes,
            (low, high),
            fillcolor=colours.unknown,
            fillpattern=unknown_marker(colours)["pattern"],
            name=say("engine.device.unseen"),
            legendgroup="unseen",
            showlegend=row == 1,
        )


def _reach(frame: pl.DataFrame, signal: str) -> tuple[float | None, float | None]:
    low, high = frame[f"{signal}_min"].min(), frame[f"{signal}_max"].max()
    known = isinstance(low, int | float) and isinstance(high, int | float)
    return (float(low), float(high)) if known else (None, None)  # type: ignore[arg-type]


def _shade(figure: go.Figure, row: int, band: Band, where: Stretches, colour: str) -> None:
    if not where or band.typical_low is None or band.typical_high is None:
        return
    usual = band.typical_low, band.typical_high
    _area(figure, row, where, usual, fillcolor=colour, showlegend=False)


def _area(
    figure: go.Figure, row: int, where: Stretches, between: tuple[float, float], **look: Any
) -> None:
    """One trace of a rectangle a stretch."""
    low, high = between
    figure.add_scatter(
        x=[x for start, end in where for x in (start, start, end, end, start, None)],
        y=[y for _ in where for y in (low, high, high, low, low, None)],
        mode="none",
        fill="toself",
        hoverinfo="skip",
        row=row,
        col=1,
        **look,
    )


def _limits(
    figure: go.Figure,
    row: int,
    band: Band,
    where: Stretches,
    data: tuple[float, float],
    alone: bool,
) -> list[float]:
    """Limits near the data: full where they are judged, faint elsewhere; returns those drawn."""
    low, high = data
    room = max((high - low) * 0.6, abs(high) * 0.15)
    near = []
    for name, colour, dash in LIMITS:
        value = getattr(band, name)
        if value is None or not low - room <= value <= high + room:
            continue
        near.append(value)
        if alone:  # of several bands each holds somewhere else
            faint = {"color": colour, "width": 1, "dash": "dot"}
            figure.add_hline(y=value, line=faint, opacity=0.35, row=row, col=1)
        figure.add_scatter(
            x=[x for start, end in where for x in (start, end, None)],
            y=[y for _ in where for y in (value, value, None)],
            mode="lines",
            line={"color": colour, "width": 1.4, "dash": dash},
            hoverinfo="skip",
            showlegend=False,
            row=row,
            col=1,
        )
    return near
