"""The real server over a demo's home, and a real Chromium."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, Locator, Page, sync_playwright
from playwright.sync_api import TimeoutError as NotInTime

from pipeline.settings import load
from pipeline.storage import people
from pipeline.storage.ledger import open_ledger
from tests.servers import free_port

ROOT = Path(__file__).parent.parent.parent
ARTEFACTS = ROOT / "test-artefacts"
PASSWORD = "correct-horse-battery"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
#: Label, value and note of each figure, all at one moment: a page may draw itself anew meanwhile.
TILES = """() => [...document.querySelectorAll('[data-testid=stMetric]')].map(
  tile => ['Label', 'Value', 'Delta'].map(
    part => tile.querySelector(`[data-testid=stMetric${part}]`)?.innerText.trim() ?? ''))"""
#: Seconds after which it will not come any more. What comes late on a busy machine has come.
LONGEST = 90
#: Streamlit's client looks for its base path this way on every address but "/": 404 is right.
PROBES = ("/_stcore/health", "/_stcore/host-config")


def environment(home: Path) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("HAULWATCH_")}
    return {**kept, "HAULWATCH_HOME": str(home), "HAULWATCH_POLL_SECONDS": "1"}


@dataclass(frozen=True)
class Demo:
    """A filled home and what the simulator knows about it."""

    home: Path
    truth: dict[str, Any]


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """Four units, four hours, taken in and built; one user of each role."""
    home = tmp_path_factory.mktemp("demo") / "home"
    command = ["demo", "--no-serve", "--units", "4", "--hours", "4", "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "app.cli", *command],
        env=environment(home),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["ingest"]["backlog"] == 0
    ledger = open_ledger(load(home=home))
    for role in people.ROLES:
        people.add_user(ledger, f"the-{role}", role.title(), role, PASSWORD)
    ledger.close()
    return Demo(home, json.loads((home / "truth.json").read_text()))


@dataclass
class Server:
    """A running server. ``url`` has no slash at its end."""

    url: str
    process: subprocess.Popen[bytes]

    def answer(self, path: str) -> tuple[int, str]:
        """Status and text; (0, "") while nobody answers: a port that is bound may not serve yet."""
        try:
            with urlopen(self.url + path, timeout=20) as response:
                return response.status, response.read().decode()
        except HTTPError as error:
            return error.code, error.read().decode()
        except (OSError, HTTPException):
            return 0, ""

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Until the process has ended. How long that may take is measured in the soak."""
        self.process.send_signal(number)
        self.process.wait(LONGEST)


def wait_until(true: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.2)


@contextmanager
def serving(home: Path, *options: str, **more: str) -> Iterator[Server]:
    """``haulwatch serve`` on a free port until the block ends; ``more`` for its environment."""
    port = free_port()
    log = (home.parent / f"serve-{port}.log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "serve", "--port", str(port), *options],
        env=environment(home) | more,
        cwd=ROOT,
        stdout=log,
        stderr=log,
    )
    server = Server(f"http://127.0.0.1:{port}", process)
    try:
        wait_until(lambda: server.answer("/healthz")[0] == 200, LONGEST, "healthz")
        yield server
    finally:
        if process.poll() is None:
            server.stop()
        log.close()


@pytest.fixture(scope="session")
def server(demo_home: Demo) -> Iterator[Server]:
    with serving(demo_home.home, "--no-worker") as running:
        yield running


def chromium() -> str | None:
    """Path of Debian's Chromium; None where there is none."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = chromium()
    if not path:
        pytest.skip("Chromium is missing; install it with: apt-get install chromium")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=path, args=FLAGS, timeout=LONGEST * 1000
        )
        yield opened
        opened.close()


@dataclass
class Visit:
    """A tab that records what should not happen: console errors, requests to elsewhere."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(LONGEST * 1000)

    @property
    def address(self) -> str:
        """Where the page says it is; what Playwright has heard of it may be older."""
        return str(self.page.evaluate("location.href"))

    def press(self, place: Locator, across: float, down: float, done: Callable[[], bool]) -> None:
        """Click on what is painted there, until it has been heard.

        A click that falls while the page is drawn anew is nobody's. Negative: from the far edge.
        """
        for _ in range(4):
            self._settled()
            place.scroll_into_view_if_needed()
            box = place.bounding_box()
            assert box
            self.page.mouse.click(box["x"] + across % box["width"], box["y"] + down % box["height"])
            with suppress(AssertionError):
                wait_until(done, LONGEST / 4, "what a click does")
                break
        self._settled()
        assert done()

    def open(self, address: str) -> None:
        # The overview answers at "/" alone.
        self.page.goto(f"{self.url}/{address.removeprefix('home')}")

    def sign_in(self, role: str, password: str = PASSWORD) -> None:
        form = self.page
        form.get_by_label("User name").wait_for()
        button, refusal = form.get_by_role("button", name="Sign in"), form.get_by_role("alert")
        # A run that ends meanwhile draws the form anew: empty, or deaf to the click.
        for _ in range(4):
            self._settled()
            form.get_by_label("User name").fill(f"the-{role}")
            form.get_by_label("Password", exact=True).fill(password)
            button.click()
            with suppress(AssertionError):
                wait_until(
                    lambda: not button.is_visible() or refusal.count() > 0,
                    LONGEST / 4,
                    "an answer to the form",
                )
                return

    def heading(self, title: str) -> None:
        try:
            self.page.get_by_role("heading", name=title, exact=True).wait_for()
        except NotInTime:
            self.shot(f"no heading {title}")  # what was there instead
            raise
        self._settled()

    def _settled(self) -> None:
        """Nothing of the run is left to come, nothing of the one before is left to go.

        The status at the page's corner does not tell: it comes only after a while.
        """
        idle = "[data-testid=stApp][data-test-script-state=notRunning]"
        self.page.wait_for_selector(f"{idle}:not(:has([data-stale=true]))")

    def tiles(self) -> dict[str, tuple[str, str]]:
        """Label → (value, note) of every figure on the page."""
        self.page.wait_for_selector("[data-testid=stMetric]")
        self._settled()
        return {label: (value, note) for label, value, note in self.page.evaluate(TILES)}

    def shot(self, name: str) -> None:
        ARTEFACTS.mkdir(exist_ok=True)
        self.page.screenshot(path=ARTEFACTS / f"{name}.png", full_page=True)


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Visit]]:
    """Open a tab of its own session; what was wrong in it fails the test at its end."""
    visits: list[Visit] = []

    def start(server: Server, width: int = 1366, height: int = 768, scheme: str = "light") -> Visit:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,  # type: ignore[arg-type]
        )
        found = Visit(context.new_page(), server.url)
        watch(found)
        visits.append(found)
        return found

    yield start
    for found in visits:
        found.page.context.close()
    assert [text for found in visits for text in found.complaints] == []


def watch(found: Visit) -> None:
    own = (found.url, found.url.replace("http", "ws"), "data:", "blob:")

    def on_console(message: Any) -> None:
        probe = message.location.get("url", "").endswith(PROBES)
        if message.type == "error" and not probe:
            found.complaints.append(f"console: {message.text} {message.location.get('url')}")

    def on_request(request: Any) -> None:
        if not request.url.startswith(own):
            found.complaints.append(f"outside: {request.url}")

    found.page.on("console", on_console)
    found.page.on("request", on_request)
    found.page.on("websocket", on_request)
    found.page.on("pageerror", lambda error: found.complaints.append(f"script: {error}"))
