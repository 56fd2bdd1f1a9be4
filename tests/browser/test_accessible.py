"""Every page for those who see, hear or move otherwise: axe-core finds nothing serious."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from app.access import PAGES
from app.text import say
from tests.browser.conftest import ROOT, Server, Visit

Start = Callable[..., Visit]

pytestmark = pytest.mark.browser

AXE = ROOT / ".venv" / "axe" / "node_modules" / "axe-core" / "axe.min.js"
LOCK = Path(__file__).with_name("axe") / "package-lock.json"

RUN = """async () => {
    const found = await axe.run(document, {resultTypes: ['violations']});
    return found.violations.filter(v => ['serious', 'critical'].includes(v.impact)).flatMap(
        v => v.nodes.map(n => [v.id, n.target.join(' '), n.failureSummary].join(' | '))
    );
}"""
#: A chart is drawn some time after the run has ended.
DRAWN_MS = 400


def findings(tab: Visit) -> list[str]:
    """What axe finds serious or critical on the page as it stands: rule, place, why."""
    tab.page.wait_for_timeout(DRAWN_MS)
    tab.page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[str] = tab.page.evaluate(RUN)
    return found


def test_the_lock_names_no_registry() -> None:
    text = LOCK.read_text(encoding="utf-8")
    assert '"integrity": "sha512-' in text
    assert "://" not in text
    assert '"resolved"' not in text


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is missing; install it with: make test")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_on_any_page(server: Server, visit: Start, scheme: str) -> None:
    tab = visit(server, 1366, 768, scheme)
    tab.open("home")
    tab.page.get_by_label("Password", exact=True).wait_for()
    serious = {"the form": findings(tab)}
    tab.sign_in("admin")
    for page in PAGES:
        if page.name != "home":
            menu = tab.page.get_by_test_id("stSidebarNav")
            menu.get_by_role("link", name=say(f"{page.name}.title")).click()
        tab.heading(say(f"{page.name}.title"))
        serious[page.name] = findings(tab)
    assert not any(serious.values()), serious
