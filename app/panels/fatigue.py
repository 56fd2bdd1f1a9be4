"""Pieces of the page of fatigue events: an opened case, its review, rates, other thresholds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import streamlit as st

from app import access, auth, data, drawing, figures, pickers, state, tables
from app.backend import backend
from app.charts import fatigue as charts
from app.filters import Filters
from app.panels import pieces
from app.text import known, plain, say, spelled
from pipeline.storage import reviews
from pipeline.storage.reviews import Entry, Review, ReviewRefused


def back() -> None:
    """The way from a case to the lists."""
    st.button(
        say("fatigue.back"),
        icon=":material/arrow_back:",
        on_click=pickers.fatigue.close_case,
    )


def case(found: Mapping[str, Any], filters: Filters) -> None:
    """The head of an opened case."""
    zone = ZoneInfo(filters.zone)
    st.subheader(
        say(
            "fatigue.case",
            case=plain(found["case_id"]),
            kind=plain(known(f"kind.{found['kind']}", found["kind"])),
            unit=plain(found["unitno"]),
            time=found["started_at"].astimezone(zone).strftime("%Y-%m-%d %H:%M:%S"),
            zone=filters.zone_name,
        ),
        anchor=False,
    )
    arrived, now = found["arrived_at"], datetime.now(UTC)
    until = found["acknowledged_at"] or now
    text = [f"**{say('case_state.' + found['state'])}**"]
    if arrived is not None:
        clock = figures.fatigue.waited(arrived, until)
        key = "fatigue.case.took" if found["acknowledged_at"] else "fatigue.case.waits"
        shown = f"{arrived.astimezone(zone):%H:%M}"
        text.append(say(key, arrived=shown, clock=clock))
    st.markdown(" · ".join(text))


def facts(found: Sequence[tuple[str, str]], operator: str | None, kept_days: int | None) -> None:
    """What is known of a case; here alone an operator is named. ``kept_days``: as of ``data``."""
    gone = not operator and kept_days is not None
    nobody = say("fatigue.operator.gone" if gone else "fatigue.operator.none", days=kept_days)
    told = [(what, spelled(value)) for what, value in found]
    grid([(say("fatigue.operator"), plain(operator) if operator else nobody), *told])
    if not gone:
        st.caption(say("fatigue.operator.seen"))


def grid(rows: Sequence[Sequence[str]]) -> None:
    """A small table that wraps; cells are Markdown without a bar of their own."""
    head, *body = ("| " + " | ".join(row) + " |" for row in rows)
    st.markdown("\n".join((head, "|:--" * len(rows[0]) + "|", *body)))


def review(
    found: Mapping[str, Any], roster: pl.DataFrame, ladder: Sequence[str], zone: str
) -> None:
    """What people said so far, and the form for those who may add to it."""
    history = data.fatigue.history(found)
    st.subheader(say("review.title"), anchor=False, help=say("review.help"))
    for entry in history:
        st.markdown(f"- {_said(entry, zone)}")
    if not history:
        st.caption(say("review.nothing"))
    user = auth.current(backend())
    if user is None or not access.may(user, "review cases"):
        return
    newest = history[-1].number if history else 0
    forms = st.session_state.setdefault(state.REVIEW_FORMS, {})
    sent, seen, offered = forms.setdefault(found["case_id"], (0, newest, ladder))
    advised = figures.fatigue.suggested(roster, ladder)
    given = _form(f"{found['case_id']}.{sent}", bool(history), ladder, advised)
    if given is None:
        forms[found["case_id"]] = sent, seen, ladder
        return
    try:
        if ladder != offered:  # the browser has forgotten what was chosen of the other one
            raise ReviewRefused("ladder", "the ladder was changed meanwhile")
        data.fatigue.review(found, given, seen)
    except ReviewRefused as refused:
        # What was filled in stays; now that the rest was seen it may be sent again.
        forms[found["case_id"]] = sent, newest, ladder
        st.error(say(f"review.refused.{refused.why}"), icon=":material/block:")
    else:
        forms[found["case_id"]] = sent + 1, data.fatigue.history(found)[-1].number, ladder
        st.toast(say("review.kept"), icon=":material/check:")
        st.rerun()


def _form(key: str, again: bool, ladder: Sequence[str], advised: str) -> Review | None:
    """The form; its answer once it was sent. ``key`` changes with each review: it starts afresh."""
    with st.form(f"review.{key}", border=True):
        result = st.radio(
            say("review.state"),
            reviews.STATES,
            index=1 if again else 0,
            format_func=lambda name: say(f"case_state.{name}"),
            horizontal=True,
        )
        basis = st.radio(
            say("review.basis"),
            reviews.BASES,
            index=None,
            format_func=lambda name: say(f"basis.{name}"),
            horizontal=True,
            help=say("review.basis.help"),
        )
        action = st.selectbox(
            say("review.action"),
            ladder,
            index=None,
            format_func=figures.fatigue.step,
            placeholder=say("review.action.advised", action=figures.fatigue.step(advised)),
        )
        left, right = st.columns(2)
        fit = left.radio(
            say("review.fit"),
            (None, True, False),
            format_func=lambda fit: say(f"review.fit.{fit}".lower()),
            horizontal=True,
        )
        sleep = right.number_input(
            say("review.sleep"), 0.0, float(reviews.MOST_SLEEP_H), None, 0.5, placeholder="–"
        )
        note = st.text_area(say("review.note"), max_chars=reviews.LONGEST_NOTE, height=80)
        sent = st.form_submit_button(
            say("review.send"), type="primary", icon=":material/check:", width="stretch"
        )
    return Review(result, basis, action, note.strip(), fit, sleep) if sent else None


def _said(entry: Entry, zone: str) -> str:
    one = entry.review
    parts = [
        f"{entry.at.astimezone(ZoneInfo(zone)):%d %b %H:%M} **{say(f'case_state.{one.state}')}**",
        plain(entry.who),
    ]
    if one.basis:
        parts.append(say(f"basis.{one.basis}"))
    if one.action:
        parts.append(plain(figures.fatigue.step(one.action)))
    if one.fit_to_work is not None:
        parts.append(say("review.fit.said", fit=say(f"review.fit.{one.fit_to_work}".lower())))
    if one.sleep_h is not None:
        parts.append(say("review.sleep.said", hours=spelled(f"{one.sleep_h:g}")))
    if one.note:
        parts.append(plain(one.note, reviews.LONGEST_NOTE))
    return " · ".join(parts)


def trace(seconds: pl.DataFrame, found: dict[str, Any], filters: Filters) -> drawing.Drawn:
    """The eyes and the speed around an opened case."""
    ratio = data.fatigue.thresholds_in_force()["closed_ratio"]
    return drawing.once(charts.eye_trace, seconds, found, ratio, filters.zone, pieces.dark())


def place(track: pl.DataFrame, found: dict[str, Any], spot: tuple[float, float]) -> drawing.Drawn:
    """Where an opened case was, on the roads there."""
    roads = data.fatigue.roads(found)
    return drawing.once(charts.place, track, found, spot, roads, pieces.dark())


def what_if(filters: Filters) -> None:
    """Cases as other thresholds would have found them; nothing is put in force here."""
    pieces.section("fatigue.what_if", "fatigue.what_if.help")
    moved = pickers.fatigue.thresholds(data.fatigue.thresholds_in_force())
    if not moved:
        st.caption(say("fatigue.what_if.none"))
        return
    with st.spinner(say("fatigue.what_if.busy")):
        tried = data.fatigue.tried(filters, moved)
    counted = figures.fatigue.changes(tried)
    st.markdown(say("fatigue.tried", **{name: spelled(f"{n:,}") for name, n in counted.items()}))
    if counted["gone"] or counted["new"]:
        shown = tables.fatigue.changes(tried, filters.zone)
        pieces.table(shown, "changes")
        pieces.download(shown, "fatigue_what_if")
