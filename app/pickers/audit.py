"""Which entries of the audit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import streamlit as st

from app.text import say
from pipeline.localtime import day_span
from queries.admin import AuditFilter

#: Days shown unless others are asked for.
USUAL_DAYS = 30


def wanted(who: Sequence[str], what: Sequence[str], zone: str) -> AuditFilter:
    """By person, kind of action, subject and local days, both included."""
    every = say("audit.every")
    names = st.columns(3)
    person = names[0].selectbox(say("audit.who"), [every, *who])
    action = names[1].selectbox(say("audit.what"), [every, *what])
    text = names[2].text_input(say("audit.text"), max_chars=100)
    today = datetime.now(UTC).astimezone(ZoneInfo(zone)).date()
    days = st.columns(3)
    first = _day(days[0], "audit.first", today - timedelta(days=USUAL_DAYS))
    last = _day(days[1], "audit.last", today)
    first, last = sorted((first, last))
    return AuditFilter(
        day_span(first.isoformat(), zone)[0],
        day_span(last.isoformat(), zone)[1],
        None if person == every else person,
        None if action == every else action,
        text.strip(),
    )


def _day(place: st.delta_generator.DeltaGenerator, label: str, usual: date) -> date:
    found = place.date_input(say(label), value=usual, format="YYYY-MM-DD", key=label)
    return found if isinstance(found, date) else usual
