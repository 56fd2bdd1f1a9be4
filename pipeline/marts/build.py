"""Build and publish marts: dirty days → scratch database → dbt with its tests → one commit."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy.exc import SQLAlchemyError

from pipeline import steps
from pipeline.errors import BuildFailed
from pipeline.gc import sweep_scratch
from pipeline.marts import dbt_runner, sources
from pipeline.marts.catalogue import MARTS
from pipeline.settings import Settings
from pipeline.storage import claims, commits, manifest
from pipeline.storage import tables as t
from pipeline.storage.lake import Lake, discard, open_lake
from pipeline.storage.ledger import Ledger
from pipeline.storage.parquet import partition_path
from pipeline.storage.records import ANALYTICS, NewFile, Partition
from pipeline.storage.visible import identifier

#: Rows of telemetry that one dbt run works on; more partitions than that are built in turns.
ROWS_AT_ONCE = 6_000_000


@dataclass
class BuildResult:
    """What a build published. ``failed`` names tests of severity *warn* that found something."""

    partitions: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    tests: int = 0
    failed: list[str] = field(default_factory=list)
    seconds: float = 0.0


def plan(
    ledger: Ledger, *, day: str | None = None, district: str | None = None
) -> list[tuple[Partition, int]]:
    """Partitions that are newer than their marts, with the rows they hold."""
    with ledger.read() as connection:
        parts = manifest.dirty(connection, t.partitions.c.built_version)
        rows: Counter[tuple[str, str]] = Counter()
        for file in manifest.live(connection, days={part.hiveperiod for part in parts}):
            rows[file.hiveperiod, file.dstrct_code] += file.rows
    return [
        (part, rows[part.hiveperiod, part.dstrct_code])
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
    published then, and what was published before stays.
    """
    started = time.monotonic()
    now = now or datetime.now(UTC)
    result = BuildResult()
    if not claims.lease(ledger, "build", worker, settings.lease_seconds):
        return result
    try:
        for parts in _turns(plan(ledger, day=day, district=district)):
            _turn(ledger, settings, worker, parts, now, result)
    finally:
        claims.give_back(ledger, "build", worker)
    result.seconds = time.monotonic() - started
    return result


def _turns(planned: list[tuple[Partition, int]]) -> Iterator[list[Partition]]:
    """Partitions that fit into memory together."""
    turn: list[Partition] = []
    size = 0
    for part, rows in planned:
        if turn and size + rows > ROWS_AT_ONCE:
            yield turn
            turn, size = [], 0
        turn.append(part)
        size += rows
    if turn:
        yield turn


def _turn(
    ledger: Ledger,
    settings: Settings,
    worker: str,
    parts: list[Partition],
    now: datetime,
    result: BuildResult,
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
                shot = sources.snapshot(connection, loan.root, parts)
            loan.fetch(shot.paths)
            database = scratch / "scratch.duckdb"
            sources.fill(database, shot, settings, now)
            steps.reached("build.filled")
            tests = dbt_runner.run(scratch, "build", settings.duckdb)
            steps.reached("build.tested")
            broken = [f"{x.test}: {x.message}" for x in tests if x.status in ("fail", "error")]
            rows = [{**x.__dict__, "run_id": _run_id(claim_id)} for x in tests]
            if broken:
                with ledger.write() as connection:
                    commits.record_tests(connection, rows)
                raise BuildFailed(broken)
            files = _written(database, lake, claim_id, parts)
            commits.commit_marts(ledger, claim_id, parts, files, rows)
            steps.reached("build.published")
    except BaseException:
        with suppress(SQLAlchemyError):  # it ends by itself; what broke the build is to be told
            claims.release(ledger, [claim_id])
        raise
    result.partitions += len(parts)
    result.tests += len(tests)
    result.failed += [x.test for x in tests if x.status == "warn"]
    for file in files:
        result.rows[file.dataset] = result.rows.get(file.dataset, 0) + file.rows


def _run_id(claim_id: str) -> int:
    return int(claim_id[:12], 16)


def _written(database: Path, lake: Lake, claim_id: str, parts: list[Partition]) -> list[NewFile]:
    """Every mart's rows of every partition, as Parquet files that wait for the commit."""
    files: list[NewFile] = []
    try:
        write(database, lake, claim_id, parts, files)
    except BaseException:  # no room, most likely: leave none of it to stand in the way
        discard(lake, files)
        raise
    return files


def write(
    database: Path, lake: Lake, claim_id: str, parts: list[Partition], files: list[NewFile]
) -> None:
    """Write the marts, and add each finished file to ``files``."""
    with duckdb.connect(str(database), read_only=True) as duck:
        duck.execute("SET TimeZone = 'UTC'")
        for name, mart in MARTS.items():
            columns = ", ".join(
                f"{identifier(column)}::{kind} AS {identifier(column)}"
                for column, kind, _ in mart.columns
            )
            for part in parts:
                answer: pa.Table = duck.sql(
                    f"SELECT {columns} FROM {identifier(name)}"
                    " WHERE hiveperiod = $day AND dstrct_code = $district ORDER BY ALL",
                    params={"day": part.hiveperiod, "district": part.dstrct_code},
                ).to_arrow_table()
                if answer.num_rows == 0:
                    continue
                path = partition_path(
                    ANALYTICS,
                    name,
                    part.hiveperiod,
                    part.dstrct_code,
                    f"{claim_id}-{len(files)}.parquet",
                )
                temporary = lake.temporary(path)
                pq.write_table(answer, temporary, compression="zstd", store_schema=False)
                steps.reached("build.writing")
                size = lake.publish(temporary, path)
                files.append(
                    NewFile(
                        ANALYTICS,
                        name,
                        path,
                        part.hiveperiod,
                        part.dstrct_code,
                        rows=answer.num_rows,
                        bytes=size,
                    )
                )


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
