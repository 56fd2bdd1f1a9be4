"""Every page where something is amiss: one calm sentence, no figure that pretends, a way back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, update

from app import access
from app.backend import backend
from app.text import EN, say
from pipeline.localtime import to_us
from pipeline.settings import Settings
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger
from pipeline.storage.sql import step
from tests.app.fabricate import DISTRICT, fabricate
from tests.app.test_pages import open_page, texts

PAGES = list(access.BY_NAME)
FIGURES = [page.name for page in access.PAGES if page.section == access.OPERATIONS]


def take_away(settings: Settings) -> None:
    """Where the ledger was is a folder; who has it open loses it."""
    backend().ledger.close()
    for path in settings.home.glob("ledger.db*"):
        path.rename(path.with_name("away-" + path.name))
    (settings.home / "ledger.db").mkdir()


def bring_back(settings: Settings) -> None:
    backend().ledger.close()
    (settings.home / "ledger.db").rmdir()
    for path in settings.home.glob("away-*"):
        path.rename(path.with_name(path.name.removeprefix("away-")))


@pytest.mark.parametrize("page", PAGES)
def test_a_page_while_the_ledger_is_away_and_after(
    filled: Settings, script: str, page: str
) -> None:
    app = open_page(script, page, "admin#1")
    assert app.metric
    take_away(filled)
    app.run()
    assert not app.exception
    assert [part.value for part in app.warning] == [say("error.ledger")]
    assert not app.metric
    assert not app.text_input  # nobody is asked to sign in by a ledger that is not there
    bring_back(filled)
    app.run()
    assert not app.warning
    assert app.header[0].value == say(f"{page}.title")
    assert app.metric


def test_the_first_session_of_a_process_without_a_ledger(home: Settings, script: str) -> None:
    (home.home / "ledger.db").rename(home.home / "away")
    (home.home / "ledger.db").mkdir()
    app = open_page(script, "home", "admin#1")
    assert not app.exception
    assert [part.value for part in app.warning] == [say("error.ledger")]


def failed(ledger: Ledger, status: str, built: datetime | None) -> None:
    with ledger.write() as connection:
        row = {"run_id": 7, "model": "unit_day", "severity": "error", "failures": 3}
        tests = [row | {"test": f"t{n}", "status": s} for n, s in enumerate((status, "pass"))]
        connection.execute(insert(t.mart_tests), tests)
        moment = None if built is None else to_us(built)
        connection.execute(update(t.partitions).values(built_at=moment))


@pytest.mark.parametrize("page", FIGURES)
def test_figures_whose_successors_failed_their_tests_say_of_when_they_are(
    filled: Settings, ledger: Ledger, script: str, page: str
) -> None:
    built = datetime(2026, 1, 31, 4, 30, tzinfo=UTC)
    failed(ledger, "fail", built)
    app = open_page(script, page, "admin#1")
    assert not app.exception
    sentence = say("marts.failed", clock="2026-01-31 12:30", zone="WITA", tests=1)
    assert [part.value for part in app.warning] == [sentence]
    assert app.metric
    assert EN["marts.failed.link"] in [link.proto.label for link in app.get("page_link")]


def test_who_may_not_see_tests_is_told_without_a_way_to_them(
    filled: Settings, ledger: Ledger, script: str
) -> None:
    failed(ledger, "error", None)
    app = open_page(script, "home", "supervisor#1")
    assert [part.value for part in app.warning] == [say("marts.failed.never", tests=1)]
    assert EN["marts.failed.link"] not in [link.proto.label for link in app.get("page_link")]


def test_a_test_that_only_warns_holds_nothing_back(
    filled: Settings, ledger: Ledger, script: str
) -> None:
    failed(ledger, "warn", datetime.now(UTC))
    assert not open_page(script, "home", "admin#1").warning


def test_a_fleet_number_of_two_districts_is_told_while_both_are_shown(
    filled: Settings, ledger: Ledger, script: str
) -> None:
    """Of trucks that were there in these days, not of one that had gone before."""
    row = {"unittype": "dump", "dstrct_code": "TRGA", "model": "", "valid_from": "2020-01-01"}
    others = [("twin", "DT-101", None), ("gone", "DT-102", "2020-12-31"), ("own", "DT-900", None)]
    with ledger.write() as connection:
        for device, unit, last in others:
            own = {"deviceid": device, "unitno": unit, "valid_to": last}
            connection.execute(insert(t.devices), row | own)
    app = open_page(script, "fleet_health", "admin#1")
    assert [part.value for part in app.info] == [say("twins", names="DT\\-101")]
    assert not open_page(script, "fleet_health", "admin#1", district=DISTRICT).info


def test_two_thousand_units(home: Settings, ledger: Ledger, script: str) -> None:
    """Four with data, the others registered: each of them is counted, on every page."""
    fabricate(home, ledger, hours=3)
    now = datetime.now(UTC) - timedelta(days=400)
    with ledger.write() as connection:
        more = [
            {
                "deviceid": f"more-{n}",
                "unitno": f"M-{n:04}",
                "unittype": "dump",
                "dstrct_code": "MLKB",
                "model": "",
                "valid_from": now.date().isoformat(),
                "valid_to": None,
            }
            for n in range(1996)
        ]
        connection.execute(insert(t.devices), more)
        step(connection, "data")
    app = open_page(script, "home", "admin#1")
    for page in PAGES:
        app.switch_page(str(access.BY_NAME[page].path)).run()
        assert not app.exception, page
        assert not app.warning, page
        assert app.header[0].value == say(f"{page}.title")
        if page == "home":
            assert "**4 of 2,000** expected units reporting" in texts(app)
        if page == "fleet_health":
            assert any(m.value == "1,996" for m in app.metric)
