"""Asking on behalf of somebody: checked for the asker, cached by the data's version.

Nothing is kept by time: a commit moves the ledger's data version, and with it every key.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import polars as pl
import streamlit as st

from app import access, auth
from app.backend import backend
from app.data import privacy
from pipeline.storage.ledger import data_version
from pipeline.storage.people import User
from queries import run
from queries.scope import Scope

#: What depends on the clock is computed anew this often.
TICK_S = 30


def tick() -> int:
    """The part of a key that moves with the clock."""
    return int(time.time() // TICK_S)


def require(page: str) -> User:
    """The signed-in user, checked against the ledger now. Raises Refused."""
    user = auth.current(backend())
    if user is None or not access.opens(user, page):
        raise access.Refused
    return user


def demand(action: str) -> User:
    """The signed-in user, who may do this now. Raises Refused."""
    user = auth.current(backend())
    if user is None or not access.may(user, action):
        raise access.Refused
    return user


@st.cache_data(max_entries=400, show_spinner=False)
def _answer(
    name: str, version: tuple[int, ...], scope: Scope, parameters: tuple[tuple[str, Any], ...]
) -> pl.DataFrame:
    del version  # part of the key only
    values = {key: list(v) if isinstance(v, tuple) else v for key, v in parameters}
    return run.ask(backend().reader, name, scope, **values)


def ask(
    page: str, name: str, scope: Scope, *, clocked: bool = False, **parameters: Any
) -> pl.DataFrame:
    """Answer a query of ``queries/sql`` for a page, cut to the asker's districts and role.

    ``clocked``: it depends on the time as well as on the data. Raises Refused.
    """
    user = require(page)
    query = run.load(name)
    privacy.check(user, query, parameters.values())
    narrowed = replace(scope, districts=access.allowed_districts(user.districts, scope.districts))
    version: tuple[int, ...] = (data_version(backend().ledger),)
    if clocked:
        version += (tick(),)
    answer = _answer(name, version, narrowed, tuple(sorted(parameters.items())))
    return privacy.cut(user, query, answer)
