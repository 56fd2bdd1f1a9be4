"""Which language a session speaks: what was chosen, else the address, else the browser's.

The choice stands in the session and, as it is no default, in the address.
"""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from app import state, text


def settle() -> None:
    """Decide what this run speaks; the first thing that the router does."""
    asked = st.query_params.get(state.LANGUAGE)
    if state.LANGUAGE not in st.session_state and asked in text.LANGUAGES:
        st.session_state[state.LANGUAGE] = asked
    text.speak(_of_session())


def remember() -> None:
    """Put the choice into the address, which a change of page empties."""
    chosen = st.session_state.get(state.LANGUAGE)
    if chosen and st.query_params.get(state.LANGUAGE) != chosen:
        st.query_params[state.LANGUAGE] = chosen


def switch() -> None:
    """A button to the other language, named in that language."""
    for code, name in text.LANGUAGES.items():
        if code != text.language():
            st.button(
                code.upper(),
                icon=":material/translate:",
                type="tertiary",
                help=name,
                key=f"speak-{code}",
                on_click=_choose,
                args=(code,),
            )


def _choose(code: str) -> None:
    st.session_state[state.LANGUAGE] = code


def _of_session() -> str:
    """Also for threads that run a part of a page alone, without the router."""
    if get_script_run_ctx(suppress_warning=True) is None:
        return text.USUAL
    chosen = st.session_state.get(state.LANGUAGE)
    if chosen in text.LANGUAGES:
        return str(chosen)
    browser = (st.context.locale or "").lower().partition("-")[0]
    # Before the letters were settled, Indonesian was "in"; some devices still say so.
    return "id" if browser in ("id", "in") else text.USUAL


text.language_from(_of_session)
