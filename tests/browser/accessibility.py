"""axe-core: what those who see, hear or move otherwise would find seriously wrong on a page."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

ROOT = Path(__file__).parent.parent.parent
AXE = ROOT / ".venv" / "axe" / "node_modules" / "axe-core" / "axe.min.js"
LOCK = Path(__file__).with_name("axe") / "package-lock.json"

#: Streamlit's own menu puts its sections into a list as what is no item of one; of our making is
#: only that there are sections.
RUN = """async () => {
    const found = await axe.run(document, {resultTypes: ['violations']});
    const menu = (rule, place) => ['list', 'listitem'].includes(rule)
        && document.querySelector(place)?.closest('[data-testid=stSidebarNavItems]');
    return found.violations.filter(v => ['serious', 'critical'].includes(v.impact)).flatMap(
        v => v.nodes.filter(n => !menu(v.id, n.target.join(' '))).map(
            n => [v.id, n.target.join(' '), n.failureSummary].join(' | ')
        )
    );
}"""
#: A chart is drawn some time after the run has ended, and what is half drawn may look wrong.
DRAWN_MS = 400


def findings(page: Page, looks: int = 8) -> list[str]:
    """What axe finds serious or critical on the page at each of some looks: rule, place, why."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[str] = []
    for _ in range(looks):
        page.wait_for_timeout(DRAWN_MS)
        found = page.evaluate(RUN)
        if not found:
            break
    return found
