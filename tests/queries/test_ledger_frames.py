"""Ledger rows for queries: the short ways give what the long ones would."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, func, insert, select, update

from pipeline.localtime import to_us
from pipeline.settings import Settings
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger
from pipeline.storage.sql import step
from queries import operations
from queries.deliveries import INSTANT
from queries.ledger_frames import ledger_frame
from queries.scope import EVERYTHING, Scope
from tests.app.fabricate import DISTRICT, UNITS, fabricate


def test_last_seen_is_the_newest_row_of_each_device(settings: Settings, ledger: Ledger) -> None:
    fabricate(settings, ledger)
    o = t.raw_objects.c
    with ledger.write() as connection:
        # One silent for a week, and not registered; one of which a dead version knew more.
        week = 7 * 86_400_000_000
        silent = {"deviceid": "old", "max_ts": o.max_ts - week, "min_ts": o.min_ts - week}
        connection.execute(update(t.raw_objects).where(o.deviceid == "dev-DT-101").values(silent))
        newest = select(func.max(o.max_ts)).where(o.deviceid == "dev-DT-102").scalar_subquery()
        last = update(t.raw_objects).where(o.deviceid == "dev-DT-102", o.max_ts == newest)
        connection.execute(last.values(dead_at=1))
    plain = select(o.deviceid, func.max(o.max_ts)).where(o.dead_at.is_(None)).group_by(o.deviceid)
    with ledger.read() as connection:
        seen = ledger_frame(connection, "last_seen", EVERYTHING)
        expected = {str(name): int(most) for name, most in connection.execute(plain)}
    assert seen.schema["last_seen"] == INSTANT
    assert dict(zip(seen["deviceid"], seen["last_seen"].cast(int), strict=True)) == expected
    assert len(expected) == len(UNITS)
    assert "old" in expected


def test_the_first_hour_counts_what_waits_and_not_what_is_ignored(ledger: Ledger) -> None:
    states = {"2026013101": "ignored", "2026013103": "pending", "2026013104": "done"}
    with ledger.write() as connection:
        connection.execute(t.zones.insert(), [{"district": DISTRICT, "zone": "Asia/Makassar"}])
        for hour, state in states.items():
            key(connection, hour, state)
    with ledger.read() as connection:
        first = ledger_frame(connection, "first_hour", EVERYTHING)
    assert first.rows() == [(DISTRICT, "2026013103")]


def test_only_the_columns_that_are_named(settings: Settings, ledger: Ledger) -> None:
    day = fabricate(settings, ledger)
    scope = Scope(day, day)
    with ledger.read() as connection:
        every = ledger_frame(connection, "raw_keys", scope)
        some = ledger_frame(connection, "raw_keys", scope, {"key", "suspect", "arrived_at", "x"})
        none = ledger_frame(connection, "raw_keys", Scope("2020-01-01", "2020-01-01"), {"key"})
    assert some.equals(every.select("key", "arrived_at", "suspect"))
    assert some.height
    assert every["suspect"].to_list() == [False] * every.height
    assert none.rows() == []


def test_files_taken_in_are_counted_when_their_number_can_have_changed(ledger: Ledger) -> None:
    def progress() -> tuple[int, int]:
        now = operations.vitals(ledger).progress
        return now.done, now.pending

    with ledger.write() as connection:
        key(connection, "2026013101", "done")
        key(connection, "2026013102", "pending")
    assert progress() == (1, 1)
    with ledger.write() as connection:  # the same content again: no version of the data
        connection.execute(update(t.raw_keys).values(state="done"))
    assert progress() == (2, 0)
    with ledger.write() as connection:
        key(connection, "2026013103", "done")
        step(connection, "data")
    assert progress() == (3, 0)


def key(connection: Connection, hour: str, state: str) -> None:
    arrived = to_us(datetime(2026, 1, 31, tzinfo=UTC) + timedelta(hours=30))
    row = {
        "key": f"{DISTRICT}/d/{hour}/{hour}.txt.gz", "district": DISTRICT, "deviceid": "d",
        "hour": hour, "etag": "e", "size": 1, "arrived_at": arrived, "seen_at": arrived,
        "state": state,
    }  # fmt: skip
    connection.execute(insert(t.raw_keys).values(row))
