"""Reading raw files again: what is chosen, what that would touch, and only then the request."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import streamlit as st

from app import data, state
from app.backend import backend
from app.text import plain, say
from pipeline.errors import UsageError
from pipeline.reingest import ReingestPlan, Selection, words
from queries import operations

SCOPES = ("file", "device", "day", "span", "rules")
#: Keys of a plan that are listed by name.
LISTED = 5


def one_file(page: str, key: str) -> None:
    """A button that reads one file again, after it has said what that touches."""
    if st.button(say("reread.file"), icon=":material/replay:", key=f"reread-{key}"):
        _plan(page, Selection(key=key))
    confirm(page, key)


def form(page: str, districts: Sequence[str], user_districts: Sequence[str]) -> None:
    """Choose by file, device, day or span, or what older rules have read."""
    kind = st.segmented_control(
        say("reread.by"), SCOPES, default=SCOPES[0], format_func=lambda s: say(f"reread.by.{s}")
    )
    with st.form("reread", border=True):
        chosen = _fields(str(kind or SCOPES[0]), districts, user_districts)
        if st.form_submit_button(say("reread.dry_run"), icon=":material/search:"):
            st.session_state.pop(state.REREAD_PLAN, None)
            try:
                _plan(page, Selection(**chosen))
            except UsageError:
                st.warning(say("reread.choose"), icon=":material/help_center:")
    confirm(page)


def _fields(kind: str, districts: Sequence[str], user_districts: Sequence[str]) -> dict[str, Any]:
    """The form's fields for a kind of choice, as arguments of a selection."""
    if kind == "file":
        return {"key": st.text_input(say("reread.key"), placeholder=say("reread.key.like")).strip()}
    # Who is bound to districts chooses one of theirs: "all" is not theirs to choose.
    choice: list[str | None] = list(user_districts) or [None, *districts]
    places = st.columns(4)
    found: dict[str, Any] = {
        "district": places[0].selectbox(
            say("filter.district"), choice, format_func=lambda d: d or say("filter.all_districts")
        )
    }
    if kind == "rules":
        return {**found, "stale_rules": True}
    if kind == "device":
        found["device"] = places[1].text_input(say("column.device")).strip()
    names = ("day",) if kind == "day" else ("from", "to")
    days = [
        _iso(place.date_input(say(f"reread.{name}"), value=None, format="YYYY-MM-DD"))
        for name, place in zip(names, places[2:], strict=False)
    ]
    return {**found, "first": days[0], "last": days[-1]}


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _plan(page: str, chosen: Selection) -> None:
    """The dry run: what is kept is what will be confirmed."""
    try:
        with st.spinner(say("reread.planning")):
            planned = data.delivery.reread_plan(page, chosen)
    except UsageError:
        st.warning(say("reread.none", chosen=plain(words(chosen))), icon=":material/help_center:")
        return
    st.session_state[state.REREAD_PLAN] = (chosen, planned)


def confirm(page: str, key: str | None = None) -> None:
    """What the plan touches, and the two ways on; nothing while there is no plan (for ``key``)."""
    kept: tuple[Selection, ReingestPlan] | None = st.session_state.get(state.REREAD_PLAN)
    if kept is None or (key is not None and kept[0].key != key):
        return
    chosen, planned = kept
    with st.container(border=True):
        st.markdown(say("reread.plan.title", chosen=plain(words(chosen))))
        st.markdown(_touches(planned))
        if not operations.vitals(backend().ledger).worker_alive:
            st.warning(say("reread.no_worker"), icon=":material/pause:")
        with st.container(horizontal=True):
            go = st.button(
                say("reread.confirm"),
                type="primary",
                icon=":material/replay:",
                disabled=not planned.keys,
            )
            leave = st.button(say("reread.leave"), type="tertiary")
    if go:
        number = data.delivery.read_again(page, chosen, planned)
        st.toast(say("reread.asked", number=number))
    if go or leave:
        del st.session_state[state.REREAD_PLAN]
        st.rerun()


def _touches(planned: ReingestPlan) -> str:
    text = say(
        "reread.plan",
        files=len(planned.keys),
        rows=planned.rows,
        days=len(planned.days),
        mart_days=len(planned.mart_days),
    )
    if planned.gone:
        text += "\n\n" + say("reread.plan.gone", gone=len(planned.gone))
    names = [plain(key, 200) for key in planned.keys[:LISTED]]
    more = len(planned.keys) - len(names)
    if more > 0:
        names.append(say("reread.plan.more", more=more))
    return text + "".join(f"\n- {name}" for name in names)
