"""Idle spells by their length, and the health of devices by part and by firmware."""

from __future__ import annotations

import plotly.graph_objects as go
import polars as pl

from app.charts.palette import Palette, base, palette
from app.text import markless, say

PARTS = (
    "cab_camera",
    "front_camera",
    "gps",
    "vehicle_bus",
    "storage",
    "temperature",
    "clock",
    "uploads",
)
#: Rows that are drawn; the tables have all.
SHOWN = 15
#: Uptime from which the marts call a part well.
WELL = 0.98
#: The deepest colour of a cell, by whether the page is dark: its number must stay readable.
DEEP = {False: "#F2A36B", True: "#9A4400"}
#: Bands of idle spells → lightness; the text in a bar is the number of spells.
BANDS = {"3_6": "#F9DFA8", "6_9": "#E69F00", "9": "#8A5F00"}
INKS = {"3_6": "#1F2933", "6_9": "#1F2933", "9": "#FFFFFF"}


def idle(bands: pl.DataFrame, dark: bool) -> go.Figure:
    """Hours idle in spells of more than 3 minutes, by band; the units with most of them."""
    long = pl.sum_horizontal("idle_3_6_s", "idle_6_9_s", "idle_9_s")
    rows = bands.with_columns(long.alias("long")).filter(pl.col("long") > 0)
    rows = rows.sort("long", "unitno", descending=[True, False]).head(SHOWN).reverse()
    figure = go.Figure()
    for band, colour in BANDS.items():
        figure.add_bar(
            orientation="h",
            name=say(f"fleet.idle.{band}"),
            y=[markless(unit) for unit in rows["unitno"]],
            x=(rows[f"idle_{band}_s"] / 3600).round(2).to_list(),
            text=[f"{n}×" if n else "" for n in rows[f"spells_{band}"]],
            textposition="inside",
            insidetextanchor="middle",
            textangle=0,
            insidetextfont={"color": INKS[band]},
            marker={"color": colour},
            hovertemplate="%{y}: %{x:.1f} h, %{text}<extra>" + say(f"fleet.idle.{band}"),
        )
    figure.update_layout(barmode="stack", xaxis_title=say("fleet.idle.axis"))
    figure.update_yaxes(showgrid=False, type="category")
    return base(figure, dark, 130 + 26 * rows.height)


def health(parts: pl.DataFrame, dark: bool) -> go.Figure:
    """Uptime of each part of the devices at fault, worst first; what was not observed is blank."""
    worst = (pl.col("up_s") / pl.col("observed_s")).min().alias("worst")
    ranked = parts.filter(pl.col("state") != "well").group_by("unitno").agg(worst)
    order = ranked.sort("worst", "unitno")["unitno"].head(SHOWN).to_list()[::-1]
    share = {
        (unit, part): up / seen
        for unit, part, up, seen in parts.select("unitno", "part", "up_s", "observed_s").iter_rows()
    }
    values = [[share.get((unit, part)) for part in PARTS] for unit in order]
    texts = [["" if v is None else f"{100 * v:.0f} %" for v in row] for row in values]
    missed = [[None if v is None else _missed(v) for v in row] for row in values]
    return _grid(missed, texts, [say(f"part.{p}") for p in PARTS], order, palette(dark), dark)


def _missed(uptime: float) -> float:
    """How deep a cell is coloured: what is well not at all, what is not at least visibly."""
    return 0.0 if uptime >= WELL else 0.25 + 0.75 * (1 - uptime)


def firmware(found: pl.DataFrame, dark: bool) -> go.Figure:
    """Devices at fault of those with the firmware, by part."""
    order = found["fwversion"].unique().sort(descending=True).to_list()[-SHOWN:]
    cells = {
        (version, part): (faulty, devices)
        for version, part, devices, faulty in found.select(
            "fwversion", "part", "devices", "faulty"
        ).iter_rows()
    }
    missed = [
        [cells[v, p][0] / cells[v, p][1] if (v, p) in cells else None for p in PARTS] for v in order
    ]
    texts = [
        [
            say("fleet.firmware.cell", faulty=cells[v, p][0], all=cells[v, p][1])
            if (v, p) in cells
            else ""
            for p in PARTS
        ]
        for v in order
    ]
    return _grid(missed, texts, [say(f"part.{p}") for p in PARTS], order, palette(dark), dark)


def _grid(
    missed: list[list[float | None]],
    texts: list[list[str]],
    columns: list[str],
    rows: list[str],
    colours: Palette,
    dark: bool,
) -> go.Figure:
    """Shares at fault: the more, the deeper the colour; the number stands in each cell."""
    figure = go.Figure()
    figure.add_heatmap(
        z=missed,
        x=columns,
        y=[markless(row) for row in rows],
        text=texts,
        texttemplate="%{text}",
        textfont={"color": colours.text},
        zmin=0,
        zmax=1,
        colorscale=[[0, colours.faint], [1, DEEP[dark]]],
        showscale=False,
        hoverongaps=False,
        xgap=2,
        ygap=2,
        hovertemplate="%{y} · %{x}: %{text}<extra></extra>",
    )
    figure.update_xaxes(side="top", showgrid=False, type="category")
    figure.update_yaxes(showgrid=False, type="category")
    return base(figure, dark, 80 + 30 * max(len(rows), 1))
