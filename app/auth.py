"""Signing in: streamlit-authenticator's form and cookie over the ledger's people.

The cookie names ``user#version`` (``identity``). The ledger holds the version; signing out, another
password and disabling move it on, and every older cookie is worth nothing from then on.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from app import identity, state
from app.backend import Backend
from app.text import say
from pipeline.storage import people
from pipeline.storage.people import User
from pipeline.storage.sign_in import sign_in as checked

with warnings.catch_warnings():
    # extra-streamlit-components still imports what Streamlit has deprecated.
    warnings.simplefilter("ignore")
    from streamlit_authenticator import Authenticate


def current(backend: Backend) -> User | None:
    """Who this session is, checked against the ledger now; None when nobody (any more)."""
    session = st.session_state
    if not session.get(state.SIGNED_IN) and not session.get(state.SIGNED_OUT):
        _resume(backend)
    if not session.get(state.SIGNED_IN):
        return None
    user = identity.user_of(backend, session.get(state.IDENTITY))
    if time.time() >= session.setdefault(state.ENDS, _end(backend)):
        user = None
    if user is None:
        session.pop(state.ENDS, None)
        for key in state.AUTHENTICATOR_KEYS:
            session[key] = None
    return user


def sign_in(backend: Backend) -> None:
    """Show the form. Nothing may follow it in this run: the cookie is being set."""
    gate = _Gate(backend)
    gate.login(
        fields={
            "Form name": say("sign_in.title"),
            "Username": say("sign_in.user"),
            "Password": say("sign_in.password"),
            "Login": say("sign_in.submit"),
        },
        callback=gate.bind_version,
    )
    wait = st.session_state.pop(state.WAIT, None)
    if wait:
        st.error(say("sign_in.wait", seconds=int(wait) + 1))
    elif st.session_state.get(state.SIGNED_IN) is False:
        st.error(say("sign_in.wrong"))


def sign_out(backend: Backend, user: User) -> None:
    """End all sessions of the user and take the cookie away. Nothing may follow it."""
    people.sign_out(backend.ledger, user.username)
    _Gate(backend).logout(location="unrendered")


def _end(backend: Backend) -> float:
    """When a sign-in of now ends, in seconds since 1970."""
    return time.time() + backend.settings.session_hours * 3600


def _resume(backend: Backend) -> None:
    """Sign in by a valid cookie, before anything is drawn; the session ends with the cookie."""
    token = st.context.cookies.get(identity.COOKIE)
    user = identity.user_of_cookie(backend, token)
    if user is not None and token is not None:
        st.session_state[state.SIGNED_IN] = True
        st.session_state[state.IDENTITY] = identity.of(user)
        st.session_state[state.ENDS] = identity.end_of_cookie(backend, token)


def setter(plain: Callable[..., None], url: str | None) -> Callable[..., None]:
    """What sets a cookie: where the browser came by TLS, one that it sends by TLS alone."""
    return partial(plain, secure=True) if (url or "").startswith("https:") else plain


class _Gate(Authenticate):  # type: ignore[misc]
    """The library's form and cookie; passwords are checked by ``pipeline.storage.sign_in``."""

    def __init__(self, backend: Backend) -> None:
        super().__init__(
            {"usernames": {}},
            identity.COOKIE,
            backend.cookie_key,
            backend.settings.session_hours / 24,
            auto_hash=False,
            # It waits for cookies that come by a component; ours come with the request.
            login_sleep_time=0,
        )
        self._backend = backend
        self._user: User | None = None
        self.authentication_controller.authentication_model.check_credentials = self._check
        cookies = self.cookie_controller.cookie_model
        cookies.get_cookie = lambda: None
        cookies.cookie_manager.set = setter(cookies.cookie_manager.set, st.context.url)

    def _check(self, username: str, password: str) -> bool:
        # The peer, or what a trusted proxy says of it (``serve``); None on the machine itself.
        address = st.context.ip_address or "local"
        attempt = checked(self._backend.ledger, username, address, password)
        if attempt.wait_s:
            st.session_state[state.WAIT] = attempt.wait_s
        if attempt.user is not None:
            st.session_state[state.ENDS] = _end(self._backend)
        self._user = attempt.user
        if attempt.user is None:
            return False
        model = self.authentication_controller.authentication_model
        model.credentials["usernames"][username] = {"name": attempt.user.name}
        return True

    def bind_version(self, _: dict[str, Any]) -> None:
        """Called between the check and the cookie: what is signed is user and version."""
        if self._user is not None:
            st.session_state[state.IDENTITY] = identity.of(self._user)
