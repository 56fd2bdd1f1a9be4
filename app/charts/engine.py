"""Small multiples over one time axis: envelope, mean, bands, exceedances and fault codes."""

from __future__ import annotations

from collections.abc import Collection

import plotly.graph_objects as go
import polars as pl
from plotly.subplots import make_subplots

from app.charts import bands, marks, series
from app.charts.marks import Beside
from app.charts.palette import base, clocks, local, palette
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
    rows = marks.code_rows(beside.codes)
    figure = _panels(names, frame, beside.distrusted, len(rows))
    for row, name in enumerate(names, 1):
        bands.add(figure, row, name, frame, step_s)
        marks.peers(figure, row, name, local(beside.peers, zone, "at"), palette(dark))
        _lines(figure, row, name, frame, step_s, beside.distrusted, dark)
        own = beside.exceeded.filter(pl.col("signal") == name)
        marks.exceeded(figure, row, local(own, zone, "started_at"))
    if rows:
        marks.codes(
            figure, len(names) + 1, rows, local(beside.codes, zone, "started_at", "ended_at")
        )
    start, end = series.edges(span, zone)
    bands.hatch(figure, len(names), series.holes(frame, start, end, step_s), palette(dark))
    figure.update_xaxes(range=[start, end])
    form = "%H:%M:%S\n%d %b" if span.seconds <= 3600 else "%H:%M\n%d %b"
    figure.update_xaxes(type="date", tickformat=form, hoverformat="%Y-%m-%d %H:%M:%S")
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
    figure.update_xaxes(type="date", tickformat="%H:%M", hoverformat="%H:%M:%S")
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
    legend = {"orientation": "h", "y": 1, "yanchor": "top", "x": 0}
    # As wide as the page: beside the labels of fault codes a tablet has no room for a row of it.
    legend |= {"xref": "container", "yref": "container"}
    several = len({trace.name for trace in figure.data if trace.showlegend}) > 1
    above, below = 84 if several else 44, 48
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
            x=clocks(shown["clock"]),
            y=shown[f"{name}_mean"].to_numpy(),
            customdata=shown.select(f"{name}_min", f"{name}_max").to_numpy(),
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


def _shade(figure: go.Figure, row: int, outline: pl.DataFrame, colour: str) -> None:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    figure.add_scatter(
        x=clocks(outline["clock"]),
        y=outline["value"].to_numpy(),
        mode="none",
        fill="toself",
        fillcolor=f"rgba({red}, {green}, {blue}, 0.28)",
        hoverinfo="skip",
        showlegend=False,
        row=row,
        col=1,
    )
