"""How ingestion keeps up, and what the new queries answer, by numbers worked out by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from sqlalchemy import insert, update
from sqlalchemy.event import listen, remove

from pipeline import fields
from pipeline.localtime import path_hour, to_us
from pipeline.settings import Settings
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger
from pipeline.storage.sql import clock, step
from queries import admin, deliveries, ingestion, operations
from queries.connect import Reader, open_reader
from queries.run import ask
from queries.scope import Scope
from tests.app.fabricate import DISTRICT, Lake

ZONE = "Asia/Makassar"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def top() -> datetime:
    """The last full hour; nine hours before it work began."""
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


def begun(ledger: Ledger, at: datetime) -> None:
    with ledger.write() as connection:
        row = {"kind": "ingest", "worker": "w", "started_at": to_us(at), "status": "ok"}
        connection.execute(insert(t.runs).values(**row))


def file(
    ledger: Ledger,
    number: int,
    arrived: datetime,
    taken: datetime | None,
    *,
    hour: datetime | None = None,
    key: str | None = None,
    dead: bool = False,
    district: str = DISTRICT,
) -> None:
    """A raw file that arrived and was taken in; without ``taken`` it waits."""
    name = path_hour(hour or arrived - timedelta(hours=1), ZONE)
    key = key or f"{district}/d{number}/{name}/{name}.txt.gz"
    common = {"district": district, "deviceid": f"d{number}", "hour": name, "size": 1}
    at = to_us(arrived)
    counts = dict.fromkeys(("lines", "accepted", "duplicate", "quarantined", "blank"), 1)
    with ledger.write() as connection:
        if taken is None:
            row = {"key": key, "etag": "e", "arrived_at": at, "seen_at": at, "state": "pending"}
            connection.execute(insert(t.raw_keys).values(**common, **row))
            return
        row = {"id": number, "key": key, "sha256": "x", "status": "ok", "arrived_at": at}
        row |= {"rank_at": at, "committed_at": to_us(taken), "rules_version": fields.RULES_VERSION}
        row |= {"dead_at": to_us(taken) if dead else None}
        connection.execute(insert(t.raw_objects).values(**common, **counts, **row))
        step(connection, "data")


def test_hours_in_which_a_file_waited_too_long_are_not_current(
    any_ledger: Ledger, top: datetime
) -> None:
    ledger = any_ledger
    begun(ledger, top - timedelta(hours=9, minutes=20))  # the first whole hour begins 9 h ago
    file(ledger, 1, top - timedelta(hours=8), top - timedelta(hours=8) + 59 * MINUTE)
    # Behind from one hour after its arrival, 5:30 ago, until 3:50 ago: in three of the hours.
    file(ledger, 2, top - timedelta(hours=6, minutes=30), top - timedelta(hours=3, minutes=50))
    # Read again today: its first version was in time.
    old = top - timedelta(hours=30)
    file(ledger, 3, old, old + MINUTE, key="k", dead=True)
    file(ledger, 4, old, top - timedelta(hours=1), key="k")
    start, end = top - timedelta(hours=24), top + timedelta(hours=24)
    assert ingestion.availability(ledger, start, end) == ingestion.Availability(6, 9)
    # One that still waits since 80 minutes is behind in the last closed hour.
    file(ledger, 5, top - timedelta(minutes=80), None)
    assert ingestion.availability(ledger, start, end) == ingestion.Availability(5, 9)
    file(ledger, 6, top - timedelta(hours=4), top - timedelta(hours=1), district="OTHR")
    assert ingestion.availability(ledger, start, end, ["OTHR"]) == ingestion.Availability(7, 9)
    assert ingestion.availability(ledger, start, top - timedelta(hours=7)).of == 2


def test_no_hour_has_closed_since_work_began(any_ledger: Ledger, top: datetime) -> None:
    begun(any_ledger, datetime.now(UTC))
    found = ingestion.availability(any_ledger, top - timedelta(hours=24), top)
    assert found == ingestion.Availability(0, 0)


def test_age_of_the_longest_waiting_file_over_time(any_ledger: Ledger, top: datetime) -> None:
    ledger = any_ledger
    begun(ledger, top - timedelta(days=3))
    arrived = top - timedelta(hours=10)
    file(ledger, 1, arrived, arrived + timedelta(hours=2))
    ages = ingestion.oldest_waiting(ledger)
    assert 90 <= ages.height <= 97
    assert ages["age_s"].max() == pytest.approx(7200)
    waited = ages.filter(pl.col("age_s") > 0)["at"]
    # Nothing waited before it arrived, nor after it was taken in; points are 15 minutes apart.
    assert arrived <= waited.min() <= arrived + 15 * MINUTE  # type: ignore[operator]
    assert waited.max() < arrived + timedelta(hours=2) + 16 * MINUTE  # type: ignore[operator]
    file(ledger, 2, top - timedelta(hours=20), None)
    last = ingestion.oldest_waiting(ledger)["age_s"][-1]
    with ledger.read() as connection:
        assert last == pytest.approx(clock(connection) / 1e6 - to_us(top) / 1e6 + 20 * 3600, abs=5)


def test_versions_of_a_device_hour(any_ledger: Ledger, top: datetime) -> None:
    hour = path_hour(top, ZONE)
    key = f"{DISTRICT}/d1/{hour}/{hour}.txt.gz"
    arrived = top + timedelta(hours=1)
    file(any_ledger, 1, arrived, arrived + MINUTE, hour=top, key=key, dead=True)
    file(any_ledger, 1, arrived, None, hour=top, key=key)
    with any_ledger.write() as connection:
        connection.execute(update(t.raw_keys).values(state="failed", error="set aside"))
    found = ingestion.versions(any_ledger, DISTRICT, "d1", hour)
    assert found.select("key", "status", "replaced", "lines", "error").rows() == [
        (key, "ok", True, 1, "set aside")
    ]
    assert ingestion.versions(any_ledger, DISTRICT, "d2", hour).is_empty()
    assert ingestion.stale_rules(any_ledger) == {}


@pytest.fixture
def lake(settings: Settings, ledger: Ledger) -> Iterator[tuple[Reader, Scope]]:
    """Words on backlogs, and cells of two days."""
    now = datetime.now(UTC).replace(microsecond=0)
    made = Lake(settings, ledger, ZONE, ())
    day, before = made.day(now), made.day(now - timedelta(days=1))

    def word(device: str, minutes: int, files: float | None) -> dict[str, Any]:
        minute = now - minutes * MINUTE
        where = {"hiveperiod": made.day(minute), "dstrct_code": DISTRICT, "unitno": device}
        return {**where, "deviceid": device, "minute": minute, "uploadbacklog_max": files}

    def cell(
        day: str, lat: int, units: int, seconds: int, down: int, rsrp: float | None, names: str = ""
    ) -> Any:
        """``names``: of the first unit and of the last; none in files of an earlier release."""
        where = {"hiveperiod": day, "dstrct_code": DISTRICT, "lat_cell": lat, "lon_cell": 7}
        where |= {"lat": lat / 200, "lon": 7 / 200, "units": units, "seconds": seconds}
        if names:
            where |= {"first_unit": names[0], "last_unit": names[1]}
        return where | {"down_s": down, "rsrp_median": rsrp}

    with ledger.write() as connection:
        version = step(connection, "data")
        words = [word("a", 30, 9), word("a", 5, 4), word("b", 50, 2), word("b", 3, None)]
        made.write(connection, "unit_minute", [*words, word("c", 1500, 8)], version)
        cells = [cell(day, 1, 3, 400, 100, -100), cell(before, 1, 2, 200, 200, -112)]
        cells += [cell(day, 2, 2, 5_000, 0, None), cell(day, 3, 5, 599, 0, -90)]
        cells += [cell(day, 4, 1, 300, 0, -90, "aa"), cell(before, 4, 2, 300, 0, -90, "bc")]
        cells += [cell(day, 5, 2, 300, 0, -90, "ab"), cell(before, 5, 2, 300, 0, -90, "ab")]
        made.write(connection, "coverage_cell", cells, version)
    with open_reader(settings, ledger) as reader:
        yield reader, Scope(before, day)


def test_each_device_has_its_last_word_on_what_waits(lake: tuple[Reader, Scope]) -> None:
    reader, scope = lake
    start = datetime.now(UTC) - timedelta(hours=24)
    found = ask(reader, "upload_backlog", Scope(scope.first, scope.last, start=start))
    assert found.select("deviceid", "files").rows() == [("a", 4), ("b", 2)]


def test_coverage_is_summed_over_days_and_judged(lake: tuple[Reader, Scope]) -> None:
    reader, scope = lake
    found = {row["lat"]: row for row in ask(reader, "coverage", scope).to_dicts()}
    cell = found[1 / 200]
    # 300 of 600 s; (400 × -100 + 200 × -112) / 600.
    assert (cell["down_share"], cell["rsrp"], cell["enough"]) == (0.5, -104.0, True)
    assert (found[2 / 200]["enough"], found[2 / 200]["rsrp"]) == (False, None)  # two units only
    assert found[3 / 200]["enough"] is False  # a second too little
    # One unit on a day and two others on the next are three, the same two again are two.
    told = [(found[lat / 200]["units"], found[lat / 200]["enough"]) for lat in (4, 5)]
    assert told == [(3, True), (2, False)]


def test_the_latest_files_by_status_and_text(any_ledger: Ledger, top: datetime) -> None:
    for number, hours in ((1, 5), (2, 4), (3, 3)):
        file(any_ledger, number, top - hours * 60 * MINUTE, None)
    for number, hours in ((1, 5), (2, 4)):
        arrived = top - hours * 60 * MINUTE
        file(any_ledger, number, arrived, arrived + MINUTE)
    k, o = t.raw_keys.c, t.raw_objects.c
    with any_ledger.write() as connection:
        connection.execute(update(t.raw_keys).values(state="done"))
        connection.execute(update(t.raw_keys).where(k.deviceid == "d3").values(state="failed"))
        connection.execute(update(t.raw_objects).where(o.deviceid == "d2").values(status="partial"))

    def shown(statuses: tuple[str, ...] = (), text: str = "", limit: int = 500) -> list[Any]:
        found = operations.objects(any_ledger, statuses, text, limit)
        return [(key.split("/")[1], status) for key, status in found.select("key", "status").rows()]

    everything = [("d3", "failed"), ("d2", "partial"), ("d1", "ok")]
    assert shown() == everything
    assert shown(limit=2) == everything[:2]
    assert shown(("ok", "failed")) == [("d3", "failed"), ("d1", "ok")]
    assert shown(("ok", "partial", "failed"), limit=1) == everything[:1]
    assert shown(("partial",), "/d1/") == []
    assert shown((), "/d1/") == [("d1", "ok")]
    assert operations.status_counts(any_ledger) == {"ok": 1, "partial": 1, "failed": 1}
    with any_ledger.write() as connection:
        connection.execute(update(t.raw_objects).where(o.deviceid == "d1").values(rules_version=0))
        connection.execute(
            update(t.raw_objects).where(o.deviceid == "d2").values(rules_version=10**6)
        )
    assert ingestion.stale_rules(any_ledger) == {0: 1, 10**6: 1}


def test_what_the_ingestion_page_asks_goes_through_no_whole_table(
    ledger: Ledger, top: datetime
) -> None:
    """After years there are millions of raw files; each question is answered from an index."""
    begun(ledger, top - timedelta(days=400))
    asked: list[tuple[str, Any]] = []

    def note(*event: Any) -> None:
        asked.append((event[2], event[3]))

    listen(ledger.engine, "before_cursor_execute", note)
    operations.objects(ledger, (), "")
    operations.objects(ledger, ("ok", "failed"), "")
    ingestion.availability(ledger, top - timedelta(days=30), top)
    ingestion.oldest_waiting(ledger)
    ingestion.stale_rules(ledger)
    operations.vitals(ledger)
    remove(ledger.engine, "before_cursor_execute", note)
    plans = []
    with ledger.engine.connect() as connection:
        for statement, values in asked:
            if "raw_" in statement:
                found = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
                plans.append([str(row[3]) for row in found])
    assert len(plans) >= 8
    for plan in plans:
        scans = [one for one in plan if one.startswith("SCAN raw_")]
        # A scan of an index in the order that is asked for ends at the limit.
        assert all(" USING " in one and "autoindex" not in one for one in scans), plan


def test_a_count_that_takes_long_is_made_again_only_after_a_while(
    ledger: Ledger, top: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations, "_spared", {})
    file(ledger, 1, top, top + MINUTE)
    assert operations.line_counts(ledger)["lines"] == 1
    file(ledger, 2, top, top + MINUTE)
    assert operations.line_counts(ledger)["lines"] == 2  # a quick one is made at each commit
    asked: list[str] = []
    listen(ledger.engine, "before_cursor_execute", lambda *event: asked.append(event[2]))
    assert operations.line_counts(ledger)["lines"] == 2
    assert not any("raw_" in statement for statement in asked)  # nothing was committed since
    monkeypatch.setattr(operations, "LONG_COUNT_S", 0.0)
    monkeypatch.setattr(operations, "SPARED", 1e9)
    file(ledger, 3, top, top + MINUTE)
    assert operations.line_counts(ledger)["lines"] == 3
    file(ledger, 4, top, top + MINUTE)
    assert operations.line_counts(ledger)["lines"] == 3
    assert operations.status_counts(ledger) == {"ok": 4}  # every count has a time of its own
    (_, until, known) = operations._spared[str(ledger.engine.url), "lines"]
    monkeypatch.setattr(operations.time, "monotonic", lambda: until)
    assert known["lines"] == 3
    assert operations.line_counts(ledger)["lines"] == 4


def test_what_arrived_is_put_together_once_until_something_moves(
    ledger: Ledger, top: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    monkeypatch.setattr(
        deliveries, "_arrivals", lambda *_: made.append(1) or pl.DataFrame({"n": [len(made)]})
    )
    monkeypatch.setattr(deliveries, "_arrived", {})

    def asked(day: str = "2026-01-31", districts: tuple[str, ...] = ()) -> int:
        with ledger.read() as connection:
            return int(deliveries.arrivals(connection, Scope(day, day, districts)).item())

    assert (asked(), asked()) == (1, 1)
    assert asked(districts=(DISTRICT,)) == 2
    assert asked() == 1
    file(ledger, 1, top, None)  # waits
    assert (asked(), asked()) == (3, 3)
    with ledger.write() as connection:
        step(connection, "data")
    assert (asked(), asked()) == (4, 4)
    for day in range(1, deliveries.KEPT + 1):
        asked(f"2026-02-{day:02}")
    assert len(deliveries._arrived) == deliveries.KEPT


def test_devices_that_delivered_and_are_not_registered(any_ledger: Ledger, top: datetime) -> None:
    for number, hours, district in ((1, 2, DISTRICT), (2, 2, DISTRICT), (3, 2, "OTHR")):
        file(any_ledger, number, top - timedelta(hours=hours), top, district=district)
    later = f"{DISTRICT}/d2/later/later.txt.gz"  # the same device again
    file(any_ledger, 20, top - timedelta(hours=1), top, key=later)
    with any_ledger.write() as connection:
        o = t.raw_objects.c
        connection.execute(update(t.raw_objects).where(o.key == later).values(deviceid="d2"))
    file(any_ledger, 4, top, None)  # it waits: nothing of it was taken in
    assert admin.unregistered(any_ledger, ()) == 3
    with any_ledger.write() as connection:
        row = {"deviceid": "d1", "unitno": "A", "unittype": "dump", "dstrct_code": DISTRICT}
        connection.execute(insert(t.devices), row | {"valid_from": "2026-01-01"})
    assert admin.unregistered(any_ledger, ()) == 2
    assert admin.unregistered(any_ledger, ["OTHR"]) == 1
    assert admin.unregistered(any_ledger, ["NONE"]) == 0


def test_nobody_delivered(any_ledger: Ledger) -> None:
    assert admin.unregistered(any_ledger, ()) == 0
