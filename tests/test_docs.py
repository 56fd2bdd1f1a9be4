"""Documents that are made from code have not drifted from it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.tables import ROOT, TABLES, between


@pytest.mark.parametrize(
    ("place", "make"), TABLES.items(), ids=["-".join(place) for place in TABLES]
)
def test_generated_tables_are_current(place: tuple[str, str], make: Callable[[], str]) -> None:
    document, marker = place
    found = between(marker).search((ROOT / document).read_text())
    assert found, f"{document} has no marker {marker}"
    body = found[0].split("-->\n", 1)[1].rsplit("\n<!--", 1)[0]
    assert body == make(), f"run: make readme ({document})"


def test_links_between_documents_lead_somewhere() -> None:
    for path in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")):
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text()):
            assert (path.parent / target).exists(), f"{path.name} links to {target}"


def test_screenshots_are_small() -> None:
    for path in (ROOT / "docs").rglob("*.png"):
        assert path.stat().st_size <= 300_000, path
