"""The first administrator, by the link that ``haulwatch serve`` prints on a home without users."""

from __future__ import annotations

import streamlit as st

from app import state
from app.backend import Backend
from app.panels.administration import same, tried
from app.text import say
from pipeline.storage import setup


def asked(backend: Backend) -> bool:
    """Whether this visit comes by a link that is good; of one that is not it is said so."""
    token = st.query_params.get(state.SETUP)
    if not token:
        return False
    if setup.is_open(backend.ledger, token):
        return True
    st.info(say("setup.gone"), icon=":material/link_off:")
    return False


def form(backend: Backend) -> None:
    """Name and password of the first administrator; the link ends with it."""
    token = st.query_params[state.SETUP]
    with st.form("setup"):
        st.subheader(say("setup.title"), anchor=False)
        username = st.text_input(say("users.username"), max_chars=64)
        password = st.text_input(say("users.password"), type="password")
        again = st.text_input(say("users.again"), type="password")
        st.caption(say("users.password.rules"))
        if st.form_submit_button(say("setup.submit")):
            tried(lambda: _use(backend, token, username, same(password, again)), "setup.done")


def _use(backend: Backend, token: str, username: str, password: str) -> None:
    setup.use(backend.ledger, token, username, password)
    del st.query_params[state.SETUP]
