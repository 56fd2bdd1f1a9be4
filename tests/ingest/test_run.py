"""Ingestion from raw files to visible rows, and what a crash may not change."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import duckdb
import pytest
from sqlalchemy import select, update

from pipeline.errors import ClaimLost
from pipeline.flow import Flow
from pipeline.gc import collect, orphans
from pipeline.ingest.convert import convert
from pipeline.ingest.discover import discover
from pipeline.ingest.job import Job
from pipeline.ingest.run import Ingest
from pipeline.pool import Pool
from pipeline.settings import Settings
from pipeline.storage import claims, manifest
from pipeline.storage import tables as t
from pipeline.storage.commits import Arrival, commit_ingest
from pipeline.storage.lake import open_lake
from pipeline.storage.ledger import Ledger
from pipeline.storage.objects import DiskStore, parse_key
from pipeline.storage.visible import telemetry_sql
from pipeline.verify import verify
from tests.make import deliver, rows, text

HOUR = "2026013107"


def visible(
    settings: Settings, ledger: Ledger, columns: str = "*", where: str = "true"
) -> list[Any]:
    with open_lake(settings).loan() as loan, duckdb.connect() as duck:
        with ledger.read() as connection:
            files = manifest.live(connection)
            source = telemetry_sql(connection, loan.root, files)
        loan.fetch(file.path for file in files)
        duck.execute("SET TimeZone = 'UTC'")
        return duck.execute(f"SELECT {columns} FROM ({source}) WHERE {where}").fetchall()


def test_keys() -> None:
    assert parse_key("MLKB/HW-1/2026013107/2026013107.txt.gz") == ("MLKB", "HW-1", "2026013107")
    for key in (
        "MLKB/HW-1/2026013107/2026013108.txt.gz",
        "MLKB/HW-1/2026013199/2026013199.txt.gz",
        "MLKB/HW-1/2026013107/2026013107.txt.gz.tmp",
        "HW-1/2026013107/2026013107.txt.gz",
        "MLKB/x/HW-1/2026013107/2026013107.txt.gz",
    ):
        assert parse_key(key) is None


def test_every_line_of_every_file_is_accounted_for(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    first = rows(HOUR, 60)
    deliver(raw, HOUR, [*first, {**first[5], "VehicleSpeed": 1.5}])
    deliver(raw, HOUR, rows(HOUR, 30, "HW-2", unitno="DT102"), device="HW-2")
    torn = deliver(raw, HOUR, b"\x1f\x8bnonsense", device="HW-3", packed=False)
    (raw / "readme.txt").write_text("not ours")
    result = flow.ingest()
    shown = result.as_json()
    assert shown["files"] == {
        "ok": 2,
        "partial": 0,
        "corrupt": 1,
        "failed": 0,
        "unchanged": 0,
        "ignored": 1,
    }
    assert shown["lines"] == {
        "total": 91,
        "accepted": 90,
        "duplicate": 1,
        "quarantined": 0,
        "blank": 0,
    }
    assert shown["ignored"] == ["readme.txt"]
    assert shown["failed"] == {}
    assert shown["backlog"] == 0
    assert visible(settings, ledger, "count(*)") == [(90,)]
    assert visible(settings, ledger, "VehicleSpeed, _line", "VehicleSpeed = 1.5") == [(1.5, 61)]
    assert visible(settings, ledger, "DISTINCT hiveperiod, dstrct_code") == [("2026-01-31", "MLKB")]
    checked = verify(ledger, settings, deep=True)
    assert checked.ok, checked.breaches
    assert [n.about for n in checked.notices if n.check == "corrupt"] == [torn]
    again = flow.ingest().as_json()
    assert again["lines"]["total"] == 0
    assert not any(number for state, number in again["files"].items() if state != "ignored")


def test_an_empty_home_is_fine(settings: Settings, ledger: Ledger, flow: Flow) -> None:
    assert flow.ingest().as_json()["files"]["ok"] == 0
    assert flow.compact().days == []
    assert verify(ledger, settings, deep=True).ok
    assert visible(settings, ledger, "count(*)") == [(0,)]


def test_the_same_content_again_is_unchanged(raw: Path, ledger: Ledger, flow: Flow) -> None:
    deliver(raw, HOUR, rows(HOUR))
    assert flow.ingest().files["ok"] == 1
    deliver(raw, HOUR, rows(HOUR), arrived=1_800_000_000)
    result = flow.ingest()
    assert (result.files["ok"], result.files["unchanged"], result.backlog) == (0, 1, 0)


def test_a_file_may_hold_another_hour_and_two_local_days(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    late = rows("2026013123", 10)
    late += [{**row, "heartbeat": row["heartbeat"] + 3600} for row in late]
    deliver(raw, "2026013123", late)
    flow.ingest()
    days = visible(settings, ledger, "hiveperiod, count(*)", "true GROUP BY ALL ORDER BY ALL")
    assert days == [("2026-01-31", 10), ("2026-02-01", 10)]
    with ledger.read() as connection:
        flags = connection.execute(select(t.raw_objects.c.flags)).scalar_one()
    assert flags == "hour"


def test_rows_carry_their_source_and_line(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    key = deliver(raw, HOUR, rows(HOUR, 5))
    flow.ingest()
    with ledger.read() as connection:
        query = select(t.raw_objects.c.id).where(t.raw_objects.c.key == key)
        src = connection.execute(query).scalar_one()
    assert visible(settings, ledger, "_src, _line", "true ORDER BY ts") == [
        (src, line) for line in range(1, 6)
    ]


def job(ledger: Ledger, settings: Settings, raw: Path) -> Job:
    """What a worker hands to a child: all that has arrived, claimed."""
    discover(ledger, DiskStore(raw), full=True)
    claim = claims.take(ledger, "w", 10, settings.lease_seconds)
    assert claim is not None
    with Pool(1) as pool:
        return Ingest(ledger, settings, "w", pool)._job(claim)


def test_what_a_dead_worker_wrote_is_not_visible_and_goes_with_gc(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    deliver(raw, HOUR, rows(HOUR))
    work = job(ledger, settings, raw)
    assert convert(work).files  # written, then the worker dies before its commit
    assert visible(settings, ledger, "count(*)") == [(0,)]
    claims.abandon(ledger, work.claim.id)
    assert flow.ingest().lines["accepted"] == 60  # a suspect, tried alone
    assert visible(settings, ledger, "count(*)") == [(60,)]
    assert len(orphans(ledger, settings)) == 1
    assert collect(ledger, settings).files == 0  # within the grace
    soon = settings.model_copy(update={"gc_grace_seconds": -1.0})
    assert collect(ledger, soon).files == 1
    assert orphans(ledger, settings) == []
    assert visible(settings, ledger, "count(*)") == [(60,)]


def test_a_killed_worker_of_this_machine_is_not_waited_for(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    import socket
    import subprocess

    gone = subprocess.Popen(["true"])
    gone.wait()
    deliver(raw, HOUR, rows(HOUR, 5))
    discover(ledger, DiskStore(raw), full=True)
    assert claims.take(ledger, f"{socket.gethostname()}-{gone.pid}-abc", 10, 3600)
    assert flow.ingest().lines["accepted"] == 5
    deliver(raw, HOUR, rows(HOUR, 5, "HW-2"), device="HW-2")
    discover(ledger, DiskStore(raw), full=True)
    assert claims.take(ledger, f"elsewhere-{gone.pid}-abc", 10, 3600)
    assert flow.ingest().backlog == 1


def test_a_lost_claim_commits_nothing(raw: Path, settings: Settings, ledger: Ledger) -> None:
    deliver(raw, HOUR, rows(HOUR))
    work = job(ledger, settings, raw)
    done = convert(work)
    with ledger.write() as connection:
        connection.execute(update(t.claims).values(expires_at=0))
    arrival = Arrival(work.claim, done.objects, done.files, {"MLKB": "UTC"})
    with pytest.raises(ClaimLost):
        commit_ingest(ledger, open_lake(settings), arrival)
    assert visible(settings, ledger, "count(*)") == [(0,)]


def test_a_file_that_kills_its_reader_is_set_aside_alone(
    raw: Path, settings: Settings, ledger: Ledger
) -> None:
    for device in ("HW-1", "HW-2"):
        deliver(raw, HOUR, rows(HOUR, 5, device), device=device)
    work = job(ledger, settings, raw)
    assert len(work.claim.files) == 2
    claims.abandon(ledger, work.claim.id)
    for _ in range(claims.MAX_ATTEMPTS):
        alone = claims.take(ledger, "w", 10, settings.lease_seconds)
        assert alone is not None
        assert len(alone.files) == 1
        assert alone.files[0].deviceid == "HW-1"
        claims.abandon(ledger, alone.id)
    following = claims.take(ledger, "w", 10, settings.lease_seconds)
    assert following is not None
    assert following.files[0].deviceid == "HW-2"
    with ledger.read() as connection:
        k = t.raw_keys.c
        query = select(k.deviceid, k.error).where(k.state == "failed")
        ((device, error),) = connection.execute(query).all()
    assert device == "HW-1"
    assert "5 times" in error


def test_an_object_that_changes_while_it_is_read_is_left_for_later(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    key = deliver(raw, HOUR, rows(HOUR, 5))
    work = job(ledger, settings, raw)
    deliver(raw, HOUR, rows(HOUR, 9), arrived=1_800_000_000)
    done = convert(work)
    assert done.changing == [key]
    assert done.objects == []
    commit_ingest(ledger, open_lake(settings), Arrival(work.claim, [], [], {}))
    assert flow.ingest().lines["accepted"] == 9


def test_a_file_that_cannot_be_read_does_not_stop_the_others(
    raw: Path, settings: Settings, ledger: Ledger
) -> None:
    if os.geteuid() == 0:
        # root may read everything: a folder in the file's place cannot be read by anybody
        (raw / "MLKB/HW-9" / HOUR / f"{HOUR}.txt.gz").mkdir(parents=True)
    deliver(raw, HOUR, rows(HOUR, 5))
    assert len(convert(job(ledger, settings, raw)).objects) == 1


def test_a_full_disk_loses_nothing(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    deliver(raw, HOUR, rows(HOUR, 5))
    blocked = settings.lake_root / "clean"
    blocked.write_text("a file where the folder should be")
    with pytest.raises(OSError, match="clean"):
        flow.ingest()
    blocked.unlink()
    assert flow.ingest().lines["accepted"] == 5


def test_runs_are_recorded_with_their_counts(raw: Path, ledger: Ledger, flow: Flow) -> None:
    deliver(raw, HOUR, rows(HOUR, 5))
    flow.ingest()
    flow.ingest()  # nothing to do: not worth a line
    with ledger.read() as connection:
        ((kind, status, detail),) = connection.execute(
            select(t.runs.c.kind, t.runs.c.status, t.runs.c.detail)
        ).all()
    assert (kind, status) == ("ingest", "ok")
    assert json.loads(detail)["lines"]["accepted"] == 5


def test_verify_names_what_is_broken(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    key = deliver(raw, HOUR, rows(HOUR, 5))
    flow.ingest()
    with ledger.read() as connection:
        (file,) = manifest.live(connection)
    path = settings.lake_root / file.path
    body = path.read_bytes()
    path.write_bytes(body[:-1])
    assert [b.check for b in verify(ledger, settings).breaches] == ["changed file"]
    path.unlink()
    assert [b.about for b in verify(ledger, settings).breaches] == [file.path]
    path.write_bytes(body)
    assert verify(ledger, settings, deep=True).ok
    with ledger.write() as connection:
        connection.execute(update(t.raw_objects).values(blank=1))
    (broken,) = verify(ledger, settings).breaches
    assert (broken.check, broken.about) == ("identity", key)
    assert broken.text == "5 lines but 6 accounted for"


def test_deep_verify_sees_a_changed_value(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    deliver(raw, HOUR, rows(HOUR, 5))
    flow.ingest()
    # Raw is replaced by other values under the recorded hash: only a second reading can tell.
    changed = text(rows(HOUR, 5, VehicleSpeed=77.0))
    key = deliver(raw, HOUR, changed)
    import hashlib

    sha = hashlib.sha256((raw / key).read_bytes()).hexdigest()
    with ledger.write() as connection:
        connection.execute(update(t.raw_objects).values(sha256=sha))
    (breach,) = verify(ledger, settings, deep=True).breaches
    assert breach.check == "values"
    assert "VehicleSpeed" in breach.text
