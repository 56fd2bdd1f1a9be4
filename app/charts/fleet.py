"""Fleet charts: what the units do now, and how they spent their hours."""

from __future__ import annotations

import plotly.graph_objects as go
import polars as pl

from app.charts.palette import VERMILION, Palette, base, local, palette, unknown_marker
from app.text import markless, say

STATES = ("moving", "idle", "off", "inferred", "unknown")
NOW = ("moving", "idle", "off", "parked", "late", "silent", "never_seen", "unknown")
SHOWN = 40
ROW = 0.84


def _markers(colours: Palette) -> dict[str, dict[str, object]]:
    dotted: dict[str, object] = {
        "color": colours.off,
        "pattern": {"shape": ".", "fgcolor": colours.hatch, "bgcolor": colours.off, "size": 6},
    }
    return {
        "moving": {"color": colours.moving},
        "idle": {"color": colours.idle},
        "off": {"color": colours.off},
        "inferred": dotted,
        "parked": dotted,
        "late": {
            "color": VERMILION,
            "opacity": 0.75,
            "pattern": {
                "shape": "|",
                "fgcolor": colours.ground,
                "bgcolor": VERMILION,
                "size": 6,
                "solidity": 0.3,
            },
        },
        "silent": {"color": VERMILION},
        "never_seen": {
            "color": colours.ground,
            "line": {"color": VERMILION, "width": 2},
            "pattern": {"shape": "x", "fgcolor": VERMILION, "size": 6, "solidity": 0.2},
        },
        "unknown": unknown_marker(colours),
    }


def now_bars(units: pl.DataFrame, dark: bool) -> go.Figure:
    """One stacked bar a district; the district with most units in need of a look on top.

    ``units``: dstrct_code, doing (one of ``NOW``).
    """
    colours = palette(dark)
    counts = units.group_by("dstrct_code", "doing").len()
    bad = pl.col("doing").is_in(["late", "silent", "never_seen"])
    order = (
        units.group_by("dstrct_code")
        .agg(bad.sum().alias("bad"))
        .sort("bad", "dstrct_code", descending=[False, True])["dstrct_code"]
        .to_list()
    )
    figure = go.Figure()
    for state in NOW:
        part = {row["dstrct_code"]: row["len"] for row in counts.filter(doing=state).to_dicts()}
        if part:
            key = f"state.{state}" if state in STATES else f"status.{state}"
            figure.add_bar(
                orientation="h",
                name=say(key),
                y=[markless(name) for name in order],
                x=[part.get(name, 0) for name in order],
                text=[part.get(name) or "" for name in order],
                textposition="inside",
                insidetextanchor="middle",
                marker=_markers(colours)[state],
                hovertemplate="%{y}: %{x} " + say("home.units") + "<extra>" + say(key) + "</extra>",
            )
    figure.update_layout(barmode="stack", xaxis_title=say("home.units"))
    base(figure, dark, 130 + 46 * len(order))
    longest = max(units.group_by("dstrct_code").len()["len"].to_list(), default=0)
    figure.update_xaxes(tickformat=",d", dtick=max(1, round(longest / 12)))
    return figure.update_yaxes(showgrid=False)


def hour_rows(hours: pl.DataFrame) -> list[str]:
    """Units in the order of the chart: most hours lost (idle or unknown) first."""
    lost = hours.group_by("unitno").agg(
        (pl.col("idle_s") + pl.col("unknown_s")).sum().alias("lost")
    )
    return lost.sort("lost", "unitno", descending=[True, False])["unitno"].to_list()[:SHOWN]


def unit_hours(hours: pl.DataFrame, zone: str, dark: bool) -> go.Figure:
    """One row a unit; in it one column an hour, filled by how the hour was spent."""
    colours = palette(dark)
    units = hour_rows(hours)
    rows = {unit: len(units) - 1 - i for i, unit in enumerate(units)}
    frame = local(hours.filter(pl.col("unitno").is_in(units)), zone, "hour")
    frame = frame.with_columns(
        pl.col("unitno").replace_strict(rows, return_dtype=pl.Float64).alias("row"),
        (pl.col("hour") + pl.duration(minutes=30)).alias("middle"),
    )
    figure, below = go.Figure(), pl.lit(0.0)
    for state in STATES:
        share = pl.col(f"{state}_s") / 3600 * ROW
        part = frame.select(
            "middle",
            "unitno",
            (pl.col("row") - ROW / 2 + below).alias("base"),
            share.alias("share"),
            (pl.col(f"{state}_s") / 60).alias("minutes"),
        ).filter(pl.col("share") > 0)
        below = below + share
        figure.add_bar(
            name=say(f"state.{state}"),
            x=part["middle"].to_list(),
            y=part["share"].to_list(),
            base=part["base"].to_list(),
            width=3_600_000 * 0.96,
            customdata=[
                [markless(unit), minutes]
                for unit, minutes in part.select("unitno", "minutes").iter_rows()
            ],
            marker=_markers(colours)[state],
            hovertemplate=(
                "%{customdata[0]} · %{x|%d %b %H h}<br>%{customdata[1]:.0f} min"
                f"<extra>{say(f'state.{state}')}</extra>"
            ),
        )
    figure.update_layout(barmode="overlay")
    figure.update_yaxes(
        tickvals=list(rows.values()),
        ticktext=[markless(unit) for unit in rows],
        showgrid=False,
        range=[-0.6, len(units) - 0.4],
    )
    figure.update_xaxes(tickformat="%H:%M\n%d %b", showgrid=False)
    return base(figure, dark, 110 + max(24 * len(units), 60)).update_layout(bargap=0)
