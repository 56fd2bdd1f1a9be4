"""One pass of ingestion: discover → claim → convert in child processes → commit."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from pipeline import localtime, notify, steps
from pipeline.errors import ClaimLost, StoreUnavailable
from pipeline.ingest.discover import Discovery, discover, look_again
from pipeline.ingest.job import Converted, Job, work
from pipeline.pool import Pool, abandoned
from pipeline.settings import Settings
from pipeline.storage import claims
from pipeline.storage import tables as t
from pipeline.storage.commits import Arrival, commit_ingest
from pipeline.storage.lake import discard, open_lake
from pipeline.storage.ledger import Ledger, extra_fields, record_fields, room_for_fields
from pipeline.storage.objects import open_store
from pipeline.storage.records import CLEAN, Claim, NewFile

Progress = Callable[[int, int], None]

FILE_STATES = ("ok", "partial", "corrupt", "failed", "unchanged", "ignored")
#: A claim of fewer files is not worth its commit while a fair share is larger.
SMALL = 8
LINE_CLASSES = ("accepted", "duplicate", "quarantined", "blank")


@dataclass
class IngestResult:
    """Counts of one pass, in the words of the command line's contract."""

    files: Counter[str] = field(default_factory=Counter)
    lines: Counter[str] = field(default_factory=Counter)
    overlapped: int = 0
    backlog: int = 0
    new_fields: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """The object that ``ingest --json`` prints."""
        return {
            "files": {state: self.files[state] for state in FILE_STATES},
            "lines": {name: self.lines[name] for name in ("total", *LINE_CLASSES)},
            "overlapped": self.overlapped,
            "backlog": self.backlog,
            "new_fields": self.new_fields,
            "ignored": self.ignored,
            "failed": self.failed,
            "seconds": round(self.seconds, 3),
        }


class Ingest:
    """Holds what passes share: the ledger, the child processes, the worker's name."""

    def __init__(self, ledger: Ledger, settings: Settings, worker: str, pool: Pool) -> None:
        self.ledger, self.settings, self.worker, self.pool = ledger, settings, worker, pool
        self.store = open_store(settings)
        self.lake = open_lake(settings)

    def run(
        self,
        *,
        full: bool = True,
        district: str | None = None,
        budget_seconds: float | None = None,
        enough: Callable[[], bool] | None = None,
        progress: Progress | None = None,
    ) -> IngestResult:
        """Take in what has arrived, until nothing is left, the budget is spent or ``enough`` is so.

        With ``district`` only the files under it, as far as they were discovered before: several
        such passes share one listing.

        Each claim is committed by itself. Raises BrokenProcessPool when a child died: its files
        are suspects then and the caller needs a new pool. Raises StoreUnavailable and OSError (no
        room, no right to write) with every file as it was: those are the machine's troubles.
        """
        started = time.monotonic()
        result = IngestResult()
        self._set_aside(claims.expire_dead(self.ledger), result)
        if district is None:
            found = discover(self.ledger, self.store, full=full)
        else:
            found = Discovery(0, [])
        steps.reached("ingest.discovered")
        result.ignored = found.ignored
        result.files["ignored"] = len(found.ignored)
        running = dict[Future[Converted], Claim]()
        try:
            while True:
                over = budget_seconds is not None and time.monotonic() - started >= budget_seconds
                if not over and not (enough and enough()):
                    self._fill(running, district)
                if not running:
                    break
                self._collect(running, result)
                self._count_backlog(result, district)
                if progress:
                    read = sum(result.files[state] for state in FILE_STATES[:5])
                    progress(read, read + result.backlog)
        except (StoreUnavailable, OSError, SQLAlchemyError):
            for converted in abandoned(running):
                discard(self.lake, converted.files)
            with suppress(SQLAlchemyError):  # their leases end by themselves
                claims.release(self.ledger, [claim.id for claim in running.values()])
            raise
        except KeyboardInterrupt:  # of no file anything is known: none is a suspect
            claims.release(self.ledger, [claim.id for claim in running.values()])
            raise
        except BaseException:  # nothing of theirs is visible; whoever broke it is tried alone
            for claim in running.values():
                claims.abandon(self.ledger, claim.id)
            raise
        self._count_backlog(result, district)
        result.seconds = time.monotonic() - started
        return result

    def _count_backlog(self, result: IngestResult, district: str | None) -> None:
        with self.ledger.read() as connection:
            result.backlog = claims.backlog(connection, district=district)

    def _collect(self, running: dict[Future[Converted], Claim], result: IngestResult) -> None:
        """Wait for children and commit what they finished; keep the other claims alive."""
        lease = self.settings.lease_seconds
        finished, _ = wait(running, lease / 3, return_when=FIRST_COMPLETED)
        for future in finished:
            try:
                converted = future.result()
            except (BrokenProcessPool, StoreUnavailable, OSError):
                raise
            except Exception as error:
                claim = running.pop(future)
                reason = f"{type(error).__name__}: {error}"
                result.errors.append(reason)
                self._set_aside(claims.abandon(self.ledger, claim.id, reason), result)
                continue
            if converted.unknown:
                self._record_fields(converted.unknown, result)
            self._commit(running[future], converted, result)
            del running[future]
        claims.renew(self.ledger, [claim.id for claim in running.values()], lease)

    def _set_aside(self, failed: dict[str, str], result: IngestResult) -> None:
        """Count and name files that are tried no more: no commit ever speaks of them."""
        for key, reason in failed.items():
            result.files["failed"] += 1
            result.failed[key] = reason
            notify.safely(self.ledger, partial(notify.failed, key=key, reason=reason))

    def _record_fields(self, met: dict[str, tuple[str, str]], result: IngestResult) -> None:
        """Give unknown fields a column; the files that hold them are claimed again after that."""
        fresh = record_fields(self.ledger, met, self.settings.new_fields_a_day)
        result.new_fields += fresh
        if fresh:
            notify.safely(self.ledger, partial(notify.new_fields, names=fresh))
        steps.reached("ingest.fields")

    def _fill(self, running: dict[Future[Converted], Claim], district: str | None) -> None:
        """Keep every child busy, with one claim in hand while the last one is being committed.

        Claims get smaller towards the end of a backlog, so that all children end together.
        """
        threads = self.settings.threads
        while len(running) <= threads:
            with self.ledger.read() as connection:
                waiting = claims.backlog(connection, free=True, district=district)
            parts = 2 * threads if threads > 1 else 1
            share = max(_ceil(waiting, parts), min(SMALL, _ceil(waiting, threads)))
            limit = max(1, min(self.settings.batch_files, share))
            claim = claims.take(
                self.ledger, self.worker, limit, self.settings.lease_seconds, district
            )
            if claim is None:
                return
            steps.reached("ingest.claimed")
            running[self.pool.submit(work, self._job(claim))] = claim

    def _job(self, claim: Claim) -> Job:
        """What a child needs to know; it opens no ledger."""
        districts = {file.district for file in claim.files}
        keys = [file.key for file in claim.files]
        o, k = t.raw_objects.c, t.raw_keys.c
        known: dict[str, dict[str, int]] = defaultdict(dict)
        versions: Counter[tuple[str, str]] = Counter()
        with self.ledger.read() as connection:
            columns = (o.key, o.sha256, o.status, o.dead_at, o.arrived_at)
            for row in connection.execute(select(*columns).where(o.key.in_(keys))):
                versions[row.key, row.sha256] += 1
                if row.dead_at is None and row.status != "failed":
                    known[row.key][row.sha256] = row.arrived_at
            asked = select(k.key).where(k.key.in_(keys), k.reread)
            return Job(
                claim=claim,
                store=self.store,
                lake=self.lake,
                zones={district: self.settings.zone_of(district) for district in districts},
                extra=extra_fields(connection),
                window_start=self.settings.window_start,
                most_bytes=self.settings.most_bytes,
                most_line_bytes=self.settings.most_line_bytes,
                ask_for_fields=room_for_fields(connection, self.settings.new_fields_a_day) > 0,
                reread=frozenset(str(row[0]) for row in connection.execute(asked)),
                known=dict(known),
                versions=dict(versions),
            )

    def _commit(self, claim: Claim, converted: Converted, result: IngestResult) -> None:
        zones = {file.district: self.settings.zone_of(file.district) for file in claim.files}
        arrival = Arrival(
            claim=claim,
            objects=converted.objects,
            files=converted.files,
            zones=zones,
            unchanged=converted.unchanged,
            reread=converted.reread,
            production=[
                day
                for file in converted.files
                if file.layer == CLEAN
                for day in reaches_into(file, self.settings)
            ],
        )
        try:
            result.overlapped += commit_ingest(self.ledger, self.lake, arrival)
        except ClaimLost:
            return  # another worker has the files now; what we wrote is left to gc
        steps.reached("ingest.committed")
        if converted.changing:
            look_again(self.ledger, self.store, converted.changing)
        odd = [row for row in converted.objects if row["status"] != "ok"]
        if odd:
            notify.safely(self.ledger, partial(_tell, rows=odd))
        for row in converted.objects:
            result.files[row["status"]] += 1
            result.lines["total"] += row["lines"]
            for name in LINE_CLASSES:
                result.lines[name] += row[name]
            if row["status"] == "failed":
                result.failed[row["key"]] = row["error"]
        result.files["unchanged"] += len(converted.unchanged)


def _ceil(number: int, parts: int) -> int:
    return -(-number // parts)


def _tell(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Leave word of files that did not come in whole."""
    for row in rows:
        if row["status"] == "failed":
            notify.failed(connection, row["key"], row["error"])
        else:
            text = row["error"] or f"{row['accepted']:,} of {row['lines']:,} lines could be read"
            notify.partial(connection, row["key"], text)


def reaches_into(file: NewFile, settings: Settings) -> list[tuple[str, str]]:
    """The production day before the file's own day, if rows of the file lie in it."""
    district = file.dstrct_code
    begin, _, _ = localtime.shifts(
        file.hiveperiod, settings.zone_of(district), settings.shift_start.get(district)
    )
    if file.min_ts is None or file.min_ts >= localtime.to_us(begin):
        return []
    return [(localtime.next_day(file.hiveperiod, -1), district)]
