"""Build and publish marts: dirty days → scratch database → dbt with its tests → one commit."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from pipeline import localtime, steps
from pipeline.errors import BuildFailed
from pipeline.gc import sweep_scratch
from pipeline.marts import (
    cases,
    critical,
    dbt_runner,
    hours,
    publish,
    sources,
    thresholds,
    unlink,
)
from pipeline.marts.dbt_runner import TestResult
from pipeline.marts.snapshot import Snapshot, take
from pipeline.settings import Settings
from pipeline.storage import claims, commits, manifest, reviews
from pipeline.storage import tables as t
from pipeline.storage.lake import open_lake
from pipeline.storage.ledger import Ledger
from pipeline.storage.records import Partition

#: (day, district)s that one turn builds; more are built in turns.
DAYS_AT_ONCE = 8

#: What dbt does: for each part of the seconds, then for the days, then with the tests' results.
SECONDS = "build --select path:models/seconds --exclude test_type:unit"
DAYS = "build --select path:models/staging path:models/marts --exclude data_quality test_type:unit"
RESULTS = "run --select data_quality"


@dataclass
class BuildResult:
    """What a build published. ``hours`` were computed from seconds, the others taken over.

    ``failed`` names tests of severity *warn* that found something. ``elsewhere``: nothing was done,
    because another worker is at it.
    """

    partitions: int = 0
    hours: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    tests: int = 0
    failed: list[str] = field(default_factory=list)
    seconds: float = 0.0
    elsewhere: bool = False


@dataclass
class _Failed:
    """What went wrong in turns so far: their days, what is told of them, their failed tests."""

    days: set[tuple[str, str]] = field(default_factory=set)
    failures: list[str] = field(default_factory=list)
    tests: list[dict[str, object]] = field(default_factory=list)


def plan(ledger: Ledger, *, day: str | None = None, district: str | None = None) -> list[Partition]:
    """Partitions that are newer than their marts, oldest first."""
    with ledger.read() as connection:
        parts = manifest.dirty(connection, t.partitions.c.built_version)
    return [
        part
        for part in parts
        if day in (None, part.hiveperiod) and district in (None, part.dstrct_code)
    ]


def is_due(ledger: Ledger, *, day: str | None = None, district: str | None = None) -> bool:
    """True when a build would have something to do."""
    return bool(plan(ledger, day=day, district=district))


def build(
    ledger: Ledger,
    settings: Settings,
    worker: str,
    *,
    day: str | None = None,
    district: str | None = None,
    now: datetime | None = None,
) -> BuildResult:
    """Bring the marts of every dirty partition up to date.

    Raises BuildFailed when a model or a test of severity *error* fails: nothing of that turn is
    published then, and what was published before stays. The other turns are built first: one day
    that fails must not hold back every other.
    """
    started = time.monotonic()
    now = now or datetime.now(UTC)
    result, failed = BuildResult(), _Failed()
    if not claims.lease(ledger, "build", worker, settings.lease_seconds):
        result.elsewhere = True
        return result
    try:
        # A day that was built before the one after it goes on in that: such days come once more.
        for _ in range(2):
            due = plan(ledger, day=day, district=district)
            for parts in _turns([part for part in due if _day(part) not in failed.days]):
                try:
                    _turn(ledger, settings, worker, parts, now, result, failed)
                except BuildFailed as error:
                    failed.days.update(map(_day, parts))
                    failed.failures += [x for x in error.failures if x not in failed.failures]
    finally:
        claims.give_back(ledger, "build", worker)
    if failed.failures:
        raise BuildFailed(failed.failures)
    result.seconds = time.monotonic() - started
    return result


def _turns(planned: list[Partition]) -> Iterator[list[Partition]]:
    """Partitions whose days fit into memory together; their seconds are taken in turns anyway."""
    turn: list[Partition] = []
    for part in planned:
        if len(turn) == DAYS_AT_ONCE:
            yield turn
            turn = []
        turn.append(part)
    if turn:
        yield turn


def _turn(
    ledger: Ledger,
    settings: Settings,
    worker: str,
    parts: list[Partition],
    now: datetime,
    result: BuildResult,
    failed: _Failed,
) -> None:
    lake = open_lake(settings)
    with ledger.write() as connection:
        claim_id = claims.begin(connection, "build", worker, settings.lease_seconds)
    steps.reached("build.claimed")
    try:
        with (
            _kept_alive(ledger, claim_id, worker, settings),
            _scratch(settings) as scratch,
            lake.loan() as loan,
        ):
            with ledger.read() as connection:  # one moment: files and what to leave out of them
                shot = take(connection, loan.root, settings, parts)
                limits = thresholds.current(connection)
            loan.fetch(shot.kept_paths)
            database = scratch / "scratch.duckdb"
            sources.fill(database, shot, settings, limits, now)
            tests: list[TestResult] = []
            for chunk in shot.chunks:
                loan.fetch(chunk.paths)
                sources.begin(database, chunk)
                tests += dbt_runner.run(scratch, SECONDS, settings.duckdb, settings.scratch)
                _records(ledger, claim_id, tests, failed)
                sources.keep(database)
            steps.reached("build.filled")
            tests += dbt_runner.run(scratch, DAYS, settings.duckdb, settings.scratch)
            steps.reached("build.tested")
            tests = dbt_runner.together(tests)
            rows = _records(ledger, claim_id, tests, failed)
            sources.put_results(database, tests)
            dbt_runner.run(scratch, RESULTS, settings.duckdb, settings.scratch)
            past = unlink.past(settings, map(_day, parts), now)
            names = cases.named(ledger, parts, sources.cases(database, parts), past)
            sources.name_cases(database, names)
            with ledger.read() as connection:
                kept = reviews.linked(connection, past)
            unlink.in_scratch(database, settings, past, kept)
            alarming = critical.found(database, now)
            files = publish.written(database, lake, claim_id, parts)
            built = {part: hours.as_text(shot.hours[part]) for part in parts}
            told = partial(critical.note, settings=settings, cases=alarming)
            commits.commit_marts(
                ledger, claim_id, built, files, rows, _before(shot), unlinked=past, told=told
            )
            steps.reached("build.published")
    except BaseException:
        with suppress(SQLAlchemyError):  # it ends by itself; what broke the build is to be told
            claims.release(ledger, [claim_id])
        raise
    result.partitions += len(parts)
    result.hours += len(shot.stale)
    result.tests += len(tests)
    result.failed += [x.test for x in tests if x.status == "warn"]
    for file in files:
        result.rows[file.dataset] = result.rows.get(file.dataset, 0) + file.rows


def _day(part: Partition) -> tuple[str, str]:
    return part.hiveperiod, part.dstrct_code


def _before(shot: Snapshot) -> set[tuple[str, str]]:
    """Days of other turns whose second shift lies in rows that are new here."""
    days = {(part.hiveperiod, part.dstrct_code) for part in shot.partitions}
    new = {(hour.hiveperiod, hour.dstrct_code) for hour in shot.stale}
    return {(localtime.next_day(day, -1), district) for day, district in new} - days


def _records(
    ledger: Ledger, claim_id: str, tests: list[TestResult], failed: _Failed
) -> list[dict[str, object]]:
    """What the ledger keeps of the tests, with those that failed in turns before.

    A failed one is kept at once, and ends the turn.
    """
    run_id = int(claim_id[:12], 16)
    rows = [{**x.__dict__, "run_id": run_id} for x in tests]
    kept = [*failed.tests, *rows]
    broken = [row for row in rows if row["status"] in ("fail", "error")]
    if broken:
        with ledger.write() as connection:
            commits.record_tests(connection, kept)
        failed.tests += broken
        raise BuildFailed([f"{row['test']}: {row['message']}" for row in broken])
    return kept


@contextmanager
def _scratch(settings: Settings) -> Iterator[Path]:
    """A folder of this process's own; what a killed process left is swept up by the next."""
    parent = settings.scratch
    parent.mkdir(parents=True, exist_ok=True)
    sweep_scratch(parent)
    folder = Path(tempfile.mkdtemp(prefix=f"build-{os.getpid()}-", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _kept_alive(ledger: Ledger, claim_id: str, worker: str, settings: Settings) -> Iterator[None]:
    """Renew the claim and the lease while dbt works."""
    done = threading.Event()

    def renewing() -> None:
        while not done.wait(settings.lease_seconds / 3):
            with suppress(SQLAlchemyError):  # the next turn may find the ledger again
                claims.renew(ledger, [claim_id], settings.lease_seconds)
                claims.lease(ledger, "build", worker, settings.lease_seconds)

    thread = threading.Thread(target=renewing, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
