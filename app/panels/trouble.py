"""What stands where nothing can: every failure is one calm sentence, and a line in the log."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import streamlit as st
from sqlalchemy.exc import SQLAlchemyError

from app import access, auth
from app.access import Refused
from app.backend import Backend, backend
from app.data.asking import require
from app.filters import Filters
from app.text import plain, say
from app.tiles import few
from pipeline.errors import StoreUnavailable, UsageError
from pipeline.storage.people import User
from queries import operations

#: While the ledger is away, it is looked for this often.
AGAIN_S = 5

_log = logging.getLogger("haulwatch.pages")


def present() -> tuple[Backend | None, User | None]:
    """The backend and who this session is; no backend while the ledger cannot be reached."""
    try:
        house = backend()
        return house, auth.current(house)
    except (SQLAlchemyError, UsageError):
        _log.exception("the ledger")
        return None, None


def run(page: Any, allowed: bool, home: Any) -> None:
    """Run a page; what goes wrong in it is one calm sentence, and a line in the log."""
    try:
        if not allowed:
            raise Refused
        page.run()
    except Refused:
        refusal(home)
    except duckdb.InterruptException:
        st.warning(say("error.slow"), icon=":material/timer:")
    except StoreUnavailable:
        st.warning(say("error.lake"), icon=":material/cloud_off:")
    except SQLAlchemyError:
        _log.exception("page %s", page.url_path or "home")
        ledger_away()
    except (duckdb.Error, OSError):
        _log.exception("page %s", page.url_path or "home")
        st.warning(say("error.query"), icon=":material/sync_problem:")


def still(page: str) -> None:
    """A fragment is drawn anew without the router: who may not see it any more is sent there."""
    try:
        require(page)
    except Refused:
        st.rerun()


def refusal(home: Any) -> None:
    """A page that is not part of the role: no name, no figure, a way back."""
    st.info(say("access.refused"), icon=":material/lock:")
    st.page_link(home, label=say("access.back"), icon=":material/arrow_back:")


def ledger_away() -> None:
    """In place of a page; it comes back by itself."""
    st.warning(say("error.ledger"), icon=":material/database_off:")
    _look_again()


@st.fragment(run_every=AGAIN_S)
def _look_again() -> None:
    """Draw the page again as soon as the ledger answers."""
    try:
        operations.vitals(backend().ledger)
    except (SQLAlchemyError, UsageError):
        return
    st.rerun()


def lake_state(zone: str) -> None:
    """One sentence above the page while the lake's store is away; else nothing."""
    trouble = backend().reader.lake.trouble
    if trouble:
        since = f"{datetime.fromtimestamp(trouble.since, ZoneInfo(zone)):%Y-%m-%d %H:%M}"
        st.warning(
            say("lake.away", since=since, zone=zone, reason=plain(trouble.reason)),
            icon=":material/cloud_off:",
        )


def twins(filters: Filters) -> None:
    """One sentence above the figures where a fleet number is that of two trucks."""
    if len(filters.districts) == 1:
        return
    found = operations.twins(backend().ledger, filters.scope)
    if found:
        st.info(say("twins", names=few(found)), icon=":material/content_copy:")


def marts_state(filters: Filters) -> None:
    """One sentence above the figures while newer ones wait, because their tests failed."""
    held = operations.held_back(backend().ledger, filters.districts)
    if held is None:
        return
    if held.since is None:
        sentence = say("marts.failed.never", tests=held.tests)
    else:
        clock = held.since.astimezone(ZoneInfo(filters.zone)).strftime("%Y-%m-%d %H:%M")
        sentence = say("marts.failed", tests=held.tests, clock=clock, zone=filters.zone_name)
    st.warning(sentence, icon=":material/rule:")
    user = auth.current(backend())
    page = access.BY_NAME["ingestion"]
    if user is not None and access.may_open(user.role, page.name):
        st.page_link(page.path, label=say("marts.failed.link"), icon=page.icon)
