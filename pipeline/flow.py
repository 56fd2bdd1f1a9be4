"""raw → clean → analytics, as a list of steps. Start reading here.

    raw/        as delivered
      │ ingest    discover → claim → unpack, prove, clean → commit
    clean/      one Parquet file a claim, day and district
      │ compact   closed days merged into few files, swapped through the manifest
      │ build     dbt: staging → marts, tests, then publish
    analytics/  marts by day and district
      │ gc        days older than the settings keep, and what nobody refers to any more

Each step finds out by itself what is to be done; what is up to date is skipped. The worker runs
them over and over, the command line one at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, wait
from contextlib import suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy.exc import SQLAlchemyError

from pipeline.errors import BuildFailed
from pipeline.pool import Pool, give_memory_back
from pipeline.settings import Settings
from pipeline.storage import claims
from pipeline.storage.ledger import Ledger, end_runs, open_ledger, run, worker_name

if TYPE_CHECKING:
    from pipeline.adopt.lake import Lake
    from pipeline.adopt.run import AdoptResult
    from pipeline.compact.run import CompactResult
    from pipeline.gc import GcResult
    from pipeline.ingest.run import IngestResult
    from pipeline.marts.build import BuildResult

Progress = Callable[[int, int], None]


class Flow:
    """The steps and what they share: ledger, settings, child processes. A context manager."""

    def __init__(self, settings: Settings, ledger: Ledger, worker: str | None = None) -> None:
        self.settings, self.ledger = settings, ledger
        self.worker = worker or worker_name()
        self._readers: Pool | None = None
        self._mergers: Pool | None = None
        self._builder: Pool | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None and not issubclass(kind, Exception):
            self._stop()
        self.close()

    def _stop(self) -> None:
        """Somebody wants us to end: nobody waits for work that will be done again."""
        for pool in self._pools:
            pool.end()
        with suppress(SQLAlchemyError):  # what is held then expires by itself
            claims.let_go(self.ledger, self.worker)
            end_runs(self.ledger, self.worker)

    @property
    def _pools(self) -> list[Pool]:
        """Those that were needed so far."""
        return [pool for pool in (self._readers, self._mergers, self._builder) if pool]

    def close(self) -> None:
        """End the child processes."""
        for pool in self._pools:
            pool.shutdown(cancel_futures=True)
        self._readers = self._mergers = self._builder = None

    @property
    def readers(self) -> Pool:
        """Processes that read and write telemetry, one core each."""
        if self._readers is None:
            self._readers = Pool(self.settings.threads)
        return self._readers

    @property
    def mergers(self) -> Pool:
        """Processes that merge days: others than those that read, which must not wait for them."""
        if self._mergers is None:
            self._mergers = Pool(self.settings.threads)
        return self._mergers

    def ingest(
        self,
        *,
        full: bool = True,
        district: str | None = None,
        budget_seconds: float | None = None,
        enough: Callable[[], bool] | None = None,
        progress: Progress | None = None,
    ) -> IngestResult:
        """Take in the raw files that arrived; of one district only those already discovered.

        No more are claimed once ``budget_seconds`` are over or ``enough`` says so.
        """
        from pipeline.ingest.run import Ingest

        step = Ingest(self.ledger, self.settings, self.worker, self.readers)
        with run(self.ledger, "ingest", self.worker, worth=_took_something) as detail:
            result = step.run(
                full=full,
                district=district,
                budget_seconds=budget_seconds,
                enough=enough,
                progress=progress,
            )
            detail.update(result.as_json())
            if result.errors:
                detail["error"] = result.errors[0]
        return result

    def adopt(
        self,
        lake: Lake,
        *,
        dry_run: bool = False,
        who: str = "",
        progress: Progress | None = None,
    ) -> AdoptResult:
        """Take over an existing Parquet lake (``pipeline.adopt.lake.find``)."""
        from pipeline.adopt.run import Adopt

        step = Adopt(self.ledger, self.settings, self.worker, self.readers)
        if dry_run:
            return step.run(lake, dry_run=True, progress=progress)
        with run(self.ledger, "adopt", self.worker) as detail:
            result = step.run(lake, who=who, progress=progress)
            detail.update(result.as_json())
            if result.failed:
                detail["error"] = "; ".join(f"{name}: {why}" for name, why in result.failed.items())
        return result

    def compact(
        self,
        *,
        day: str | None = None,
        district: str | None = None,
        now: datetime | None = None,
        progress: Progress | None = None,
    ) -> CompactResult:
        """Merge closed days, and open ones in many small files."""
        from pipeline.compact.run import Compact

        step = Compact(self.ledger, self.settings, self.worker, self.mergers)
        if not step.plan(day=day, district=district, now=now):
            from pipeline.compact.run import CompactResult

            return CompactResult()
        with run(self.ledger, "compact", self.worker) as detail:
            result = step.run(day=day, district=district, now=now, progress=progress)
            detail.update(result.as_json())
            if result.failed:
                detail["error"] = "; ".join(f"{at}: {why}" for at, why in result.failed.items())
        return result

    def build(
        self, *, day: str | None = None, district: str | None = None, now: datetime | None = None
    ) -> BuildResult:
        """Build and publish the marts of days that changed. Raises BuildFailed."""
        building = self.begin_build(day=day, district=district, now=now)
        wait([building])
        return building.result()

    def begin_build(
        self, *, day: str | None = None, district: str | None = None, now: datetime | None = None
    ) -> Future[BuildResult]:
        """``build`` in its child process, while the caller goes on with something else."""
        if self._builder is None:
            self._builder = Pool(1, self.settings.threads)
        return self._builder.submit(
            _build, self.settings, self.worker, day=day, district=district, now=now
        )

    def gc(self, *, now: datetime | None = None) -> GcResult:
        """Let go of what is older than the settings keep it; delete files nobody refers to."""
        from pipeline.gc import collect
        from pipeline.marts.unlink import unlink
        from pipeline.retention import expire

        now = now or datetime.now(UTC)
        with run(self.ledger, "gc", self.worker) as detail:
            expired = expire(self.ledger, self.settings, now)
            detail.update(expired=expired.as_json())  # told also when what follows fails
            unlinked = unlink(self.ledger, self.settings, self.worker, now)
            detail.update(unlinked=unlinked)
            result = collect(self.ledger, self.settings)
            result.expired, result.unlinked = expired, unlinked
            detail.update(result.as_json())
        return result


def _took_something(detail: dict[str, Any]) -> bool:
    files: dict[str, int] = detail["files"]
    return sum(files.values()) > files["ignored"]


def _build(
    settings: Settings,
    worker: str,
    *,
    day: str | None,
    district: str | None,
    now: datetime | None,
) -> BuildResult:
    """One build, in the child that keeps dbt loaded: importing it takes seconds."""
    from pipeline.marts.build import build, is_due

    ledger = open_ledger(settings)
    try:
        if not is_due(ledger, day=day, district=district):
            return _nothing()
        with run(ledger, "build", worker) as detail:
            try:
                result = build(ledger, settings, worker, day=day, district=district, now=now)
            except BuildFailed as error:
                detail["failed"] = error.failures
                raise
            detail.update(partitions=result.partitions, rows=result.rows, tests=result.tests)
            detail.update(seconds=round(result.seconds, 3))
        return result
    finally:
        ledger.close()
        give_memory_back()


def _nothing() -> BuildResult:
    from pipeline.marts.build import BuildResult

    return BuildResult(partitions=0, rows={}, tests=0, failed=[], seconds=0.0)
