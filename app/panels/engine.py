"""Pieces of the page of engine telemetry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
import streamlit as st

from app.charts.series import MOST
from app.filters import Filters
from app.looks import DAYS, Look, View
from app.panels.pieces import LONG_ROWS, LONG_TABLE, download, note, table
from app.spans import Span
from app.tables import engine as tables
from app.text import say
from app.tiles import span as length
from queries.envelope import SECONDS_ALONE_S


def within(frame: pl.DataFrame, span: Span) -> pl.DataFrame:
    """What touches a span, of rows with ``started_at`` and ``ended_at``."""
    return frame.filter(pl.col("started_at") < span.end, pl.col("ended_at") > span.start)


def told(look: Look, view: View, span: Span, filters: Filters) -> list[str]:
    """Say which stretch is shown at which detail, and what is not; the signals that are."""
    clocks = pl.Series([span.start, span.end]).dt.convert_time_zone(filters.zone)
    start, end = clocks.dt.strftime("%Y-%m-%d %H:%M:%S").to_list()
    step = view.level.step_s
    detail = (
        say("engine.span.second") if step == 1 else say("engine.span.bucket", step=length(step))
    )
    st.caption(say("engine.span", start=start, end=end, zone=filters.zone_name, detail=detail))
    if look.compare == DAYS:
        st.caption(say("engine.compare.days.note", most=MOST))
    if view.unseen:
        hours = SECONDS_ALONE_S // 3600
        message = say("engine.unseen", hours=hours, signals=", ".join(view.unseen))
        st.info(message, icon=":material/zoom_in:")
    return [name for name in look.signals if name not in view.unseen]


def listed(
    frame: pl.DataFrame,
    key: str,
    otherwise: str,
    hint: str = "",
    on_pick: Callable[[], None] | None = None,
) -> None:
    """A table with its downloads, of which a row may be picked; or why there is none."""
    if frame.is_empty():
        note(otherwise)
        return
    options: dict[str, Any] = {"height": LONG_TABLE} if frame.height > LONG_ROWS else {}
    if on_pick:
        st.caption(say(hint))
        options |= {"on_select": on_pick, "selection_mode": "single-row"}
    table(frame, key, **options)
    download(frame, key)


def trusted(trust: pl.DataFrame) -> None:
    """The signals that cannot be believed and why, and those of which nothing is said."""
    doubted = trust.filter(pl.col("distrusted_days") > 0)
    if trust.is_empty():
        st.caption(say("engine.trust.never"))
    elif doubted.is_empty():
        note("engine.trust.none")
    else:
        table(tables.trust(doubted), "trust")
    unjudged = tables.unjudged(trust)
    if not unjudged.is_empty():
        st.caption(say("engine.unjudged"))
        table(unjudged, "unjudged")


def rows(found: pl.DataFrame) -> None:
    """Lines that came twice, and clocks, over the days of the filters."""
    if not found.is_empty():
        st.caption(say("engine.rows"))
        table(tables.rows(found), "rows")


def gaps(trust: pl.DataFrame) -> None:
    """The two speeds of each unit, over the days of the filters."""
    frame = tables.gaps(trust)
    if not frame.is_empty():
        st.caption(say("engine.gap.units"))
        table(frame, "gaps")
