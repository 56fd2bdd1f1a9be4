"""Cameras and GPS of units over time, and the speed of GPS against that of the wheels."""

from __future__ import annotations

from datetime import timedelta

import plotly.graph_objects as go
import polars as pl
from plotly.subplots import make_subplots

from app.charts import series
from app.charts.palette import ORANGE, base, clocks, palette, unknown_marker
from app.spans import Span
from app.text import markless, say
from queries.envelope import Level, deviation

#: Device → seconds in which it worked.
DEVICES = {"cabin": "cam_cabin_up_s", "front": "cam_front_up_s", "gps": "gps_fix_s"}

UP, PARTLY, DOWN, UNSEEN = "up", "partly", "down", "unseen"

#: A bucket counts as up from this share of its observed seconds on, and as down below the other.
UP_FROM, DOWN_BELOW = 0.95, 0.05


def strips(frame: pl.DataFrame, grain_s: int, span: Span, zone: str) -> pl.DataFrame:
    """Unbroken stretches of one state: ``unitno``, ``device``, ``state``, local ``start``, ``end``.

    What lies between rows is unseen.
    """
    frame = series.along_the_clock(frame, zone)
    first, last = series.edges(span, zone)
    parts = []
    for device, column in DEVICES.items():
        share = pl.col(column) / pl.col("seconds")
        state = (
            pl.when(share >= UP_FROM)
            .then(pl.lit(UP))
            .when(share < DOWN_BELOW)
            .then(pl.lit(DOWN))
            .otherwise(pl.lit(PARTLY))
        )
        parts.append(
            frame.select("unitno", "clock", pl.lit(device).alias("device"), state.alias("state"))
        )
    keys = ["unitno", "device"]
    seen = pl.concat(parts).sort(*keys, "clock")
    seen = seen.with_columns((pl.col("clock") + timedelta(seconds=grain_s)).alias("end"))
    holes = _holes(seen, keys, first, last)
    every = pl.concat(
        [seen.rename({"clock": "start"}).select(*keys, "state", "start", "end"), holes]
    )
    every = every.sort(*keys, "start")
    fresh = (pl.col("state") != pl.col("state").shift().over(keys)).fill_null(True)
    return (
        every.with_columns(fresh.cum_sum().over(keys).alias("piece"))
        .group_by(*keys, "piece", maintain_order=True)
        .agg(pl.col("state").first(), pl.col("start").min(), pl.col("end").max())
        .drop("piece")
    )


def _holes(seen: pl.DataFrame, keys: list[str], start: object, end: object) -> pl.DataFrame:
    """Where no row is: between rows, before the first and after the last."""
    inner = seen.select(
        *keys, pl.col("end").shift().over(keys).alias("start"), pl.col("clock").alias("end")
    )
    edge = seen.group_by(keys).agg(pl.col("clock").min(), pl.col("end").max().alias("last"))
    outer = [
        edge.select(*keys, pl.lit(start).alias("start"), pl.col("clock").alias("end")),
        edge.select(*keys, pl.col("last").alias("start"), pl.lit(end).alias("end")),
    ]
    holes = pl.concat([inner, *outer], how="vertical_relaxed").filter(
        pl.col("end") > pl.col("start")
    )
    return holes.select(*keys, pl.lit(UNSEEN).alias("state"), "start", "end")


def status(frame: pl.DataFrame, grain_s: int, span: Span, zone: str, dark: bool) -> go.Figure:
    """A strip a device: up, partly, down, and hatched where nothing was seen."""
    colours = palette(dark)
    markers: dict[str, dict[str, object]] = {
        UP: {"color": colours.moving},
        PARTLY: _dotted(colours.off, ".", colours.text),
        DOWN: _dotted(ORANGE, "x", "#000000"),
        UNSEEN: unknown_marker(colours),
    }
    found = strips(frame, grain_s, span, zone)
    several = found["unitno"].n_unique() > 1
    rows = list(found.select("unitno", "device").unique(maintain_order=True).iter_rows())
    names = {
        key: f"{markless(key[0])} · {say(f'engine.device.{key[1]}')}"
        if several
        else say(f"engine.device.{key[1]}")
        for key in rows
    }
    figure = go.Figure()
    for state, marker in markers.items():
        own = found.filter(pl.col("state") == state)
        length = (own["end"] - own["start"]).dt.total_milliseconds()
        figure.add_bar(
            base=own["start"].to_list(),
            x=length.to_list(),
            y=[names[key] for key in own.select("unitno", "device").iter_rows()],
            customdata=own.select(
                pl.col("start").dt.strftime("%d %b %H:%M"), pl.col("end").dt.strftime("%H:%M")
            ).rows(),
            orientation="h",
            name=say(f"engine.device.{state}"),
            marker=marker,
            hovertemplate="%{customdata[0]}–%{customdata[1]}<extra>%{y}: "
            + say(f"engine.device.{state}")
            + "</extra>",
        )
    figure.update_layout(barmode="overlay", legend_traceorder="normal")
    figure.update_yaxes(categoryorder="array", categoryarray=list(reversed(names.values())))
    figure.update_xaxes(type="date", tickformat="%H:%M\n%d %b", range=series.edges(span, zone))
    return base(figure, dark, 90 + 34 * len(rows))


def _dotted(colour: str, shape: str, mark: str) -> dict[str, object]:
    """A colour with a pattern over it, so that it is told by more than the colour."""
    pattern = {"shape": shape, "fgcolor": mark, "bgcolor": colour, "size": 6, "solidity": 0.3}
    return {"color": colour, "pattern": pattern}


def speed_gap(rows: pl.DataFrame, level: Level, span: Span, zone: str, dark: bool) -> go.Figure:
    """|GPS − wheel| over the satellites in use and the source of the device's speed."""
    colours = palette(dark)
    frame = series.along_the_clock(deviation(rows, level.grain_s, level.step_s), zone)
    figure = make_subplots(
        rows=3, cols=1, shared_xaxes=True, vertical_spacing=0.06, row_heights=[0.46, 0.27, 0.27]
    )
    every = series.names(frame)
    for number, one in enumerate(every):
        shown = series.steps(frame, one, level.step_s)
        colour, dash = series.style(number, dark)
        lines = (
            (1, "gap_max", "engine.gap.max", {"color": colour, "width": 1, "dash": "dot"}),
            (1, "gap_mean", "engine.gap.mean", {"color": colour, "width": 2, "dash": dash}),
            (2, "satellites_mean", "engine.gap.satellites", {"color": colour, "width": 1.4}),
            (3, "by_gps_mean", "engine.gap.by_gps", {"color": colour, "width": 1.4, "dash": dash}),
        )
        for row, column, key, line in lines:
            figure.add_scatter(
                x=clocks(shown["clock"]),
                y=shown[column].to_numpy(),
                mode="lines",
                name=f"{markless(one)}: {say(key)}" if len(every) > 1 else say(key),
                line={**line, "shape": "hv"},
                showlegend=row == 1,
                connectgaps=False,
                hovertemplate="%{y:.1f}<extra>" + f"{markless(one)}: {say(key)}</extra>",
                row=row,
                col=1,
            )
    figure.update_yaxes(title="km/h", rangemode="tozero", row=1, col=1)
    figure.update_yaxes(title=say("engine.gap.satellites"), rangemode="tozero", row=2, col=1)
    figure.update_yaxes(title=say("engine.gap.by_gps"), range=[-5, 105], row=3, col=1)
    figure.update_yaxes(title_font={"size": 11, "color": colours.text})
    figure.update_xaxes(type="date", tickformat="%H:%M\n%d %b", hoverformat="%Y-%m-%d %H:%M")
    figure.update_xaxes(range=series.edges(span, zone))
    return base(figure, dark, 500).update_layout(hovermode="x")
