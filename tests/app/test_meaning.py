"""Help texts are the marts' own words: every chart and tile names a mart or column that exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app import access, figures, meaning, pickers
from app.text import EN, plain
from pipeline.marts.catalogue import words
from pipeline.settings import Settings
from tests.app.test_pages import open_page

#: In an opened case, or in another view: tests/app/test_fatigue_page.py opens those.
ELSEWHERE = {"fatigue.trace", "fatigue.place", "fatigue.profile", "fatigue.days"}

APP = Path(figures.__file__).parent


def calls(path: Path, function: str) -> list[ast.Call]:
    found = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    return [call for call in found if ast.unparse(call.func) == function]


#: Views of a page that are not the first that it shows, as its address says.
VIEWS: dict[str, tuple[dict[str, str], ...]] = {
    "fleet_health": (
        *({"view": name} for name in pickers.fleet.VIEWS[1:]),
        {"unit": "DT-101"},
    )
}


def opened(script: str, page: str) -> list[AppTest]:
    """A page and its views."""
    ways = ({}, *VIEWS.get(page, ()))
    return [open_page(script, page, "admin#1", **way) for way in ways]


def charts() -> list[tuple[str, str]]:
    """(page, what the chart is called) of every chart."""
    return [
        (page.name, ast.literal_eval(call.args[2]))
        for page in access.PAGES
        for call in calls(page.path, "panels.chart")
    ]


def tiles() -> set[str]:
    """Label of every tile; those of statuses are put together from the status."""
    labels = set()
    for path in APP.glob("*.py"):
        for call in calls(path, "Tile"):
            found = re.search(r"""say\(f?['"]([a-z_.]+)""", ast.unparse(call.args[0]))
            labels.add(found[1] if found else "ingestion.worker")
    return (labels - {"status."}) | {f"status.{name}" for name in figures.fleet.STATUSES}


@pytest.mark.parametrize("name", sorted({n for names in meaning.SOURCES.values() for n in names}))
def test_what_is_named_exists(name: str) -> None:
    assert len(words(name)) > 10
    assert plain(words(name), meaning.LONGEST) == plain(words(name), 10**6)


def test_a_mart_or_column_that_is_not_there_is_an_error() -> None:
    for name in ("no_such_mart", "unit_day.no_such_column"):
        with pytest.raises(KeyError):
            words(name)


def test_every_chart_and_tile_names_its_source() -> None:
    assert len(charts()) >= 9
    assert {name for _, name in charts()} <= set(meaning.SOURCES)
    assert tiles() - meaning.OF_THE_MOMENT <= set(meaning.SOURCES)
    assert tiles() >= meaning.OF_THE_MOMENT
    assert set(meaning.SOURCES) <= tiles() | {name for _, name in charts()}


def told(key: str, text: str) -> bool:
    """Whether a help text holds every word of its sources, and the way to them."""
    marts = [name.partition(".")[0] for name in meaning.SOURCES[key]]
    return all(
        plain(words(name), meaning.LONGEST) in text for name in meaning.SOURCES[key]
    ) and all(f"({meaning.DOCS}{meaning.MODEL}{mart})" in text for mart in marts)


def test_the_help_of_a_chart_is_the_words_of_its_source(filled: Settings, script: str) -> None:
    pages: dict[str, list[AppTest]] = {}
    for page, name in charts():
        if name in ELSEWHERE:
            continue
        views = pages.get(page) or pages.setdefault(page, opened(script, page))
        helps = [part.proto.help for app in views for part in app.subheader]
        assert any(told(name, text) for text in helps), name


def test_the_help_of_a_tile_is_the_words_of_its_source(filled: Settings, script: str) -> None:
    seen = set()
    labels = {EN[key]: key for key in meaning.SOURCES if key in EN}
    for page in access.BY_NAME:
        for tile in (tile for app in opened(script, page) for tile in app.metric):
            key = labels.get(tile.label)
            if page == "fleet_health" and tile.label == EN["status.late"]:
                continue  # a status, not the mark on a file
            if key and key in tiles() - meaning.OF_THE_MOMENT:
                assert told(key, tile.proto.help), (page, key)
                seen.add(key)
    assert seen == tiles() - meaning.OF_THE_MOMENT


def test_the_definition_of_a_status_stands_once(filled: Settings, script: str) -> None:
    help_of_chart = open_page(script, "home", "admin#1").subheader[0].proto.help
    for status in figures.fleet.NOT_REPORTING:
        assert EN[f"status.{status}.help"] in help_of_chart


def test_no_sentence_of_ours_repeats_a_definition() -> None:
    ours = " ".join(EN.values())
    for names in meaning.SOURCES.values():
        for name in names:
            assert words(name).rstrip(".") not in ours, name


def test_nothing_to_say_is_nothing() -> None:
    assert meaning.of("fatigue.table") == ""
    assert meaning.of("fatigue.table", "So.") == "So."
