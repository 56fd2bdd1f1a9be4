"""Pieces of the page of fatigue events: who is to be contacted, and the strip of a shift."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import polars as pl
import streamlit as st

from app import data, drawing, figures, handover, pickers, tables
from app.charts import fatigue_strip
from app.daylight import ramadan_day
from app.figures.fatigue import Shift
from app.filters import Filters
from app.panels import pieces
from app.panels.trouble import still
from app.text import say, spelled

#: Clocks on the list go on by themselves.
TICK_S = 30
LIST_HEIGHT = 300


@st.fragment(run_every=TICK_S)
def contacts(cases: pl.DataFrame, times: pl.DataFrame, kinds: Sequence[str], zone: str) -> None:
    """Who is to be contacted, in three parts, of some kinds or of all; a selected row opens its
    case."""
    still(data.fatigue.PAGE)
    if pickers.fatigue.opened():  # a row was selected: not the list alone is to be drawn anew
        st.rerun()
    shown = figures.fatigue.of_kinds(cases, kinds)
    queued = figures.fatigue.queue(shown, times, datetime.now(UTC))
    pieces.section("fatigue.contacts", "fatigue.contacts.help")
    group = pickers.fatigue.group(figures.fatigue.counts(queued))
    if kinds:
        counts = {"n": f"{shown.height:,}", "all": f"{cases.height:,}"}
        st.caption(spelled(say("fatigue.kinds.of", **counts)))
    own = queued.filter(group=group)
    if own.is_empty():
        pieces.note(f"group.{group}.none")
        return
    listed, key = tables.fatigue.contacts(own, zone), f"list.{group}"
    pieces.table(
        listed,
        key,
        height=LIST_HEIGHT if own.height > 7 else "auto",
        on_select=lambda: _open_row(key, own["case_id"].to_list()),
        selection_mode="single-row",
    )
    pieces.download(listed, f"fatigue_{group}")


def _open_row(key: str, case_ids: Sequence[str]) -> None:
    rows = st.session_state[key].selection.rows
    if rows and rows[0] < len(case_ids):
        pickers.fatigue.open_case(case_ids[rows[0]])


def open_mark() -> None:
    """Open the case of a mark on the strip that was clicked."""
    points = st.session_state["strip"].selection.points
    marked = [point["customdata"] for point in points if point.get("customdata")]
    if marked:
        pickers.fatigue.open_case(str(marked[0][2]))


def strip(
    queued: pl.DataFrame, times: pl.DataFrame, kinds: Sequence[str], filters: Filters
) -> drawing.Drawn | None:
    """A shift to choose, its handover, which tells of all kinds, and its strip of some kinds or of
    all; None where it would have no row."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        shift = pickers.fatigue.shift(queued, times, filters)
        _hand_over(queued, shift, filters)
    nth = ramadan_day(shift[0])
    if nth is not None:
        st.caption(say("fatigue.ramadan.day", nth=nth))
    span = figures.fatigue.shift_span(times, shift)
    own = figures.fatigue.of_kinds(figures.fatigue.of_shift(queued, shift), kinds)
    looks = figures.fatigue.of_kinds(data.fatigue.looks(filters, shift, span), kinds)
    # Who has no case is shown to those who asked for what is none.
    units = fatigue_strip.strip_rows(own, looks if kinds else looks.clear())
    if not units:
        return None
    runs = data.fatigue.strip(filters, units, span)
    nights = data.fatigue.nights(filters, units, shift, span)
    zone, dark = filters.zone, pieces.dark()
    # Its clocks stand still, so one that went on is no other chart.
    cases = own.drop("clock_s")
    return drawing.once(fatigue_strip.strip, cases, looks, runs, units, span, nights, zone, dark)


def _hand_over(queued: pl.DataFrame, shift: Shift, filters: Filters) -> None:
    """The handover of a shift as a file, made when it is asked for."""
    day, number = shift
    own = figures.fatigue.of_shift(queued, shift)
    now = datetime.now(UTC)

    def page() -> str:
        notes = data.fatigue.notes(filters)
        watch = data.fatigue.watch(filters, shift)
        return handover.html(
            handover.Handover(
                *(day, number, filters.districts, filters.zone, now, own, watch),
                notes=dict(notes.iter_rows()),
                driven=data.fatigue.driven(filters, shift),
            )
        )

    st.download_button(
        say("handover.download"),
        page,
        file_name=f"handover_{day}_{number}.html",
        mime="text/html",
        icon=":material/print:",
        on_click="ignore",
        help=say("handover.help"),
    )
