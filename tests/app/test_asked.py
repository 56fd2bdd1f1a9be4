"""What the benchmark of pages asks is all that pages ask."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from app import access, state
from pipeline.localtime import hiveperiod
from pipeline.settings import Settings
from pipeline.storage.ledger import Ledger
from queries.connect import open_reader
from tests.app.fabricate import DISTRICT
from tests.app.fabricate_fatigue import watched
from tests.app.test_delivery_pages import key_of, quarantine
from tests.bench.page_questions import addresses, asked, unasked

WHO = "admin#1"


def test_every_query_is_asked_by_a_page_in_one_of_its_views(home: Settings, ledger: Ledger) -> None:
    watched(home, ledger)
    now = datetime.now(UTC)
    first = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=6)
    quarantine(home, ledger, key_of(home, first), [(7, "json", b"{")])
    today = hiveperiod(now, home.zone_of(DISTRICT))
    with open_reader(home, ledger) as reader:
        views = addresses(reader, today, "DT-101")
    found = asked(today, views, ("usual",), WHO)
    # Of a month, hours are asked for instead of minutes.
    none: dict[str, list[dict[str, str]]] = {page.name: [] for page in access.PAGES}
    long = none | {"engine_telemetry": [{state.UNIT: "DT-101"}]}
    assert unasked(found) == ["engine_devices_hours", "engine_hours"]
    assert unasked([*found, *asked(today, long, ("long",), WHO)]) == []
