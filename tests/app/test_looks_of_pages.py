"""The style that all pages share."""

from __future__ import annotations

import re

from app.panels.frame import STYLE


def test_the_style_asks_a_browser_for_nothing_dear() -> None:
    """For ``:has`` it looks around after each change of a page (decision 026: 0.2 s of a load)."""
    rules = re.sub(r"/\*.*?\*/", "", STYLE.read_text(), flags=re.S)
    assert len(rules) > 100
    assert ":has(" not in rules
    assert "@import" not in rules
    assert "url(" not in rules
