"""Colours, patterns and the common layout: one look, safe for the colour-blind, light and dark.

Okabe and Ito's palette; a state is also told by lightness, pattern or glyph. What was not observed
is grey and hatched everywhere, and nothing else is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go
import polars as pl

from app.text import marks

BLUE, ORANGE, VERMILION, PURPLE, GREEN = "#0072B2", "#E69F00", "#D55E00", "#CC79A7", "#009E73"
SKY = "#56B4E9"
HATCH = "/"
#: Pixels around a chart, of a row of its legend, of a character of a label and what is before it.
EDGE, ROW, CHARACTER, TICK = 8, 34, 8.2, 10
#: Characters of a number beside an axis, most often.
NUMBER = 5


@dataclass(frozen=True)
class Palette:
    """Colours that depend on the background."""

    moving: str
    idle: str
    off: str
    unknown: str
    hatch: str
    text: str
    faint: str
    ground: str
    accent: str
    shade: str
    band: str


LIGHT = Palette(
    moving=BLUE,
    idle=ORANGE,
    off="#C9D3DC",
    unknown="#E9EBED",
    hatch="#8A9299",
    text="#1F2933",
    faint="#D8DDE2",
    ground="#FFFFFF",
    accent=BLUE,
    shade="rgba(0, 114, 178, 0.25)",
    band="rgba(0, 158, 115, 0.10)",
)
DARK = Palette(
    moving=SKY,
    idle=ORANGE,
    off="#44525F",
    unknown="#23292F",
    hatch="#7D8790",
    text="#E6EAEE",
    faint="#333D47",
    ground="#0E1318",
    accent=SKY,
    shade="rgba(86, 180, 233, 0.28)",
    band="rgba(0, 158, 115, 0.18)",
)


def palette(dark: bool) -> Palette:
    """Colours for a dark or a light page."""
    return DARK if dark else LIGHT


def local(frame: pl.DataFrame, zone: str, *columns: str) -> pl.DataFrame:
    """Instants as wall-clock time of a zone: Plotly draws what it is given."""
    return frame.with_columns(
        pl.col(name).dt.convert_time_zone(zone).dt.replace_time_zone(None) for name in columns
    )


def clocks(moments: pl.Series) -> npt.NDArray[np.float64]:
    """Local times in ms since 1970, for axes of dates: text a browser reads one by one."""
    return moments.dt.epoch("ms").cast(pl.Float64).to_numpy()


def base(figure: go.Figure, dark: bool, height: int) -> go.Figure:
    """The layout all charts share; it stands without a template (``app.drawing.Drawn``)."""
    colours = palette(dark)
    figure.update_layout(
        autotypenumbers="strict",  # "0815" is a name
        height=height,
        margin=_room(figure),
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": colours.text, "size": 13, "family": "system-ui, sans-serif"},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "traceorder": "normal"},
        hoverlabel={"namelength": -1, "align": "left"},
        bargap=0.15,
        dragmode=False,
        separators=marks(),
    )
    axes = {"gridcolor": colours.faint, "zeroline": False, "automargin": True, "title_standoff": 15}
    figure.update_xaxes(axes).update_yaxes(axes)
    return figure


def _room(figure: go.Figure) -> dict[str, float]:
    """Margins (px) that hold what stands beside the axes, guessed from its length.

    Plotly measures it and widens a margin that is too narrow, and then draws all of the chart once
    more: of the time that a page with several charts takes in a browser that was a sixth.
    """
    named = sum(trace.name is not None and trace.showlegend is not False for trace in figure.data)
    below = [axis for axis in figure.select_xaxes() if axis.visible is not False]
    lines = max((1 + ("\n" in (axis.tickformat or "")) for axis in below), default=1)
    title = any(axis.title.text for axis in below)
    return {
        "l": EDGE + max((_width(figure, axis) for axis in figure.select_yaxes()), default=0),
        "r": 2 * EDGE,  # the last label may stand over the end of its axis
        "t": EDGE + (ROW if figure.layout.showlegend is not False and named > 1 else 0),
        "b": EDGE + 24 * lines + (24 if title else 0),
    }


def _width(figure: go.Figure, axis: Any) -> float:
    """Pixels that the labels of an axis at the left take, and its title."""
    if axis.visible is False or axis.showticklabels is False:
        return TICK
    labels = set(axis.ticktext or ())
    for trace in figure.data:
        values = getattr(trace, "y", None)
        if not labels and values is not None and len(values) and isinstance(values[0], str):
            labels = set(values)
    longest = max((len(re.sub(r"<[^>]+>", "", str(one))) for one in labels), default=NUMBER)
    return TICK + longest * CHARACTER + (22 if axis.title.text else 0)


def unknown_marker(colours: Palette) -> dict[str, object]:
    """The grey hatch of what was not observed."""
    return {
        "color": colours.unknown,
        "line": {"color": colours.hatch, "width": 0.5},
        "pattern": {
            "shape": HATCH,
            "fgcolor": colours.hatch,
            "bgcolor": colours.unknown,
            "size": 5,
            "solidity": 0.25,
        },
    }
