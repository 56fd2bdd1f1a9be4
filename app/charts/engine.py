"""Small multiples over one time axis: envelope, mean, bands, exceedances and fault codes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import plotly.graph_objects as go
import polars as pl
from plotly.subplots import make_subplots

from app.charts import bands, series
from app.charts.palette import ORANGE, VERMILION, Palette, base, local, palette
from app.faults import code_name
from app.looks import View
from app.signals import label
from app.spans import Span
from app.text import markless, say

ROW_HEIGHT = 120
CODE_HEIGHT = 22
#: Between panels: the labels of one axis and the two lines of the next heading.
BETWEEN = 58
#: Envelopes of more lines than these hide each other.
SHADED = 3
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


def along(
    view: View,
    names: list[str],
    span: Span,
    zone: str,
    beside: Beside,
    dark: bool,
) -> go.Figure:
    """One panel a signal along the clock of a zone; a box over it selects a span."""
    frame, step_s = series.along_the_clock(view.frame, zone), view.level.step_s
    rows = _code_rows(beside.codes)
    figure = _panels(names, frame, beside.distrusted, len(rows))
    for row, name in enumerate(names, 1):
        bands.add(figure, row, name, frame, step_s)
        _peers(figure, row, name, local(beside.peers, zone, "at"), palette(dark))
        _lines(figure, row, name, frame, step_s, beside.distrusted, dark)
        own = beside.exceeded.filter(pl.col("signal") == name)
        _exceeded(figure, row, local(own, zone, "started_at"))
    if rows:
        _codes(figure, len(names) + 1, rows, local(beside.codes, zone, "started_at", "ended_at"))
    start, end = series.edges(span, zone)
    bands.hatch(figure, len(names), series.holes(frame, start, end, step_s), palette(dark))
    figure.update_xaxes(range=[start, end])
    form = "%H:%M:%S\n%d %b" if span.seconds <= 3600 else "%H:%M\n%d %b"
    figure.update_xaxes(tickformat=form, hoverformat="%Y-%m-%d %H:%M:%S")
    _finish(figure, names, len(rows), dark)
    return figure.update_layout(dragmode="select", selectdirection="h")


def over_each_other(
    view: View,
    names: list[str],
    zone: str,
    distrusted: Collection[tuple[str, str]],
    dark: bool,
) -> go.Figure:
    """One panel a signal over the time of day, one line a day."""
    frame, step_s = series.over_each_other(view.frame, zone), view.level.step_s
    figure = _panels(names, frame, distrusted, 0)
    for row, name in enumerate(names, 1):
        bands.add(figure, row, name, frame, step_s)
        _lines(figure, row, name, frame, step_s, distrusted, dark)
    figure.update_xaxes(tickformat="%H:%M", hoverformat="%H:%M:%S")
    return _finish(figure, names, 0, dark)


def _panels(
    names: list[str], frame: pl.DataFrame, distrusted: Collection[tuple[str, str]], codes: int
) -> go.Figure:
    doubted = {signal for unit, signal in distrusted if unit in set(frame["unitno"])}
    titles = [_title(name, name in doubted) for name in names]
    heights = _heights(names, codes)
    if codes:
        titles.append(f"<b>{say('engine.codes.axis')}</b>")
    return make_subplots(
        rows=len(heights),
        cols=1,
        shared_xaxes=True,
        vertical_spacing=BETWEEN / (sum(heights) + BETWEEN * (len(heights) - 1)),
        row_heights=heights,
        subplot_titles=titles,
    )


def _heights(names: list[str], codes: int) -> list[int]:
    """Pixels of the panels, that of the codes last."""
    return [ROW_HEIGHT] * len(names) + ([CODE_HEIGHT * codes] if codes else [])


def _title(name: str, doubted: bool) -> str:
    title = f"<b>{markless(label(name))}</b>"
    if doubted:
        title += f"  <b>⚠ {say('engine.trust.not')}</b>"
    # Text of the dictionary, with signs that Plotly would take for marks.
    told = bands.told(name).replace("<", "&lt;").replace(">", "&gt;")
    return f'{title}<br><span style="font-size: 11px">{told}</span>' if told else title


def _finish(figure: go.Figure, names: list[str], codes: int, dark: bool) -> go.Figure:
    colours = palette(dark)
    figure.update_annotations(
        x=0, xanchor="left", align="left", font={"size": 13, "color": colours.text}
    )
    heights = _heights(names, codes)
    legend = {"orientation": "h", "y": 1, "yref": "container", "yanchor": "top", "x": 0}
    several = len({trace.name for trace in figure.data if trace.showlegend}) > 1
    above, below = 70 if several else 44, 44
    inside = sum(heights) + BETWEEN * (len(heights) - 1)
    base(figure, dark, above + inside + below)
    # Every panel's own labels: who has scrolled past the last axis still knows the time.
    figure.update_xaxes(showticklabels=True)
    for row in range(1, len(heights)):
        figure.update_xaxes(tickformat="%H:%M", tickfont_size=11, row=row, col=1)
    margin = {"t": above, "b": below}
    return figure.update_layout(showlegend=several, legend=legend, hovermode="x", margin=margin)


def _lines(
    figure: go.Figure,
    row: int,
    name: str,
    frame: pl.DataFrame,
    step_s: int,
    distrusted: Collection[tuple[str, str]],
    dark: bool,
) -> None:
    every = series.names(frame)
    for number, one in enumerate(every):
        own = frame.filter(pl.col("series") == one)
        colour, dash = series.style(number, dark)
        if (own["unitno"][0], name) in distrusted:
            colour, dash = palette(dark).hatch, "dot"
        if step_s > 1 and len(every) <= SHADED:
            _shade(figure, row, series.ribbon(own, f"{name}_min", f"{name}_max", step_s), colour)
        shown = series.steps(frame, one, step_s)
        figure.add_scatter(
            x=shown["clock"].to_list(),
            y=shown[f"{name}_mean"].to_list(),
            customdata=shown.select(f"{name}_min", f"{name}_max").rows(),
            mode="lines",
            name=markless(one),
            legendgroup=markless(one),
            showlegend=row == 1,
            line={"color": colour, "width": 1.6, "dash": dash, "shape": "hv"},
            connectgaps=False,
            hovertemplate="%{y:,.4~g}"
            + (" (%{customdata[0]:,.4~g} – %{customdata[1]:,.4~g})" if step_s > 1 else "")
            + f"<extra>{markless(one)}</extra>",
            row=row,
            col=1,
        )


def _shade(figure: go.Figure, row: int, outline: series.Path, colour: str) -> None:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    figure.add_scatter(
        x=outline[0],
        y=outline[1],
        mode="lines",
        line={"width": 0},
        fill="toself",
        fillcolor=f"rgba({red}, {green}, {blue}, 0.28)",
        hoverinfo="skip",
        showlegend=False,
        row=row,
        col=1,
    )


def _peers(figure: go.Figure, row: int, name: str, peers: pl.DataFrame, colours: Palette) -> None:
    column = f"{name}_mean"
    if column not in peers.columns or peers.is_empty():
        return
    for (kind,), own in peers.group_by("unittype", maintain_order=True):
        shown = own.with_columns(
            (pl.col("at").diff() > pl.duration(hours=1)).fill_null(True).cum_sum().alias("run"),
            pl.col("unittype").alias("series"),
            pl.col("at").alias("clock"),
        )
        line = series.steps(shown, str(kind), 3600)
        title = say("engine.peers", type=markless(kind))
        figure.add_scatter(
            x=line["clock"].to_list(),
            y=line[column].to_list(),
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


def _exceeded(figure: go.Figure, row: int, found: pl.DataFrame) -> None:
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


def _code_rows(codes: pl.DataFrame) -> list[tuple[float | None, ...]]:
    """(spn, fmi, source) of the codes that came most often."""
    ranked = (
        codes.group_by("spn", "fmi", "source").len().sort("len", "spn", descending=[True, False])
    )
    return list(ranked.head(CODES).select("spn", "fmi", "source").iter_rows())


def _codes(
    figure: go.Figure, row: int, rows: list[tuple[float | None, ...]], codes: pl.DataFrame
) -> None:
    """A row a code: a mark where it came, a line while it stayed."""
    for place, code in enumerate(rows):
        own = [one for one in codes.to_dicts() if (one["spn"], one["fmi"], one["source"]) == code]
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
        figure.add_scatter(
            x=[one["started_at"] for one in own],
            y=[place] * len(own),
            text=[markless(one["unitno"]) for one in own],
            customdata=[f"{one['active_s']:,}" for one in own],
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
