"""Engine telemetry in a real browser: a box over a chart leads down to the seconds, and back."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest

from app.text import say
from tests.browser.conftest import Server, Visit

pytestmark = pytest.mark.browser

SIGNALS = ("EngineSpeed", "EngineCoolantTemp")


def asked(tab: Visit, key: str) -> list[str]:
    return parse_qs(urlsplit(tab.page.url).query).get(key, [])


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
    drawing = chart.locator(".nsewdrag").first
    for _ in range(3):
        drawing.scroll_into_view_if_needed()
        before = tab.page.url
        area = drawing.bounding_box()
        assert area
        middle = area["y"] + area["height"] / 2
        tab.page.mouse.move(area["x"] + area["width"] * 0.62, middle)
        tab.page.mouse.down()
        tab.page.mouse.move(area["x"] + area["width"] * 0.64, middle, steps=4)
        tab.page.mouse.move(area["x"] + area["width"] * 0.66, middle, steps=4)
        tab.page.mouse.up()
        tab.page.wait_for_function("before => location.href !== before", arg=before)
        tab.heading(say("engine_telemetry.title"))
        if tab.page.get_by_text(say("engine.span.second")).count():
            break
    tab.page.get_by_text(re.compile(say("engine.span.second"))).wait_for()
    tab.shot("engine-seconds")
    address = tab.page.url
    zoomed = tab.tiles()[say("engine.observed")]
    assert zoomed != whole
    # A link reproduces the view.
    tab.page.reload()
    tab.heading(say("engine_telemetry.title"))
    assert tab.page.url == address
    assert tab.tiles()[say("engine.observed")] == zoomed
    tab.page.get_by_role("button", name=say("engine.whole")).click()
    tab.page.wait_for_function("() => !location.search.includes('start=')")
    tab.heading(say("engine_telemetry.title"))
    assert tab.tiles()[say("engine.observed")] == whole
