"""Pieces of the page of ingestion: requests as they go, bad lines page by page, older rules."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import polars as pl
import streamlit as st

from app import data, tables
from app.backend import backend
from app.filters import Filters
from app.panels.pieces import note, table, table_or
from app.panels.trouble import still
from app.text import plain, say
from app.tiles import span
from pipeline.fields import RULES_VERSION
from pipeline.storage.requests import ASKED, OPEN, REREAD
from queries import ingestion, operations

REFRESH_S = 2


@st.fragment(run_every=REFRESH_S)
def requests(page: str, zone: str) -> None:
    """What people asked for: what is open with its progress and a way to end it, then the rest."""
    still(page)
    found = ingestion.requests(backend().ledger)
    waiting = found.filter(state=ASKED).height
    if waiting and not operations.vitals(backend().ledger).worker_alive:
        st.warning(say("requests.no_worker", waiting=waiting), icon=":material/pause:")
    for row in found.filter(pl.col("state").is_in(OPEN)).iter_rows(named=True):
        _open(page, row)
    table_or(tables.ingestion.requests(found, zone), "requests", "requests.none")


def _open(page: str, row: dict[str, object]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        text = say(
            "requests.open",
            number=row["id"],
            kind=say(f"request.{row['kind']}"),
            who=plain(row["who"]),
            state=say(f"request_state.{row['state']}"),
        )
        files = int(str(row["files"] or 0))
        if row["kind"] == REREAD and files:
            done = int(str(row["done"] or 0))
            text = f"{text} · {say('requests.files', done=done, files=files)}"
            st.progress(min(done / files, 1.0), text)
        else:
            st.markdown(text)
        if row["state"] == ASKED or row["kind"] == REREAD:
            label, number = say("requests.cancel"), int(str(row["id"]))
            if st.button(label, icon=":material/cancel:", key=f"cancel-{number}"):
                ended = data.delivery.cancel(page, number)
                st.toast(say("requests.cancelled" if ended else "requests.too_late"))
                st.rerun(scope="fragment")


@st.fragment(run_every=REFRESH_S)
def runs(page: str, zone: str) -> None:
    """The latest pieces of work; one that runs shows for how long, and what it has to do."""
    still(page)
    found = operations.runs(backend().ledger)
    progress = operations.vitals(backend().ledger).progress
    for row in found.filter(status="running").iter_rows(named=True):
        since = (datetime.now(UTC) - row["started_at"]).total_seconds()
        text = say("ingestion.running", kind=plain(row["kind"]), time=span(since))
        if row["kind"] == "ingest" and progress.total:
            done = progress.total - progress.pending
            text = f"{text} · {say('requests.files', done=done, files=progress.total)}"
            st.progress(done / progress.total, text)
        else:
            st.markdown(text)
    table_or(tables.ingestion.runs(found, zone), "runs", "ingestion.runs.none")


def running(zone: str) -> None:
    """Who works, and who of them leads."""
    found = operations.workers(backend().ledger)
    if not operations.vitals(backend().ledger).worker_alive:
        st.info(say("ingestion.workers.none"), icon=":material/pause:")
    if not found.is_empty():
        leader = ingestion.leader(backend().ledger)
        table(tables.ingestion.workers(found, leader, zone), "workers")


def stale(found: Mapping[int, int]) -> None:
    """Files that older rules have read."""
    if not found:
        note("ingestion.rules.none", rules=RULES_VERSION)
        return
    listed = ", ".join(say("ingestion.rules.of", rules=r, files=n) for r, n in found.items())
    st.markdown(say("ingestion.rules.some", listed=listed, rules=RULES_VERSION))


def bad_lines(page: str, filters: Filters) -> None:
    """Quarantined lines of the span by reason and device, a page at a time."""
    reasons = data.delivery.bad_reasons(page, filters)
    if reasons.is_empty():
        note("quarantine.none")
        return
    left, middle, right = st.columns([2, 2, 1])
    counts = dict(
        reasons.group_by("reason").agg(pl.col("lines").sum()).sort("lines", "reason").rows()
    )
    every = say("quarantine.every")
    choice = left.selectbox(
        say("quarantine.reason"),
        [every, *reversed(counts)],
        format_func=lambda name: f"{name} ({counts[name]:,})" if name in counts else name,
    )
    reason = "" if choice == every else choice
    of = reasons.filter(pl.lit(not reason) | (pl.col("reason") == reason))
    device = middle.selectbox(
        say("column.device"), [every, *of["device"].unique().sort().to_list()]
    )
    device = "" if device == every else device
    total = int(of.filter(pl.lit(not device) | (pl.col("device") == device))["lines"].sum())
    pages = max(-(-total // data.delivery.LINES), 1)
    number = right.number_input(say("quarantine.page", pages=pages), 1, pages, 1)
    skip = (int(number) - 1) * data.delivery.LINES
    lines = data.delivery.bad_lines(page, filters, device=device, reason=reason, skip=skip)
    st.caption(say("quarantine.shown", first=skip + 1, last=skip + lines.height, total=total))
    table(tables.delivery.lines(lines, keys=True), "quarantine", height=360)
