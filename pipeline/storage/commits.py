"""The three commits that change what is visible: new rows, a compacted day, marts.

Each is one ledger transaction that first checks the claim (``claims.hold``), so a worker that lost
its lease cannot make anything visible.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from pipeline import localtime, steps
from pipeline.errors import ClaimLost
from pipeline.storage import claims, manifest, overlaps, reviews
from pipeline.storage import tables as t
from pipeline.storage.lake import Lake
from pipeline.storage.ledger import Ledger, record_zone
from pipeline.storage.overlaps import Verdict
from pipeline.storage.records import ANALYTICS, CLEAN, Claim, DataFile, Hidden, NewFile, Partition
from pipeline.storage.reviews import Linked
from pipeline.storage.sql import clock, insert_or_skip, step, upsert

Day = tuple[str, str]


@dataclass(frozen=True)
class Arrival:
    """What a claim brings to its commit.

    ``objects`` are rows of ``raw_objects`` without ``committed_at``, ``rank_at`` and
    ``overlapped``; one whose status is *failed* has no rows in ``files``. ``unchanged`` keys hold
    what is in already, with its arrival; ``reread`` ones were asked for again. Keys of the claim
    that are in none of them are free again. ``production`` are days that began before those
    written and go on in them: their marts are made of these rows, too. ``adopted`` are rows
    of ``raw_keys`` for files that another lake says it was made of: those that we do not know
    ourselves are recorded as done.
    """

    claim: Claim
    objects: Sequence[dict[str, Any]]
    files: Sequence[NewFile]
    zones: dict[str, str]
    unchanged: Mapping[str, int] = field(default_factory=dict)
    reread: Collection[str] = ()
    production: Iterable[Day] = field(default_factory=tuple)
    adopted: Sequence[dict[str, Any]] = ()


def commit_ingest(ledger: Ledger, lake: Lake, arrival: Arrival) -> int:
    """Make one claim's rows visible, all of them or none, each second of a device once.

    Returns by how many rows the overlaps of all objects grew. Raises ClaimLost.
    """
    while True:
        with ledger.read() as connection:
            plan = _plan(connection, arrival)
        verdict = _weigh(lake, plan)
        with ledger.write() as connection:
            version = _begin(connection, arrival.claim.id)
            if _plan(connection, arrival) == plan:
                grown = _apply(connection, arrival, verdict, version)
                steps.reached("ingest.committing")
                return grown
        # Somebody else's commit touched the same seconds meanwhile: weigh them anew.


def _begin(connection: Connection, claim_id: str) -> int:
    """Check the claim and take the next data version.

    On PostgreSQL the counter's row is the lock that puts commits in a row: what is read after this
    is what stands at the commit.
    """
    claims.hold(connection, claim_id)
    return step(connection, "data")


def _plan(connection: Connection, arrival: Arrival) -> overlaps.Plan:
    return overlaps.plan(connection, arrival.objects, arrival.files, arrival.reread)


def _weigh(lake: Lake, plan: overlaps.Plan) -> Verdict:
    if not plan.contested:
        return Verdict(plan)
    from pipeline.storage.weigh import settle  # loads Polars, which few commits need

    return settle(lake, plan)


def _apply(connection: Connection, arrival: Arrival, verdict: Verdict, version: int) -> int:
    now = clock(connection)
    for district, zone in sorted(arrival.zones.items()):
        record_zone(connection, district, zone)
    before = _overlapped(connection, verdict)
    ranks = dict(verdict.plan.ranks)
    rows = [
        {**row, "committed_at": now, "rank_at": ranks.get(row["id"], row["arrived_at"])}
        for row in sorted(arrival.objects, key=lambda row: row["id"])
    ]
    if rows:
        connection.execute(insert(t.raw_objects), rows)
    changed = _hide(connection, verdict, now)
    _close_keys(connection, arrival)
    insert_or_skip(connection, t.raw_keys, arrival.adopted)
    _insert(connection, arrival.claim.id, verdict.applied(arrival.files), version, now)
    changed |= {(f.hiveperiod, f.dstrct_code) for f in arrival.files if f.layer == CLEAN}
    _renew(connection, changed, version)
    beside = {(localtime.next_day(day, by), at) for day, at in changed for by in (-1, 1)}
    manifest.touch(connection, (beside & _partitions(connection)).union(arrival.production))
    claims.end(connection, arrival.claim.id, "committed")
    return _overlapped(connection, verdict) - before


def _overlapped(connection: Connection, verdict: Verdict) -> int:
    """Rows beaten as of now of the versions whose count the verdict replaces or ends."""
    ids = verdict.plan.contested | verdict.plan.dying
    o = t.raw_objects.c
    query = select(func.coalesce(func.sum(o.overlapped), 0)).where(o.id.in_(ids))
    return int(connection.execute(query).scalar_one()) if ids else 0


def _hide(connection: Connection, verdict: Verdict, now: int) -> set[Day]:
    """Write the verdict on versions that are in already; return the days that look different."""
    plan = verdict.plan
    if not plan.dying | plan.contested:
        return set()
    f, s, o = t.data_files.c, t.file_sources.c, t.raw_objects.c
    settled = plan.dying | plan.contested
    connection.execute(delete(t.beaten).where(t.beaten.c.src.in_(settled)))
    spans = [span.__dict__ for span in verdict.beaten]
    if spans:
        connection.execute(insert(t.beaten), spans)
    connection.execute(
        update(t.raw_objects).where(o.id.in_(plan.dying)).values(dead_at=now, overlapped=0)
    )
    overlapped = verdict.overlapped()
    for src in sorted(plan.contested):
        rows = overlapped[src]
        connection.execute(update(t.raw_objects).where(o.id == src).values(overlapped=rows))
    query = (
        select(s.file_id, s.src, s.rows, s.hidden, f.path, f.hiveperiod, f.dstrct_code)
        .join(t.data_files, f.id == s.file_id)
        .where(s.src.in_(settled), f.superseded_at.is_(None))
    )
    files, days = set[int](), set[Day]()
    for row in connection.execute(query).all():
        hidden = row.rows if row.src in plan.dying else verdict.hidden[row.path, row.src]
        if hidden != row.hidden:
            here = (s.file_id == row.file_id, s.src == row.src)
            connection.execute(update(t.file_sources).where(*here).values(hidden=hidden))
            files.add(row.file_id)
        # A span may have moved although its rows are as many as before.
        if hidden or row.hidden:
            days.add((row.hiveperiod, row.dstrct_code))
    for file_id, total in overlaps.total_hidden(connection, files).items():
        connection.execute(update(t.data_files).where(f.id == file_id).values(hidden=total))
    return days


def _close_keys(connection: Connection, arrival: Arrival) -> None:
    """Note on every key of the claim what became of it."""
    k = t.raw_keys.c
    etags = {file.key: file.etag for file in arrival.claim.files}
    # Asked for while it was read: it stays pending, and is read once more.
    done = k.reread.is_(False) | k.key.in_(arrival.reread)
    outcomes: list[tuple[str, str, str | None, int]] = [
        (row["key"], _state(row["status"]), row["error"], row["arrived_at"])
        for row in arrival.objects
    ]
    outcomes += [(key, "done", None, at) for key, at in arrival.unchanged.items()]
    for key, state, error, arrived_at in outcomes:
        connection.execute(
            update(t.raw_keys)
            .where(k.key == key, k.claim_id == arrival.claim.id, k.etag == etags[key], done)
            .values(
                state=state,
                suspect=False,
                attempts=0,
                error=error,
                reread=False,
                # Of content that was in before: its arrival, not when the file was touched.
                arrived_at=arrived_at,
            )
        )


def _state(status: str) -> str:
    return "failed" if status == "failed" else "done"


def commit_swap(
    ledger: Ledger,
    claim_id: str,
    old: Sequence[DataFile],
    new: Sequence[NewFile],
    partition: Partition,
    hidden: Hidden,
    *,
    final: bool = True,
) -> None:
    """Compaction's swap. Raises ClaimLost unless every old file is as it was when it was read.

    ``hidden``: what the merge left out or set aside. Not ``final``: more is to be merged later.
    """
    with ledger.write() as connection:
        version = _begin(connection, claim_id)
        now = clock(connection)
        if manifest.hidden(connection, _again(connection, old)) != hidden:
            raise ClaimLost(claim_id)
        _supersede(connection, claim_id, [file.id for file in old], now)
        _insert(connection, claim_id, new, version, now)
        if final:
            p = t.partitions.c
            connection.execute(
                update(t.partitions)
                .where(p.hiveperiod == partition.hiveperiod, p.dstrct_code == partition.dstrct_code)
                .values(compacted_version=partition.data_version)
            )
        claims.end(connection, claim_id, "committed")
        steps.reached("compact.swapping")


def _again(connection: Connection, files: Sequence[DataFile]) -> list[DataFile]:
    """The same files as they stand now: rows of theirs may have been hidden meanwhile."""
    ids = {file.id for file in files}
    days = {file.hiveperiod for file in files}
    districts = {file.dstrct_code for file in files}
    live = manifest.live(connection, days=days, districts=districts, whole=True)
    return [file for file in live if file.id in ids]


def commit_marts(
    ledger: Ledger,
    claim_id: str,
    partitions: Mapping[Partition, str],
    new: Sequence[NewFile],
    tests: Sequence[dict[str, Any]],
    beside: Collection[Day] = (),
    unlinked: Collection[Day] = (),
    told: Callable[[Connection], None] | None = None,
) -> None:
    """Publish the marts of some partitions: what was visible of them before is superseded.

    ``partitions``: with what is to be kept of the hours they are made of. ``beside``: days whose
    marts are to be made again, should there be any. ``unlinked``: days whose new marts are without
    the operators of cases that nobody confirmed. ``told`` leaves word of the new marts in the same
    transaction. All marts of one build become visible
    together, with the results of their tests. Raises ClaimLost when the claim is,
    or when the rows of a day were let go meanwhile.
    """
    with ledger.write() as connection:
        version = _begin(connection, claim_id)
        now = clock(connection)
        f, p = t.data_files.c, t.partitions.c
        for part, hours in partitions.items():
            here = (f.hiveperiod == part.hiveperiod, f.dstrct_code == part.dstrct_code)
            connection.execute(
                update(t.data_files)
                .where(f.layer == ANALYTICS, f.superseded_at.is_(None), *here)
                .values(superseded_at=now)
            )
            whole = p.clean_expired_at.is_(None)
            let_go = now if (part.hiveperiod, part.dstrct_code) in unlinked else None
            done = connection.execute(
                update(t.partitions)
                .where(p.hiveperiod == part.hiveperiod, p.dstrct_code == part.dstrct_code, whole)
                .values(
                    built_version=part.data_version, built_at=now, hours=hours, unlinked_at=let_go
                )
            )
            if not done.rowcount:
                raise ClaimLost(claim_id)
        _insert(connection, claim_id, new, version, now)
        manifest.touch(connection, _partitions(connection).intersection(beside))
        record_tests(connection, tests)
        if told:
            told(connection)
        claims.end(connection, claim_id, "committed")
        steps.reached("build.publishing")


def commit_unlinked(
    ledger: Ledger,
    claim_id: str,
    day: Day,
    old: Sequence[DataFile],
    new: Sequence[NewFile],
    kept: Sequence[Linked],
) -> None:
    """Put files without operators in the place of a day's marts, and take them out of its cases.

    ``kept``: cases that keep theirs, as they were when the files were written. Raises ClaimLost
    when another one does by now, or when a build replaced the files.
    """
    with ledger.write() as connection:
        version = _begin(connection, claim_id)
        now = clock(connection)
        if reviews.linked(connection, [day]) != list(kept):
            raise ClaimLost(claim_id)
        _supersede(connection, claim_id, [file.id for file in old], now)
        _insert(connection, claim_id, new, version, now)
        p, c = t.partitions.c, t.fatigue_cases.c
        connection.execute(
            update(t.partitions)
            .where(p.hiveperiod == day[0], p.dstrct_code == day[1])
            .values(unlinked_at=now)
        )
        connection.execute(
            update(t.fatigue_cases)
            .where(c.hiveperiod == day[0], c.dstrct_code == day[1], c.operator != "")
            .where(c.id.not_in([case.number for case in kept]))
            .values(operator="", unlinked_at=now)
        )
        claims.end(connection, claim_id, "committed")


def record_tests(connection: Connection, tests: Sequence[dict[str, Any]]) -> None:
    """Keep the test results of the latest build only."""
    if tests:
        connection.execute(delete(t.mart_tests))
        connection.execute(insert(t.mart_tests), list(tests))


def _partitions(connection: Connection) -> set[Day]:
    p = t.partitions.c
    rows = connection.execute(select(p.hiveperiod, p.dstrct_code))
    return {(str(row[0]), str(row[1])) for row in rows}


def _renew(connection: Connection, days: Collection[Day], version: int) -> None:
    """Note that the rows of some days changed."""
    rows = [
        {"hiveperiod": day, "dstrct_code": district, "data_version": version}
        for day, district in sorted(days)
    ]
    upsert(connection, t.partitions, rows)


def _supersede(connection: Connection, claim_id: str, ids: list[int], now: int) -> None:
    done = connection.execute(
        update(t.data_files)
        .where(t.data_files.c.id.in_(ids), t.data_files.c.superseded_at.is_(None))
        .values(superseded_at=now)
    )
    if done.rowcount != len(ids):
        raise ClaimLost(claim_id)


def _insert(
    connection: Connection,
    claim_id: str,
    files: Sequence[NewFile],
    version: int,
    now: int,
) -> None:
    for file in files:
        sources = [{**held.__dict__, "src": src} for src, held in file.sources.items()]
        row = {name: getattr(file, name) for name in _FILE_COLUMNS}
        row |= {"claim_id": claim_id, "units": json.dumps(list(file.units))}
        row |= {"committed_at": now, "version": version}
        row |= {"hidden": sum(source["hidden"] for source in sources)}
        key = connection.execute(insert(t.data_files).values(**row)).inserted_primary_key
        assert key is not None  # noqa: S101 — every dialect we use returns it
        if sources:
            rows = [{**source, "file_id": key[0]} for source in sources]
            connection.execute(insert(t.file_sources), rows)


_FILE_COLUMNS = (
    "layer",
    "dataset",
    "path",
    "hiveperiod",
    "dstrct_code",
    "rows",
    "bytes",
    "min_ts",
    "max_ts",
    "compacted",
)
