"""What is drawn beside signals: what is usual, exceedances and fault codes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import plotly.graph_objects as go
import polars as pl

from app.charts import series
from app.charts.palette import ORANGE, VERMILION, Palette, clocks
from app.faults import code_name
from app.text import markless, say

#: Codes that have a row of their own; the ranking has all.
CODES = 6

SYMBOLS = {"high": "triangle-up", "low": "triangle-down"}


@dataclass(frozen=True)
class Beside:
    """What is drawn beside the signals themselves; empty frames where there is nothing.

    ``exceeded``, ``codes``: as asked; ``peers``: medians of the units' types by hour;
    ``distrusted``: pairs of unit and signal.
    """

    exceeded: pl.DataFrame
    codes: pl.DataFrame
    peers: pl.DataFrame
    distrusted: Collection[tuple[str, str]] = field(default_factory=tuple)


def peers(figure: go.Figure, row: int, name: str, medians: pl.DataFrame, colours: Palette) -> None:
    """A thin line a unit type: the median of its units, by hour (``at`` in local time)."""
    column = f"{name}_mean"
    if column not in medians.columns or medians.is_empty():
        return
    for (kind,), own in medians.group_by("unittype", maintain_order=True):
        shown = own.with_columns(
            (pl.col("at").diff() > pl.duration(hours=1)).fill_null(True).cum_sum().alias("run"),
            pl.col("unittype").alias("series"),
            pl.col("at").alias("clock"),
        )
        line = series.steps(shown, str(kind), 3600)
        title = say("engine.peers", type=markless(kind))
        figure.add_scatter(
            x=clocks(line["clock"]),
            y=line[column].to_numpy(),
            mode="lines",
            name=title,
            legendgroup=title,
            showlegend=row == 1,
            line={"color": colours.text, "width": 1, "dash": "dashdot", "shape": "hv"},
            opacity=0.55,
            hoverinfo="skip",
            row=row,
            col=1,
        )


def exceeded(figure: go.Figure, row: int, found: pl.DataFrame) -> None:
    """Where a limit was exceeded: a mark at the worst value; shape: side, fill: level."""
    for (level, side), own in found.group_by("level", "side", maintain_order=True):
        colour = VERMILION if level == "crit" else ORANGE
        notes = [
            say(
                "engine.exceeded.mark",
                unit=markless(unit),
                level=say(f"level.{level}"),
                limit=f"{limit:g}",
                worst=f"{worst:g}",
                seconds=f"{seconds:,.0f}",
            )
            for unit, limit, worst, seconds in own.select(
                "unitno", "limit_value", "worst", "duration_s"
            ).iter_rows()
        ]
        figure.add_scatter(
            x=own["started_at"].to_list(),
            y=own["worst"].to_list(),
            text=notes,
            mode="markers",
            marker={
                "symbol": SYMBOLS[str(side)] + ("" if level == "crit" else "-open"),
                "size": 11,
                "color": colour,
                "line": {"width": 2, "color": colour},
            },
            hovertemplate="%{text}<extra></extra>",
            showlegend=False,
            cliponaxis=False,
            row=row,
            col=1,
        )


def code_rows(codes: pl.DataFrame) -> list[tuple[float | None, ...]]:
    """(spn, fmi, source) of the codes that came most often."""
    often = codes.group_by("spn", "fmi", "source").agg(pl.col("times").sum())
    ranked = often.sort("times", "spn", descending=[True, False])
    return list(ranked.head(CODES).select("spn", "fmi", "source").iter_rows())


def codes(
    figure: go.Figure, row: int, rows: list[tuple[float | None, ...]], found: pl.DataFrame
) -> None:
    """A row a code: a mark where it came, a line while it stayed."""
    for place, code in enumerate(rows):
        own = [one for one in found.to_dicts() if (one["spn"], one["fmi"], one["source"]) == code]
        figure.add_scatter(
            x=[x for one in own for x in (one["started_at"], one["ended_at"], None)],
            y=[y for _ in own for y in (place, place, None)],
            mode="lines",
            line={"color": VERMILION, "width": 3},
            hoverinfo="skip",
            showlegend=False,
            row=row,
            col=1,
        )
        came = [one for one in own if one["times"]]
        figure.add_scatter(
            x=[one["started_at"] for one in came],
            y=[place] * len(came),
            text=[markless(one["unitno"]) for one in came],
            customdata=[f"{one['active_s']:,}" for one in came],
            mode="markers",
            marker={"symbol": "diamond", "size": 9, "color": VERMILION},
            hovertemplate=f"%{{text}}: {code_name(*code)}, %{{customdata}} s<extra></extra>",
            showlegend=False,
            row=row,
            col=1,
        )
    figure.update_yaxes(
        tickvals=list(range(len(rows))),
        ticktext=[" · ".join(f"{part or 0:.0f}" for part in code) for code in rows],
        range=[len(rows) - 0.5, -0.5],
        row=row,
        col=1,
    )
