"""Fatigue charts: the eyes around one case, where it was, and the profile of cases."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import plotly.graph_objects as go
import polars as pl
from plotly.subplots import make_subplots

from app.charts.palette import VERMILION, base, local, palette
from app.text import say, spelled

#: Beyond this gap a line would invent what was not seen.
GAP_S = 10
#: The eyes were not read for longer than this: the trace says so.
UNSEEN_S = 1.5
#: At least so much of the place is shown to the north and to the south.
NEAR_KM = 0.5
#: A degree of latitude near the equator.
DEGREE_KM = 110.6

SHAPES = {
    "microsleep": "diamond",
    "drowsy": "circle",
    "device_alarm": "star",
    "yawning": "triangle-up",
}


def eye_trace(
    seconds: pl.DataFrame, case: dict[str, Any], ratio: float, zone: str, dark: bool
) -> go.Figure:
    """Eyes over speed, second by second; lines stop where nothing was seen.

    Beside the eyes the level of open ones that judged them, and ``ratio`` of it: below that they
    are closed. The share of closed frames has a row of its own where the firmware sends it.
    """
    colours, frame = palette(dark), broken(local(seconds, zone, "ts"), "ts", GAP_S)
    frames = [] if seconds["eyeclosedfrac"].is_null().all() else ["closed"]
    rows = ["ear", *frames, "speed"]
    figure = make_subplots(
        rows=len(rows),
        cols=1,
        shared_xaxes=True,
        vertical_spacing=0.1,
        row_heights=[0.45, *(0.25 for _ in frames), 0.3],
        subplot_titles=[say(f"fatigue.trace.{name}") for name in rows],
    )
    frame = frame.with_columns((pl.col("open_ear") * ratio).alias("rule"))
    lines = (
        ("ear", "ear", "ear", {"color": colours.accent, "width": 1.5}),
        ("ear", "open_ear", "level", {"color": colours.hatch, "width": 2}),
        ("ear", "rule", "rule", {"color": VERMILION, "width": 2, "dash": "dot"}),
        ("closed", "eyeclosedfrac", "closed", {"color": VERMILION, "width": 2}),
        ("speed", "speed", "speed", {"color": colours.text, "width": 2}),
    )
    for name, column, key, line in lines:
        if name in rows:
            figure.add_scatter(
                x=frame["ts"].to_list(),
                y=frame[column].to_list(),
                name=spelled(say(f"fatigue.trace.{key}", ratio=f"{ratio:.2f}")),
                line=line,
                mode="lines",
                showlegend=name == "ear",  # elsewhere the title says it
                row=rows.index(name) + 1,
                col=1,
            )
    for begin, end in unseen(local(seconds, zone, "ts")):
        _band(figure, begin, end, colours.unknown, 0.8)
    began, ended = (
        pl.DataFrame([case])
        .select("started_at", pl.col("ended_at").fill_null(pl.col("started_at")))
        .pipe(local, zone, "started_at", "ended_at")
        .row(0)
    )
    _band(figure, began, ended, VERMILION, 0.18)
    figure.update_annotations(x=0, xanchor="left", font={"size": 13, "color": colours.text})
    figure.update_yaxes(rangemode="tozero")
    figure.update_xaxes(tickformat="%H:%M:%S")
    return base(figure, dark, 240 + 80 * len(rows)).update_layout(legend={"y": 1.08})


def _band(figure: go.Figure, begin: datetime, end: datetime, colour: str, opacity: float) -> None:
    """A span of time over every row, behind the lines."""
    figure.add_vrect(
        x0=begin,
        x1=end,
        fillcolor=colour,
        opacity=opacity,
        line_width=0,
        layer="below",
        row="all",
        col=1,
    )


def unseen(seconds: pl.DataFrame) -> list[tuple[datetime, datetime]]:
    """Spans of more than a second in which the eyes were not read: no row, or no EAR and no frame.

    ``seconds``: ``ts`` ascending, ``ear``, ``eyeclosedfrac``.
    """
    read = seconds.filter(pl.col("ear").is_not_null() | pl.col("eyeclosedfrac").is_not_null())
    moments = [seconds["ts"][0], *read["ts"], seconds["ts"][-1]]
    return [(a, b) for a, b in pairwise(moments) if b - a > timedelta(seconds=UNSEEN_S)]


def place(
    track: pl.DataFrame,
    case: dict[str, Any],
    at: tuple[float, float],
    roads: list[list[tuple[float, float]]],
    dark: bool,
) -> go.Figure:
    """Where it happened: haul roads, the unit's way in the hours around, the hour itself, the spot.

    ``track``: minute, lat, lon; ``at``: (lat, lon) of the case; ``roads``: lines of (lon, lat).
    Axes are kilometres east and north of the spot; no tiles, so no request leaves the house.
    """
    colours = palette(dark)
    figure = go.Figure()
    hour = pl.col("minute").is_between(
        case["started_at"] - timedelta(minutes=45), case["started_at"] + timedelta(minutes=15)
    )
    lines = (
        ("roads", _road_lines(roads, at), {"color": colours.faint, "width": 7}),
        ("way", _way(track, at), {"color": colours.hatch, "width": 1.5}),
        ("hour", _way(track.filter(hour), at), {"color": colours.accent, "width": 3}),
    )
    for name, (x, y), line in lines:
        if x:
            figure.add_scatter(
                x=x,
                y=y,
                mode="lines",
                line=line,
                name=say(f"fatigue.place.{name}"),
                hoverinfo="skip",
            )
    figure.add_scatter(
        x=[0],
        y=[0],
        mode="markers",
        name=say("fatigue.place.spot"),
        marker={
            "symbol": SHAPES.get(case["kind"], "pentagon"),
            "size": 18,
            "color": VERMILION,
            "line": {"color": colours.ground, "width": 1.5},
        },
        hovertemplate=f"{at[0]:.5f}, {at[1]:.5f}<extra></extra>",
    )
    north = [value for value in _way(track, at)[1] if value is not None] or [0]
    figure.update_xaxes(title=say("fatigue.place.east"))
    figure.update_yaxes(
        title=say("fatigue.place.north"),
        range=[min(*north, -NEAR_KM) - 0.2, max(*north, NEAR_KM) + 0.2],
        scaleanchor="x",
        scaleratio=1,
    )
    return base(figure, dark, 360).update_layout(legend={"y": 1.02})


def _kilometres(lat: float, lon: float, at: tuple[float, float]) -> tuple[float, float]:
    """(east, north) of a point: a plane is right to a metre within a mine."""
    north = (lat - at[0]) * DEGREE_KM
    return (lon - at[1]) * DEGREE_KM * math.cos(math.radians(at[0])), north


def _way(track: pl.DataFrame, at: tuple[float, float]) -> tuple[list[Any], list[Any]]:
    """A line that ends where minutes are missing."""
    x: list[Any] = []
    y: list[Any] = []
    for lat, lon in broken(track, "minute", 180).select("lat", "lon").iter_rows():
        east, north = (None, None) if lat is None else _kilometres(lat, lon, at)
        x.append(east)
        y.append(north)
    return x, y


def _road_lines(
    roads: list[list[tuple[float, float]]], at: tuple[float, float]
) -> tuple[list[Any], list[Any]]:
    x: list[Any] = []
    y: list[Any] = []
    for road in roads:
        points = [_kilometres(lat, lon, at) for lon, lat in road]
        x += [*(east for east, _ in points), None]
        y += [*(north for _, north in points), None]
    return x, y


def profile(cells: pl.DataFrame, dark: bool) -> go.Figure:
    """Cases per 100 hours with the eyes seen, by hour into the shift and shift in a row.

    A cell of fewer than five operators is grey; its number is withheld.
    """
    colours = palette(dark)
    # Where clocks go back in the night its shift has a thirteenth hour.
    hours = list(range(1, max(12, *cells["hour"]) + 1))
    rows = sorted(cells["nth"].unique().to_list(), reverse=True)
    found = {(nth, hour): row for nth, hour, row in _cells(cells)}
    rate = [[_rate(found.get((nth, hour))) for hour in hours] for nth in rows]
    figure = go.Figure()
    figure.add_heatmap(
        x=hours,
        y=[say("fatigue.profile.nth", nth=nth) for nth in rows],
        z=[[_grey(found.get((nth, hour))) for hour in hours] for nth in rows],
        colorscale=[[0, colours.unknown], [1, colours.unknown]],
        showscale=False,
        hoverinfo="skip",
        xgap=2,
        ygap=2,
    )
    figure.add_heatmap(
        x=hours,
        y=[say("fatigue.profile.nth", nth=nth) for nth in rows],
        z=rate,
        text=[[_told(found.get((nth, hour))) for hour in hours] for nth in rows],
        texttemplate="%{text}",
        customdata=[[_basis(found.get((nth, hour))) for hour in hours] for nth in rows],
        hovertemplate="%{customdata}<extra></extra>",
        colorscale=[[0, colours.ground], [1, VERMILION]],
        zmin=0,
        colorbar={"title": say("fatigue.profile.scale"), "thickness": 12},
        xgap=2,
        ygap=2,
    )
    figure.update_xaxes(title=say("fatigue.profile.hour"), dtick=1, showgrid=False)
    figure.update_yaxes(showgrid=False)
    return base(figure, dark, 150 + 34 * len(rows))


def _cells(cells: pl.DataFrame) -> list[tuple[int, int, dict[str, Any]]]:
    return [(row["nth"], row["hour"], row) for row in cells.iter_rows(named=True)]


def _rate(cell: dict[str, Any] | None) -> float | None:
    if cell is None or cell["withheld"] or not cell["eye_h"]:
        return None
    return float(100 * cell["cases"] / cell["eye_h"])


def _grey(cell: dict[str, Any] | None) -> int | None:
    return 1 if cell is not None and cell["withheld"] else None


def _told(cell: dict[str, Any] | None) -> str:
    rate = _rate(cell)
    return "" if rate is None else f"{rate:.0f}"


def _basis(cell: dict[str, Any] | None) -> str:
    if _rate(cell) is None or cell is None:
        return ""
    return say("fatigue.profile.of", cases=cell["cases"], hours=spelled(f"{cell['eye_h']:,.1f}"))


def broken(frame: pl.DataFrame, column: str, gap_s: float) -> pl.DataFrame:
    """The frame with an empty row in each gap longer than ``gap_s``, so that lines end there."""
    far = pl.col(column).diff() > pl.duration(milliseconds=int(gap_s * 1000))
    holes = frame.filter(far).select(pl.col(column) - pl.duration(milliseconds=1))
    return pl.concat([frame, holes], how="diagonal").sort(column)
