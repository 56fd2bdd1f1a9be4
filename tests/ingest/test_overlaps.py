"""Overlaps and re-uploads: each second of a device is seen once, from the object that wins."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from pipeline.flow import Flow
from pipeline.settings import Settings
from pipeline.storage import manifest
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger
from pipeline.verify import verify
from tests.ingest.test_run import visible
from tests.make import deliver, epoch, rows, text

HOUR, NEXT = "2026013107", "2026013108"
LATER = datetime(2026, 2, 3, tzinfo=UTC)
ARRIVED = epoch(HOUR) + 7200


def sound(ledger: Ledger, settings: Settings) -> None:
    """No breach, and the sum of the contract: accepted − overlapped = visible."""
    checked = verify(ledger, settings, deep=True)
    assert checked.ok, checked.breaches
    o = t.raw_objects.c
    with ledger.read() as connection:
        live = connection.execute(select(o.accepted, o.overlapped).where(o.dead_at.is_(None)))
        assert checked.rows == sum(row.accepted - row.overlapped for row in live)


def speeds(settings: Settings, ledger: Ledger) -> dict[float, int]:
    """How many seconds each speed is seen; the tests give every file a speed of its own."""
    found = visible(settings, ledger, "VehicleSpeed, count(*)", "true GROUP BY ALL")
    return dict(found)


def overlapped(ledger: Ledger) -> dict[str, int]:
    o = t.raw_objects.c
    with ledger.read() as connection:
        query = select(o.key, o.overlapped).where(o.dead_at.is_(None), o.overlapped > 0)
        return {row.key: row.overlapped for row in connection.execute(query)}


def shifted(by: int, hour: str = HOUR, seconds: int = 60, **values: Any) -> list[dict[str, Any]]:
    return [{**row, "heartbeat": row["heartbeat"] + by} for row in rows(hour, seconds, **values)]


@pytest.mark.parametrize("at_once", [True, False], ids=["one claim", "two claims"])
@pytest.mark.parametrize("later_first", [True, False], ids=["late first", "early first"])
def test_the_later_arrival_wins(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow, at_once: bool, later_first: bool
) -> None:
    keys: dict[str, str] = {}

    def early() -> None:
        keys["early"] = deliver(raw, HOUR, shifted(0, VehicleSpeed=1.0), arrived=ARRIVED)

    def late() -> None:
        body = shifted(50, VehicleSpeed=2.0)
        keys["late"] = deliver(raw, NEXT, body, arrived=ARRIVED + 5)

    total = 0
    for step in (late, early) if later_first else (early, late):
        step()
        if not at_once:
            total += flow.ingest().overlapped
    if at_once:
        total = flow.ingest().overlapped
    assert total == 10
    assert overlapped(ledger) == {keys["early"]: 10}
    assert speeds(settings, ledger) == {1.0: 50, 2.0: 60}
    sound(ledger, settings)
    assert flow.compact(now=LATER).rows == 120  # beaten rows are kept, out of sight
    assert speeds(settings, ledger) == {1.0: 50, 2.0: 60}
    sound(ledger, settings)
    with ledger.read() as connection:
        assert [file.hidden for file in manifest.live(connection)] == [0]
        assert [file.hidden for file in manifest.live(connection, whole=True)] == [0, 10]
    assert flow.compact(now=LATER).days == []


def test_a_tie_is_decided_by_the_key(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    deliver(raw, NEXT, shifted(0, VehicleSpeed=2.0), arrived=ARRIVED)
    flow.ingest()
    deliver(raw, HOUR, shifted(0, VehicleSpeed=1.0), arrived=ARRIVED)
    assert flow.ingest().overlapped == 60
    assert speeds(settings, ledger) == {2.0: 60}
    sound(ledger, settings)


def test_scattered_seconds(raw: Path, settings: Settings, ledger: Ledger, flow: Flow) -> None:
    """Every other second is in both; spans of one row each."""
    deliver(raw, HOUR, shifted(0, VehicleSpeed=1.0), arrived=ARRIVED)
    every_other = shifted(0, VehicleSpeed=2.0)[::2]
    deliver(raw, NEXT, every_other, arrived=ARRIVED + 1)
    assert flow.ingest().overlapped == 30
    assert speeds(settings, ledger) == {1.0: 30, 2.0: 30}
    sound(ledger, settings)


def test_touching_spans_without_a_common_second_beat_nobody(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    deliver(raw, HOUR, shifted(0, VehicleSpeed=1.0)[::2], arrived=ARRIVED)
    deliver(raw, NEXT, shifted(0, VehicleSpeed=2.0)[1::2], arrived=ARRIVED)
    assert flow.ingest().overlapped == 0
    assert speeds(settings, ledger) == {1.0: 30, 2.0: 30}
    sound(ledger, settings)


def test_three_deep_and_over_midnight(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    for number, (hour, by) in enumerate((("2026013123", 3550), ("2026013122", 7160))):
        body = shifted(by, hour, 100, VehicleSpeed=1.0 + number)
        deliver(raw, hour, body, arrived=ARRIVED + number)
        flow.ingest()
    body = shifted(3560, "2026013123", 80, VehicleSpeed=3.0)
    deliver(raw, "2026020100", body, arrived=ARRIVED + 9)
    flow.ingest()
    # 1.0 from 23:59:10, 2.0 from 23:59:20, 3.0 from 23:59:20 on: 100, 100 and 80 s long
    assert speeds(settings, ledger) == {1.0: 10, 2.0: 20, 3.0: 80}
    sound(ledger, settings)
    assert len(flow.compact(now=LATER).days) == 2
    assert speeds(settings, ledger) == {1.0: 10, 2.0: 20, 3.0: 80}
    sound(ledger, settings)


@pytest.mark.parametrize("compacted", [False, True])
def test_a_complete_version_replaces_the_one_before(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow, compacted: bool
) -> None:
    key = deliver(raw, HOUR, shifted(0, VehicleSpeed=1.0), arrived=ARRIVED)
    flow.ingest()
    if compacted:
        flow.compact(now=LATER)
    deliver(raw, HOUR, shifted(0, seconds=40, VehicleSpeed=2.0), arrived=ARRIVED + 50)
    result = flow.ingest()
    assert (result.files["ok"], result.overlapped) == (1, 0)
    assert speeds(settings, ledger) == {2.0: 40}
    sound(ledger, settings)
    flow.compact(now=LATER)
    assert speeds(settings, ledger) == {2.0: 40}
    sound(ledger, settings)
    with ledger.read() as connection:
        versions = connection.execute(
            select(t.raw_objects.c.dead_at).where(t.raw_objects.c.key == key)
        ).all()
        (file,) = manifest.live(connection, whole=True)
    assert sorted(row.dead_at is None for row in versions) == [False, True]
    assert file.rows == 40


@pytest.mark.parametrize("compacted", [False, True])
def test_what_a_replaced_version_had_beaten_is_seen_again(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow, compacted: bool
) -> None:
    deliver(raw, HOUR, shifted(0, VehicleSpeed=1.0), arrived=ARRIVED)
    deliver(raw, NEXT, shifted(30, VehicleSpeed=2.0), arrived=ARRIVED + 1)
    flow.ingest()
    if compacted:
        flow.compact(now=LATER)
    assert speeds(settings, ledger) == {1.0: 30, 2.0: 60}
    deliver(raw, NEXT, shifted(55, VehicleSpeed=3.0), arrived=ARRIVED + 2)
    assert flow.ingest().overlapped == -25
    assert speeds(settings, ledger) == {1.0: 55, 3.0: 60}
    sound(ledger, settings)
    flow.compact(now=LATER)
    assert speeds(settings, ledger) == {1.0: 55, 3.0: 60}
    sound(ledger, settings)


def test_a_damaged_version_adds_and_never_removes(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    deliver(raw, HOUR, shifted(0, seconds=30, VehicleSpeed=1.0), arrived=ARRIVED)
    flow.ingest()
    whole = gzip.compress(text(shifted(0, VehicleSpeed=2.0)), mtime=0)
    wrong_crc = whole[:-8] + bytes([whole[-8] ^ 1]) + whole[-7:]
    deliver(raw, HOUR, wrong_crc, arrived=ARRIVED + 9, packed=False)
    result = flow.ingest()
    assert (result.files["corrupt"], result.overlapped) == (1, 30)
    assert speeds(settings, ledger) == {1.0: 30, 2.0: 30}
    sound(ledger, settings)
    # the whole file at last: it replaces both
    deliver(raw, HOUR, shifted(0, seconds=59, VehicleSpeed=3.0), arrived=ARRIVED + 99)
    flow.ingest()
    assert speeds(settings, ledger) == {3.0: 59}
    sound(ledger, settings)


def test_a_torn_file_is_followed_by_the_whole_one(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    noisy = [{**row, "cpuserial": f"{i * 7919 % 104729:06x}"} for i, row in enumerate(rows(HOUR))]
    packed = gzip.compress(text(noisy), mtime=0)
    deliver(raw, HOUR, packed[: len(packed) // 2], packed=False, arrived=ARRIVED)
    assert flow.ingest().files["partial"] == 1
    ((torn,),) = visible(settings, ledger, "count(*)")
    assert 0 < torn < 60
    deliver(raw, HOUR, packed, packed=False, arrived=ARRIVED + 60)
    assert flow.ingest().files["ok"] == 1
    assert visible(settings, ledger, "count(*)") == [(60,)]
    sound(ledger, settings)


def test_content_that_comes_back_is_a_version_of_its_own(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    for number, speed in enumerate((1.0, 2.0, 1.0, 1.0, 2.0)):
        deliver(raw, HOUR, shifted(0, VehicleSpeed=speed), arrived=ARRIVED + number)
        result = flow.ingest()
        assert result.files["unchanged" if number == 3 else "ok"] == 1
        assert speeds(settings, ledger) == {speed: 60}
        sound(ledger, settings)
        if number == 2:
            flow.compact(now=LATER)


def test_a_wild_clock_is_compared_day_by_day(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    """An object from 2021 to 2026 touches only the objects of the days it has rows on."""
    old = shifted(0, "2021010100", 5, VehicleSpeed=9.0)
    deliver(raw, NEXT, [*old, *shifted(0, NEXT, 5, VehicleSpeed=8.0)], arrived=ARRIVED + 9)
    deliver(raw, HOUR, shifted(0, VehicleSpeed=1.0), arrived=ARRIVED)
    deliver(raw, "2021010100", shifted(3, "2021010100", 5, VehicleSpeed=7.0), arrived=ARRIVED)
    assert flow.ingest().overlapped == 2
    assert speeds(settings, ledger) == {1.0: 60, 7.0: 3, 8.0: 5, 9.0: 5}
    sound(ledger, settings)


def test_a_device_of_two_districts_is_one_device(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    deliver(raw, HOUR, shifted(0, VehicleSpeed=1.0), arrived=ARRIVED)
    deliver(raw, HOUR, shifted(20, VehicleSpeed=2.0), arrived=ARRIVED + 1, district="BRTB")
    assert flow.ingest().overlapped == 40
    assert speeds(settings, ledger) == {1.0: 20, 2.0: 60}
    sound(ledger, settings)


def test_verify_sees_a_second_that_is_shown_twice(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    key = deliver(raw, HOUR, shifted(0, VehicleSpeed=1.0), arrived=ARRIVED)
    deliver(raw, NEXT, shifted(50, VehicleSpeed=2.0), arrived=ARRIVED + 5)
    flow.ingest()
    with ledger.write() as connection:
        connection.execute(t.beaten.delete())
    found = {(b.check, b.about) for b in verify(ledger, settings).breaches}
    assert found == {("hidden", key)}
    with ledger.write() as connection:
        o = t.raw_objects.c
        connection.execute(t.raw_objects.update().where(o.key == key).values(overlapped=0))
        connection.execute(t.file_sources.update().values(hidden=0))
        connection.execute(t.data_files.update().values(hidden=0))
    found = {(b.check, b.text) for b in verify(ledger, settings).breaches}
    assert found == {("rows", "10 rows are visible twice")}


def test_a_changed_verdict_makes_its_days_dirty(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    deliver(raw, HOUR, shifted(0, VehicleSpeed=1.0), arrived=ARRIVED)
    flow.ingest()
    flow.compact(now=LATER)
    # The new object lies in another district's partition, but hides rows of this one.
    deliver(raw, HOUR, shifted(20, VehicleSpeed=2.0), arrived=ARRIVED + 1, district="BRTB")
    flow.ingest()
    assert len(flow.compact(now=LATER).days) == 2
