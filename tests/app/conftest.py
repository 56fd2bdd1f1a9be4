"""A fabricated home, its users, and the app over it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st

from app import backend
from pipeline.settings import Settings
from pipeline.storage import people
from pipeline.storage.ledger import Ledger
from tests.app.fabricate import fabricate

PASSWORD = "correct-horse-battery"


@pytest.fixture
def home(settings: Settings, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """A home with users of each role and no data; this process's backend is over it."""
    monkeypatch.setenv("HAULWATCH_HOME", str(settings.home))
    monkeypatch.setenv("HAULWATCH_THREADS", "1")
    # The real cost of a hash is tested once, in test_people.
    real = people.bcrypt.gensalt
    monkeypatch.setattr(people.bcrypt, "gensalt", lambda: real(4))
    for name in people.ROLES:
        people.add_user(ledger, name, name.title(), name, PASSWORD)
    backend.forget()
    st.cache_data.clear()  # answers are kept by version, and each home begins at the same
    yield settings
    backend.forget()


@pytest.fixture
def filled(home: Settings, ledger: Ledger) -> Settings:
    """The same with a small fabricated lake."""
    fabricate(home, ledger)
    return home


@pytest.fixture
def script() -> str:
    """Absolute path of the router."""
    return str(Path(backend.__file__).with_name("main.py"))
