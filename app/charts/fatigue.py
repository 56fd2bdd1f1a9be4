"""Fatigue charts: the strip of units with a case, and the eyes around one case."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import plotly.graph_objects as go
import polars as pl
from plotly.subplots import make_subplots

from app.charts.palette import PURPLE, VERMILION, Palette, base, local, palette
from app.text import known, markless, say

SHOWN = 30
#: Beyond this gap a line would invent what was not seen.
GAP_S = 10
RULE = 0.60

SHAPES = {
    "microsleep": "diamond",
    "drowsy": "circle",
    "device_alarm": "star",
    "yawn": "triangle-up",
    "distraction": "x",
    "not_tracked": "square-open",
}


def strip_rows(cases: pl.DataFrame) -> tuple[str, ...]:
    """Units in the order of the strip: most metres with eyes closed first."""
    ranked = cases.group_by("unitno").agg(
        pl.col("metres_closed").fill_null(0).sum().alias("metres"), pl.len().alias("cases")
    )
    ranked = ranked.sort("metres", "cases", "unitno", descending=[True, True, False])
    return tuple(ranked["unitno"].head(SHOWN).to_list())


def strip(
    cases: pl.DataFrame,
    runs: pl.DataFrame,
    zone: str,
    dark: bool,
) -> go.Figure:
    """One row a unit: thin line moving, hatch moving unseen, a mark for each case."""
    colours, units = palette(dark), strip_rows(cases)
    rows = {unit: len(units) - 1 - i for i, unit in enumerate(units)}
    figure = go.Figure()
    runs = local(runs, zone, "started_at", "ended_at")
    _seen(figure, runs.filter(state="seen"), rows, colours)
    for state, edge, height in (("blind", colours.accent, 0.36), ("none", colours.hatch, 0.7)):
        _hatched(figure, runs.filter(state=state), rows, state, (colours.unknown, edge, height))
    cases = local(cases.filter(pl.col("unitno").is_in(units)), zone, "started_at", "ended_at")
    for kind in sorted(cases["kind"].unique().to_list()):
        _marks(figure, kind, cases.filter(kind=kind), rows, colours)
    figure.update_layout(barmode="overlay")
    figure.update_yaxes(
        tickvals=list(rows.values()),
        ticktext=[markless(unit) for unit in rows],
        range=[-0.7, len(units) - 0.3],
        showgrid=False,
    )
    figure.update_xaxes(range=_extent(runs, cases), tickformat="%H:%M\n%d %b")
    return base(figure, dark, 130 + 46 * len(units))


def _extent(runs: pl.DataFrame, cases: pl.DataFrame) -> list[datetime]:
    """From the first to the last that there is to see, with a margin."""
    moments = [
        moment
        for frame in (runs, cases)
        for column in ("started_at", "ended_at")
        for moment in frame[column].drop_nulls().to_list()
    ]
    margin = max((max(moments) - min(moments)) * 0.02, timedelta(minutes=10))
    return [min(moments) - margin, max(moments) + margin]


def _seen(figure: go.Figure, runs: pl.DataFrame, rows: dict[str, int], colours: Palette) -> None:
    x: list[Any] = []
    y: list[Any] = []
    for unit, start, end in runs.select("unitno", "started_at", "ended_at").iter_rows():
        x += [start, end, None]
        y += [rows[unit], rows[unit], None]
    figure.add_scatter(
        x=x,
        y=y,
        mode="lines",
        name=say("fatigue.strip.seen"),
        line={"color": colours.accent, "width": 2},
        hoverinfo="skip",
    )


def _hatched(
    figure: go.Figure,
    runs: pl.DataFrame,
    rows: dict[str, int],
    state: str,
    look: tuple[str, str, float],
) -> None:
    """Moving unseen: hatch in the colour of moving. No data: the grey hatch, over the whole row."""
    ground, edge, height = look
    lengths = ((runs["ended_at"] - runs["started_at"]).dt.total_seconds() * 1000).to_list()
    name = say(f"fatigue.strip.{state}")
    figure.add_bar(
        orientation="h",
        y=[rows[unit] for unit in runs["unitno"]],
        base=runs["started_at"].to_list(),
        x=lengths,
        width=height,
        name=name,
        marker={
            "color": ground,
            "line": {"color": edge, "width": 0.5},
            "pattern": {
                "shape": "/",
                "fgcolor": edge,
                "bgcolor": ground,
                "size": 5,
                "solidity": 0.3,
            },
        },
        hovertemplate="%{base|%H:%M}<extra>" + name + "</extra>",
    )


def _marks(
    figure: go.Figure, kind: str, cases: pl.DataFrame, rows: dict[str, int], colours: Palette
) -> None:
    name = markless(known(f"kind.{kind}", kind))
    metres = cases["metres_closed"].fill_null(0)
    figure.add_scatter(
        x=cases["started_at"].to_list(),
        y=[rows[unit] for unit in cases["unitno"]],
        mode="markers",
        name=name,
        marker={
            "symbol": SHAPES.get(kind, "pentagon"),
            "color": VERMILION if kind == "microsleep" else PURPLE,
            "size": [min(13 + value**0.5, 36) for value in metres],
            "line": {"color": colours.ground, "width": 1.5},
            "opacity": 1,
        },
        customdata=[
            [markless(unit), value] for unit, value in zip(cases["unitno"], metres, strict=True)
        ],
        hovertemplate=(
            f"%{{customdata[0]}} · %{{x|%H:%M:%S}}<br>%{{customdata[1]:.0f}} m<extra>{name}</extra>"
        ),
    )


def eye_trace(seconds: pl.DataFrame, case: dict[str, Any], zone: str, dark: bool) -> go.Figure:
    """Eyes over speed, second by second; lines stop where nothing was seen."""
    colours = palette(dark)
    figure = make_subplots(
        rows=3,
        cols=1,
        shared_xaxes=True,
        vertical_spacing=0.09,
        row_heights=[0.45, 0.25, 0.3],
        subplot_titles=[say(f"fatigue.trace.{name}") for name in ("ear", "closed", "speed")],
    )
    frame = broken(local(seconds, zone, "ts"), "ts", GAP_S)
    x = frame["ts"].to_list()
    lines = (
        (1, "ear", "fatigue.trace.ear", {"color": colours.accent, "width": 2}),
        (1, "earbaseline", "fatigue.trace.level", {"color": colours.hatch, "width": 1}),
        (2, "eyeclosedfrac", "fatigue.trace.closed", {"color": VERMILION, "width": 2}),
        (3, "speed", "fatigue.trace.speed", {"color": colours.text, "width": 2}),
    )
    for row, column, key, line in lines:
        figure.add_scatter(
            x=x, y=frame[column].to_list(), name=say(key), line=line, mode="lines", row=row, col=1
        )
    rule = (frame["earbaseline"] * RULE).to_list()
    figure.add_scatter(
        x=x,
        y=rule,
        name=say("fatigue.trace.rule"),
        line={"color": VERMILION, "width": 1, "dash": "dot"},
        mode="lines",
        row=1,
        col=1,
    )
    span = local(pl.DataFrame([case]).select("started_at", "ended_at"), zone, "started_at")
    span = local(span, zone, "ended_at")
    figure.add_vrect(
        x0=span["started_at"][0],
        x1=span["ended_at"][0],
        fillcolor=VERMILION,
        opacity=0.18,
        line_width=0,
        row="all",
        col=1,
    )
    figure.update_annotations(x=0, xanchor="left", font={"size": 13, "color": colours.text})
    figure.update_yaxes(rangemode="tozero")
    figure.update_xaxes(tickformat="%H:%M:%S")
    return base(figure, dark, 500).update_layout(legend={"y": 1.06})


def broken(frame: pl.DataFrame, column: str, gap_s: float) -> pl.DataFrame:
    """The frame with an empty row in each gap longer than ``gap_s``, so that lines end there."""
    far = pl.col(column).diff() > pl.duration(milliseconds=int(gap_s * 1000))
    holes = frame.filter(far).select(pl.col(column) - pl.duration(milliseconds=1))
    return pl.concat([frame, holes], how="diagonal").sort(column)
