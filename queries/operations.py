"""How the work itself goes: small reads of the ledger that need no DuckDB and are not cached.

Some count over all files there ever were; those spare the machine once they take long.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl
from sqlalchemy import Connection, func, select, union_all

from pipeline.localtime import from_us
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger
from pipeline.storage.sql import clock, count_by, counter
from queries.deliveries import INSTANT
from queries.ledger_frames import district_names
from queries.scope import Scope

#: A worker unseen for so long is taken for dead.
WORKER_DEAD_S = 30.0


@dataclass(frozen=True)
class Progress:
    """How much of what has been found is taken in. ``oldest_s``: age of the longest waiting."""

    done: int
    failed: int
    pending: int
    oldest_s: float | None

    @property
    def total(self) -> int:
        """Every raw file that is ours to take in."""
        return self.done + self.failed + self.pending


@dataclass(frozen=True)
class Vitals:
    """What health checks and page headers need, in one look at the ledger."""

    version: int
    newest_day: str | None
    worker_seen_s: float | None
    worker_state: str | None
    progress: Progress

    @property
    def worker_alive(self) -> bool:
        """True when some worker gave a sign of life a moment ago."""
        return self.worker_seen_s is not None and self.worker_seen_s < WORKER_DEAD_S


def vitals(ledger: Ledger) -> Vitals:
    """The state of things now."""
    with ledger.read() as connection:
        now = clock(connection)
        w = t.workers.c
        row = connection.execute(
            select(w.seen_at, w.state).order_by(w.seen_at.desc()).limit(1)
        ).first()
        version = counter(connection, "data")
        return Vitals(
            version=version,
            newest_day=_newest_day(connection, ()),
            worker_seen_s=(now - row.seen_at) / 1e6 if row else None,
            worker_state=row.state if row else None,
            progress=_progress(connection, now, version),
        )


def newest_day(ledger: Ledger, districts: Sequence[str] = ()) -> str | None:
    """The last local day of which there is data, ISO; None where there is none."""
    with ledger.read() as connection:
        return _newest_day(connection, districts)


def _newest_day(connection: Connection, districts: Sequence[str]) -> str | None:
    p = t.partitions.c
    newest = select(func.max(p.hiveperiod))
    if districts:
        newest = newest.where(p.dstrct_code.in_(districts))
    day: str | None = connection.execute(newest).scalar_one_or_none()
    return day


def twins(ledger: Ledger, scope: Scope) -> list[str]:
    """Fleet numbers that more than one district of a scope had registered within its days."""
    d = t.devices.c
    query = select(d.unitno).group_by(d.unitno).having(func.count(d.dstrct_code.distinct()) > 1)
    if scope.districts:
        query = query.where(d.dstrct_code.in_(scope.districts))
    if scope.first and scope.last:
        still = func.coalesce(d.valid_to, scope.first) >= scope.first
        query = query.where(d.valid_from <= scope.last, still)
    with ledger.read() as connection:
        return [str(row.unitno) for row in connection.execute(query.order_by(d.unitno))]


def districts(ledger: Ledger) -> list[str]:
    """Every district that has data or registered devices."""
    with ledger.read() as connection:
        return district_names(connection)


def _progress(connection: Connection, now: int, version: int) -> Progress:
    k = t.raw_keys.c
    waiting = count_by(connection, k.state, k.state.in_(("pending", "failed")))
    failed, pending = waiting.get("failed", 0), waiting.get("pending", 0)
    oldest: int | None = None
    if pending:  # else a database may look through all files to find that none waits
        query = select(func.min(k.arrived_at)).where(k.state == "pending")
        oldest = connection.execute(query).scalar_one_or_none()
    return Progress(
        done=_done(connection, (version, failed, pending)),
        failed=failed,
        pending=pending,
        oldest_s=None if oldest is None else (now - oldest) / 1e6,
    )


#: Of each database the files taken in, as they were counted last, and when that was.
_counted: dict[str, tuple[tuple[int, ...], int]] = {}


def _done(connection: Connection, moment: tuple[int, ...]) -> int:
    """Files taken in. A year of a fleet are millions, and every open page asks every few seconds:
    they are counted again when ``moment`` is another, which is what can move with their number.
    """
    database = str(connection.engine.url)
    known = _counted.get(database)
    if known is None or known[0] != moment:
        query = select(func.count()).where(t.raw_keys.c.state == "done")
        known = _counted[database] = (moment, int(connection.execute(query).scalar_one()))
    return known[1]


@dataclass(frozen=True)
class Signs:
    """What whoever runs it is to be woken for. Ages in seconds, None where it never was."""

    built_s: float | None
    ingested_s: float | None
    failed_tests: int
    sign_in_failures: int
    untold: int


#: Sign-ins that failed are counted over so long.
FAILURES_S = 900


def signs(ledger: Ledger) -> Signs:
    """How long ago work last ended well, and what went wrong lately."""
    r, m, s, n = t.runs.c, t.mart_tests.c, t.sign_ins.c, t.notices.c
    with ledger.read() as connection:
        now = clock(connection)

        def number(table: Any, *where: Any) -> int:
            query = select(func.count()).select_from(table).where(*where)
            return int(connection.execute(query).scalar_one())

        def age(kind: str) -> float | None:
            query = select(r.ended_at).where(r.kind == kind, r.status == "ok")
            ended = connection.execute(query.order_by(r.id.desc()).limit(1)).scalar_one_or_none()
            return None if ended is None else (now - ended) / 1e6

        return Signs(
            built_s=age("build"),
            ingested_s=age("ingest"),
            failed_tests=number(t.mart_tests, m.status.in_(("fail", "error"))),
            sign_in_failures=number(
                t.sign_ins, s.ok.is_(False), s.at > now - FAILURES_S * 1_000_000
            ),
            untold=number(t.notices, n.sent_at.is_(None)),
        )


#: A count that takes so long is made again only after so many times as long: it never takes more
#: than a twentieth of a core. That is so after months, of millions of files.
LONG_COUNT_S, SPARED = 0.05, 20

#: By database and count: the data's version it was made of, until when it is spared, the count.
_spared: dict[tuple[str, str], tuple[int, float, dict[str, int]]] = {}


def _sparing(
    ledger: Ledger, what: str, count: Callable[[Connection], dict[str, int]]
) -> dict[str, int]:
    key = (str(ledger.engine.url), what)
    of, until, known = _spared.get(key, (-1, 0.0, {}))
    began = time.monotonic()
    if began < until:
        return known
    with ledger.read() as connection:
        version = counter(connection, "data")
        if version == of:
            return known
        found = count(connection)
    ended = time.monotonic()
    again = ended + SPARED * (ended - began) if ended - began > LONG_COUNT_S else 0.0
    _spared[key] = (version, again, found)
    return found


def line_counts(ledger: Ledger) -> dict[str, int]:
    """The five counts over all object versions: lines and where each of them went."""
    o = t.raw_objects.c
    names = ("lines", "accepted", "duplicate", "quarantined", "blank")

    def count(connection: Connection) -> dict[str, int]:
        query = select(*(func.coalesce(func.sum(o[name]), 0) for name in names))
        row = connection.execute(query.where(o.dead_at.is_(None))).one()
        return {name: int(str(value)) for name, value in zip(names, row, strict=True)}

    return _sparing(ledger, "lines", count)


def status_counts(ledger: Ledger) -> dict[str, int]:
    """Object versions by status; keys set aside without one count as failed."""
    k, o = t.raw_keys.c, t.raw_objects.c
    counts = _sparing(ledger, "status", lambda c: count_by(c, o.status, o.dead_at.is_(None)))
    with ledger.read() as connection:
        failed = count_by(connection, k.state, k.state == "failed")
    return {status: number for status, number in {**counts, **failed}.items() if number}


def runs(ledger: Ledger, limit: int = 50) -> pl.DataFrame:
    """The latest pieces of work, newest first; ``summary`` is what they recorded."""
    r = t.runs.c
    query = select(r.id, r.kind, r.status, r.started_at, r.ended_at, r.worker, r.detail)
    return _frame(ledger, query.order_by(r.id.desc()).limit(limit))


def objects(ledger: Ledger, statuses: Sequence[str], text: str, limit: int = 500) -> pl.DataFrame:
    """The latest raw files with what became of them; ``text`` must occur in the key."""
    k, o = t.raw_keys.c, t.raw_objects.c
    both = t.raw_keys.outerjoin(t.raw_objects, (o.key == k.key) & o.dead_at.is_(None))
    counts = (o.lines, o.accepted, o.duplicate, o.quarantined, o.blank, o.overlapped)
    query = select(
        k.key,
        func.coalesce(o.status, k.state).label("status"),
        k.arrived_at,
        o.committed_at,
        k.size,
        *counts,
        o.flags,
        func.coalesce(o.error, k.error).label("error"),
    ).select_from(both)
    if text:
        query = query.where(k.key.contains(text, autoescape=True))

    def newest(query: Any, at: Any) -> Any:
        return select(query.order_by(at.desc(), k.key).limit(limit).subquery())

    # Of each status so many: an index has those, however many files there are.
    parts = [newest(query.where(o.status == one), o.arrived_at) for one in statuses]
    parts += [newest(query.where(o.id.is_(None), k.state == one), k.arrived_at) for one in statuses]
    found = union_all(*(parts or [newest(query, k.arrived_at)])).subquery().c
    return _frame(ledger, select(*found).order_by(found.arrived_at.desc(), found.key).limit(limit))


def workers(ledger: Ledger) -> pl.DataFrame:
    """Workers that gave a sign of life."""
    w = t.workers.c
    return _frame(ledger, select(w.id, w.state, w.started_at, w.seen_at).order_by(w.seen_at.desc()))


def new_fields(ledger: Ledger) -> pl.DataFrame:
    """Fields that devices sent and the dictionary does not know."""
    f = t.fields.c
    return _frame(ledger, select(f.name, f.type, f.first_key, f.seen_at).order_by(f.id.desc()))


def notices(ledger: Ledger, limit: int = 200) -> pl.DataFrame:
    """Trouble that was noted, newest first; ``sent_at`` is null where nobody was told."""
    n = t.notices.c
    columns = (n.kind, n.title, n.body, n.first_at, n.last_at, n.times, n.sent_at, n.error)
    return _frame(ledger, select(*columns).order_by(n.last_at.desc(), n.topic).limit(limit))


def failed_tests(ledger: Ledger) -> pl.DataFrame:
    """Tests of the latest build that did not pass."""
    m = t.mart_tests.c
    query = select(m.model, m.test, m.severity, m.status, m.failures, m.message)
    return _frame(ledger, query.where(m.status.not_in(("pass", "success"))))


def test_count(ledger: Ledger) -> int:
    """Tests that the latest build ran."""
    with ledger.read() as connection:
        query = select(func.count()).select_from(t.mart_tests)
        return int(connection.execute(query).scalar_one())


@dataclass(frozen=True)
class HeldBack:
    """Figures that were not published because tests failed. ``since``: when the shown ones were."""

    tests: int
    since: datetime | None


def held_back(ledger: Ledger, districts: Sequence[str] = ()) -> HeldBack | None:
    """What the latest build held back; None when all its tests passed or only warned."""
    m, p = t.mart_tests.c, t.partitions.c
    failed = select(func.count()).where(m.status.in_(("fail", "error")))
    shown = select(func.max(p.built_at))
    if districts:
        shown = shown.where(p.dstrct_code.in_(districts))
    with ledger.read() as connection:
        tests = int(connection.execute(failed).scalar_one())
        built = connection.execute(shown).scalar_one_or_none() if tests else None
    return HeldBack(tests, from_us(built) if built else None) if tests else None


def _frame(ledger: Ledger, query: Any) -> pl.DataFrame:
    """Rows as a frame; columns named ``*_at`` become UTC instants."""
    with ledger.read() as connection:
        result = connection.execute(query)
        names = list(result.keys())
        rows = [tuple(row) for row in result]
    frame = pl.DataFrame(rows, schema=names, orient="row", infer_schema_length=None)
    times = [name for name in names if name.endswith("_at")]
    return frame.with_columns(pl.col(name).cast(pl.Int64).cast(INSTANT) for name in times)


def detail_of(text: str) -> dict[str, Any]:
    """A run's recorded detail; empty when it is not what we write."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
