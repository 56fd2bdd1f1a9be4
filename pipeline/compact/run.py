"""One pass of compaction: closed days that changed, and open ones in too many small files."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from pipeline import localtime, steps
from pipeline.compact.merge import MergeJob, merge
from pipeline.compact.runs import cut
from pipeline.errors import ClaimLost, StoreUnavailable, Terminal
from pipeline.pool import Pool, abandoned
from pipeline.settings import Settings
from pipeline.storage import claims, commits, manifest
from pipeline.storage import tables as t
from pipeline.storage.lake import discard, open_lake
from pipeline.storage.ledger import Ledger, extra_fields
from pipeline.storage.records import DataFile, Hidden, NewFile, Partition

Progress = Callable[[int, int], None]

#: An open day of a district in more small files than this is rolled up.
SMALL_FILES = 32
#: What a child takes: libraries, the footers of a run, a unit's day twice over.
CHILD_BYTES = 700_000_000


@dataclass(frozen=True)
class Merge:
    """Files of a partition that are to become fewer, and the rows to leave out of them.

    ``final``: all of a closed day. What is rolled up before is merged once more in the end.
    """

    partition: Partition
    files: tuple[DataFile, ...]
    hidden: Hidden
    final: bool

    @property
    def name(self) -> str:
        """Day and district, as people read them."""
        return f"{self.partition.hiveperiod}/{self.partition.dstrct_code}"


@dataclass
class CompactResult:
    """What a pass merged, what it left to somebody who was there first, and what went wrong.

    ``days`` were closed, ``rolled`` are still open.
    """

    days: list[str] = field(default_factory=list)
    rolled: list[str] = field(default_factory=list)
    busy: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    files_before: int = 0
    files_after: int = 0
    rows: int = 0
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """The object that ``compact --json`` prints."""
        return {**self.__dict__, "seconds": round(self.seconds, 3)}


class Compact:
    """Merges days through the manifest; one compactor a day and district, by lease."""

    def __init__(self, ledger: Ledger, settings: Settings, worker: str, pool: Pool) -> None:
        self.ledger, self.settings, self.worker, self.pool = ledger, settings, worker, pool
        self.lake = open_lake(settings)

    def plan(
        self, *, day: str | None = None, district: str | None = None, now: datetime | None = None
    ) -> list[Merge]:
        """What is to be merged at ``now``, oldest day first."""
        now = now or datetime.now(UTC)
        with self.ledger.read() as connection:
            planned = [
                self._plan(connection, part, now)
                for part in manifest.dirty(connection, t.partitions.c.compacted_version)
                if day in (None, part.hiveperiod) and district in (None, part.dstrct_code)
            ]
        return [merge for merge in planned if merge is not None]

    def _plan(self, connection: Connection, part: Partition, now: datetime) -> Merge | None:
        zone = self.settings.zone_of(part.dstrct_code)
        final = localtime.is_closed(part.hiveperiod, zone, now)
        files = manifest.live(
            connection, days=[part.hiveperiod], districts=[part.dstrct_code], whole=True
        )
        if not final:
            files = [file for file in files if not file.compacted]
            if len(files) <= SMALL_FILES:
                return None
        if not files:
            return None
        return Merge(part, tuple(files), manifest.hidden(connection, files), final)

    def run(
        self,
        *,
        day: str | None = None,
        district: str | None = None,
        now: datetime | None = None,
        progress: Progress | None = None,
    ) -> CompactResult:
        """Merge what is planned, each swapped in by itself; what fails stays as it was.

        Raises BrokenProcessPool, and StoreUnavailable or OSError when the lake cannot be read or
        written: the next day would fare no better.
        """
        started = time.monotonic()
        result = CompactResult()
        plan = self.plan(day=day, district=district, now=now)
        for done, planned in enumerate(plan):
            if progress:
                progress(done, len(plan))
            try:
                self._one(planned, result)
            except ClaimLost:
                result.busy.append(planned.name)
            except (BrokenProcessPool, StoreUnavailable, OSError, SQLAlchemyError):
                raise
            except Exception as error:
                result.failed[planned.name] = f"{type(error).__name__}: {error}"
        if progress:
            progress(len(plan), len(plan))
        result.seconds = time.monotonic() - started
        return result

    def _one(self, planned: Merge, result: CompactResult) -> None:
        """Merge and swap. Raises ClaimLost when somebody else is at it, or was."""
        name = f"compact/{planned.name}"
        lease = self.settings.lease_seconds
        if not claims.lease(self.ledger, name, self.worker, lease):
            raise ClaimLost(name)
        with self.ledger.write() as connection:
            claim_id = claims.begin(connection, "compact", self.worker, lease)
            extra = extra_fields(connection)
        steps.reached("compact.claimed")
        try:
            new = self._merged(planned, claim_id, name, extra)
            steps.reached("compact.written")
            commits.commit_swap(
                self.ledger,
                claim_id,
                planned.files,
                new,
                planned.partition,
                planned.hidden,
                final=planned.final,
            )
            steps.reached("compact.swapped")
        finally:
            with suppress(SQLAlchemyError):  # both end by themselves
                claims.release(self.ledger, [claim_id])
                claims.give_back(self.ledger, name, self.worker)
        (result.days if planned.final else result.rolled).append(planned.name)
        result.files_before += len(planned.files)
        result.files_after += len(new)
        result.rows += sum(file.rows for file in new)

    def _merged(
        self, planned: Merge, claim_id: str, name: str, extra: dict[str, str]
    ) -> list[NewFile]:
        """The files of all runs, with every row that is to be seen."""
        part, about = planned.partition, (claim_id, extra, planned.hidden)
        at_once = max(1, min(self.settings.threads, self.settings.memory_bytes // CHILD_BYTES))
        futures: list[Future[list[NewFile]]] = []
        try:
            for number, run in enumerate(cut(planned.files, at_once)):
                job = MergeJob(self.lake, part.hiveperiod, part.dstrct_code, run, *about, number)
                self._wait(futures, at_once - 1, claim_id, name)
                futures.append(self.pool.submit(merge, job))
            self._wait(futures, 0, claim_id, name)
            new = [file for future in futures for file in future.result()]
            self._check(planned, new)
        except BaseException:
            for files in abandoned(futures):
                discard(self.lake, files)
            raise
        return new

    def _wait(
        self, futures: Sequence[Future[list[NewFile]]], most: int, claim_id: str, name: str
    ) -> None:
        """Until no more than ``most`` are at work; claim and lease are kept alive meanwhile.

        Raises what one of them has raised.
        """
        lease, running = self.settings.lease_seconds, set(futures)
        while True:
            done, running = wait(running, lease / 3 if len(running) > most else 0, FIRST_COMPLETED)
            for future in done:
                future.result()
            if len(running) <= most:
                return
            with suppress(SQLAlchemyError):  # the next turn may find the ledger again
                claims.renew(self.ledger, [claim_id], lease)
                claims.lease(self.ledger, name, self.worker, lease)

    @staticmethod
    def _check(planned: Merge, new: Sequence[NewFile]) -> None:
        """Raise Terminal unless the rows to be seen are as many as before."""
        before = sum(file.rows - file.hidden for file in planned.files)
        after = sum(held.rows - held.hidden for file in new for held in file.sources.values())
        if before != after:
            raise Terminal(f"{planned.name}: {after} rows of {before} were merged")
