"""How often a browser draws a chart: Plotly's own events, counted in a real one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.text import say
from tests.browser.conftest import Server, Visit

pytestmark = pytest.mark.browser

#: Plotly gives each chart an emitter of events; whoever listens from its first moment on sees
#: every drawing.
COUNT = """
Object.defineProperty(HTMLElement.prototype, '_ev', {
  get() { return this.__events; },
  set(events) {
    this.__events = events;
    this.drawings ??= 0;
    events?.on('plotly_beforeplot', () => { this.drawings += 1; });
  },
});
"""
DRAWINGS = """() => [...document.querySelectorAll('.js-plotly-plot')].map((chart) =>
  [chart.closest('[data-testid=stPlotlyChart]').ariaLabel, chart.drawings])"""
#: Streamlit gives a chart to Plotly again in the moment after the first time.
LATER_MS = 1_500


@pytest.mark.parametrize(
    ("page", "charts"),
    [("home", 1), ("engine_telemetry", 3)],
)
def test_a_chart_is_drawn_once(
    server: Server, visit: Callable[..., Visit], page: str, charts: int
) -> None:
    tab = visit(server)
    tab.page.add_init_script(COUNT)
    tab.open(page)
    tab.sign_in("admin")
    tab.heading(say(f"{page}.title"))
    tab.page.locator(".js-plotly-plot .main-svg").first.wait_for(state="attached")
    tab.page.wait_for_timeout(LATER_MS)
    drawings = dict(tab.page.evaluate(DRAWINGS))
    assert len(drawings) >= charts
    assert set(drawings.values()) == {1}, drawings
