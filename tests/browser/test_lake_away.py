"""The app over a lake on S3 whose link is cut: pages go on with what is here, and say so."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from app.text import say
from tests.browser.conftest import LONGEST, Demo, Server, Visit, serving, wait_until
from tests.servers import seaweed

Start = Callable[..., Visit]

pytestmark = pytest.mark.browser


def fatigue(visit: Start, server: Server) -> Visit:
    tab = visit(server)
    tab.open("fatigue_events")
    tab.sign_in("admin")
    tab.heading(say("fatigue_events.title"))
    return tab


def leave(tab: Visit) -> None:
    """An open page would complain that its server is gone."""
    tab.page.goto("about:blank")


def test_pages_go_on_while_the_lake_is_away(demo_home: Demo, visit: Start, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    for part in demo_home.home.glob("ledger.db*"):
        shutil.copy2(part, home)
    with seaweed() as store, store.link() as link:
        place = store.place()
        for layer in ("clean", "analytics", "quarantine"):
            store.upload(demo_home.home / layer, f"{place}/{layer}")
        more = store.variables(place, link.endpoint)
        more["HAULWATCH_LAKE"] = more.pop("HAULWATCH_RAW")
        away = say("lake.away", since="@", zone="", reason="").partition("@")[0].strip()
        with serving(home, "--no-worker", **more) as running:

            def lake() -> str:
                return str(
                    json.loads(running.answer("/readyz")[1] or '{"lake": "no answer"}')["lake"]
                )

            tab = fatigue(visit, running)
            before = tab.tiles()
            assert tab.page.get_by_text(away).count() == 0
            link.cut()
            wait_until(lambda: lake() not in ("ok", "None"), LONGEST, "the cut is noticed")
            assert running.answer("/readyz")[0] == 200
            assert "haulwatch_lake_up 0.0" in running.answer("/metrics")[1]
            tab.page.reload()
            tab.heading(say("fatigue_events.title"))
            tab.page.get_by_text(away).wait_for()
            assert tab.tiles() == before
            # Nothing of it in this process's memory: the marts lie in the home.
            with serving(home, "--no-worker", **more) as fresh:
                other = fatigue(visit, fresh)
                assert other.tiles() == before
                leave(other)
            link.restore()
            wait_until(lambda: lake() == "ok", LONGEST, "it is there again")
            tab.page.reload()
            tab.heading(say("fatigue_events.title"))
            assert tab.page.get_by_text(away).count() == 0
            leave(tab)
