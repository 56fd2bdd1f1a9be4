"""The documentation of the marts in a browser: for who is signed in, and from here alone."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
from playwright.sync_api import TimeoutError

from app.meaning import DOCS, MODEL
from app.text import say
from pipeline.marts.catalogue import MARTS, words
from tests.browser.conftest import Server, Visit, watch
from tests.browser.test_browser import only_sign_in

pytestmark = pytest.mark.browser

Start = Callable[..., Visit]


def test_the_help_of_a_chart_leads_to_its_mart(server: Server, visit: Start) -> None:
    tab = visit(server)
    tab.open("fleet_health?view=hours")
    tab.sign_in("supervisor")
    tab.heading(say("fleet_health.title"))
    heading = tab.page.get_by_test_id("stHeading").filter(has_text=say("fleet.gantt"))
    meaning = tab.page.get_by_text(words("unit_day.unknown_s"))
    link = tab.page.get_by_role("link", name="unit_day", exact=True)
    found = None
    for _ in range(12):  # what is drawn anew under a still mouse shows nothing any more
        heading.get_by_test_id("stTooltipHoverTarget").hover()
        with suppress(TimeoutError):
            meaning.wait_for(timeout=5_000)
            found = [link.get_attribute(name, timeout=2_000) for name in ("href", "target")]
            break
        tab.page.mouse.move(0, 0)
    assert found == [f"{DOCS}{MODEL}unit_day", "_blank"]
    # Made at the first demand: until then the page says so and asks again, for the same model.
    tab.open(f"{DOCS}{MODEL}unit_day".lstrip("/"))
    tab.page.get_by_text(MARTS["unit_day"].description[:60]).first.wait_for()


def test_the_documentation_opens_for_who_is_signed_in(server: Server, visit: Start) -> None:
    tab = visit(server)
    tab.open(DOCS.lstrip("/"))
    only_sign_in(tab)
    tab.sign_in("supervisor")
    tab.heading(say("home.title"))
    context = tab.page.context
    outside: list[str] = []
    # A new tab is watched from its first request on.
    context.on("request", lambda r: r.url.startswith((tab.url, "data:")) or outside.append(r.url))
    with context.expect_page() as opened:
        tab.page.get_by_test_id("stSidebar").get_by_role("link", name=say("docs.link")).click()
    book = Visit(opened.value, tab.url)
    watch(book)
    book.page.get_by_role("heading", name="Haulwatch: what the figures are made of").wait_for()
    book.page.goto(f"{tab.url}{DOCS}{MODEL}unit_day")
    book.page.get_by_text(MARTS["unit_day"].description[:60]).first.wait_for()
    for mart in MARTS:
        book.page.locator(f'[title="{mart}"]:visible').wait_for()
    book.page.get_by_text("Distance by the odometer, km.").first.wait_for()
    book.shot("docs")
    book.page.reload()
    book.page.get_by_text("Distance by the odometer, km.").first.wait_for()
    assert outside == []
    assert book.complaints == []
