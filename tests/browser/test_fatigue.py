"""Fatigue events in a browser: from the contact list to a verdict, and what a link shows then."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from app.text import say
from pipeline.settings import Settings
from pipeline.storage import people, reviews
from pipeline.storage.ledger import Ledger
from tests.app.fabricate_fatigue import watched
from tests.browser.conftest import LONGEST, PASSWORD, Server, Visit, serving, wait_until

pytestmark = pytest.mark.browser


@pytest.fixture
def watching(settings: Settings, ledger: Ledger) -> Iterator[Server]:
    """A server over two cases that nobody has looked at."""
    watched(settings, ledger)
    people.add_user(ledger, "the-supervisor", "Supervisor", "supervisor", PASSWORD)
    with serving(settings.home, "--no-worker") as server:
        yield server


def cells(tab: Visit) -> list[str]:
    """What the contact list shows: it is painted, and told to readers of screens beside that."""
    tab.page.wait_for_selector("[data-testid=stDataFrame] [role=gridcell]", state="attached")
    found = tab.page.locator("[data-testid=stDataFrame] [role=gridcell]").all_text_contents()
    return [text.strip() for text in found]


def test_a_case_from_the_list_to_its_verdict(
    watching: Server, visit: Callable[..., Visit], ledger: Ledger
) -> None:
    tab = visit(watching)
    tab.open("fatigue_events")
    tab.sign_in("supervisor")
    tab.heading(say("fatigue.contacts"))
    assert tab.tiles()[say("fatigue.waiting")][0] == "2"
    assert tab.tiles()[say("fatigue.reviewed")] == ("0", say("fatigue.reviewed.of", all="2"))

    # The second row is the case of which the seconds are there.
    def listed() -> list[str]:
        return [text for text in cells(tab) if text.startswith(("DT-", "WT-"))]

    wait_until(lambda: listed() == ["WT-201", "DT-101"], LONGEST, "both cases")
    grid = tab.page.get_by_test_id("stDataFrame").first
    tab.press(grid, 17, 87, lambda: "case=F-1" in tab.address)
    tab.heading(say("review.title"))
    tab.page.get_by_role("heading", name=say("fatigue.trace")).wait_for()
    tab.page.locator(".js-plotly-plot .main-svg").first.wait_for()
    tab.page.get_by_text(say("fatigue.fact.longest", seconds="3.6")).wait_for()
    tab.page.get_by_text("op-7", exact=True).wait_for()

    form = tab.page.get_by_test_id("stForm")
    form.get_by_text(say("case_state.confirmed"), exact=True).click()
    form.get_by_role("button", name=say("review.send")).click()
    tab.page.get_by_text(say("review.refused.basis")).wait_for()
    form.get_by_text(say("basis.radio"), exact=True).click()
    form.get_by_role("combobox").click()
    tab.page.get_by_role("option", name=say("action.rest"), exact=True).click()
    form.get_by_label(say("review.note"), exact=True).fill("<b>slept</b> four hours")
    form.get_by_role("button", name=say("review.send")).click()
    said_there = tab.page.get_by_role("listitem").filter(has_text="<b>slept</b> four hours")
    said_there.wait_for()
    tab.shot("fatigue-reviewed")
    said = [
        (e.review.state, e.review.basis, e.review.action) for e in reviews.history(ledger, "F-1")
    ]
    assert said == [("acknowledged", None, "rest"), ("confirmed", "radio", "rest")]

    tab.page.get_by_role("button", name=say("fatigue.back")).click()
    tab.heading(say("fatigue.contacts"))
    tab.page.get_by_text(f"{say('group.for_record')} (1)", exact=True).click()
    tab.page.wait_for_function("() => location.search.includes('contacts=for_record')")
    reviewed = {"DT-101", say("case_state.confirmed"), say("action.rest")}
    for again in (False, True):
        if again:  # the address alone leads to the same
            tab.page.reload()
        tab.heading(say("fatigue.contacts"))
        assert "case=" not in tab.address
        shown = tab.tiles()
        assert shown[say("fatigue.waiting")][0] == "1"
        assert shown[say("fatigue.reviewed")] == ("1", say("fatigue.reviewed.of", all="2"))
        wait_until(lambda: reviewed <= set(cells(tab)), LONGEST, "the reviewed case")
        assert "WT-201" not in cells(tab)
