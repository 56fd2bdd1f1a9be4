"""Engine telemetry in a real browser: a box over a chart leads down to the seconds, and back."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator

from app.text import say
from tests.browser.conftest import Server, Visit

pytestmark = pytest.mark.browser

SIGNALS = ("EngineSpeed", "EngineCoolantTemp")


def asked(tab: Visit, key: str) -> list[str]:
    return parse_qs(urlsplit(tab.address).query).get(key, [])


def draw(tab: Visit, panel: Locator, middle: float) -> None:
    """A box over a thirtieth of a panel's width, around a share of it."""
    panel.scroll_into_view_if_needed()
    area = panel.bounding_box()
    assert area
    y = area["y"] + area["height"] / 2
    tab.page.mouse.move(area["x"] + area["width"] * (middle - 1 / 60), y)
    tab.page.mouse.down()
    for share in (0, 1 / 60):
        tab.page.mouse.move(area["x"] + area["width"] * (middle + share), y, steps=4)
    tab.page.mouse.up()


def test_the_dictionary_opens_and_is_searched(server: Server, visit: Callable[..., Visit]) -> None:
    tab = visit(server)
    tab.open("engine_telemetry")
    tab.sign_in("admin")
    tab.heading(say("engine_telemetry.title"))
    search = tab.page.get_by_label(say("engine.dictionary.search"))
    assert search.count() == 0
    tab.page.get_by_text(say("engine.dictionary", fields=179)).click()
    search.fill("no such field")
    search.press("Enter")
    tab.page.get_by_text(say("engine.dictionary.none")).wait_for()


def test_a_box_over_a_chart_leads_down_to_the_seconds(
    server: Server, visit: Callable[..., Visit]
) -> None:
    tab = visit(server)
    tab.open("engine_telemetry?" + "&".join(f"signals={name}" for name in SIGNALS))
    tab.sign_in("admin")
    tab.heading(say("engine_telemetry.title"))
    chart = tab.page.locator(".js-plotly-plot").first
    chart.locator(".main-svg").first.wait_for()
    assert asked(tab, "signals") == list(SIGNALS)
    whole = tab.tiles()[say("engine.observed")]
    # The demo's hours are the last four; the days chosen begin a day before them or earlier.
    hours = float(re.sub(r"[^\d.]", "", whole[1].removeprefix("of")))
    for middle in (1 - 2.5 / hours, 0.5):
        before = tab.address
        draw(tab, chart.locator(".nsewdrag").first, middle)
        tab.page.wait_for_function("before => location.href !== before", arg=before)
        tab.heading(say("engine_telemetry.title"))
    tab.page.get_by_text(re.compile(say("engine.span.second"))).wait_for()
    tab.shot("engine-seconds")
    address = tab.address
    zoomed = tab.tiles()[say("engine.observed")]
    assert zoomed != whole
    # A link reproduces the view.
    tab.page.reload()
    tab.heading(say("engine_telemetry.title"))
    assert tab.address == address
    assert tab.tiles()[say("engine.observed")] == zoomed
    tab.page.get_by_role("button", name=say("engine.whole")).click()
    tab.page.wait_for_function("() => !location.search.includes('start=')")
    tab.heading(say("engine_telemetry.title"))
    assert tab.tiles()[say("engine.observed")] == whole
