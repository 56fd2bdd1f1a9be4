"""Engine charts: small multiples with envelope and bands, and GPS against wheel."""

from __future__ import annotations

import plotly.graph_objects as go
import polars as pl
from plotly.subplots import make_subplots

from app.charts.fatigue import broken
from app.charts.palette import ORANGE, VERMILION, Palette, base, local, palette
from app.text import markless, say
from pipeline import fields

ROW_HEIGHT = 190
MINUTE_GAP_S = 90
SECOND_GAP_S = 10


def label(signal: str) -> str:
    """Name and unit of a signal."""
    field = fields.BY_NAME.get(signal)
    unit = field.unit if field else ""
    return f"{signal} ({unit})" if unit else signal


def signals(frame: pl.DataFrame, names: list[str], zone: str, dark: bool) -> go.Figure:
    """One panel a signal over one time axis.

    ``frame``: either ``minute`` with ``{signal}_mean/_min/_max``, or ``ts`` with ``{signal}``.
    """
    colours = palette(dark)
    by_minute = "minute" in frame.columns
    time = "minute" if by_minute else "ts"
    frame = broken(local(frame, zone, time), time, MINUTE_GAP_S if by_minute else SECOND_GAP_S)
    figure = make_subplots(
        rows=len(names),
        cols=1,
        shared_xaxes=True,
        vertical_spacing=min(0.06, 0.25 / max(len(names), 1)),
        subplot_titles=[markless(label(name)) for name in names],
    )
    x = frame[time].to_list()
    for row, name in enumerate(names, 1):
        if by_minute:
            _envelope(figure, row, x, frame, name, colours)
        else:
            _line(figure, row, x, frame[name].to_list(), name, colours)
        _bands(figure, row, name, frame, colours, by_minute)
    figure.update_annotations(x=0, xanchor="left", font={"size": 13, "color": colours.text})
    figure.update_xaxes(tickformat="%H:%M\n%d %b" if by_minute else "%H:%M:%S")
    base(figure, dark, 60 + ROW_HEIGHT * len(names))
    return figure.update_layout(showlegend=False, hovermode="x", margin={"t": 30})


def _envelope(
    figure: go.Figure, row: int, x: list[object], frame: pl.DataFrame, name: str, colours: Palette
) -> None:
    for column, fill in ((f"{name}_min", None), (f"{name}_max", "tonexty")):
        figure.add_scatter(
            x=x,
            y=frame[column].to_list(),
            mode="lines",
            line={"width": 0, "color": colours.accent},
            fill=fill,
            fillcolor=colours.shade,
            hoverinfo="skip",
            connectgaps=False,
            row=row,
            col=1,
        )
    _line(figure, row, x, frame[f"{name}_mean"].to_list(), name, colours)


def _line(
    figure: go.Figure,
    row: int,
    x: list[object],
    y: list[object],
    name: str,
    colours: Palette,
) -> None:
    figure.add_scatter(
        x=x,
        y=y,
        mode="lines",
        name=say("engine.mean"),
        line={"color": colours.accent, "width": 1.6},
        connectgaps=False,
        hovertemplate="%{y:.1f}<extra>" + markless(name) + "</extra>",
        row=row,
        col=1,
    )


def _bands(
    figure: go.Figure,
    row: int,
    name: str,
    frame: pl.DataFrame,
    colours: Palette,
    by_minute: bool,
) -> None:
    """Usual range as a shade, limits as lines; a limit far from the data is left out."""
    band = next((band for band in fields.bands() if band.name == name), None)
    if band is None:
        return
    if band.typical_low is not None and band.typical_high is not None:
        figure.add_hrect(
            y0=band.typical_low,
            y1=band.typical_high,
            fillcolor=colours.band,
            line_width=0,
            layer="below",
            row=row,
            col=1,
        )
    values = (
        [frame[f"{name}_min"].min(), frame[f"{name}_max"].max()]
        if by_minute
        else [frame[name].min(), frame[name].max()]
    )
    known = [float(value) for value in values if isinstance(value, int | float)]
    if not known:
        return
    low, high = min(known), max(known)
    room = max((high - low) * 0.6, abs(high) * 0.15)
    limits = (
        (band.warn_low, ORANGE, "dash"),
        (band.warn_high, ORANGE, "dash"),
        (band.crit_low, VERMILION, "solid"),
        (band.crit_high, VERMILION, "solid"),
    )
    shown = [low, high]
    for value, colour, dash in limits:
        if value is not None and low - room <= value <= high + room:
            shown.append(value)
            figure.add_hline(
                y=value, line={"color": colour, "width": 1.2, "dash": dash}, row=row, col=1
            )
    pad = max((max(shown) - min(shown)) * 0.08, 0.5)
    figure.update_yaxes(range=[min(shown) - pad, max(shown) + pad], row=row, col=1)


def speed_gap(frame: pl.DataFrame, zone: str, dark: bool) -> go.Figure:
    """|GPS − wheel| by minute over the satellites in use."""
    colours = palette(dark)
    frame = broken(local(frame, zone, "minute"), "minute", MINUTE_GAP_S)
    figure = make_subplots(
        rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.06, row_heights=[0.65, 0.35]
    )
    x = frame["minute"].to_list()
    lines = (
        (1, "speed_gap_max", "engine.gap.max", {"color": ORANGE, "width": 1}),
        (1, "speed_gap_mean", "engine.gap.mean", {"color": colours.accent, "width": 2}),
        (2, "gpsnumsat_mean", "engine.gap.satellites", {"color": colours.text, "width": 1.4}),
    )
    for row, column, key, line in lines:
        figure.add_scatter(
            x=x,
            y=frame[column].to_list(),
            mode="lines",
            name=say(key),
            line=line,
            connectgaps=False,
            row=row,
            col=1,
        )
    figure.update_yaxes(title="km/h", rangemode="tozero", row=1, col=1)
    figure.update_yaxes(title=say("engine.gap.satellites"), rangemode="tozero", row=2, col=1)
    figure.update_xaxes(tickformat="%H:%M\n%d %b")
    return base(figure, dark, 330)
