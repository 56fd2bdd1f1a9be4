"""The frame around every page: sign-in, account, header and live line."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st
from sqlalchemy.exc import SQLAlchemyError

from app import access, language, meaning, state, text
from app.backend import backend
from app.filters import Filters
from app.panels.trouble import marts_state, twins
from app.text import plain, say
from pipeline.storage.ledger import data_version
from pipeline.storage.people import User
from queries import operations

REFRESH_S = 5

#: A page is not redrawn more often than this while commits keep coming.
CALM_S = 15

#: What a page says of this moment is said anew after so long, also when nothing comes.
OLD_S = 120

STYLE = Path(__file__).parent.with_name("style.css")


def sign_in_frame() -> None:
    """What stands above the sign-in form."""
    st.title(say("app.name"))
    st.caption(say("app.tagline"))


def menu(pages: Mapping[str, Any], user: User | None) -> list[Any] | dict[str, list[Any]]:
    """Pages as the menu shows them: in sections for whoever has more than one of these."""
    mine = {page.section for page in access.PAGES if user and access.opens(user, page.name)}
    if len(mine) < 2:
        return list(pages.values())
    sections: dict[str, list[Any]] = {}
    for page in access.PAGES:
        sections.setdefault(say(f"menu.{page.section}"), []).append(pages[page.name])
    return sections


def account(user: User) -> bool:
    """Who is signed in, and the way out; True when it was taken."""
    st.sidebar.caption(f"{plain(user.name)} · {say(f'role.{user.role}')}")
    with st.sidebar.container(horizontal=True, vertical_alignment="center", wrap=False):
        language.switch()
        return st.button(
            say("sign_out"), icon=":material/logout:", type="tertiary", help=say("sign_out.help")
        )


def foot() -> None:
    """Below the filters: the way to what every figure means."""
    st.sidebar.link_button(
        say("docs.link"),
        meaning.DOCS,
        icon=":material/menu_book:",
        type="tertiary",
        help=say("docs.link.help"),
    )


def frame() -> None:
    """Our few lines of style, and the language for those who have the page read to them."""
    st.html(STYLE)
    st.html(
        f"<script>document.documentElement.lang = '{text.language()}'</script>",
        unsafe_allow_javascript=True,
    )


def header(page: str, filters: Filters) -> None:
    """Title, what the page is about, and the live line."""
    st.header(say(f"{page}.title"), anchor=False)
    zone = filters.zone_name
    days = "header.day" if filters.first == filters.last else "header.days"
    scope = (
        say(
            "header.scope",
            districts=", ".join(map(plain, filters.districts)) or say("filter.all_districts"),
            span=say(days, first=filters.first, last=filters.last),
            zone=zone,
        )
        if filters.first
        else say("header.own", districts=", ".join(map(plain, filters.districts)), zone=zone)
        if filters.districts
        else say("header.system", zone=zone)
    )
    now = datetime.now(ZoneInfo(filters.zone))
    st.caption(f"{scope} · {say('header.now', clock=now.strftime('%H:%M'), zone=zone)}")
    version = data_version(backend().ledger)
    present = bool(filters.first) and filters.bounds[1] > now
    st.session_state[state.DRAWN] = (version, time.monotonic(), present)
    _live()
    if filters.first:
        marts_state(filters)
        twins(filters)


@st.fragment(run_every=REFRESH_S)
def _live() -> None:
    """Progress of a backlog; redraws the page when the data's version has moved."""
    try:
        now = operations.vitals(backend().ledger)
    except SQLAlchemyError:  # what is drawn stays, with the reason why nothing moves
        st.warning(say("error.ledger"), icon=":material/database_off:")
        return
    progress = now.progress
    if progress.pending and not now.worker_alive:
        st.warning(say("progress.stopped", pending=progress.pending), icon=":material/pause:")
    total = max(progress.total, _expected())
    done = progress.done + progress.failed
    if done < total and now.worker_alive:
        st.progress(done / total, say("progress", done=done, total=total))
    drawn, since, present = st.session_state[state.DRAWN]
    age = time.monotonic() - since
    if (now.version != drawn and age >= CALM_S) or (present and age >= OLD_S):
        st.rerun()


def _expected() -> int:
    """Files that a demo is still going to deliver; 0 outside of it."""
    path = backend().settings.home / "expected.json"
    try:
        return int(json.loads(path.read_text(encoding="utf-8"))["files_expected"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0
