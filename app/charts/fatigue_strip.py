"""The strip of a shift: when units with a case moved, were not seen, and what was found."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import plotly.graph_objects as go
import polars as pl

from app.charts.fatigue import SHAPES
from app.charts.palette import PURPLE, VERMILION, Palette, base, local, palette
from app.text import known, markless, say
from app.tiles import NOTHING
from queries.deliveries import INSTANT

SHOWN = 24

#: A night of so long has its name written into it.
NAMED = timedelta(hours=1)

#: What never is a case: open shapes, as small as any, in the colour of text.
LOOKS = {"distraction": "x-thin-open", "not_tracked": "square-open"}


def strip_rows(queued: pl.DataFrame, looks: pl.DataFrame) -> tuple[str, ...]:
    """Units in the order of the strip: that of their most urgent case, as the queue has them; then
    those without a case whose head was turned away, or not tracked, most often."""
    often = looks.group_by("unitno").len().sort("len", "unitno", descending=[True, False])
    units = pl.concat([queued["unitno"], often["unitno"]])
    return tuple(units.unique(maintain_order=True).head(SHOWN).to_list())


def strip(
    queued: pl.DataFrame,
    looks: pl.DataFrame,
    runs: pl.DataFrame,
    units: Sequence[str],
    span: tuple[datetime, datetime],
    nights: Sequence[tuple[datetime, datetime]],
    zone: str,
    dark: bool,
) -> go.Figure:
    """A shift, one row a unit: thin line moving, hatch moving unseen, a mark for each case.

    ``queued``: cases of the shift, most urgent first; ``looks``: of any unit, as of
    ``data.fatigue.looks``; ``units``: the rows; ``span``: begin and end of the shift; ``nights``:
    what is shaded. At the right stands since when a case of the unit waits for somebody.
    """
    colours = palette(dark)
    rows = {unit: len(units) - 1 - i for i, unit in enumerate(units)}
    figure = go.Figure()
    for begin, end in (
        pl.DataFrame(nights, schema={"a": INSTANT, "b": INSTANT}, orient="row")
        .pipe(local, zone, "a", "b")
        .iter_rows()
    ):
        _night(figure, begin, end, colours)
    runs = local(runs.filter(pl.col("unitno").is_in(units)), zone, "started_at", "ended_at")
    _seen(figure, runs.filter(state="seen"), rows, colours)
    for state, edge, height in (("blind", colours.accent, 0.36), ("none", colours.hatch, 0.7)):
        _hatched(figure, runs.filter(state=state), rows, state, (colours.unknown, edge, height))
    turned = local(looks.filter(pl.col("unitno").is_in(units)), zone, "started_at", "ended_at")
    for kind in LOOKS:
        _looks(figure, kind, turned.filter(kind=kind), rows, colours)
    cases = local(queued.filter(pl.col("unitno").is_in(units)), zone, "started_at", "arrived_at")
    for kind in sorted(cases["kind"].unique().to_list()):
        _marks(figure, kind, cases.filter(kind=kind), rows, colours)
    _clocks(figure, cases, rows)
    figure.update_layout(barmode="overlay", clickmode="event+select")
    figure.update_yaxes(
        tickvals=list(rows.values()),
        ticktext=[markless(unit) for unit in rows],
        range=[-0.7, len(units) - 0.3],
        showgrid=False,
    )
    margin = timedelta(minutes=10)
    edges = local(pl.DataFrame({"at": [span[0] - margin, span[1] + margin]}), zone, "at")["at"]
    figure.update_xaxes(range=edges.to_list(), tickformat="%H:%M", dtick=3 * 3_600_000, tickangle=0)
    return base(figure, dark, 120 + 40 * len(units)).update_layout(
        margin={"r": 150}, legend={"itemsizing": "constant"}
    )


def _clocks(figure: go.Figure, cases: pl.DataFrame, rows: dict[str, int]) -> None:
    """What the list shows as a running clock stands here as the time that it runs since."""
    for unit, y in rows.items():
        own = cases.filter(pl.col("unitno") == unit)
        waits = own.filter("waiting")
        if waits.height:
            since = waits["arrived_at"].min()
            time = f"{since:%H:%M}" if isinstance(since, datetime) else "?"
            text = say("fatigue.strip.waits", time=time, n=waits.height)
        elif own.is_empty():
            text = say("fatigue.strip.no_case")
        elif own["state"].is_in(["new", "acknowledged"]).any():
            text = say("fatigue.strip.open")
        else:
            text = say("fatigue.strip.judged")
        figure.add_annotation(
            x=1.01,
            xref="paper",
            xanchor="left",
            y=y,
            text=f"<b>{text}</b>" if waits.height else text,
            showarrow=False,
            font={"color": VERMILION} if waits.height else {},
        )


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
    metres = cases["metres_closed"].to_list()
    figure.add_scatter(
        x=cases["started_at"].to_list(),
        y=[rows[unit] for unit in cases["unitno"]],
        mode="markers",
        name=name,
        marker={
            "symbol": SHAPES.get(kind, "pentagon"),
            "color": VERMILION if kind == "microsleep" else PURPLE,
            "size": [min(13 + (value or 0) ** 0.5, 36) for value in metres],
            "line": {"color": colours.ground, "width": 1.5},
            "opacity": 1,
        },
        customdata=[
            [
                markless(unit),
                NOTHING if value is None else f"{value:,.0f} m",
                case,
                say(f"case_state.{state}"),
            ]
            for unit, value, case, state in zip(
                cases["unitno"], metres, cases["case_id"], cases["state"], strict=True
            )
        ],
        # Streamlit dims what is not selected: a mark that was opened once must not fade the rest.
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 1}},
        hovertemplate=(
            "%{customdata[0]} · %{x|%H:%M:%S}<br>%{customdata[1]} · %{customdata[3]}"
            f"<extra>{name}</extra>"
        ),
    )


def _looks(
    figure: go.Figure, kind: str, looks: pl.DataFrame, rows: dict[str, int], colours: Palette
) -> None:
    """Small open marks, below the line: they are no cases, and cannot be opened."""
    if looks.is_empty():
        return
    name = markless(known(f"kind.{kind}", kind))
    lengths = (looks["ended_at"] - looks["started_at"]).dt.total_seconds().to_list()
    figure.add_scatter(
        x=looks["started_at"].to_list(),
        y=[rows[unit] - 0.28 for unit in looks["unitno"]],
        mode="markers",
        name=name,
        marker={
            "symbol": LOOKS[kind],
            "color": colours.text,
            "size": 8,
            "line": {"color": colours.text, "width": 1.5},
        },
        text=[
            f"{markless(unit)} · {say('fatigue.strip.lasted', seconds=f'{length:,.0f}')}"
            for unit, length in zip(looks["unitno"], lengths, strict=True)
        ],
        hovertemplate=f"%{{text}} · %{{x|%H:%M:%S}}<extra>{name}</extra>",
    )


def _night(figure: go.Figure, begin: datetime, end: datetime, colours: Palette) -> None:
    """Shaded, and said in words where there is room for one."""
    word = say("fatigue.strip.night") if end - begin >= NAMED else ""
    figure.add_vrect(
        x0=begin,
        x1=end,
        fillcolor=colours.shade,
        opacity=0.35,
        line_width=0,
        layer="below",
        annotation={"text": word, "font": {"size": 11}},
        annotation_position="bottom left",
    )
