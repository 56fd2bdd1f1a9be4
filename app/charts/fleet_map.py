"""Where units were last seen: our own lines, no tiles, nothing from the internet.

Roads are where units drove, minute by minute. Positions are drawn in km around the middle of their
district, so that a metre is as long northwards as eastwards.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
import polars as pl
from plotly.subplots import make_subplots

from app.charts.fleet import STATES
from app.charts.palette import VERMILION, Palette, base, palette
from app.figures.fleet import NEED_A_LOOK
from app.text import markless, say

#: Districts side by side; a wall screen has no room for more.
DISTRICTS = 3
#: So many units have their number beside them; of more only those that need a look.
NAMED = 16
#: A line between two minutes is a road, unless it is longer: then it only joins two places.
LONGEST_STEP_KM = 1.2
KM_A_DEGREE = 111.32

#: Lines of roads that lie side by side in a map, as many as its longer side has room for.
CELLS = 200

#: Numbers that stand in one label: of one map, and where there are others beside it.
TOGETHER, NARROW = 3, 1
#: What a number covers, as shares of the map's longer side: what is nearer joins its label.
LABEL_WIDE, LABEL_HIGH = 0.16, 0.05

#: What a unit does → symbol and its size.
SHAPES: dict[str, tuple[str, int]] = {
    "moving": ("triangle-up", 13),
    "idle": ("circle", 11),
    "off": ("square", 9),
    "parked": ("square-open", 10),
    "unknown": ("circle-open-dot", 11),
    "late": ("diamond-open", 14),
    "silent": ("x", 13),
}


@dataclass(frozen=True)
class Plane:
    """A flat piece of the earth around a point."""

    lat: float
    lon: float

    def km(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame with ``x``, ``y``: km east and north of the point."""
        wide = KM_A_DEGREE * math.cos(math.radians(self.lat))
        return frame.with_columns(
            ((pl.col("lon") - self.lon) * wide).alias("x"),
            ((pl.col("lat") - self.lat) * KM_A_DEGREE).alias("y"),
        )


def placed(now: pl.DataFrame) -> pl.DataFrame:
    """Units with a known position."""
    return now.filter(pl.col("lat").is_not_null() & pl.col("lon").is_not_null())


def districts(now: pl.DataFrame) -> list[str]:
    """Districts on the map: those with most units that need a look first."""
    ranked = (
        placed(now)
        .group_by("dstrct_code")
        .agg(pl.col("status").is_in(NEED_A_LOOK).sum().alias("bad"), pl.len())
    )
    ranked = ranked.sort("bad", "len", "dstrct_code", descending=[True, True, False])
    return ranked["dstrct_code"].head(DISTRICTS).to_list()


def positions(now: pl.DataFrame, tracks: pl.DataFrame, dark: bool) -> go.Figure:
    """Last positions over the roads.

    ``now``: dstrct_code, unitno, status, doing, lat, lon, heading; ``tracks``: dstrct_code,
    unitno, minute, lat, lon.
    """
    colours, shown = palette(dark), districts(now)
    titles = [markless(name) for name in shown] if len(shown) > 1 else None
    figure = make_subplots(1, max(len(shown), 1), subplot_titles=titles, horizontal_spacing=0.09)
    named: set[str] = set()
    for column, district in enumerate(shown, start=1):
        units = placed(now).filter(dstrct_code=district)
        plane = Plane(_middle(units["lat"]), _middle(units["lon"]))
        roads, units = plane.km(tracks.filter(dstrct_code=district)), plane.km(units)
        _roads(figure, roads, colours, column, not named)
        named.add("roads")
        for doing in SHAPES:
            part = units.filter(doing=doing)
            if not part.is_empty():
                _units(figure, part, doing, colours, column, doing not in named)
                named.add(doing)
        together = NARROW if len(shown) > 1 else TOGETHER
        _names(figure, units, _size(units, roads), together, colours, column)
        figure.update_yaxes(scaleanchor=f"x{column if column > 1 else ''}", row=1, col=column)
    figure.update_xaxes(ticksuffix=" km", nticks=5, tickangle=0)
    figure.update_yaxes(ticksuffix=" km", nticks=6)
    figure.update_annotations(font={"size": 13, "color": colours.text})
    return base(figure, dark, 460).update_layout(
        legend={"y": -0.09, "yanchor": "top"},
        margin={"t": 28, "r": 24, "b": 76},
        clickmode="event+select",
        hovermode="closest",
    )


def _middle(values: pl.Series) -> float:
    return float(sum(values.to_list()) / len(values))


def _names(
    figure: go.Figure, units: pl.DataFrame, size: float, most: int, colours: Palette, at: int
) -> None:
    """Numbers beside the symbols; of units close to each other one list of at most so many.

    ``size``: of the map.
    """
    if units.height > NAMED:
        units = units.filter(pl.col("status").is_in(NEED_A_LOOK)).head(NAMED)
    labels: list[tuple[float, float, list[str]]] = []
    for x, y, unit in units.sort("y", descending=True).select("x", "y", "unitno").iter_rows():
        for left, top, together in labels:
            if abs(x - left) < size * LABEL_WIDE and abs(y - top) < size * LABEL_HIGH:
                together.append(unit)
                break
        else:
            labels.append((x, y, [unit]))
    figure.add_scatter(
        x=[round(x, 3) for x, _, _ in labels],
        y=[round(y, 3) for _, y, _ in labels],
        mode="text",
        text=[_listed(names, most) for _, _, names in labels],
        textposition="top center",
        textfont={"size": 12, "color": colours.text},
        hoverinfo="skip",
        showlegend=False,
        cliponaxis=False,
        row=1,
        col=at,
    )


def _listed(names: list[str], most: int) -> str:
    more = f" +{len(names) - most}" if len(names) > most else ""
    return ", ".join(markless(name) for name in sorted(names)[:most]) + more


def _size(*frames: pl.DataFrame) -> float:
    """The longer side of what is drawn, km."""
    found = [0.1]
    for axis in ("x", "y"):
        values = [value for frame in frames for value in frame[axis].to_list()]
        found.append(max(values, default=0) - min(values, default=0))
    return max(found)


def _roads(
    figure: go.Figure, roads: pl.DataFrame, colours: Palette, column: int, first: bool
) -> None:
    """Lines from minute to minute of each unit; they end at a gap and where the step is long.

    Where many drove, one line stands for all whose middles lie within a line's width: a fleet's
    days are tens of thousands of steps, and a browser draws every one.
    """
    x, y, minute = (pl.col(name) for name in ("x", "y", "minute"))
    far = ((x.shift(-1) - x) ** 2 + (y.shift(-1) - y) ** 2).sqrt()
    near = (minute.shift(-1) - minute == pl.duration(minutes=1)) & (far < LONGEST_STEP_KM)
    goes_on = near.over("unitno").fill_null(False).alias("goes_on")
    every = _ways(roads.sort("unitno", "minute").with_columns(goes_on))
    wide = _size(every) / CELLS
    middle = [((axis + axis.shift(-1)) / 2 / wide).floor() for axis in (x, y)]
    first_there = pl.struct("goes_on", *middle).is_first_distinct()
    frame = _ways(every.with_columns(pl.col("goes_on") & first_there))
    breaks = np.flatnonzero(~frame["goes_on"].to_numpy()) + 1
    # A metre needs no more digits.
    east, north = (
        np.insert(frame[axis].to_numpy(), breaks, np.nan).round(3) for axis in ("x", "y")
    )
    figure.add_scatter(
        x=east,
        y=north,
        mode="lines",
        name=say("fleet.map.roads"),
        line={"color": colours.hatch, "width": 1.5},
        opacity=0.35,
        hoverinfo="skip",
        showlegend=first,
        row=1,
        col=column,
    )


def _ways(frame: pl.DataFrame) -> pl.DataFrame:
    """Rows from which or to which a line leads."""
    came = pl.col("goes_on").shift(fill_value=False)
    return frame.filter(pl.col("goes_on") | came)


def _units(
    figure: go.Figure,
    part: pl.DataFrame,
    doing: str,
    colours: Palette,
    column: int,
    first: bool,
) -> None:
    symbol, size = SHAPES[doing]
    shades = {"moving": colours.moving, "idle": colours.idle}
    colour = VERMILION if doing in NEED_A_LOOK else shades.get(doing, colours.hatch)
    name = say(f"state.{doing}" if doing in STATES else f"status.{doing}")
    figure.add_scatter(
        x=part["x"].round(3).to_list(),
        y=part["y"].round(3).to_list(),
        mode="markers",
        name=name,
        text=[markless(unit) for unit in part["unitno"]],
        customdata=part["unitno"].to_list(),
        marker={
            "symbol": symbol,
            "size": size,
            "color": colour,
            # An arrow where it goes; everything else stands.
            "angle": part["heading"].fill_null(0).to_list() if doing == "moving" else 0,
            "line": {"color": colour if "open" in symbol else colours.ground, "width": 1.5},
            "opacity": 1,
        },
        hovertemplate="%{text}<extra>" + name + "</extra>",
        showlegend=first,
        legendgroup=doing,
        row=1,
        col=column,
    )
