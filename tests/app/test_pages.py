"""Pages without a browser: each role, each page, with data and without."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update
from streamlit.testing.v1 import AppTest

from app import access, state
from app.text import say
from pipeline.retention import expire
from pipeline.settings import Settings
from pipeline.storage import people
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger
from tests.app.fabricate import fabricate

#: Pages that show days of data.
OF_DAYS = [p.name for p in access.PAGES if p.section == access.OPERATIONS or p.name == "ingestion"]
CASES = [(role, page.name) for role in people.ROLES for page in access.PAGES]


def open_page(script: str, page: str, identity: str | None, **address: str) -> AppTest:
    app = AppTest.from_file(script, default_timeout=120)
    if identity:
        app.session_state[state.SIGNED_IN] = True
        app.session_state[state.IDENTITY] = identity
    app.run()
    for key, value in address.items():
        app.query_params[key] = value
    if page != access.HOME.name and identity:
        app.switch_page(str(access.BY_NAME[page].path)).run()
    return app


def texts(app: AppTest) -> str:
    parts = [*app.header, *app.subheader, *app.markdown, *app.info, *app.caption]
    return "\n".join(str(part.value) for part in parts)


@pytest.mark.parametrize(("role", "page"), CASES)
def test_a_page_with_data_or_its_refusal(
    filled: Settings, script: str, role: str, page: str
) -> None:
    app = open_page(script, page, f"{role}#1")
    assert not app.exception
    if access.may_open(role, page):
        assert app.header[0].value == say(f"{page}.title")
        assert app.metric
    else:
        assert not app.metric
        assert not app.header
        assert say("access.refused") in texts(app)
        assert "MLKB" not in texts(app)
        assert "DT-101" not in texts(app)


@pytest.mark.parametrize("page", list(access.BY_NAME))
def test_a_page_before_the_first_file(home: Settings, script: str, page: str) -> None:
    app = open_page(script, page, "admin#1")
    assert not app.exception
    assert app.header[0].value == say(f"{page}.title")
    assert not app.warning


@pytest.mark.parametrize("page", OF_DAYS)
@pytest.mark.parametrize("kept", [10, 9_000], ids=["marts too", "marts stay"])
def test_a_page_of_days_that_expired(
    filled: Settings, ledger: Ledger, script: str, page: str, kept: int
) -> None:
    """As before the first file, or with the marts alone; what arrived is told from the ledger."""
    with ledger.write() as connection:
        built = t.partitions.c.data_version
        connection.execute(update(t.partitions).values(built_version=built))
    keep = {"keep_clean_days": 10, "keep_marts_days": kept, "keep_quarantine_days": 10}
    settings = filled.model_copy(update=keep)
    assert expire(ledger, settings, datetime.now(UTC) + timedelta(days=12)).clean
    app = open_page(script, page, "admin#1")
    assert not app.exception
    assert app.header[0].value == say(f"{page}.title")
    if page == "data_delivery":
        fulfilment = {m.label: m for m in app.metric}[say("delivery.fulfilment")]
        assert fulfilment.delta == "15 of 16 device-hours; 87.5 % as first published"


@pytest.mark.parametrize("identity", [None, "admin#2", "nobody#1", "admin", "admin#1#"])
def test_only_the_form_without_a_valid_identity(
    filled: Settings, script: str, identity: str | None
) -> None:
    app = open_page(script, "home", identity)
    assert not app.exception
    assert [field.label for field in app.text_input] == [
        say("sign_in.user"),
        say("sign_in.password"),
    ]
    assert not app.metric
    assert "MLKB" not in texts(app)


def test_a_session_ends_when_the_ledger_says_so(
    filled: Settings, ledger: Ledger, script: str
) -> None:
    app = open_page(script, "home", "admin#1")
    assert app.metric
    people.disable(ledger, "admin")
    assert not app.run().metric
    assert app.text_input


def test_a_role_is_checked_at_each_click(filled: Settings, ledger: Ledger, script: str) -> None:
    app = open_page(script, "ingestion", "admin#1")
    assert app.metric
    people.set_role(ledger, "admin", "supervisor")
    assert not app.run().metric
    assert say("access.refused") in texts(app)


def test_headline_figures(filled: Settings, script: str) -> None:
    delivery = {m.label: m for m in open_page(script, "data_delivery", "admin#1").metric}
    assert delivery[say("delivery.fulfilment")].delta == (
        "15 of 16 device-hours; 87.5 % as first published"
    )
    assert delivery[say("delivery.missing")].value == "1"
    fatigue = {m.label: m for m in open_page(script, "fatigue_events", "admin#1").metric}
    assert fatigue[say("fatigue.waiting")].value == "2"
    fleet = {m.label: m for m in open_page(script, "fleet_health", "admin#1").metric}
    assert fleet[say("status.reporting")].value == "4"


def test_run_now_asks_the_worker_and_is_audited(
    home: Settings, ledger: Ledger, script: str
) -> None:
    from sqlalchemy import select

    from pipeline.storage import tables as t

    app = open_page(script, "ingestion", "admin#1")
    next(b for b in app.button if b.label == say("ingestion.run.build")).click().run()
    assert not app.exception
    with ledger.read() as connection:
        asked = connection.execute(select(t.requests.c.kind, t.requests.c.who)).all()
        audited = connection.execute(select(t.audit.c.what).where(t.audit.c.who == "admin")).all()
    assert [tuple(row) for row in asked] == [("build", "admin")]
    assert ("run build",) in [tuple(row) for row in audited]


HOSTILE = (
    "<script>alert(1)</script>",
    "'; DROP TABLE x; --",
    "[a](javascript:x)",
    "\u202egnp",
    "M" * 10_000,
)


@pytest.mark.parametrize("units", [("DT-101",), HOSTILE, tuple(f"U{i}" for i in range(120))])
def test_one_unit_hostile_names_and_a_large_fleet(
    home: Settings, ledger: Ledger, script: str, units: tuple[str, ...]
) -> None:
    fabricate(home, ledger, hours=3, units=units)
    for page in access.BY_NAME:
        app = open_page(script, page, "admin#1")
        assert not app.exception, page
        assert not app.warning, page
        assert app.metric
        for part in (*app.markdown, *app.subheader, *app.caption):
            assert not re.search(r"(?<!\\)<script|(?<!\\)\]\(", str(part.value))
