"""The worker's steps, with time as an argument."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Select, select

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


@pytest.mark.parametrize(("pool", "runs"), [("_builder", 3), ("_mergers", 4)])
def test_what_arrives_beside_long_work_is_taken_in(
    raw: Path, ledger: Ledger, worker: Worker, tmp_path: Path, pool: str, runs: int
) -> None:
    worker.settings = worker.settings.model_copy(update={"poll_seconds": 0.2})
    deliver(raw, "2026013107", rows("2026013107", 60))
    seen = tmp_path / "seen"
    # The child that builds, or merges, is held up until the second file is in, or far too long.
    held = getattr(worker.flow, pool).submit(wait_for, seen, 180)
    at_work = "taken in" if pool == "_builder" else "compact"
    second = threading.Thread(target=deliver_second, args=(raw, ledger, at_work, seen))
    second.start()
    assert worker.step(NOW) is False
    second.join()
    assert held.result()
    assert worker.overtaken
    with ledger.read() as connection:
        done = connection.execute(select(t.runs.c.kind).order_by(t.runs.c.id)).scalars().all()
    order = {3: ["ingest", "ingest", "build"], 4: ["ingest", "build", "compact", "ingest"]}
    assert done[:runs] == order[runs]
    assert worker.step(NOW) is False
    assert not worker.overtaken


def wait_for(path: Path, seconds: float) -> bool:
    """In a child: whether a file appeared in time."""
    ends = time.monotonic() + seconds
    while not path.exists() and time.monotonic() < ends:
        time.sleep(0.05)
    return path.exists()


def deliver_second(raw: Path, ledger: Ledger, at_work: str, seen: Path) -> None:
    """Deliver another file once the first is ``taken in``, or a claim of that kind is open; say
    when it is in, too."""
    k, c = t.raw_objects.c, t.claims.c
    first = select(k.id) if at_work == "taken in" else select(c.id).where(c.kind == at_work)
    if until(ledger, first, 1):
        deliver(raw, "2026013108", rows("2026013108", 60))
        if until(ledger, select(k.id), 2):
            seen.touch()


def until(ledger: Ledger, query: Select[Any], number: int) -> bool:
    """Whether there came to be so many rows."""
    ends = time.monotonic() + 120
    while time.monotonic() < ends:
        with ledger.read() as connection:
            if len(connection.execute(query).all()) >= number:
                return True
        time.sleep(0.05)
    return False


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
