"""Adopt a lake: survey → claim → convert in child processes → commit, a part of a file at a time.

A file's last part records the file itself; what has that record is never read again. A part that
was committed before a crash is known by its raw files' keys and the file's content.
"""

from __future__ import annotations

import os
import shutil
import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from pipeline import fields, notify, steps
from pipeline.adopt.convert import Adopted, Job, Part, Source, Survey, convert, itself, survey
from pipeline.adopt.lake import Lake, LakeFile, Unreadable
from pipeline.errors import Retryable
from pipeline.ingest.convert import failed_row
from pipeline.ingest.run import LINE_CLASSES, reaches_into
from pipeline.ingest.unpack import source_id
from pipeline.pool import Pool
from pipeline.settings import Settings
from pipeline.storage import claims
from pipeline.storage import tables as t
from pipeline.storage.commits import Arrival, commit_ingest
from pipeline.storage.lake import open_lake
from pipeline.storage.ledger import Ledger, extra_fields, record_fields, room_for_fields
from pipeline.storage.people import audit
from pipeline.storage.records import CLEAN, Claim, RawFile
from pipeline.storage.sql import chunks, clock

Progress = Callable[[int, int], None]

FILE_STATES = ("ok", "corrupt", "failed", "unchanged", "copy")

#: Rows of 180 columns that one part may have: some 600 MB while they are worked on.
PART_ROWS = 80_000

#: One adoption at a time: two would write the same rows.
LEASE = "adopt"


class Busy(Retryable):
    """Somebody else is adopting a lake into this home."""

    def __init__(self) -> None:
        super().__init__("another haulwatch adopt is at work in this home; wait for its end")


@dataclass
class AdoptResult:
    """What became of every file and row; of a dry run, what would become of them."""

    url: str
    dry_run: bool
    files: Counter[str] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)
    bad: Counter[str] = field(default_factory=Counter)
    redated: Counter[tuple[str, str]] = field(default_factory=Counter)
    objects: int = 0
    overlapped: int = 0
    replaced: int = 0
    known: int = 0
    rescued: int = 0
    differing: int = 0
    unknown: dict[str, str] = field(default_factory=dict)
    new_fields: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """The object that ``adopt --json`` prints.

        ``rows.total`` is the sum of the four classes after it; of the accepted, ``overlapped`` are
        out of sight behind later ones and ``replaced`` behind the raw file they came from. What
        overlaps is only known at the commit: a dry run says null. ``known`` rows are not in the
        total: of a file with the very bytes of another (``copy``), or brought in by an adoption
        that was cut off.
        """
        return {
            "url": self.url,
            "dry_run": self.dry_run,
            "files": {state: self.files[state] for state in FILE_STATES},
            "rows": {name: self.rows[name] for name in ("total", *LINE_CLASSES)},
            "overlapped": None if self.dry_run else self.overlapped,
            "replaced": self.replaced,
            "known": self.known,
            "objects": self.objects,
            "rescued": self.rescued,
            "quarantined": dict(sorted(self.bad.items())),
            "redated": [
                {"from": was, "to": day, "rows": rows}
                for (was, day), rows in sorted(self.redated.items())
            ],
            "datetime_wita_differs": self.differing,
            "unknown_columns": self.unknown,
            "new_fields": self.new_fields,
            "failed": self.failed,
            "skipped": self.skipped,
            "seconds": round(self.seconds, 3),
        }


@dataclass
class _File:
    """A surveyed file under way; its last part waits for the others."""

    survey: Survey
    left: int
    status: str = "ok"
    broken: bool = False


@dataclass
class _Work:
    """What a child is at: a survey, or one part of a file under a claim."""

    source: Source
    file: _File | None = None
    part: Part | None = None
    claim_id: str = ""


class Adopt:
    """One adoption: the ledger, the child processes, what is known and what is counted."""

    def __init__(self, ledger: Ledger, settings: Settings, worker: str, pool: Pool) -> None:
        self.ledger, self.settings, self.worker, self.pool = ledger, settings, worker, pool
        # The sweep of gc knows from the name when nobody is at it any more.
        name = f"adopt-{os.getpid()}-{claims.new_id()[:8]}"
        self.scratch = settings.scratch / name
        self.target = open_lake(settings)
        self.running: dict[Future[Any], _Work] = {}
        self.ready: deque[tuple[_File, Part]] = deque()

    def run(
        self, lake: Lake, *, dry_run: bool = False, who: str = "", progress: Progress | None = None
    ) -> AdoptResult:
        """Take over every file of the lake that is not in yet. The lake itself is only read.

        Raises Busy, ClaimLost, and what a full disk or a dead child raises: the next adoption goes
        on where this one ended.
        """
        started = time.monotonic()
        self.result = AdoptResult(lake.root, dry_run, skipped=lake.skipped)
        self.dreamt: dict[str, str] = {}
        self.contents: set[tuple[str, str]] = set()
        if not dry_run:
            claims.expire_dead(self.ledger)
            self._renew()
            with self.ledger.write() as connection:
                audit(connection, who, "adopt", lake.root, {"files": len(lake.files)})
        try:
            self._files(lake, progress)
        finally:
            open_claims = [work.claim_id for work in self.running.values() if work.claim_id]
            for future in self.running:
                future.cancel()
            wait(self.running)
            with suppress(SQLAlchemyError):  # their leases end by themselves
                claims.release(self.ledger, open_claims)
                claims.give_back(self.ledger, LEASE, self.worker)
            shutil.rmtree(self.scratch, ignore_errors=True)
        self.result.seconds = time.monotonic() - started
        return self.result

    def _files(self, lake: Lake, progress: Progress | None) -> None:
        waiting = deque(self._fresh(lake.files))
        while waiting or self.ready or self.running:
            while len(self.running) < self.settings.threads and (self.ready or waiting):
                if self.ready:
                    self._convert(*self.ready.popleft())
                else:
                    self._survey(waiting.popleft())
            self._collect()
            if progress:
                ended = sum(self.result.files.values())
                progress(ended, len(lake.files))

    def _fresh(self, files: list[LakeFile]) -> list[LakeFile]:
        """Files that are not in yet with the size and time they have."""
        o, known = t.raw_objects.c, set[tuple[str, int, int]]()
        with self.ledger.read() as connection:
            for some in chunks([file.key for file in files]):
                query = select(o.key, o.size, o.arrived_at)
                query = query.where(o.key.in_(some), o.dead_at.is_(None), o.status != "failed")
                known |= {(row.key, row.size, row.arrived_at) for row in connection.execute(query)}
        fresh = [file for file in files if (file.key, file.size, file.modified_at) not in known]
        self.result.files["unchanged"] += len(files) - len(fresh)
        return fresh

    def _survey(self, file: LakeFile) -> None:
        arrived_at = file.modified_at
        if arrived_at < self.settings.window_start * 1_000_000:
            arrived_at = self._now()  # a time before any telemetry says nothing
        zone = self.settings.zone_of(file.district)
        source = Source(file, zone, self.settings.window_start, arrived_at)
        with self.ledger.read() as connection:
            schema = fields.json_schema(extra_fields(connection))
        known = frozenset(name.casefold() for name in schema)
        self.running[self.pool.submit(survey, source, known, self.scratch, PART_ROWS)] = _Work(
            source
        )

    def _now(self) -> int:
        with self.ledger.read() as connection:
            return clock(connection)

    def _convert(self, file: _File, part: Part) -> None:
        """Start one part under a claim of its own."""
        if file.broken:
            return
        found = file.survey
        claim_id = "dry-run"
        if not self.result.dry_run:
            with self.ledger.write() as connection:
                lease = self.settings.lease_seconds
                claim_id = claims.begin(connection, "adopt", self.worker, lease)
            steps.reached("adopt.claimed")
        last = part is found.parts[-1]
        o = t.raw_objects.c
        done, replaced = set[str](), set[str]()
        with self.ledger.read() as connection:
            for keys in chunks(part.keys):
                query = select(o.key).where(o.key.in_(keys), o.sha256 == found.sha256)
                done |= {str(row[0]) for row in connection.execute(query)}
                whole = (o.status == "ok", o.dead_at.is_(None), o.rank_at > 0)
                query = select(o.key).where(o.key.in_(keys), *whole)
                replaced |= {str(row[0]) for row in connection.execute(query)}
            job = Job(
                found.source,
                part,
                found.sha256,
                claim_id,
                self.target,
                extra_fields(connection) | self.dreamt,
                self._own_src(found.source.file, found.sha256) if last else None,
                found.rows,
                frozenset(done),
                frozenset(replaced - done),
                clock(connection),
                self.result.dry_run,
            )
        work = _Work(found.source, file, part, claim_id if not self.result.dry_run else "")
        self.running[self.pool.submit(convert, job)] = work

    def _own_src(self, file: LakeFile, sha256: str) -> int:
        """``_src`` of the file itself; it may have been tried before."""
        o = t.raw_objects.c
        query = select(func.count()).where(o.key == file.key, o.sha256 == sha256)
        with self.ledger.read() as connection:
            return source_id(file.key, sha256, int(connection.execute(query).scalar_one()))

    def _collect(self) -> None:
        """Wait for children and commit what they finished; keep claims and lease alive."""
        finished, _ = wait(
            self.running, self.settings.lease_seconds / 3, return_when=FIRST_COMPLETED
        )
        for future in finished:
            work = self.running[future]
            try:
                found = future.result()
            except Unreadable as error:
                del self.running[future]
                self._set_aside(work, str(error))
                continue
            if work.file is None:
                del self.running[future]
                self._surveyed(found)
            else:
                self._commit(work, work.file, found)
                del self.running[future]
        if not self.result.dry_run:
            self._renew()

    def _renew(self) -> None:
        lease = self.settings.lease_seconds
        if not claims.lease(self.ledger, LEASE, self.worker, lease):
            raise Busy
        held = [work.claim_id for work in self.running.values() if work.claim_id]
        claims.renew(self.ledger, held, lease)

    def _surveyed(self, found: Survey) -> None:
        """Make room for new fields, then for the parts; a content that is in already ends here."""
        steps.reached("adopt.surveyed")
        lake = found.source.file
        names = self._same(found)
        if lake.key in names:
            self.result.files["unchanged"] += 1
        elif names or (found.sha256, lake.district) in self.contents:
            self.result.files["copy"] += 1
            self.result.known += found.rows
            self._record(found.source, found.sha256, {"status": "ok", "flags": "adopted,copy"})
        else:
            self.contents.add((found.sha256, lake.district))
            self._begin(found)
            return
        lake.forget()
        for part in found.parts:
            if part.path:
                os.unlink(part.path)

    def _same(self, found: Survey) -> set[str]:
        """Keys of files of the district with the same content that are in, in whole."""
        o = t.raw_objects.c
        query = select(o.key).where(
            o.sha256 == found.sha256,
            o.deviceid == "",
            o.district == found.source.file.district,
            o.dead_at.is_(None),
            o.status != "failed",
        )
        with self.ledger.read() as connection:
            return {str(row[0]) for row in connection.execute(query)}

    def _begin(self, found: Survey) -> None:
        if found.unknown:
            self._record_fields(found)
        file = _File(found, len(found.parts))
        first = found.parts[:-1] or found.parts
        self.ready.extend((file, part) for part in first)

    def _record_fields(self, found: Survey) -> None:
        """Give unknown columns a place before a file holds them; a dry run only imagines it."""
        spelt = {name.casefold() for name in self.result.unknown}
        new = {n: kind for n, kind in found.unknown.items() if n.casefold() not in spelt}
        self.result.unknown |= new
        if self.result.dry_run:
            with self.ledger.read() as connection:
                room = room_for_fields(connection, self.settings.new_fields_a_day)
            fresh = list(new)[: max(0, room - len(self.dreamt))]
            self.dreamt |= {name: new[name] for name in fresh}
        else:
            key = found.source.file.key
            met = {name: (kind, key) for name, kind in new.items()}
            fresh = record_fields(self.ledger, met, self.settings.new_fields_a_day)
            if fresh:
                notify.safely(self.ledger, partial(notify.new_fields, names=fresh))
        self.result.new_fields += fresh

    def _set_aside(self, work: _Work, reason: str) -> None:
        """Record a file that cannot be read; the other files go on."""
        file = work.source.file
        if work.file:
            file.forget()
            if work.file.broken:
                return
            work.file.broken = True
        if work.claim_id:
            claims.release(self.ledger, [work.claim_id])
        if not self.result.dry_run and not self._is_known(file, reason):
            sha256 = work.file.survey.sha256 if work.file else ""
            self._record(work.source, sha256, {"error": reason, "flags": "adopted"})
            notify.safely(self.ledger, partial(notify.failed, key=file.key, reason=reason))
        self.result.files["failed"] += 1
        self.result.failed[file.name] = reason

    def _record(self, source: Source, sha256: str, values: dict[str, Any]) -> None:
        """Record a file of which no row is written: as failed, unless ``values`` say otherwise."""
        if self.result.dry_run:
            return
        own = itself(source, sha256)
        row = (
            failed_row(self._own_src(source.file, sha256), own, sha256, "")
            | {"error": None}
            | values
        )
        with self.ledger.write() as connection:
            claim_id = claims.begin(connection, "adopt", self.worker, self.settings.lease_seconds)
        arrival = Arrival(Claim(claim_id, (own,)), [row], [], {})
        commit_ingest(self.ledger, self.target, arrival)

    def _is_known(self, file: LakeFile, reason: str) -> bool:
        """True when the same was said of the file before."""
        o = t.raw_objects.c
        query = select(o.id).where(o.key == file.key, o.error == reason, o.status == "failed")
        with self.ledger.read() as connection:
            return connection.execute(query.where(o.dead_at.is_(None))).first() is not None

    def _commit(self, work: _Work, file: _File, found: Adopted) -> None:
        district, zone = work.source.file.district, work.source.zone
        if not self.result.dry_run:
            zones = {district: zone}
            keys = tuple(_named(row) for row in found.objects)
            arrival = Arrival(
                claim=Claim(work.claim_id, keys),
                objects=found.objects,
                files=found.files,
                zones=zones,
                production=[
                    day
                    for new in found.files
                    if new.layer == CLEAN
                    for day in reaches_into(new, self.settings)
                ],
                adopted=found.keys,
            )
            self.result.overlapped += commit_ingest(self.ledger, self.target, arrival)
            steps.reached("adopt.committed")
        self._count(found)
        if work.part and work.part.path:
            with suppress(OSError):
                os.unlink(work.part.path)
        file.left -= 1
        if file.left == 1 and not file.broken:
            self.ready.append((file, file.survey.parts[-1]))
        elif file.left == 0:
            work.source.file.forget()
            self.result.files[found.objects[-1]["status"]] += 1

    def _count(self, found: Adopted) -> None:
        result = self.result
        for row in found.objects:
            result.rows["total"] += row["lines"]
            for name in LINE_CLASSES:
                result.rows[name] += row[name]
            result.rescued += row["rescued"]
            result.objects += bool(row["deviceid"])
        result.bad.update(found.bad)
        result.redated.update(found.redated)
        result.differing += found.differing
        result.replaced += found.replaced
        result.known += found.known


def _named(row: dict[str, Any]) -> RawFile:
    """An object's key as the claim of its commit names it: no raw key that waits is meant."""
    return RawFile(row["key"], row["district"], row["deviceid"], row["hour"], "", 0, 0)
