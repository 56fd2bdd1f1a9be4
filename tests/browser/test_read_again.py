"""From a bad cell of the grid to its file, its bad lines, and reading it again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Locator
from playwright.sync_api import TimeoutError as PlaywrightTimeout
from sqlalchemy import select, text

from app.text import say
from pipeline.settings import load
from pipeline.storage import tables as t
from pipeline.storage.ledger import open_ledger
from tests.browser.conftest import Demo, Visit, serving, wait_until

pytestmark = pytest.mark.browser


def test_from_a_bad_cell_to_reading_it_again(
    demo_home: Demo, visit: Callable[..., Visit], tmp_path: Path
) -> None:
    home = tmp_path / "home"
    shutil.copytree(demo_home.home, home)
    source = sorted((home / "raw").rglob("*.gz"))[0]
    torn = home / "raw" / "MLKB" / "HW-TORN" / source.parent.name / source.name
    torn.parent.mkdir(parents=True)
    torn.write_bytes(source.read_bytes()[:-4_000])
    key = str(torn.relative_to(home / "raw"))
    ledger = open_ledger(load(home=home))
    o = t.raw_objects.c
    partial = select(o.id).where(o.key == key, o.status == "partial")
    with serving(home) as running:
        wait_until(lambda: len(rows(ledger, partial)) == 1, 40, "the torn file is taken in")
        tab = visit(running)
        tab.open("data_delivery")
        tab.sign_in("admin")
        tab.heading(say("data_delivery.title"))
        # Traces stand in the order of the legend; each bar opens what lies behind it.
        tab.page.locator(".js-plotly-plot .barlayer .point path").first.wait_for()
        cell = "/".join(key.split("/")[:3])
        again = tab.page.get_by_role("button", name=say("reread.file"))
        wait_until(lambda: opened(tab, cell, again), 60, "the bar opens its device-hour")
        assert f"cell={cell.replace('/', '%2F')}" in tab.page.url
        tab._settled()
        tab.shot("data_delivery-opened")
        again.click()
        touched = say("reread.plan", files=1, rows=0, days=1, mart_days=1)[:7]
        tab.page.get_by_text(touched).wait_for()  # what the dry run says
        tab.page.get_by_role("button", name=say("reread.confirm"), exact=True).click()
        wait_until(lambda: len(rows(ledger, partial)) == 2, 30, "the file is read again")
        done = text("SELECT state, result, who FROM requests")
        wait_until(lambda: rows(ledger, done)[0][0] == "done", 20, "the request has ended")
        _, result, who = rows(ledger, done)[0]
        assert (who, json.loads(result)) == ("the-admin", {"done": 1, "failed": 0, "gone": 0})
        tab.page.goto("about:blank")
    ledger.close()


def opened(tab: Visit, cell: str, again: Locator) -> bool:
    """Whether a click on its bar opened the device-hour; a chart redrawn meanwhile opens none."""
    place = tab.page.wait_for_function(BAR_OF, arg=cell).json_value()
    tab.page.mouse.click(place["x"], place["y"])
    with suppress(PlaywrightTimeout):
        again.wait_for(timeout=10_000)
    return again.is_visible()


def rows(ledger: object, query: object) -> list[tuple[object, ...]]:
    with ledger.read() as connection:  # type: ignore[attr-defined]
        return [tuple(row) for row in connection.execute(query)]


#: Middle of the bar that opens a device-hour, after it has been scrolled into sight; or null.
BAR_OF = """cell => {
  const plot = document.querySelector('.js-plotly-plot');
  if (!plot) return null;
  plot.scrollIntoView({block: 'center'});
  const traces = [...plot.querySelectorAll('.barlayer .trace')];
  const points = traces.flatMap(t => [...t.querySelectorAll('.point')].map(p => [t, p]));
  // Points of before stand beside data of after while a chart is redrawn.
  const found = points.find(
    ([t, p]) => t.__data__[0].trace.customdata?.[p.__data__.i]?.[0] === cell);
  if (!found) return null;
  const box = found[1].querySelector('path').getBoundingClientRect();
  return {x: box.x + box.width / 2, y: box.y + box.height / 2};
}"""
