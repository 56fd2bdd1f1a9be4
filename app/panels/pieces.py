"""Pieces of a page: tiles, headings, charts, tables, and what stands where nothing can."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import polars as pl
import streamlit as st

from app import access, auth, meaning
from app.backend import backend
from app.data import privacy
from app.drawing import Drawn
from app.tables.columns import safe_csv
from app.tables.spelling import written
from app.text import plain, say, spelled
from app.tiles import Tile

#: Tables of more rows scroll inside so many pixels.
LONG_ROWS, LONG_TABLE = 9, 360

#: Height of a link under a figure: what stands where there is none, so that figures line up.
LINK = 28

CHART = {"displayModeBar": False, "showSendToCloud": False, "responsive": True}


def tiles(items: Sequence[Tile]) -> None:
    """Figures side by side, each with the way to the page that tells more; they wrap."""
    user = auth.current(backend()) if any(item.page for item in items) else None
    for place, item in zip(st.columns(len(items), gap="small"), items, strict=True):
        with place:
            tile(item)
            if user is not None and access.opens(user, item.page):
                page = access.BY_NAME[item.page]
                label = say(f"tile.{page.name}")
                st.page_link(page.path, label=label, icon=page.icon, query_params=dict(item.params))
            elif user is not None:
                st.space(LINK)


def tile(item: Tile) -> None:
    """One figure."""
    st.metric(
        item.label,
        spelled(item.value),
        spelled(item.note) or None,
        delta_description=spelled(item.change) or None,
        delta_color="off",
        delta_arrow="off",
        help=item.help or None,
        border=True,
        height="stretch",
    )


def section(title: str, help_text: str = "", **values: object) -> None:
    """A heading with what it means behind the question mark; ``values`` are for the help text."""
    reading = say(help_text, **values) if help_text else ""
    st.subheader(say(title), anchor=False, help=meaning.of(title, reading) or None)


def section_of(title: str, chart: str, help_text: str, **values: object) -> None:
    """A heading that names something from outside, above a chart."""
    shown = {name: plain(value) for name, value in values.items()}
    st.subheader(say(title, **shown), anchor=False, help=meaning.of(chart, say(help_text)))


def chart(figure: Drawn, key: str, alt: str, *, otherwise: str = "", **options: Any) -> None:
    """A chart over the whole width; ``alt`` is the key of its description.

    ``otherwise``: key of the sentence that stands there when there is nothing to draw.
    """
    if otherwise and figure.blank:
        st.caption(say(otherwise))
        return
    st.plotly_chart(
        figure, width="stretch", theme=None, key=key, config=CHART, alt=say(alt), **options
    )


def table(frame: pl.DataFrame, key: str, **options: Any) -> Any:
    """A table with a download; strings of devices are shown as they are."""
    shares = [say(f"column.{name}") for name in ("cab_camera", "front_camera", "gps")]
    shown = written(frame, shares)
    form = "%.1f %%" if shown is frame else None
    config: dict[str, Any] = {
        name: st.column_config.NumberColumn(name, format=form, help=say("fleet.uptime.help"))
        for name in shares
        if name in frame.columns
    }
    level = say("column.fuel_level")
    if level in frame.columns:
        config[level] = st.column_config.ProgressColumn(
            level, min_value=0, max_value=100, format="%d %%"
        )
    return st.dataframe(
        shown,
        width="stretch",
        hide_index=True,
        column_config=config,
        placeholder="–",
        key=key,
        **options,
    )


def table_or(frame: pl.DataFrame, key: str, otherwise: str, **options: Any) -> None:
    """A table, or the sentence that says why there is none."""
    if frame.is_empty():
        note(otherwise, **options)
    else:
        # A few rows need no scrolling; many must not push the rest of the page away.
        table(frame, key, **({"height": LONG_TABLE} if frame.height > LONG_ROWS else {}))


def pick(frame: pl.DataFrame, key: str) -> int | None:
    """A table of which one row can be opened; the index of that row."""
    event = table(frame, key, on_select="rerun", selection_mode="single-row")
    rows = event.selection.rows
    return rows[0] if rows and rows[0] < frame.height else None


def link(page: str, label: str, icon: str = "", **params: str) -> None:
    """The way to another page with a view of it, for those who may open it; ``label`` is ours."""
    user = auth.current(backend())
    if user is not None and access.opens(user, page):
        st.page_link(access.BY_NAME[page].path, label=label, icon=icon, query_params=params)


def download(frame: pl.DataFrame, name: str) -> None:
    """What is shown, as CSV and as Parquet, made when somebody asks; nothing that may not leave."""
    user = auth.current(backend())
    if user is None or not privacy.exportable(user, frame.columns):
        return
    forms = {
        "csv": ("text/csv", lambda: safe_csv(frame).encode()),
        "parquet": ("application/vnd.apache.parquet", lambda: parquet(frame)),
    }
    with st.container(horizontal=True, gap="small", key=f"downloads-{name}"):
        for form, (kind, made) in forms.items():
            st.download_button(
                say(f"download.{form}"),
                made,
                file_name=f"{name}.{form}",
                mime=kind,
                icon=":material/download:",
                help=say(f"download.{form}.help"),
                key=f"download-{name}-{form}",
                on_click="ignore",
                type="tertiary",
            )


def parquet(frame: pl.DataFrame) -> bytes:
    """The same as Parquet, every value as it is."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()


def note(text: str, **values: object) -> None:
    """Nothing to show, and nothing to worry about."""
    st.caption(f":material/check: {say(text, **values)}")


def empty(text: str, **values: object) -> None:
    """Nothing to show, and why."""
    st.info(say(text, **values), icon=":material/help_center:")


def dark() -> bool:
    """True on a dark page."""
    return st.context.theme.type == "dark"
