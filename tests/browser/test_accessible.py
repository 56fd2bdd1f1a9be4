"""Every page for those who see, hear or move otherwise: axe-core finds nothing serious.

The pages themselves are looked at where they are opened anyway: ``test_every_page_at_every_size``.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser.accessibility import AXE, LOCK, findings
from tests.browser.conftest import Server, Visit

pytestmark = pytest.mark.browser


def test_the_lock_names_no_registry() -> None:
    text = LOCK.read_text(encoding="utf-8")
    assert '"integrity": "sha512-' in text
    assert "://" not in text
    assert '"resolved"' not in text


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is missing: make test installs it by npm")
def test_what_is_wrong_is_found(visit: Callable[..., Visit], server: Server) -> None:
    tab = visit(server)
    tab.open("home")
    tab.page.get_by_label("Password", exact=True).wait_for()
    assert findings(tab.page) == []
    nameless = "<button id=nameless></button>"
    tab.page.evaluate(f"document.body.insertAdjacentHTML('beforeend', '{nameless}')")
    assert any("nameless" in text for text in findings(tab.page, 1))
