"""Delivery charts: device by hour, why hours are missing, how late the rest came, coverage."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import plotly.graph_objects as go
import polars as pl
from plotly.subplots import make_subplots

from app.charts.palette import ORANGE, PURPLE, VERMILION, Palette, base, palette, unknown_marker
from app.figures.delivery import CAUSES, counted, delivered, judged
from app.text import markless, say
from app.tiles import span

#: States of a device-hour, in the order of the legend.
STATES = (
    "complete",
    "partial",
    "corrupt",
    "missing",
    "pending",
    "proven_off",
    "not_registered",
)
#: Drawn as the ground that the others stand on; each of the others is a bar that can be opened.
GROUND = ("complete", "proven_off")
LETTERS = {"partial": "◐", "corrupt": "✕", "not_registered": "?"}
LATE = "L"
ROW_PX = 22
#: In a longer span, hours in a row that are alike are one bar: bars of an hour would be too thin.
SINGLE_HOURS = 80
#: In a span longer than this, neighbours that are alike share one letter: more would not stand in
#: their cells on a tablet.
LETTER_HOURS = 30
HOUR_MS = 3_600_000
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
#: From this share of time without a connection on, a cell is a blank spot.
BLANK = 0.3
CELL_DEG = 0.005
#: Maps side by side, those with most time without a connection, and their height.
MAPS, MAP_PX = 3, 360
SCALE = [[0, "#56B4E9"], [0.5, "#E69F00"], [1, "#D55E00"]]

Rows = dict[tuple[str, str], int]


def markers(colours: Palette) -> dict[str, dict[str, Any]]:
    """How each state looks: by colour, and by pattern or outline."""
    line = {"color": colours.hatch, "width": 1}
    return {
        "complete": {"color": colours.moving},
        "partial": {"color": ORANGE},
        "corrupt": {"color": VERMILION},
        "missing": unknown_marker(colours),
        "pending": {"color": colours.ground, "line": {**line, "width": 1.2}},
        "proven_off": {"color": colours.off},
        "not_registered": {"color": PURPLE},
    }


def grid(cells: pl.DataFrame, drawn: Sequence[tuple[str, str]], dark: bool) -> go.Figure:
    """Device by local hour, the (district, device)s ``drawn`` from top to bottom.

    A bar's ``customdata`` names the device-hour that it opens.
    """
    colours = palette(dark)
    rows = {key: number for number, key in enumerate(drawn)}
    where = pl.DataFrame(
        [(*key, number) for key, number in rows.items()],
        schema={"district": pl.String, "deviceid": pl.String, "row": pl.Int64},
        orient="row",
    )
    shown = cells.join(where, on=["district", "deviceid"]).sort("row", "hour")
    looks = markers(colours)
    figure = go.Figure()
    for state in GROUND:
        part = shown.filter(state=state)
        if not part.is_empty():
            _ground(figure, part, state, looks[state]["color"], len(rows))
    bars = _joined(shown.filter(~pl.col("state").is_in(GROUND) | pl.col("late")), shown)
    for state in STATES:
        part = bars.filter(state=state)
        if not part.is_empty():
            _bars(figure, part, state, looks[state], colours)
    several = len({district for district, _ in rows}) > 1
    _rows_named(figure, shown, rows, several, colours)
    figure.update_layout(barmode="overlay", bargap=0, clickmode="event+select")
    figure.update_xaxes(tickformat="%H:%M\n%d %b", showgrid=False, dtick=_tick(shown))
    return base(figure, dark, 90 + max(ROW_PX * len(rows), 60)).update_layout(
        legend={"itemclick": False, "itemdoubleclick": False}
    )


def _tick(cells: pl.DataFrame) -> int:
    """Milliseconds between the ticks: whole hours, few enough to be read."""
    hours = cells["hour"].n_unique()
    step = next((step for step in (1, 3, 6, 12) if hours <= 14 * step), 24)
    return step * HOUR_MS


def _start(hour: str) -> datetime:
    return datetime.strptime(hour, "%Y%m%d%H")


def _ground(figure: go.Figure, part: pl.DataFrame, state: str, colour: str, rows: int) -> None:
    """What needs no look: cells of one colour."""
    first, last = str(part["hour"].min()), str(part["hour"].max())
    count = int((_start(last) - _start(first)).total_seconds() // 3600) + 1
    codes: list[list[int | None]] = [[None] * count for _ in range(rows)]
    since = (pl.col("hour") + "00").str.to_datetime("%Y%m%d%H%M") - _start(first)
    for row, place in part.select("row", since.dt.total_hours()).iter_rows():
        codes[row][place] = 1
    middle = _start(first) + timedelta(minutes=30)
    figure.add_heatmap(
        z=codes,
        x0=middle,  # and the width of a cell: of a single column Plotly could not tell it
        dx=HOUR_MS,
        y=list(range(rows)),
        name=say(f"cell.{state}"),
        showlegend=True,
        colorscale=[[0, colour], [1, colour]],
        showscale=False,
        hovertemplate="%{x|%d %b %H} h<extra>" + say(f"cell.{state}") + "</extra>",
        xgap=1,
        ygap=3,
    )


def _joined(bars: pl.DataFrame, shown: pl.DataFrame) -> pl.DataFrame:
    """With ``hours`` and ``letter``; in a long span alike neighbours are one row, in one not so
    long the first of them alone has the letter."""
    letters: dict[str, str] = {name: say(f"cause.{name}.letter") for name in CAUSES}
    bars = bars.with_columns(
        pl.when("late")
        .then(pl.lit(LATE))
        .when(pl.col("state") == "missing")
        .then(pl.col("cause").replace_strict(letters, default=letters["unknown"]))
        .otherwise(pl.col("state").replace_strict(LETTERS, default=""))
        .alias("letter"),
        pl.lit(1).alias("hours"),
    )
    hours = shown["hour"].n_unique()
    if hours <= LETTER_HOURS:
        return bars
    alike = ["row", "state", "letter"]
    since = (pl.col("hour_start") - pl.col("hour_start").shift()) > timedelta(hours=1)
    other = pl.any_horizontal(pl.col(name) != pl.col(name).shift() for name in alike)
    first = (since | other).fill_null(True)
    if hours <= SINGLE_HOURS:
        return bars.with_columns(
            pl.when(first).then("letter").otherwise(pl.lit("")).alias("letter")
        )
    return (
        bars.with_columns(first.cum_sum().alias("run"))
        .group_by("run", maintain_order=True)
        .agg(
            pl.col(name).sum() if name == "hours" else pl.col(name).first() for name in bars.columns
        )
    )


def _bars(
    figure: go.Figure, part: pl.DataFrame, state: str, look: dict[str, Any], colours: Palette
) -> None:
    filled = state in ("partial", "corrupt", "not_registered")
    ink = colours.ground if state in GROUND else "#101418" if filled else colours.text
    figure.add_bar(
        orientation="h",
        name=say(f"cell.{state}") if state not in GROUND else say("delivery.late"),
        base=[_start(hour) for hour in part["hour"]],
        x=[HOUR_MS * hours * 0.96 for hours in part["hours"]],
        y=part["row"].to_list(),
        width=0.84,
        # Nothing at all where there is no letter: an empty element is measured as any other.
        text=[f"<b>{letter}</b>" if letter else "" for letter in part["letter"]],
        textposition="inside",
        insidetextanchor="middle",
        textangle=0,
        constraintext="none",
        insidetextfont={"color": ink, "size": 12},
        customdata=[
            [f"{cell['district']}/{cell['deviceid']}/{cell['hour']}", _note(cell)]
            for cell in part.iter_rows(named=True)
        ],
        marker=look,
        hovertemplate="%{customdata[1]}<extra></extra>",
        # Bars stay what they are when one of them is opened.
        selected={"marker": {"opacity": 1}, "textfont": {"color": ink}},
        unselected={"marker": {"opacity": 1}, "textfont": {"color": ink}},
    )


def _rows_named(
    figure: go.Figure, shown: pl.DataFrame, rows: Rows, several: bool, colours: Palette
) -> None:
    """Units at the left; between districts a line, each named above its first row."""
    units = {
        (a, b): unit for a, b, unit in shown.select("district", "deviceid", "unitno").iter_rows()
    }
    names = []
    before = None
    for (district, device), number in rows.items():
        name = markless(units.get((district, device)) or device)
        if several and district != before:
            name = f"<b>{markless(district)}</b> · {name}"
            if number:
                figure.add_hline(number - 0.5, line={"color": colours.text, "width": 1})
        names.append(name)
        before = district
    figure.update_yaxes(
        tickvals=list(rows.values()),
        ticktext=names,
        range=[len(rows) - 0.5, -0.5],
        showgrid=False,
    )


def _note(cell: dict[str, Any]) -> str:
    text = f"{markless(cell['unitno'] or '')} · {markless(cell['deviceid'])}<br>"
    text += f"{_start(cell['hour']):%Y-%m-%d %H} h: {say('cell.' + cell['state'])}"
    if cell["hours"] > 1:
        text += f" ({cell['hours']} h)"
    if cell["cause"]:
        text += f"<br>{say('cause.' + cell['cause'])}"
    if cell["cause"] and cell["cause_confidence"]:
        text += f" ({cell['cause_confidence']:.0%})"
    if cell["lines"]:
        text += f"<br>{say('column.accepted')} {cell['accepted']:,}"
    if cell["delay_s"] is not None:
        text += f"<br>{say('delivery.late') if cell['late'] else say('delivery.arrived')} "
        text += f"+{span(max(cell['delay_s'], 0))}"
    return text


def delays(states: pl.DataFrame, dark: bool) -> go.Figure:
    """How many expected hours came how late; the bins grow, the last one has not come."""
    colours = palette(dark)
    due = judged(states)
    came = delivered(due)
    counts = dict.fromkeys((name for _, name in BINS), 0)
    labels, edges = list(counts), [60.0 * edge for edge, _ in BINS[:-1]]
    late = came["delays"].explode().drop_nulls().clip(lower_bound=0.0)
    bins = pl.Series(edges).search_sorted(late, side="left")
    for place, count in bins.value_counts().iter_rows():
        counts[labels[place]] = count
    filled = [i for i, name in enumerate(counts) if counts[name]]
    shown = list(counts)[: filled[-1] + 1] if filled else []
    figure = go.Figure()
    never = counted(due) - counted(came)
    for names, values, marker in (
        (shown, [counts[name] for name in shown], {"color": colours.accent}),
        ([say("delivery.never")], [never], unknown_marker(colours)),
    ):
        figure.add_bar(
            x=names,
            y=values,
            marker=marker,
            text=[f"{value:,}" if value else "" for value in values],
            textposition="outside",
            cliponaxis=False,
            showlegend=False,
            hovertemplate="%{x}: %{y:,}<extra></extra>",
        )
    figure.update_layout(
        xaxis_title=say("delivery.delays.axis"), yaxis_title=say("delivery.delays.count")
    )
    figure.update_xaxes(type="category")
    return base(figure, dark, 280)


def causes(found: pl.DataFrame, dark: bool) -> go.Figure:
    """Missing hours by cause, with how sure that is."""
    colours = palette(dark)
    figure = go.Figure()
    shades = (colours.accent, VERMILION, ORANGE, colours.off, colours.hatch, PURPLE)
    looks: dict[str, dict[str, Any]] = {
        name: {"color": shade} for name, shade in zip(CAUSES, shades, strict=False)
    }
    looks["unknown"] = unknown_marker(colours)
    for row in found.iter_rows(named=True):
        name = row["cause"]
        sure = row["confidence"]
        text = f"{row['hours']:,} h" + (f" · {sure:.0%}" if sure else "")
        figure.add_bar(
            orientation="h",
            y=[f"<b>{say(f'cause.{name}.letter')}</b>  {say(f'cause.{name}')}"],
            x=[row["hours"]],
            text=[text],
            textposition="outside",
            cliponaxis=False,
            marker=looks[name],
            showlegend=False,
            hovertemplate=f"%{{x:,}} h · {row['devices']} {say('delivery.devices')}<extra></extra>",
        )
    figure.update_yaxes(autorange="reversed")
    most = max(found["hours"].to_list(), default=1)
    figure.update_xaxes(title=say("delivery.causes.axis"), range=[0, most * 1.25])
    return base(figure, dark, 280)


def coverage(cells: pl.DataFrame, dark: bool) -> go.Figure:
    """Cells on the ground, a map a district: redder where there was no connection.

    Hollow where too little was seen to judge, crossed where it is a blank spot.
    """
    colours = palette(dark)
    worst = cells.group_by("district").agg(pl.col("down_s").sum()).sort("down_s", descending=True)
    districts = worst["district"].to_list()[:MAPS]
    figure = make_subplots(1, len(districts), subplot_titles=[markless(d) for d in districts])
    for column, district in enumerate(districts, 1):
        part = cells.filter(district=district)
        extent = max(_extent(part["lat"]), _extent(part["lon"])) + 4 * CELL_DEG
        size = min(max(0.85 * MAP_PX * CELL_DEG / extent, 5), 26)
        blank = pl.col("down_share") >= BLANK
        for symbol, chosen in (
            ("square-open", part.filter(~pl.col("enough"))),
            ("square", part.filter(pl.col("enough") & ~blank)),
            ("square-x", part.filter(pl.col("enough") & blank)),
        ):
            shade = {"color": chosen["down_share"].to_list(), "coloraxis": "coloraxis"}
            hollow = {"color": colours.hatch}
            figure.add_scatter(
                x=chosen["lon"].to_list(),
                y=chosen["lat"].to_list(),
                mode="markers",
                marker={
                    "symbol": symbol,
                    "size": size,
                    "line": {"color": colours.hatch, "width": 1},
                    **(hollow if symbol.endswith("open") else shade),
                },
                customdata=[_place(row) for row in chosen.iter_rows(named=True)],
                hovertemplate="%{customdata}<extra></extra>",
                showlegend=False,
                row=1,
                col=column,
            )
        axis = "" if column == 1 else str(column)
        figure.update_yaxes(scaleanchor=f"x{axis}", ticksuffix="°", row=1, col=column)
        figure.update_xaxes(ticksuffix="°", nticks=5, row=1, col=column)
    _map_legend(figure, colours)
    bar = {"title": {"text": say("coverage.share")}, "tickformat": ".0%", "thickness": 12}
    scale = {"colorscale": SCALE, "cmin": 0, "cmax": 0.6, "colorbar": bar}
    base(figure, dark, MAP_PX + 110).update_layout(coloraxis=scale)
    return figure.update_layout(
        margin={"t": 40, "r": 136, "b": 86}, legend={"y": -0.12, "yanchor": "top"}
    )


def _map_legend(figure: go.Figure, colours: Palette) -> None:
    for name, symbol, colour in (
        ("coverage.good", "square", SCALE[0][1]),
        ("coverage.blank", "square-x", SCALE[1][1]),
        ("coverage.few", "square-open", colours.hatch),
    ):
        figure.add_scatter(
            x=[None],
            y=[None],
            mode="markers",
            name=say(name),
            marker={"symbol": symbol, "size": 13, "color": colour, "line": {"width": 1}},
        )


def _extent(values: pl.Series) -> float:
    return float(values.max()) - float(values.min())  # type: ignore[arg-type]


def _place(cell: dict[str, Any]) -> str:
    signal = say("coverage.unknown") if cell["rsrp"] is None else f"{cell['rsrp']:.0f} dBm"
    return say(
        "coverage.note",
        down=f"{cell['down_share']:.0%}",
        hours=f"{cell['seconds'] / 3600:,.1f}",
        units=cell["units"],
        signal=signal,
        district=markless(cell["district"]),
    )


def line_counts(counts: dict[str, int], dark: bool) -> go.Figure:
    """The five counts as one bar: accepted, duplicate, quarantined, blank of all lines."""
    colours = palette(dark)
    figure = go.Figure()
    shades = {
        "accepted": {"color": colours.moving},
        "duplicate": {"color": colours.off},
        "quarantined": {
            "color": VERMILION,
            "pattern": {"shape": "x", "fgcolor": colours.ground, "bgcolor": VERMILION},
        },
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
