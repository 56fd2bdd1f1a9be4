"""One pass of compaction: closed days that changed since they were last merged."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from pipeline import localtime, steps
from pipeline.compact.merge import MergeJob, merge
from pipeline.errors import ClaimLost
from pipeline.pool import Pool
from pipeline.settings import Settings
from pipeline.storage import claims, commits, manifest
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger, extra_fields
from pipeline.storage.records import DataFile, Hidden, NewFile, Partition

Progress = Callable[[int, int], None]


@dataclass
class CompactResult:
    """What a pass merged, and the days it left to somebody who was there first."""

    days: list[str] = field(default_factory=list)
    busy: list[str] = field(default_factory=list)
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

    def plan(
        self, *, day: str | None = None, district: str | None = None, now: datetime | None = None
    ) -> list[tuple[Partition, list[DataFile], Hidden]]:
        """Closed partitions that changed, their files, and the rows to leave out of these."""
        now = now or datetime.now(UTC)
        chosen = []
        with self.ledger.read() as connection:
            for part in manifest.dirty(connection, t.partitions.c.compacted_version):
                if day not in (None, part.hiveperiod) or district not in (None, part.dstrct_code):
                    continue
                zone = self.settings.zone_of(part.dstrct_code)
                if not localtime.is_closed(part.hiveperiod, zone, now):
                    continue
                files = manifest.live(
                    connection, days=[part.hiveperiod], districts=[part.dstrct_code], whole=True
                )
                if files:
                    chosen.append((part, files, manifest.hidden(connection, files)))
        return chosen

    def run(
        self,
        *,
        day: str | None = None,
        district: str | None = None,
        now: datetime | None = None,
        progress: Progress | None = None,
    ) -> CompactResult:
        """Merge every planned day and swap it in; a day that fails stays as it was."""
        started = time.monotonic()
        result = CompactResult()
        plan = self.plan(day=day, district=district, now=now)
        for done, (part, files, hidden) in enumerate(plan):
            if progress:
                progress(done, len(plan))
            self._one(part, files, hidden, result)
        if progress:
            progress(len(plan), len(plan))
        result.seconds = time.monotonic() - started
        return result

    def _one(
        self, part: Partition, files: list[DataFile], hidden: Hidden, result: CompactResult
    ) -> None:
        name = f"compact/{part.hiveperiod}/{part.dstrct_code}"
        lease = self.settings.lease_seconds
        if not claims.lease(self.ledger, name, self.worker, lease):
            result.busy.append(f"{part.hiveperiod}/{part.dstrct_code}")
            return
        with self.ledger.write() as connection:
            claim_id = claims.begin(connection, "compact", self.worker, lease)
            extra = extra_fields(connection)
        steps.reached("compact.claimed")
        job = MergeJob(
            self.settings.lake_root,
            part.hiveperiod,
            part.dstrct_code,
            tuple(files),
            claim_id,
            extra,
            hidden,
        )
        try:
            new = self._wait(self.pool.submit(merge, job), claim_id, name)
            steps.reached("compact.written")
            commits.commit_swap(self.ledger, claim_id, files, new, part, hidden)
            steps.reached("compact.swapped")
        except ClaimLost:
            result.busy.append(f"{part.hiveperiod}/{part.dstrct_code}")
            return
        finally:
            with suppress(SQLAlchemyError):  # both end by themselves
                claims.release(self.ledger, [claim_id])
                claims.give_back(self.ledger, name, self.worker)
        result.days.append(f"{part.hiveperiod}/{part.dstrct_code}")
        result.files_before += len(files)
        result.files_after += len(new)
        result.rows += sum(file.rows for file in new)

    def _wait(self, future: Future[list[NewFile]], claim_id: str, name: str) -> list[NewFile]:
        """The child's result; claim and lease are kept alive while it works."""
        lease = self.settings.lease_seconds
        while not wait([future], lease / 3).done:
            with suppress(SQLAlchemyError):  # the next turn may find the ledger again
                claims.renew(self.ledger, [claim_id], lease)
                claims.lease(self.ledger, name, self.worker, lease)
        return future.result()
