"""What is over for a month is forgotten, but nothing that anybody still asks for."""

from __future__ import annotations

from sqlalchemy import insert, select

from pipeline.gc import collect
from pipeline.settings import Settings
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger
from pipeline.storage.sql import clock
from pipeline.storage.trim import DAY_US, KEPT_DAYS, trim


def at(ledger: Ledger, days: float) -> int:
    """The moment so many days ago."""
    with ledger.read() as connection:
        return clock(connection) - int(days * DAY_US)


OLD, NEW = KEPT_DAYS + 1, KEPT_DAYS - 1


def claim(ledger: Ledger, name: str, days: float, outcome: str | None = "committed") -> None:
    when = at(ledger, days)
    row = {"id": name, "kind": "ingest", "worker": "w", "taken_at": when, "expires_at": when}
    with ledger.write() as connection:
        ended = None if outcome is None else when
        connection.execute(insert(t.claims).values(**row, outcome=outcome, ended_at=ended))


def run(ledger: Ledger, kind: str, days: float, status: str = "ok") -> int:
    when = at(ledger, days)
    ended = None if status == "running" else when
    row = {"kind": kind, "worker": "w", "started_at": when, "ended_at": ended, "status": status}
    with ledger.write() as connection:
        key = connection.execute(insert(t.runs).values(**row)).inserted_primary_key
    return int(key[0]) if key else 0


def request(ledger: Ledger, days: float, state: str) -> int:
    when = at(ledger, days)
    row = {"kind": "build", "who": "anna", "asked_at": when, "state": state}
    ended = when if state == "done" else None
    with ledger.write() as connection:
        key = connection.execute(insert(t.requests).values(**row, ended_at=ended))
        number = key.inserted_primary_key
    return int(number[0]) if number else 0


def ids(ledger: Ledger, table: str) -> set[object]:
    with ledger.read() as connection:
        return {row[0] for row in connection.execute(select(t.metadata.tables[table].c.id))}


def test_claims_go_unless_a_file_names_them_or_they_are_held(any_ledger: Ledger) -> None:
    for name, days in (("over", OLD), ("in_lake", OLD), ("visible", OLD), ("young", NEW)):
        claim(any_ledger, name, days)
    claim(any_ledger, "held", OLD, None)
    file = {"claim_id": "visible", "layer": "clean", "dataset": "telemetry", "path": "p"}
    day = {"hiveperiod": "2026-01-31", "dstrct_code": "MLKB", "rows": 1, "bytes": 1}
    with any_ledger.write() as connection:
        values = {**file, **day, "committed_at": 0, "version": 1}
        connection.execute(insert(t.data_files).values(**values))
    assert trim(any_ledger, {"in_lake"}) == 1
    assert ids(any_ledger, "claims") == {"in_lake", "visible", "young", "held"}


def test_of_runs_the_first_and_the_newest_of_each_outcome_stay(any_ledger: Ledger) -> None:
    first = run(any_ledger, "ingest", OLD + 9)
    over = run(any_ledger, "ingest", OLD + 8)
    failed = run(any_ledger, "build", OLD + 7, "failed")
    built = run(any_ledger, "build", OLD + 6)
    newest = run(any_ledger, "ingest", OLD)
    young = run(any_ledger, "gc", NEW)
    running = run(any_ledger, "adopt", OLD, "running")
    assert trim(any_ledger, ()) == 1
    assert ids(any_ledger, "runs") == {first, failed, built, newest, young, running}
    assert over not in ids(any_ledger, "runs")


def test_requests_that_are_over_go(any_ledger: Ledger) -> None:
    request(any_ledger, OLD, "done")
    young, waiting = request(any_ledger, NEW, "done"), request(any_ledger, OLD, "asked")
    assert trim(any_ledger, ()) == 1
    assert ids(any_ledger, "requests") == {young, waiting}


def test_gc_keeps_the_claim_of_a_file_until_the_file_is_gone(
    ledger: Ledger, settings: Settings
) -> None:
    claim(ledger, "c1", OLD, "expired")
    left = settings.lake_root / "clean" / "c1-0.parquet"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"left by a process that died")
    assert collect(ledger, settings).files == 1
    assert not left.exists()
    assert ids(ledger, "claims") == {"c1"}  # it was seen in this pass
    collect(ledger, settings)
    assert ids(ledger, "claims") == set()
