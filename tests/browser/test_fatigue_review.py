"""A supervisor opens a case from its link, reviews it, and the list knows."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.text import say
from pipeline.settings import load
from pipeline.storage import reviews
from pipeline.storage.ledger import open_ledger
from queries.connect import open_reader
from tests.browser.conftest import Demo, Server, Visit

pytestmark = pytest.mark.browser


def a_case(demo: Demo) -> str:
    """The first case of the demo; empty where four hours passed without one."""
    settings = load(home=demo.home)
    ledger = open_ledger(settings)
    try:
        with open_reader(settings, ledger) as reader:
            found = reader.contract("SELECT case_id FROM fatigue_case ORDER BY case_id")
        return str(found["case_id"][0]) if found.height else ""
    finally:
        ledger.close()


def test_a_case_is_reviewed(server: Server, visit: Callable[..., Visit], demo_home: Demo) -> None:
    case = a_case(demo_home)
    if not case:
        pytest.skip("nobody was tired in the four hours of this demo")
    tab = visit(server)
    tab.open(f"fatigue_events?case={case}")
    tab.sign_in("supervisor")
    tab.heading(say("review.title"))
    tab.shot("fatigue-case")
    form = tab.page.get_by_test_id("stForm")
    form.get_by_text(say("case_state.confirmed"), exact=True).click()
    form.get_by_role("button", name=say("review.send")).click()
    tab.page.get_by_text(say("review.refused.basis")).wait_for()
    form.get_by_text(say("basis.radio"), exact=True).click()
    form.get_by_label(say("review.note"), exact=True).fill("<b>slept</b> four hours")
    form.get_by_role("button", name=say("review.send")).click()
    tab.page.get_by_text("<b>slept</b> four hours").first.wait_for()
    tab.page.get_by_role("button", name=say("fatigue.back")).click()
    tab.heading(say("fatigue.contacts"))
    assert "case=" not in tab.page.url
    assert tab.tiles()[say("fatigue.reviewed")][0] == "1"
    ledger = open_ledger(load(home=demo_home.home))
    said = [entry.review.state for entry in reviews.history(ledger, case)]
    ledger.close()
    assert said == ["acknowledged", "confirmed"]
