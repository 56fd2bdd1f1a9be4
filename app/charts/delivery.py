"""Delivery charts: device by hour, how late files came, and where every line went."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
import polars as pl

from app.charts.palette import ORANGE, PURPLE, VERMILION, Palette, base, palette
from app.text import markless, say

#: Order of the codes in the grid.
STATES = (
    "complete",
    "partial",
    "corrupt",
    "missing",
    "pending",
    "proven_off",
    "not_registered",
)
GLYPHS = {
    "complete": "",
    "partial": "◐",
    "corrupt": "✕",
    "missing": "╱╱",
    "pending": "▫",
    "proven_off": "",
    "not_registered": "?",
}
#: States whose colour is dark on a light page and the other way round: glyphs take the ground's.
ON_DARK = ("complete", "corrupt", "not_registered")
SHOWN = 60
#: Upper edge in minutes and name of each bin of the arrival delay.
BINS = (
    (2, "≤ 2 min"),
    (5, "≤ 5"),
    (10, "≤ 10"),
    (20, "≤ 20"),
    (60, "≤ 1 h"),
    (120, "≤ 2 h"),
    (240, "≤ 4 h"),
    (480, "≤ 8 h"),
    (1440, "≤ 1 d"),
    (float("inf"), "> 1 d"),
)


def _colours(colours: Palette) -> dict[str, str]:
    return {
        "complete": colours.moving,
        "partial": ORANGE,
        "corrupt": VERMILION,
        "missing": colours.unknown,
        "pending": colours.ground,
        "proven_off": colours.off,
        "not_registered": PURPLE,
    }


def grid_rows(cells: pl.DataFrame) -> list[tuple[str, str]]:
    """(district, device) in the order of the grid: longest outage first."""
    out = pl.col("state").is_in(["missing", "corrupt"])
    ranked = cells.group_by("district", "deviceid").agg(
        out.sum().alias("out"),
        (pl.col("state") == "partial").sum().alias("partial"),
        pl.col("late").sum().alias("late"),
    )
    ranked = ranked.sort(
        "out",
        "partial",
        "late",
        "district",
        "deviceid",
        descending=[True, True, True, False, False],
    )
    return [(a, b) for a, b in ranked.select("district", "deviceid").head(SHOWN).iter_rows()]


def grid(cells: pl.DataFrame, dark: bool) -> go.Figure:
    """Device by local hour; colour and glyph tell the state."""
    colours = palette(dark)
    rows = {key: number for number, key in enumerate(grid_rows(cells))}
    shown = [c for c in cells.to_dicts() if (c["district"], c["deviceid"]) in rows]
    figure = go.Figure(_heat(shown, rows, _colours(colours)))
    _glyphs(figure, shown, rows, colours)
    _legend(figure, {cell["state"] for cell in shown}, colours)
    figure.update_yaxes(
        tickvals=list(rows.values()),
        ticktext=_names(shown, rows),
        range=[len(rows) - 0.5, -0.5],
        showgrid=False,
    )
    figure.update_xaxes(tickformat="%H h\n%d %b", showgrid=False, dtick=_tick(shown))
    return base(figure, dark, 120 + max(24 * len(rows), 60))


Cell = dict[str, Any]
Rows = dict[tuple[str, str], int]


def _tick(cells: list[Cell]) -> int:
    """Milliseconds between the ticks: whole hours, few enough to be read."""
    hours = len({cell["hour"] for cell in cells})
    step = next((step for step in (1, 3, 6, 12) if hours <= 14 * step), 24)
    return step * 3_600_000


def _middle(hour: str) -> str:
    return f"{hour[:4]}-{hour[4:6]}-{hour[6:8]} {hour[8:]}:30"


def _heat(cells: list[Cell], rows: Rows, shades: dict[str, str]) -> go.Heatmap:
    hours = {hour: i for i, hour in enumerate(sorted({cell["hour"] for cell in cells}))}
    codes: list[list[float | None]] = [[None] * len(hours) for _ in rows]
    notes = [[""] * len(hours) for _ in rows]
    for cell in cells:
        row, column = rows[cell["district"], cell["deviceid"]], hours[cell["hour"]]
        # The middle of the colour that belongs to the state.
        codes[row][column] = STATES.index(cell["state"]) + 0.5
        notes[row][column] = _note(cell)
    last = len(STATES)
    scale = [[edge / last, shades[state]] for i, state in enumerate(STATES) for edge in (i, i + 1)]
    return go.Heatmap(
        z=codes,
        x=[_middle(hour) for hour in hours],
        y=list(rows.values()),
        customdata=notes,
        hovertemplate="%{customdata}<extra></extra>",
        colorscale=scale,
        zmin=0,
        zmax=last,
        showscale=False,
        xgap=1,
        ygap=2,
    )


def _glyphs(figure: go.Figure, cells: list[Cell], rows: Rows, colours: Palette) -> None:
    """What tells the state without colour; L is a mark on a delivered hour."""
    marked = [(c, "L" if c["late"] else GLYPHS[c["state"]]) for c in cells]
    marked = [(cell, glyph) for cell, glyph in marked if glyph]
    figure.add_scatter(
        x=[_middle(cell["hour"]) for cell, _ in marked],
        y=[rows[cell["district"], cell["deviceid"]] for cell, _ in marked],
        text=[glyph for _, glyph in marked],
        mode="text",
        textfont={
            "size": 12,
            "color": [
                colours.ground if cell["state"] in ON_DARK else colours.text for cell, _ in marked
            ],
        },
        hoverinfo="skip",
        showlegend=False,
    )


def _legend(figure: go.Figure, states: set[str], colours: Palette) -> None:
    for state in STATES:
        if state in states:
            figure.add_scatter(
                x=[None],
                y=[None],
                mode="markers",
                name=f"{GLYPHS[state]} {say(f'cell.{state}')}".strip(),
                marker={
                    "symbol": "square",
                    "size": 13,
                    "color": _colours(colours)[state],
                    "line": {"color": colours.hatch, "width": 1},
                },
            )


def _names(cells: list[Cell], rows: Rows) -> list[str]:
    units = {(cell["district"], cell["deviceid"]): cell["unitno"] for cell in cells}
    several = len({district for district, _ in rows}) > 1
    return [
        markless((f"{district} · " if several else "") + f"{units[district, device]} · {device}")
        for district, device in rows
    ]


def _note(cell: Cell) -> str:
    hour = str(cell["hour"])
    when = f"{hour[:4]}-{hour[4:6]}-{hour[6:8]} {hour[8:]} h"
    state = say(f"cell.{cell['state']}")
    text = f"{markless(cell['deviceid'])}<br>{when}: {state}"
    if cell["lines"]:
        text += f"<br>{say('column.accepted')} {cell['accepted']:,}"
    delay = cell["delay_s"]
    if isinstance(delay, float):
        text += f"<br>{say('column.delay')} {delay / 60:.0f}"
    return text


def delays(cells: pl.DataFrame, dark: bool) -> go.Figure:
    """How many delivered hours came how late; the bins grow."""
    colours = palette(dark)
    minutes = [max(v, 0.0) / 60 for v in cells["delay_s"].drop_nulls().to_list()]
    counts = dict.fromkeys((name for _, name in BINS), 0)
    for value in minutes:
        counts[next(name for edge, name in BINS if value <= edge)] += 1
    filled = [i for i, name in enumerate(counts) if counts[name]]
    shown = list(counts)[: filled[-1] + 1] if filled else []
    figure = go.Figure(
        go.Bar(
            x=shown,
            y=[counts[name] for name in shown],
            marker={"color": colours.accent},
            text=[counts[name] for name in shown],
            textposition="outside",
            cliponaxis=False,
        )
    )
    figure.update_layout(
        xaxis_title=say("delivery.delays.axis"), yaxis_title=say("delivery.delays.count")
    )
    figure.update_xaxes(type="category")
    return base(figure, dark, 280)


def line_counts(counts: dict[str, int], dark: bool) -> go.Figure:
    """The five counts as one bar: accepted, duplicate, quarantined, blank of all lines."""
    colours = palette(dark)
    figure = go.Figure()
    shades = {
        "accepted": {"color": colours.moving},
        "duplicate": {"color": colours.off},
        "quarantined": {"color": VERMILION, "pattern": {"shape": "x", "fgcolor": colours.ground}},
        "blank": {"color": colours.unknown, "line": {"color": colours.hatch, "width": 1}},
    }
    for name, marker in shades.items():
        figure.add_bar(
            orientation="h",
            name=f"{say(f'lines.{name}')} {counts[name]:,}",
            x=[counts[name]],
            y=[""],
            marker=marker,
            hovertemplate="%{x:,}<extra>" + say(f"lines.{name}") + "</extra>",
        )
    figure.update_layout(barmode="stack", yaxis={"showticklabels": False})
    return base(figure, dark, 130)
