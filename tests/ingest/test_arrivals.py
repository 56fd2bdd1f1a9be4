"""What arrives oddly: names that are no text, hours out of time, touched files, clocks ahead."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from sqlalchemy import select, update

from pipeline import localtime
from pipeline.errors import SettingsError
from pipeline.flow import Flow
from pipeline.ingest import discover as module
from pipeline.ingest import unpack
from pipeline.ingest.convert import convert
from pipeline.reingest import Selection, ask, plan
from pipeline.settings import Settings
from pipeline.storage import claims
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger, open_ledger
from pipeline.storage.objects import open_store, parse_key
from pipeline.verify import verify
from tests.ingest.test_run import job, visible
from tests.make import deliver, epoch, rows, text

HOUR, LATER = "2026013106", "2026013107"


def test_a_name_that_is_no_text_is_ignored_and_stops_nothing(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    deliver(raw, HOUR, rows(HOUR, 5))
    for place in (b"MLKB/HW-9/\xff\xfe.tmp", os.fsencode(f"MLKB/\udcff/{HOUR}/{HOUR}.txt.gz")):
        path = os.path.join(os.fsencode(raw), place)
        os.makedirs(os.path.dirname(path))
        with open(path, "wb") as file:
            file.write(b"foreign")
    for files_ok in (1, 0):
        result = flow.ingest()
        assert result.files["ok"] == files_ok
        assert sorted(result.ignored) == [
            "MLKB/HW-9/\\xff\\xfe.tmp",
            f"MLKB/\\xff/{HOUR}/{HOUR}.txt.gz",
        ]
        assert (result.failed, result.backlog) == ({}, 0)


def test_hours_out_of_time_are_no_device_hours() -> None:
    for hour in ("0001010100", "1969123123", "2200010100", "9999123123"):
        assert parse_key(f"A/HW-1/{hour}/{hour}.txt.gz") is None


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12", "America/Los_Angeles"])
@pytest.mark.parametrize("hour", ["1970010100", "2199123123"])
def test_any_hour_that_is_taken_can_be_read(
    raw: Path, settings: Settings, ledger: Ledger, hour: str, zone: str
) -> None:
    there = settings.model_copy(update={"zone": zone})
    deliver(raw, hour, rows(HOUR, 5), arrived=epoch(LATER))
    (row,) = convert(job(ledger, there, raw)).objects
    assert (row["status"], row["accepted"], row["flags"]) == ("ok", 5, "hour")


def test_a_file_whose_reading_raises_is_counted_named_and_noticed(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    """A zone that nobody knows makes every reading raise, in the child process."""
    key = deliver(raw, HOUR, rows(HOUR, 5))
    flow.settings = settings.model_copy(update={"zone": "Nowhere/Land"})
    result = flow.ingest()
    assert result.as_json()["files"]["failed"] == 1
    assert list(result.failed) == [key]
    assert "Nowhere/Land" in result.failed[key]
    assert len(result.errors) == claims.MAX_ATTEMPTS + 1
    with ledger.read() as connection:
        topics = connection.execute(select(t.notices.c.topic)).scalars().all()
    assert f"failed/{key}" in topics
    found = [f for f in verify(ledger, settings).notices if f.check == "failed"]
    assert [(f.about, f.text) for f in found] == [(key, result.failed[key])]
    assert flow.ingest().files["failed"] == 0


def winners(settings: Settings, ledger: Ledger) -> list[object]:
    return visible(settings, ledger, "VehicleSpeed", "true ORDER BY ts")


@pytest.mark.parametrize("poll_between", [True, False])
def test_a_touched_file_does_not_arrive_again(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow, poll_between: bool
) -> None:
    """The later file wins the seconds that both hold, whatever happens to the older one's date."""
    at = epoch(HOUR) + 7200
    first, second = rows(HOUR, 10, VehicleSpeed=1.0), rows(HOUR, 5, VehicleSpeed=2.0)
    key = deliver(raw, HOUR, first, arrived=at)
    deliver(raw, LATER, second, arrived=at + 100)
    flow.ingest()
    before = winners(settings, ledger)
    assert before == [(2.0,)] * 5 + [(1.0,)] * 5
    os.utime(raw / key, (at + 500, at + 500))
    if poll_between:
        assert flow.ingest().files["unchanged"] == 1
    chosen = Selection(key=key)
    ask(ledger, settings, chosen, plan(ledger, settings, open_store(settings), chosen), "tester")
    assert flow.ingest().files["ok"] == 1
    assert winners(settings, ledger) == before
    with ledger.read() as connection:
        o, k = t.raw_objects.c, t.raw_keys.c
        query = select(o.arrived_at).where(o.key == key, o.dead_at.is_(None))
        arrived = connection.execute(query).scalars().all()
        arrived += connection.execute(select(k.arrived_at).where(k.key == key)).scalars().all()
    assert arrived == [at * 10**6] * 2


def test_a_clock_that_ran_ahead_does_not_hide_the_hours_of_today(
    raw: Path, ledger: Ledger, flow: Flow
) -> None:
    with ledger.read() as connection:
        now = localtime.from_us(module.clock(connection))
    today = localtime.path_hour(now, "UTC")
    deliver(raw, "2199010106", rows(HOUR, 5), arrived=epoch(LATER))
    flow.ingest()
    deliver(raw, today, rows(today, 5))
    assert flow.ingest(full=False).files["ok"] == 1


def test_of_two_districts_each_changes_its_zone_by_itself(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    for district in ("AAA", "BBB"):
        deliver(raw, HOUR, rows(HOUR, 5), district=district, device=f"HW-{district}")
    flow.ingest()
    # Of both something waits that is not to be read in a zone which nobody asked for.
    with ledger.write() as connection:
        connection.execute(update(t.raw_keys).values(state="pending", reread=True))
    moved = settings.model_copy(update={"zone": "Asia/Jakarta"})
    for district, left in (("AAA", 1), ("BBB", 0)):
        with pytest.raises(SettingsError):
            open_ledger(moved)
        opened = open_ledger(moved, rezone=district)
        chosen = Selection(district=district)
        ask(opened, moved, chosen, plan(opened, moved, open_store(moved), chosen), "tester")
        flow.settings = moved
        assert flow.ingest(district=district).files["ok"] == 1
        with opened.read() as connection:
            assert claims.backlog(connection) == left
        opened.close()
    open_ledger(moved).close()


@pytest.mark.parametrize(("longest", "long"), [(9, True), (10, False), (11, False)])
def test_a_longer_line_is_found_wherever_it_is(longest: int, long: bool) -> None:
    for body in (b"x" * 10, b"x" * 10 + b"\n", b"a\nb\n" + b"x" * 10 + b"\nccc\n" * 9):
        assert unpack.has_longer_line(body, longest) is long


@pytest.mark.parametrize("behind", [b"", b"\n"], ids=["as it comes", "line by line"])
def test_a_line_beyond_the_limit_is_refused_whichever_way_it_is_read(
    raw: Path, settings: Settings, ledger: Ledger, behind: bytes
) -> None:
    body = text(rows(HOUR, 1, clipid="x" * 2_000))
    longest = len(body) - 1
    key = deliver(raw, HOUR, body + behind)
    work = job(ledger, settings.model_copy(update={"most_line_bytes": longest - 1}), raw)
    (row,) = convert(work).objects
    assert (row["key"], row["status"]) == (key, "failed")
    assert f"more than {longest - 1:,} bytes" in row["error"]
    claims.release(ledger, [work.claim.id])
    (row,) = convert(
        job(ledger, settings.model_copy(update={"most_line_bytes": longest}), raw)
    ).objects
    assert row["status"] == "ok"
