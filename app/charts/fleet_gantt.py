"""What units did, one row each: from change to change over a few days, by the day over more.

A state is told by lightness and by thickness, unknown by its grey hatch. Lines of one state are
one trace: a few thousand rectangles would take a browser seconds.
"""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import polars as pl
from numpy.typing import NDArray

from app.charts.fleet import STATES, markers
from app.charts.palette import Palette, base, local, palette, unknown_marker
from app.text import markless, say

#: Units that are drawn; the table has all.
SHOWN = 25
ROW, ROW_PX = 0.84, 26
#: Width of a line by its state, px: what works is thick.
WIDTHS = {"moving": 15, "idle": 8, "off": 3, "inferred": 3}
#: Gaps that would be narrower than a pixel are not hatched; their time is in the figures.
LEAST_GAP_S = 60
#: So many days are drawn from change to change.
CLOSE_DAYS = 3
#: Any day: rows of a unit's days are drawn over one.
ANY_DAY = "2000-01-01"


def by_lost(days: pl.DataFrame) -> tuple[str, ...]:
    """Units in the order of the chart: most hours lost (idle or unknown) first."""
    lost = days.group_by("unitno").agg(pl.col("lost_s").sum())
    ranked = lost.sort("lost_s", "unitno", descending=[True, False])
    return tuple(ranked["unitno"].head(SHOWN).to_list())


def is_close(days: pl.DataFrame) -> bool:
    """Whether so few days are drawn from change to change."""
    return days["hiveperiod"].n_unique() <= CLOSE_DAYS


def units(days: pl.DataFrame, intervals: pl.DataFrame | None, zone: str, dark: bool) -> go.Figure:
    """One row a unit: from change to change, or by the day where there are no intervals."""
    order = by_lost(days)
    rows = {unit: len(order) - 1 - i for i, unit in enumerate(order)}
    row = pl.col("unitno").replace_strict(rows, default=None).cast(pl.Float64).alias("row")
    lost = dict(days.group_by("unitno").agg(pl.col("lost_s").sum()).iter_rows())
    names = [
        say("fleet.gantt.row", unit=markless(unit), hours=f"{lost[unit] / 3600:,.1f}")
        for unit in order
    ]
    if intervals is None:
        mine = days.filter(pl.col("unitno").is_in(order), pl.col("day_s") > 0)
        return _by_day(mine.with_columns(row), names, dark)
    frame = local(intervals.filter(pl.col("unitno").is_in(order)), zone, "started_at", "ended_at")
    figure = _gantt(frame.with_columns(row), names, dark)
    return figure.update_xaxes(tickformat="%H:%M\n%d %b")


def days(intervals: pl.DataFrame, zone: str, dark: bool) -> go.Figure:
    """One row a production day of one unit, the newest on top, over the hours of the day."""
    order = intervals["hiveperiod"].unique().sort(descending=True).to_list()
    rows = {day: len(order) - 1 - i for i, day in enumerate(order)}
    begin = pl.col("hiveperiod").str.to_datetime("%Y-%m-%d", time_unit="us")
    shift = pl.lit(ANY_DAY).str.to_datetime("%Y-%m-%d", time_unit="us") - begin
    frame = local(intervals, zone, "started_at", "ended_at").with_columns(
        pl.col("hiveperiod").replace_strict(rows, default=None).cast(pl.Float64).alias("row"),
        pl.col("started_at") + shift,
        pl.col("ended_at") + shift,
    )
    return _gantt(frame, order, dark).update_xaxes(tickformat="%H:%M")


def _gantt(frame: pl.DataFrame, names: list[str], dark: bool) -> go.Figure:
    colours, figure = palette(dark), go.Figure()
    for state in ("unknown", "off", "inferred", "idle", "moving"):
        part = frame.filter(state=state)
        if state == "unknown":
            _hatched(figure, part.filter(pl.col("seconds") >= LEAST_GAP_S), colours)
        elif not part.is_empty():
            _line(figure, part, state, colours)
    _rows(figure, names)
    # From below: what is thin lies over what is thick, the legend goes on as everywhere.
    figure.update_layout(barmode="overlay", legend={"traceorder": "reversed"}, hovermode="closest")
    figure.update_xaxes(type="date", showgrid=True)
    return base(figure, dark, 96 + max(ROW_PX * len(names), 60)).update_layout(
        bargap=0, legend={"traceorder": "reversed"}
    )


def _rows(figure: go.Figure, names: list[str]) -> None:
    figure.update_yaxes(
        tickvals=list(range(len(names) - 1, -1, -1)),
        ticktext=names,
        showgrid=False,
        ticklabelstandoff=8,
        range=[-0.6, len(names) - 0.4],
    )


def _line(figure: go.Figure, part: pl.DataFrame, state: str, colours: Palette) -> None:
    ends = np.column_stack([_ms(part["started_at"]), _ms(part["ended_at"])])
    x = np.column_stack([ends, np.full(len(ends), np.nan)]).ravel()
    colour = {"moving": colours.moving, "idle": colours.idle}.get(state, colours.hatch)
    figure.add_scatter(
        x=x,
        y=np.repeat(part["row"].to_numpy(), 3),
        mode="lines",
        name=say(f"state.{state}"),
        line={
            "color": colour,
            "width": WIDTHS[state],
            "dash": "dot" if state == "inferred" else "solid",
        },
        hovertemplate="%{x|%H:%M:%S}",
    )


def _hatched(figure: go.Figure, part: pl.DataFrame, colours: Palette) -> None:
    begin, end = _ms(part["started_at"]), _ms(part["ended_at"])
    figure.add_bar(
        orientation="h",
        name=say("state.unknown"),
        y=part["row"].to_numpy(),
        base=begin,
        x=end - begin,
        width=ROW * 0.8,
        marker=unknown_marker(colours),
        hovertemplate="%{base|%H:%M:%S}",
    )


def _ms(column: pl.Series) -> NDArray[np.float64]:
    """Wall-clock times as milliseconds, which Plotly reads as such; far shorter than texts."""
    return column.dt.epoch("ms").cast(pl.Float64).to_numpy()


def _by_day(frame: pl.DataFrame, names: list[str], dark: bool) -> go.Figure:
    """In each row one column a production day, filled by how the day was spent."""
    looks, figure, below = markers(palette(dark)), go.Figure(), pl.lit(0.0)
    for state in STATES:
        share = pl.col(f"{state}_s") / pl.col("day_s") * ROW
        part = frame.select(
            "hiveperiod",
            (pl.col("row") - ROW / 2 + below).alias("base"),
            share.alias("share"),
            (pl.col(f"{state}_s") / 3600).round(1).alias("hours"),
        ).filter(pl.col("share") > 0)
        below = below + share
        figure.add_bar(
            name=say(f"state.{state}"),
            x=part["hiveperiod"].to_list(),
            y=part["share"].to_numpy(),
            base=part["base"].to_numpy(),
            width=86_400_000 * 0.94,
            customdata=part["hours"].to_list(),
            marker=looks[state],
            hovertemplate="%{x|%d %b} · %{customdata:.1f} h",
        )
    _rows(figure, names)
    figure.update_layout(barmode="overlay")
    figure.update_xaxes(tickformat="%d %b", showgrid=False, type="date")
    return base(figure, dark, 96 + max(ROW_PX * len(names), 60)).update_layout(bargap=0)
