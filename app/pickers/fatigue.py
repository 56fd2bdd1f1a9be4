"""What to look at on the page of fatigue events; all of it stands in the address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
import streamlit as st

from app import access, state
from app.figures.fatigue import EVERY_DAY, GROUPS, KINDS, Shift
from app.filters import Filters
from app.text import say, spelled
from pipeline.marts.thresholds import THRESHOLDS
from pipeline.storage.people import User

NOW, PATTERNS, WHAT_IF = "now", "patterns", "what_if"


def opened() -> str | None:
    """The case that the address names."""
    return st.query_params.get(state.CASE)


def open_case(case_id: str) -> None:
    """Name a case in the address."""
    st.query_params[state.CASE] = case_id


def close_case() -> None:
    """Go back to the lists."""
    st.query_params.pop(state.CASE, None)


def view(user: User) -> str:
    """The shift, its patterns, or other thresholds (for those who may)."""
    offered = [NOW, PATTERNS]
    if access.may(user, "try thresholds"):
        offered.append(WHAT_IF)
    _recall(state.VIEW, offered, NOW)
    chosen = st.segmented_control(
        say("fatigue.view"),
        offered,
        format_func=lambda name: say(f"fatigue.view.{name}"),
        key=state.VIEW,
        label_visibility="collapsed",
    )
    return _remember(state.VIEW, chosen or NOW, NOW)


def kinds() -> tuple[str, ...]:
    """Kinds to which the list and the strip are narrowed; none: all."""
    wanted = st.query_params.get(state.KINDS, "").split(",")
    if state.KINDS not in st.session_state:
        st.session_state[state.KINDS] = [kind for kind in KINDS if kind in wanted]
    chosen = st.pills(
        say("fatigue.kinds"),
        KINDS,
        selection_mode="multi",
        format_func=lambda kind: say(f"kind.{kind}"),
        key=state.KINDS,
        label_visibility="collapsed",
    )
    _remember(state.KINDS, ",".join(chosen), "")
    return tuple(chosen)


def season(seasons: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Which days the profile is of; there is nothing to choose without a day of Ramadan."""
    if len(seasons) == 1:
        return seasons[EVERY_DAY]
    _recall(state.SEASON, list(seasons), EVERY_DAY)
    chosen = st.segmented_control(
        say("fatigue.season"),
        list(seasons),
        format_func=lambda name: say(f"season.{name}", n=len(seasons[name])),
        key=state.SEASON,
        label_visibility="collapsed",
    )
    return seasons[_remember(state.SEASON, chosen or EVERY_DAY, EVERY_DAY)]


def group(counts: dict[str, int]) -> str:
    """Which part of the contact list: the first one with cases unless chosen."""
    usual = next((name for name in GROUPS if counts[name]), GROUPS[0])
    _recall(state.CONTACTS, GROUPS, usual)
    chosen = st.segmented_control(
        say("fatigue.contacts"),
        GROUPS,
        format_func=lambda name: f"{say(f'group.{name}')} ({spelled(f'{counts[name]:,}')})",
        key=state.CONTACTS,
        label_visibility="collapsed",
    )
    return _remember(state.CONTACTS, chosen or usual, usual)


def shift(queued: pl.DataFrame, times: pl.DataFrame, filters: Filters) -> Shift:
    """A shift that has begun: the newest one with a case unless chosen."""
    begun = times.group_by("hiveperiod", "shift").agg(
        pl.col("from_at").min(), pl.col("until_at").max()
    )
    begun = begun.sort("hiveperiod", "shift", descending=True)
    offered: list[Shift] = [
        (str(day), int(n)) for day, n in begun.select("hiveperiod", "shift").rows()
    ]
    with_case = set(queued.select("hiveperiod", "shift").rows())
    names = {f"{day}.{n}": (day, n) for day, n in offered}
    usual = next((name for name, one in names.items() if one in with_case), next(iter(names)))
    numbers = {f"{day}.{n}": queued.filter(hiveperiod=day, shift=n).height for day, n in offered}
    local = begun.with_columns(
        pl.col("from_at", "until_at").dt.convert_time_zone(filters.zone).dt.strftime("%H:%M")
    )
    hours = {f"{row[0]}.{row[1]}": (row[2], row[3]) for row in local.iter_rows()}
    _recall(state.SHIFT, list(names), usual)
    chosen = st.selectbox(
        say("fatigue.shift"),
        list(names),
        format_func=lambda name: say(
            "fatigue.shift.of",
            day=names[name][0],
            n=names[name][1],
            begin=hours[name][0],
            end=hours[name][1],
            cases=numbers[name],
        ),
        key=state.SHIFT,
        label_visibility="collapsed",
        width=430,
    )
    return names[_remember(state.SHIFT, chosen, usual)]


def thresholds(current: dict[str, float]) -> dict[str, float]:
    """A form of every threshold; those that were moved, once it was sent."""
    with st.form("thresholds", border=True):
        places = st.columns(3)
        moved = {}
        for i, one in enumerate(THRESHOLDS):
            value = places[i % 3].number_input(
                say(f"threshold.{one.name}") + (f" ({one.unit})" if one.unit else ""),
                min_value=float(one.low),
                max_value=float(one.high),
                value=float(current[one.name]),
                step=0.01 if one.high <= 1 else 0.5,
                key=f"threshold.{one.name}",
            )
            if value != current[one.name]:
                moved[one.name] = float(value)
        st.form_submit_button(say("fatigue.try"), icon=":material/science:")
    return moved


def _recall(key: str, offered: Sequence[str], usual: str) -> None:
    """Give a widget the value of the address before it is drawn, if it is one that is offered."""
    if st.session_state.get(key) not in offered:
        wanted = st.query_params.get(key)
        st.session_state[key] = wanted if wanted in offered else usual


def _remember(key: str, value: Any, usual: str) -> str:
    if value != usual:
        st.query_params[key] = value
    else:
        st.query_params.pop(key, None)
    return str(value)
