"""What the units do now, as one bar a district; and how every state and status looks."""

from __future__ import annotations

import plotly.graph_objects as go
import polars as pl

from app.charts.palette import VERMILION, Palette, base, palette, unknown_marker
from app.text import markless, say

STATES = ("moving", "idle", "off", "inferred", "unknown")
NOW = ("moving", "idle", "off", "parked", "late", "silent", "never_seen", "unknown")


def markers(colours: Palette) -> dict[str, dict[str, object]]:
    """Colour and pattern of each state and status, for bars."""
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
            "pattern": {
                "shape": "x",
                "fgcolor": VERMILION,
                "bgcolor": colours.ground,
                "size": 6,
                "solidity": 0.2,
            },
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
                marker=markers(colours)[state],
                hovertemplate="%{y}: %{x} " + say("home.units") + "<extra>" + say(key) + "</extra>",
            )
    figure.update_layout(barmode="stack", xaxis_title=say("home.units"))
    base(figure, dark, 130 + 46 * len(order))
    longest = max(units.group_by("dstrct_code").len()["len"].to_list(), default=0)
    figure.update_xaxes(tickformat=",d", dtick=max(1, round(longest / 12)))
    return figure.update_yaxes(showgrid=False)
