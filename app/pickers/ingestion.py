"""Which files, and what to run now."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from app.text import say
from pipeline import worker
from pipeline.storage.ledger import Ledger
from pipeline.storage.people import User

STATUSES = ("ok", "partial", "corrupt", "failed", "pending", "done", "ignored")

RUNS = ("ingest", "build", "compact")


def file_filter(counts: Mapping[str, int]) -> tuple[tuple[str, ...], str]:
    """Statuses (none chosen: all) and a piece of the key."""
    left, right = st.columns([2, 1])
    statuses = left.pills(
        say("ingestion.files.status"),
        [status for status in STATUSES if status in counts],
        selection_mode="multi",
        format_func=lambda status: f"{status} {counts[status]:,}",
    )
    text = right.text_input(say("ingestion.files.text"))
    return tuple(statuses or ()), text.strip()


def run_now(ledger: Ledger, user: User) -> None:
    """Buttons that ask the worker for a step now; who asked is recorded."""
    with st.container(horizontal=True):
        for kind in RUNS:
            if st.button(say(f"ingestion.run.{kind}"), icon=":material/play_arrow:"):
                worker.request(ledger, kind, user.username)
                st.toast(say("ingestion.asked"))
