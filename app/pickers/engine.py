"""Which units and signals, how they compare, and which stretch of time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

import polars as pl
import streamlit as st

from app import signals as catalogue
from app import spans, state, tables
from app.filters import Filters
from app.looks import DAYS, TIME, Look
from app.spans import Span
from app.text import say
from app.tiles import span as length
from pipeline.localtime import from_wall

MOST_UNITS = 3

#: What the button "go to" offers to show, in minutes.
LENGTHS = (5, 15, 60, 120, 360, 1440)

#: A zoom that goes back further than this is forgotten.
STEPS_BACK = 30


def look(units: pl.DataFrame) -> Look:
    """The units (that with most exceedances unless chosen), their signals, and how they compare."""
    ranked = units.sort("exceedances", "unitno", descending=[True, False], nulls_last=True)
    ranked = ranked.unique("unitno", keep="first", maintain_order=True)
    names = ranked["unitno"].to_list()
    _recall(state.UNIT, names, names[:1], MOST_UNITS)
    _recall(state.SIGNALS, catalogue.shown(), catalogue.USUAL, catalogue.MOST)
    _recall(state.COMPARE, (TIME, DAYS), (TIME,), 1)
    left, middle, right = st.columns([2, 5, 2])
    chosen = left.multiselect(
        say("engine.units", most=MOST_UNITS), names, max_selections=MOST_UNITS, key=state.UNIT
    )
    signals = middle.multiselect(
        say("engine.signals.choose", most=catalogue.MOST),
        catalogue.shown(),
        format_func=catalogue.label,
        max_selections=catalogue.MOST,
        wrap=True,
        key=state.SIGNALS,
    )
    compare = right.selectbox(
        say("engine.compare"),
        (TIME, DAYS),
        format_func=lambda way: say(f"engine.compare.{way}"),
        key=state.COMPARE,
    )
    _remember(state.UNIT, chosen)
    _remember(state.SIGNALS, signals)
    _remember(state.COMPARE, [] if compare == TIME else [compare])
    _dictionary(tuple(signals))
    own = ranked.filter(pl.col("unitno").is_in(chosen))
    types = own["unittype"].drop_nulls().unique().sort()
    districts = own["dstrct_code"].unique().sort()
    return Look(tuple(chosen), tuple(districts), tuple(types), tuple(signals), compare)


def _recall(key: str, offered: Sequence[str], usual: Sequence[str], most: int) -> None:
    """Give a widget its value: as chosen, as the address has it, as on an earlier visit, or usual.

    What is not offered (any more) is left out: Streamlit refuses a value that is no option.
    """
    single = most == 1
    if key in st.session_state:
        now = st.session_state[key]
        wanted = [now] if single else list(now)
        usual = ([name for name in wanted if name in offered] or usual) if wanted else []
    else:
        kept = st.query_params.get_all(key) or st.session_state.get(state.FILTERS, {}).get(key, [])
        usual = [name for name in dict.fromkeys(kept) if name in offered][:most] or usual
    st.session_state[key] = usual[0] if single else list(usual)


def _remember(key: str, chosen: list[str]) -> None:
    """Keep a choice in the address, and for the next visit of the page."""
    st.session_state.setdefault(state.FILTERS, {})[key] = chosen
    if chosen:
        st.query_params[key] = chosen
    elif key in st.query_params:
        del st.query_params[key]


def _dictionary(chosen: tuple[str, ...]) -> None:
    """Every field there is, to be searched; a click shows a signal or takes it away.

    It is made when it is opened: a browser draws what is folded away, too.
    """
    title = say("engine.dictionary", fields=catalogue.dictionary().height)
    folded = st.expander(title, icon=":material/search:", key=state.DICTIONARY, on_change="rerun")
    if not folded.open:
        return
    with folded:
        text = st.text_input(say("engine.dictionary.search"), icon=":material/search:")
        found = catalogue.found(text)
        if found.is_empty():
            st.caption(say("engine.dictionary.none"))
            return
        st.caption(say("engine.dictionary.hint"))
        key = f"dictionary {text} {' '.join(chosen)}"
        st.dataframe(
            tables.engine.dictionary(found, chosen),
            width="stretch",
            height=300,
            hide_index=True,
            key=key,
            on_select=partial(_toggle, key, found),
            selection_mode="single-row",
        )


def _toggle(key: str, found: pl.DataFrame) -> None:
    rows = st.session_state[key].selection.rows
    name = tables.engine.entry(found, rows[0]) if rows else None
    if name:
        st.session_state[state.SIGNALS] = toggled(st.session_state[state.SIGNALS], name)


def toggled(chosen: Sequence[str], name: str) -> list[str]:
    """The choice without a signal that it has, or with one more; the oldest goes where all places
    are taken."""
    if name in chosen:
        return [other for other in chosen if other != name]
    return [*chosen, name][-catalogue.MOST :]


def span(whole: Span, filters: Filters) -> Span:
    """The stretch of time that the address names, else all of it; and the ways to move it."""
    start, end = (st.query_params.get(key, "") for key in (state.START, state.END))
    asked = spans.read(start, end)
    now = (asked.within(whole) if asked else None) or whole
    zoomed = now != whole
    before = st.session_state.setdefault(state.SPANS_BEFORE, [])
    ways: tuple[tuple[str, str, Span | None, bool], ...] = (
        ("engine.earlier", "chevron_left", now.moved(-0.5), now.start > whole.start),
        ("engine.later", "chevron_right", now.moved(0.5), now.end < whole.end),
        ("engine.in", "zoom_in", now.zoomed(0.25), now.seconds > spans.SHORTEST.total_seconds()),
        ("engine.out", "zoom_out", now.zoomed(4), zoomed),
        ("engine.whole", "zoom_out_map", None, zoomed),
    )
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(say("engine.back"), icon=":material/undo:", disabled=not before, on_click=_back)
        for key, icon, target, possible in ways:
            st.button(
                say(key),
                icon=f":material/{icon}:",
                disabled=not possible,
                on_click=partial(go, now, target, whole),
            )
        with st.popover(say("engine.goto"), icon=":material/schedule:"):
            _go_to(now, whole, filters.zone)
    return now


def _go_to(now: Span, whole: Span, zone: str) -> None:
    at = pl.Series([now.start]).dt.convert_time_zone(zone).dt.replace_time_zone(None)[0]
    key = f"goto {now.address}"
    with st.form(key, border=False):
        st.datetime_input(say("engine.goto.start"), at, step=60, key=f"{key} at")
        st.selectbox(
            say("engine.goto.length"),
            LENGTHS,
            index=2,
            format_func=lambda minutes: length(60 * minutes),
            key=f"{key} length",
        )
        st.form_submit_button(
            say("engine.goto.show"), on_click=partial(_show, key, now, whole, zone)
        )


def _show(key: str, now: Span, whole: Span, zone: str) -> None:
    clock: datetime | None = st.session_state.get(f"{key} at")
    minutes = st.session_state.get(f"{key} length")
    if clock is None or not minutes:
        return
    try:
        start = from_wall(clock, zone)
    except ValueError:  # an hour that the clocks skip
        return
    go(now, Span(start, start + timedelta(minutes=minutes)), whole)


def go(now: Span, target: Span | None, whole: Span) -> None:
    """Show another stretch; None is the whole. Nothing outside of the days chosen is shown."""
    inside = target.within(whole) if target else whole
    if inside is None or inside == now:
        return
    st.session_state[state.SPANS_BEFORE] = [
        *st.session_state.get(state.SPANS_BEFORE, []),
        now.address if now != whole else ("", ""),
    ][-STEPS_BACK:]
    _address(inside.address if inside != whole else ("", ""))


def _back() -> None:
    _address(st.session_state[state.SPANS_BEFORE].pop())


def _address(both: tuple[str, str]) -> None:
    for key, value in zip((state.START, state.END), both, strict=True):
        if value:
            st.query_params[key] = value
        elif key in st.query_params:
            del st.query_params[key]


def box(key: str, now: Span, whole: Span, zone: str) -> None:
    """Zoom to the box that was drawn over a chart."""
    boxes = st.session_state[key].selection.box
    if boxes:
        go(now, spans.boxed(boxes[0]["x"], zone), whole)


def exceedance(key: str, exceeded: pl.DataFrame, now: Span, whole: Span) -> None:
    """Zoom to the exceedance whose row was clicked, its signal among those shown."""
    rows = st.session_state[key].selection.rows
    if not rows or rows[0] >= exceeded.height:
        return
    found = exceeded.row(rows[0], named=True)
    if found["signal"] not in st.session_state[state.SIGNALS]:
        st.session_state[state.SIGNALS] = toggled(st.session_state[state.SIGNALS], found["signal"])
    go(now, spans.around(found["started_at"], found["ended_at"]), whole)
