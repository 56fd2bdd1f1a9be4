"""What people ask for from the pages: taken once, watched, cancelled, on either database."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, text, update

from pipeline import reread
from pipeline.flow import Flow
from pipeline.reingest import Selection, plan
from pipeline.settings import Settings, load
from pipeline.storage import migrate, requests
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger
from pipeline.storage.objects import open_store
from pipeline.storage.sql import clock
from pipeline.verify import verify
from pipeline.worker import Worker
from tests.make import deliver, rows

HOURS = ("2026013105", "2026013106", "2026013107", "2026013108", "2026013109")


def all_of(ledger: Ledger, table: Any) -> list[Any]:
    with ledger.read() as connection:
        return list(connection.execute(select(table).order_by(table.c.id)))


def asked(ledger: Ledger, kind: str = "build") -> int:
    with ledger.write() as connection:
        return requests.ask(connection, kind, "ann", {"key": "k"})


def test_taken_once_and_ended_with_what_came_of_it(any_ledger: Ledger) -> None:
    number = asked(any_ledger)
    with any_ledger.write() as connection:
        assert requests.waiting(connection)
        assert [r.id for r in requests.take(connection, {"build"}, "w1")] == [number]
        assert requests.take(connection, {"build"}, "w1") == []
        assert not requests.waiting(connection)
        requests.end(connection, [number], "no room", {"done": 1})
        requests.end(connection, [number])  # what has ended stays as it is
    row = all_of(any_ledger, t.requests)[0]
    assert (row.state, row.error, json.loads(row.result)) == ("failed", "no room", {"done": 1})
    assert (row.who, json.loads(row.detail)) == ("ann", {"key": "k"})
    assert row.asked_at <= row.taken_at <= row.ended_at


def test_what_a_dead_worker_had_taken_is_taken_again(any_ledger: Ledger) -> None:
    number = asked(any_ledger)
    with any_ledger.write() as connection:
        now = clock(connection)
        row = {"id": "w1", "started_at": now, "seen_at": now, "state": "idle"}
        connection.execute(insert(t.workers).values(**row))
        requests.take(connection, {"build"}, "w1")
        assert requests.take(connection, {"build"}, "w2") == []
        connection.execute(update(t.workers).values(seen_at=now - requests.SILENT_US - 1))
        assert [r.id for r in requests.take(connection, {"build"}, "w2")] == [number]


def test_only_what_can_be_stopped_is_cancelled(any_ledger: Ledger) -> None:
    untaken, step, reading = (
        asked(any_ledger),
        asked(any_ledger, "ingest"),
        asked(any_ledger, "reread"),
    )
    with any_ledger.write() as connection:
        requests.take(connection, {"ingest", "reread"}, "w1")
    assert requests.cancel(any_ledger, untaken, "bob")
    assert not requests.cancel(any_ledger, untaken, "bob")
    assert not requests.cancel(any_ledger, step, "bob")
    assert requests.cancel(any_ledger, reading, "bob")
    assert not requests.cancel(any_ledger, 999, "bob")
    with any_ledger.write() as connection:
        request = requests.Request(reading, "reread", "ann", "taken", {}, {})
        assert not requests.go_on(connection, request, "w1", {"done": 1})
        requests.end(connection, [reading])
        assert requests.take(connection, {"build"}, "w1") == []
    states = [row.state for row in all_of(any_ledger, t.requests)]
    assert states == ["cancelled", "taken", "cancelled"]
    log = [(row.who, row.what, row.subject) for row in all_of(any_ledger, t.audit)]
    assert log[-2:] == [
        ("bob", "request cancelled", str(untaken)),
        ("bob", "request cancelled", str(reading)),
    ]
    assert len(log) == 5


def test_requests_of_an_older_ledger_have_ended_or_wait(database: str) -> None:
    ledger = Ledger(database)
    migrate.upgrade(ledger, "0005")
    with ledger.write() as connection:
        for values in ("('build', 'ann', 1, 5)", "('ingest', 'ann', 2, NULL)"):
            connection.execute(
                text(f"INSERT INTO requests (kind, who, asked_at, taken_at) VALUES {values}")
            )
    migrate.upgrade(ledger)
    found = [(row.state, row.ended_at, row.detail) for row in all_of(ledger, t.requests)]
    ledger.close()
    assert found == [("done", 5, "{}"), ("asked", None, "{}")]


@pytest.fixture
def house(any_ledger: Ledger, tmp_path: Path, database: str) -> tuple[Settings, Ledger]:
    """Five hours of a device, taken in."""
    settings = load(home=tmp_path / "home", ledger=database, threads=1, lease_seconds=60)
    settings.raw_root.mkdir(parents=True, exist_ok=True)
    for hour in HOURS:
        deliver(settings.raw_root, hour, rows(hour, 5))
    return settings, any_ledger


def test_files_are_read_again_in_portions(
    house: tuple[Settings, Ledger], children: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, ledger = house
    monkeypatch.setattr(reread, "PORTION", 2)
    worker = Worker(settings, ledger)
    children.lend(worker.flow)
    try:
        worker.flow.ingest()
        chosen = Selection(district="MLKB", first="2026-01-31T06")
        planned = plan(ledger, settings, open_store(settings), chosen)
        number = reread.ask(ledger, chosen, planned, "ann")
        gone = settings.raw_root / planned.keys[0]
        gone.rename(gone.with_suffix(".away"))
        states = []
        while reread.advance(ledger, settings, worker.name):
            row = all_of(ledger, t.requests)[0]
            states.append((row.state, json.loads(row.result)["done"]))
            assert reread.advance(ledger, settings, worker.name)  # nothing moves before it is read
            worker.flow.ingest(full=False)
    finally:
        children.take_back(worker.flow)
        worker.flow.close()
    # Four of the five hours are chosen; the first of them is not there any more.
    assert states == [("taken", 0), ("taken", 1)]
    row = all_of(ledger, t.requests)[0]
    assert (row.id, row.state, row.error) == (number, "done", None)
    assert json.loads(row.result) == {"done": 3, "failed": 0, "gone": 1}
    assert json.loads(row.detail)["planned"] == {"files": 4, "rows": 20, "days": 1}
    versions = [o.key for o in all_of(ledger, t.raw_objects)]
    assert sorted(versions.count(key) for key in set(versions)) == [1, 1, 2, 2, 2]
    entry = all_of(ledger, t.audit)[-1]
    assert (entry.who, entry.what) == ("ann", "reingest asked")
    assert entry.subject == "district MLKB, from 2026-01-31T06"
    assert verify(ledger, settings, deep=True).ok


def test_cancelled_no_further_portion_is_read(
    house: tuple[Settings, Ledger], children: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, ledger = house
    monkeypatch.setattr(reread, "PORTION", 2)
    with Flow(settings, ledger) as flow:
        children.lend(flow)
        flow.ingest()
        chosen = Selection(device="HW-1")
        planned = plan(ledger, settings, open_store(settings), chosen)
        number = reread.ask(ledger, chosen, planned, "ann")
        assert reread.advance(ledger, settings, "w")
        assert requests.cancel(ledger, number, "ann")
        assert not reread.advance(ledger, settings, "w")
        assert flow.ingest(full=False).files["ok"] == 2
        children.take_back(flow)
    assert len(all_of(ledger, t.raw_objects)) == 7


def test_a_request_that_makes_no_sense_fails(ledger: Ledger, settings: Settings) -> None:
    with ledger.write() as connection:
        requests.ask(connection, "reread", "ann", {"first": "yesterday"})
    assert not reread.advance(ledger, settings, "w")
    row = all_of(ledger, t.requests)[0]
    assert row.state == "failed"
    assert "yesterday" in row.error


class Counting(Worker):
    """A worker that says when it would build: a build takes seconds."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.built: list[int] = []

    def _build(self, now: datetime, backlog: int) -> int:
        self.built.append(len(all_of(self.ledger, t.raw_objects)))
        self._done["build"] = now
        return backlog


def test_the_worker_reads_again_and_then_builds(
    raw: Path, settings: Settings, ledger: Ledger, children: Any
) -> None:
    key = deliver(raw, HOURS[0], rows(HOURS[0], 5))
    now = datetime(2026, 2, 2, tzinfo=UTC)
    worker = Counting(settings, ledger)
    children.lend(worker.flow)
    try:
        worker.step(now)
        chosen = Selection(key=key)
        planned = plan(ledger, settings, open_store(settings), chosen)
        reread.ask(ledger, chosen, planned, "ann")
        assert worker.step(now)  # there is more to do
        assert not worker.step(now)
    finally:
        children.take_back(worker.flow)
        worker.flow.close()
    assert all_of(ledger, t.requests)[0].state == "done"
    # Not after each portion: once before, with one version, and once when all are read.
    assert worker.built == [1, 2]
