"""How long the longest waiting file had waited, over time."""

from __future__ import annotations

import plotly.graph_objects as go
import polars as pl

from app.charts.palette import VERMILION, base, local, palette
from app.text import say
from queries.ingestion import CURRENT_US

#: Beyond so many seconds the axis counts hours.
LONG_S = 3 * 3600


def ages(frame: pl.DataFrame, zone: str, dark: bool) -> go.Figure:
    """Minutes or hours over local time, with the limit of being current; 0 where nothing waited."""
    colours = palette(dark)
    shown = local(frame, zone, "at")
    most = max(shown["age_s"].to_list(), default=0)
    size, unit = (3600, "h") if most > LONG_S else (60, "min")
    figure = go.Figure(
        go.Scatter(
            x=shown["at"].to_list(),
            y=(shown["age_s"] / size).to_list(),
            mode="lines",
            line={"color": colours.accent, "width": 2, "shape": "vh"},
            fill="tozeroy",
            fillcolor=colours.shade,
            hovertemplate="%{x|%d %b %H:%M}: %{y:.1f} " + unit + "<extra></extra>",
            showlegend=False,
        )
    )
    limit = CURRENT_US / 1e6
    # Drawn where it is in sight: minutes under a limit of an hour would be a flat line.
    if most > limit / 2:
        figure.add_hline(
            limit / size,
            line={"color": VERMILION, "width": 1, "dash": "dash"},
            annotation={"text": say("ingestion.age.limit"), "font": {"color": colours.text}},
        )
    figure.update_yaxes(title=say("ingestion.age.axis", unit=unit), rangemode="tozero")
    figure.update_xaxes(tickformat="%H:%M\n%d %b")
    return base(figure, dark, 220)
