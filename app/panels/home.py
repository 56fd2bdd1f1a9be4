"""Pieces of the overview."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import streamlit as st

from app import data
from app.figures.changes import Changes, lines
from app.filters import Filters
from app.panels.pieces import note, section
from app.text import say
from app.tiles import span


def changes(found: Changes, since: datetime, known: bool, filters: Filters) -> None:
    """What changed since the last visit, and a button to have seen it."""
    section("home.changes")
    ago = span((datetime.now(UTC) - since).total_seconds())
    clock = since.astimezone(ZoneInfo(filters.zone)).strftime("%Y-%m-%d %H:%M")
    with st.container(horizontal=True, vertical_alignment="center"):
        if known:
            st.caption(say("home.changes.since", clock=clock, zone=filters.zone_name, ago=ago))
        else:
            st.caption(say("home.changes.first", ago=ago))
        st.button(
            say("home.changes.seen"),
            icon=":material/done_all:",
            type="tertiary",
            help=say("home.changes.seen.help"),
            on_click=data.home.seen,
        )
    said = lines(found)
    if said:
        st.markdown("\n".join(f"- {line}" for line in said))
    else:
        note("home.changes.none")
