"""The worker's steps, with time as an argument."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from pipeline.settings import Settings
from pipeline.storage import claims
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger
from pipeline.worker import Worker, request
from tests.conftest import Children
from tests.make import deliver, rows

NOW = datetime(2026, 2, 2, tzinfo=UTC)


@pytest.fixture
def log() -> list[str]:
    return []


@pytest.fixture
def worker(
    settings: Settings, ledger: Ledger, log: list[str], children: Children
) -> Iterator[Worker]:
    """One whose child processes are those of the other tests: each costs seconds to start."""
    opened = Worker(settings, ledger, log.append)
    children.lend(opened.flow)
    yield opened
    children.take_back(opened.flow)
    opened.flow.close()


def test_a_step_takes_in_builds_and_compacts(
    raw: Path, ledger: Ledger, worker: Worker, log: list[str]
) -> None:
    deliver(raw, "2026013107", rows("2026013107", 120))
    assert worker.step(NOW) is False
    with ledger.read() as connection:
        runs = connection.execute(select(t.runs.c.kind, t.runs.c.status)).all()
        part = connection.execute(select(t.partitions)).all()
    assert [tuple(row) for row in runs] == [
        ("ingest", "ok"),
        ("build", "ok"),
        ("compact", "ok"),
        ("gc", "ok"),
    ]
    built = {row.hiveperiod: row.built_version for row in part}
    assert all(built.values())
    assert worker.step(NOW) is False  # nothing is due, nothing is done
    with ledger.read() as connection:
        assert len(connection.execute(select(t.runs)).all()) == 4
    assert log == []


def test_what_arrives_while_marts_are_built_is_taken_in_beside_them(
    raw: Path, ledger: Ledger, worker: Worker, tmp_path: Path
) -> None:
    worker.settings = worker.settings.model_copy(update={"poll_seconds": 0.2})
    deliver(raw, "2026013107", rows("2026013107", 60))
    worker.flow.begin_build(now=NOW).result(120)  # the child is there; it built nothing
    seen = tmp_path / "seen"
    # The child that builds is held up until the second file is in, or for far too long.
    assert worker.flow._builder is not None
    held = worker.flow._builder.submit(wait_for, seen, 180)
    second = threading.Thread(target=deliver_second, args=(raw, ledger, seen))
    second.start()
    assert worker.step(NOW) is False
    second.join()
    assert held.result()
    assert worker.overtaken
    with ledger.read() as connection:
        runs = connection.execute(select(t.runs.c.kind).order_by(t.runs.c.id)).scalars().all()
    assert runs[:3] == ["ingest", "ingest", "build"]


def wait_for(path: Path, seconds: float) -> bool:
    """In a child: whether a file appeared in time."""
    ends = time.monotonic() + seconds
    while not path.exists() and time.monotonic() < ends:
        time.sleep(0.05)
    return path.exists()


def deliver_second(raw: Path, ledger: Ledger, seen: Path) -> None:
    """Once the first file is in, deliver another; say when that is in, too."""
    for number, hour in enumerate(("", "2026013108")):
        if hour:
            deliver(raw, hour, rows(hour, 60))
        ends = time.monotonic() + 120
        while time.monotonic() < ends:
            with ledger.read() as connection:
                if len(connection.execute(select(t.raw_objects)).all()) > number:
                    break
            time.sleep(0.05)
        else:
            return
    seen.touch()


def test_only_the_leader_builds(raw: Path, ledger: Ledger, worker: Worker) -> None:
    assert claims.lease(ledger, "scheduler", "another", 60)
    deliver(raw, "2026013107", rows("2026013107", 5))
    worker.step(NOW)
    with ledger.read() as connection:
        assert [row.kind for row in connection.execute(select(t.runs))] == ["ingest"]


def test_what_the_leader_is_asked_for_waits_for_the_leader(ledger: Ledger, worker: Worker) -> None:
    request(ledger, "compact", "admin")
    request(ledger, "ingest", "admin")
    assert claims.lease(ledger, "scheduler", "another", 60)
    worker.step(NOW)
    with worker._requests({"ingest", "compact"}) as asked:
        assert asked == {"compact"}


def test_a_build_that_cannot_run_keeps_no_day_from_being_compacted(
    raw: Path,
    settings: Settings,
    ledger: Ledger,
    worker: Worker,
    log: list[str],
) -> None:
    deliver(raw, "2026013107", rows("2026013107", 5))
    (settings.lake_root / "tmp").parent.mkdir(parents=True, exist_ok=True)
    (settings.lake_root / "tmp").write_text("in the way of the scratch folder")
    worker.step(NOW)
    assert [line for line in log if line.startswith("marts: ")]
    with ledger.read() as connection:
        runs = {(row.kind, row.status) for row in connection.execute(select(t.runs))}
    assert ("compact", "ok") in runs


def test_a_request_is_taken_once_and_audited(ledger: Ledger, settings: Settings) -> None:
    request(ledger, "ingest", "admin")
    worker = Worker(settings, ledger)
    with worker._requests({"ingest", "build"}) as asked:
        assert asked == {"ingest"}
        with worker._requests({"ingest", "build"}) as again:
            assert again == set()
    with worker._requests({"ingest", "build"}) as asked:
        assert asked == set()
    with ledger.read() as connection:
        entry = connection.execute(select(t.audit)).one()
        row = connection.execute(select(t.requests)).one()
    assert (entry.who, entry.what) == ("admin", "run ingest")
    assert (row.state, row.error) == ("done", None)
    assert row.asked_at <= row.taken_at <= row.ended_at


def test_a_step_that_breaks_says_so_in_the_request(ledger: Ledger, settings: Settings) -> None:
    request(ledger, "build", "admin")
    worker = Worker(settings, ledger)
    with pytest.raises(OSError, match="no room"), worker._requests({"build"}):
        raise OSError("no room")
    with ledger.read() as connection:
        row = connection.execute(select(t.requests)).one()
    assert (row.state, row.error) == ("failed", "OSError: no room")


def test_trouble_is_noted_by_the_worker(raw: Path, ledger: Ledger, worker: Worker) -> None:
    good = rows("2026013107", 5)
    deliver(raw, "2026013107", [{**row, "mood": "fine"} for row in good])
    deliver(raw, "2026013108", b"\x1f\x8bnonsense", packed=False)
    worker.flow.ingest()
    with ledger.read() as connection:
        noted = connection.execute(select(t.notices.c.kind, t.notices.c.title)).all()
    assert sorted(row.kind for row in noted) == ["fields", "partial"]
    assert any("mood" in row.title for row in noted)
