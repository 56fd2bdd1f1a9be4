"""Pages in Chromium: when they are drawn, told by the browser's own clock.

A page is drawn when its script is over, nothing of the run before is left, and every chart holds
its picture. A script in the page looks at each frame, so the driver's own delays do not count: the
page is drawn since it was first found so, or since the server's last word, if 0.2 s pass without
another.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page

from app import identity
from app.serve import OPTIONS
from tests.browser.conftest import Server, wait_until
from tests.servers import free_port

#: Milliseconds that a page may take.
PATIENCE = 60_000
BARE = Path(__file__).parent / "bare" / "main.py"
BARE_PAGES = ("one", "two")

WATCH = """
(() => {
  const state = () => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState;
  const drawn = () => {
    if (state() !== 'notRunning' || document.querySelector('[data-stale=true]')) return false;
    if (document.querySelector('[data-testid=stSkeleton]')) return false;
    const charts = [...document.querySelectorAll('[data-testid=stPlotlyChart]')];
    if (charts.length) return charts.every((chart) => chart.querySelector('.main-svg'));
    // A page without a chart: its heading has stood for a second.
    const now = performance.now();
    bench.calm = document.querySelector('[data-testid=stHeading]') ? bench.calm ?? now : null;
    return bench.calm !== null && now - bench.calm > 1000;
  };
  const bench = (window.bench = {
    from: 0, ran: true, drawn: null, heading: null, calm: null, told: 0, still: null,
  });
  const titled = () => {
    if (bench.heading === null) return true;
    const titles = [...document.querySelectorAll('h1, h2')];
    return titles.some((title) => title.textContent.trim() === bench.heading);
  };
  document.addEventListener('click', (event) => {
    if (bench.from === null) { bench.from = bench.told = performance.now(); bench.ran = false; }
  }, true);
  // A short run begins and ends between two frames: what the server says tells of it, too.
  const Socket = window.WebSocket;
  window.WebSocket = class extends Socket {
    constructor(...words) {
      super(...words);
      this.addEventListener('message', () => { bench.ran = true; bench.told = performance.now(); });
    }
  };
  const look = () => {
    if (bench.from !== null && bench.drawn === null) {
      if (bench.ran && drawn() && titled()) {
        bench.still ??= performance.now();
        const since = Math.max(bench.still, bench.told);
        if (performance.now() - since > 200) bench.drawn = bench.calm ?? since;
      } else {
        bench.still = null;
      }
    }
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})();
"""


@contextmanager
def bare() -> Iterator[Server]:
    """An app of two pages with a chart of constants each, as Streamlit itself serves it."""
    port = free_port()
    options = {key: value for key, value in OPTIONS.items() if not key.startswith("theme.")}
    words = [
        f"--{key}={str(value).lower() if isinstance(value, bool) else value}"
        for key, value in {**options, "server.port": port, "server.address": "127.0.0.1"}.items()
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", str(BARE), *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    server = Server(f"http://127.0.0.1:{port}", process)
    try:
        wait_until(lambda: server.answer("/_stcore/health")[0] == 200, 60, "the bare page")
        yield server
    finally:
        if process.poll() is None:
            server.stop()


def tab(browser: Browser, server: Server, token: str = "") -> Page:
    """A tab of a context of its own: nothing is cached."""
    context: BrowserContext = browser.new_context(viewport={"width": 1366, "height": 768})
    if token:
        context.add_cookies([{"name": identity.COOKIE, "value": token, "url": server.url}])
    context.add_init_script(WATCH)
    return context.new_page()


def load(browser: Browser, server: Server, address: str, token: str = "") -> float:
    """Seconds from the address to the drawn page, in a browser that has never been there."""
    page = tab(browser, server, token)
    try:
        page.goto(f"{server.url}/{address}", wait_until="commit")
        return _drawn(page)
    finally:
        page.context.close()


def switch(page: Page, title: str) -> float:
    """Seconds from a click in the menu to the other page."""
    _await(page, title)
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=title, exact=True).click()
    return _drawn(page)


def offers(page: Page, label: str) -> bool:
    """Whether a drawn page has that select box beside it."""
    return page.get_by_test_id("stSidebar").get_by_role("combobox", name=label).count() > 0


def choose(page: Page, label: str, option: str) -> float:
    """Seconds from a choice in a select box to the page redrawn."""
    page.get_by_test_id("stSidebar").get_by_role("combobox", name=label).click()
    shown = page.get_by_role("option", name=option, exact=True)
    shown.wait_for()
    _await(page, None)
    shown.click()
    return _drawn(page)


def _await(page: Page, heading: str | None) -> None:
    fresh = {"from": None, "drawn": None, "calm": None, "still": None, "heading": heading}
    page.evaluate("(fresh) => { Object.assign(window.bench, fresh); }", fresh)


def _drawn(page: Page) -> float:
    page.wait_for_function("window.bench.drawn !== null", timeout=PATIENCE, polling=50)
    milliseconds: float = page.evaluate("window.bench.drawn - window.bench.from")
    return milliseconds / 1_000
