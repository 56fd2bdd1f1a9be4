"""Fleet health in a browser: a tile narrows, a row opens a unit, the scope line goes back."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest

from app.text import say
from tests.browser.conftest import LONGEST, Server, Visit, wait_until

pytestmark = pytest.mark.browser


def address(tab: Visit) -> dict[str, str]:
    query = urlsplit(tab.address).query
    return {key: values[0] for key, values in parse_qs(query).items()}


def test_down_to_a_unit_and_back_by_clicks(server: Server, visit: Callable[..., Visit]) -> None:
    tab = visit(server)
    tab.open("fleet_health")
    tab.sign_in("fleet_manager")
    tab.heading(say("fleet_health.title"))
    tab.page.wait_for_selector(".js-plotly-plot .main-svg")

    # The whole tile is its button, not the words alone.
    tile = tab.page.get_by_test_id("stMetric").first
    tab.press(tile, -12, -12, lambda: address(tab).get("status") == "reporting")
    tab.page.get_by_role("button", name=say("fleet.all")).click()
    wait_until(lambda: "status" not in address(tab), LONGEST, "the tile once more")

    # Rows are painted: the box of the first one stands below the head.
    table = tab.page.get_by_test_id("stDataFrame").first
    tab.press(table, 17, 52, lambda: "unit" in address(tab))
    unit = address(tab)["unit"]
    tab.page.get_by_role("heading", name=say("fleet.days", unit=unit)).wait_for()
    link = tab.page.get_by_role("link", name=say("fleet.seconds", unit=unit))
    assert f"unit={unit}" in str(link.get_attribute("href"))
    tab.shot("fleet_health-unit")
    tab.page.locator(".st-key-scope_line").get_by_role("button").first.click()
    wait_until(lambda: "unit" not in address(tab), LONGEST, "the way back")
    tab.page.get_by_role("heading", name=say("fleet.map")).wait_for()
