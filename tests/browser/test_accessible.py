"""Every page for those who see, hear or move otherwise: axe-core finds nothing serious."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.access import PAGES
from app.text import say
from tests.browser.conftest import ROOT, Server, Visit

Start = Callable[..., Visit]

pytestmark = pytest.mark.browser

AXE = ROOT / ".venv" / "axe" / "node_modules" / "axe-core" / "axe.min.js"
LOCK = Path(__file__).with_name("axe") / "package-lock.json"

#: What stays, by rule: the parts of a page it is found in, all of them Streamlit's own, and why.
LEFT: dict[str, tuple[str, ...]] = {}

RUN = """async () => {
    const found = await axe.run(document, {resultTypes: ['violations']});
    return found.violations.filter(v => ['serious', 'critical'].includes(v.impact)).flatMap(
        v => v.nodes.map(n => ({
            rule: v.id, target: n.target.join(' '), html: n.html.slice(0, 300),
            why: n.failureSummary.slice(0, 300),
            parts: n.target.length === 1
                ? [...document.querySelectorAll('[data-testid]')]
                    .filter(e => e.contains(document.querySelector(n.target[0])))
                    .map(e => e.dataset.testid)
                : []
        }))
    );
}"""


def findings(tab: Visit) -> list[dict[str, Any]]:
    """What axe finds on the page as it stands, less what is known to be Streamlit's."""
    tab.page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = tab.page.evaluate(RUN)
    return [f for f in found if not set(LEFT.get(f["rule"], ())) & set(f["parts"])]


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
    tab.sign_in("admin")
    serious = {}
    for page in PAGES:
        if page.name != "home":
            menu = tab.page.get_by_test_id("stSidebarNav")
            menu.get_by_role("link", name=say(f"{page.name}.title")).click()
        tab.heading(say(f"{page.name}.title"))
        serious[page.name] = findings(tab)
    assert not any(serious.values()), serious
