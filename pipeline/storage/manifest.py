"""What is visible: the files that readers may open, and the commits that change them.

Every change is one ledger transaction that first checks the claim (``claims.hold``), so a worker
that lost its lease cannot make anything visible.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, case, delete, func, insert, select, update

from pipeline.errors import ClaimLost, Overlapping
from pipeline.storage import claims
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger, clock, insert_or_skip, record_zone, step, upsert

CLEAN = "clean"
ANALYTICS = "analytics"
QUARANTINE = "quarantine"
TELEMETRY = "telemetry"


@dataclass(frozen=True)
class NewFile:
    """A finished file that a claim wants to make visible. ``sources``: rows by object version."""

    layer: str
    dataset: str
    path: str
    hiveperiod: str
    dstrct_code: str
    rows: int
    bytes: int
    min_ts: int | None = None
    max_ts: int | None = None
    units: tuple[str, ...] = ()
    compacted: bool = False
    sources: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class DataFile:
    """A file in the manifest. ``path`` is relative to the lake's root; times in microseconds."""

    id: int
    path: str
    hiveperiod: str
    dstrct_code: str
    rows: int
    bytes: int
    min_ts: int | None
    max_ts: int | None
    units: tuple[str, ...]
    compacted: bool


@dataclass(frozen=True)
class Partition:
    """A local day of a district and the data version at which it was looked at."""

    hiveperiod: str
    dstrct_code: str
    data_version: int


def live(
    connection: Connection,
    dataset: str = TELEMETRY,
    *,
    days: Iterable[str] | None = None,
    districts: Iterable[str] | None = None,
    units: Iterable[str] | None = None,
    min_ts: int | None = None,
    max_ts: int | None = None,
) -> list[DataFile]:
    """Visible files of a dataset, pruned by all that the manifest knows, oldest day first."""
    f = t.data_files.c
    columns = (
        f.id,
        f.path,
        f.hiveperiod,
        f.dstrct_code,
        f.rows,
        f.bytes,
        f.min_ts,
        f.max_ts,
        f.units,
        f.compacted,
    )
    query = select(*columns).where(f.dataset == dataset, f.superseded_at.is_(None))
    if days is not None:
        query = query.where(f.hiveperiod.in_(list(days)))
    if districts is not None:
        query = query.where(f.dstrct_code.in_(list(districts)))
    if min_ts is not None:
        query = query.where(func.coalesce(f.max_ts, min_ts) >= min_ts)
    if max_ts is not None:
        query = query.where(func.coalesce(f.min_ts, max_ts) <= max_ts)
    wanted = None if units is None else set(units)
    files = []
    for row in connection.execute(query.order_by(f.hiveperiod, f.dstrct_code, f.id)):
        names = tuple(json.loads(row.units))
        if wanted is None or not names or wanted.intersection(names):
            values = {**row._mapping, "units": names, "compacted": bool(row.compacted)}
            files.append(DataFile(**values))
    return files


def dirty(connection: Connection, column: Any) -> list[Partition]:
    """Partitions newer than ``column``: ``compacted_version`` or ``built_version`` of the table.

    What is built also depends on its context; what is compacted on its rows alone.
    """
    p = t.partitions.c
    newest: Any = p.data_version
    if column.name == p.built_version.name:
        newest = case((p.context_version > newest, p.context_version), else_=newest)
    query = select(p.hiveperiod, p.dstrct_code, newest.label("data_version"))
    query = query.where(newest > column).order_by(p.hiveperiod, p.dstrct_code)
    return [Partition(**row._mapping) for row in connection.execute(query)]


def touch(connection: Connection, days: Iterable[tuple[str, str]], closed_hours: int = 0) -> None:
    """Mark (day, district)s whose context changed: their marts are to be built again."""
    days = sorted(set(days))
    if not days:
        return
    version = step(connection, "data")
    fresh = [
        {"hiveperiod": day, "dstrct_code": district, "data_version": 0, "closed_hours": 0}
        for day, district in days
    ]
    insert_or_skip(connection, t.partitions, fresh)
    for day, district in days:
        connection.execute(
            update(t.partitions)
            .where(t.partitions.c.hiveperiod == day, t.partitions.c.dstrct_code == district)
            .values(
                context_version=version,
                closed_hours=max_of(t.partitions.c.closed_hours, closed_hours),
            )
        )


def max_of(column: Any, value: int) -> Any:
    """The larger of a column and a number, on every database."""
    return case((column > value, column), else_=value)


def commit_ingest(
    ledger: Ledger,
    claim: claims.Claim,
    objects: Sequence[dict[str, Any]],
    files: Sequence[NewFile],
    zone_by_district: dict[str, str],
    unchanged: Sequence[str] = (),
    neighbours: Iterable[tuple[str, str]] = (),
) -> None:
    """Make one claim's rows visible, all of them or none.

    ``objects`` are rows of ``raw_objects`` without ``committed_at``; one whose status is *failed*
    has no rows in ``files`` and is kept for the retry. Keys of the claim that are neither among
    them nor ``unchanged`` are free again, as are those that changed in the store meanwhile.
    ``neighbours`` are the days beside those written, where rows lie close to midnight.
    Raises ClaimLost, and Overlapping when a second would become visible twice.
    """
    etags = {file.key: file.etag for file in claim.files}
    with ledger.write() as connection:
        claims.hold(connection, claim.id)
        clashes = overlaps(connection, objects)
        if clashes:
            raise Overlapping(clashes)
        now = clock(connection)
        for district, zone in sorted(zone_by_district.items()):
            record_zone(connection, district, zone)
        upsert(connection, t.raw_objects, [{**row, "committed_at": now} for row in objects])
        outcomes = [
            (row["key"], "failed" if row["status"] == "failed" else "done", row["error"])
            for row in objects
        ]
        k = t.raw_keys.c
        for key, state, error in outcomes + [(key, "done", None) for key in unchanged]:
            connection.execute(
                update(t.raw_keys)
                .where(k.key == key, k.claim_id == claim.id, k.etag == etags[key])
                .values(state=state, suspect=False, attempts=0, error=error)
            )
        # Even without rows the ledger's own figures changed: pages must look again.
        version = step(connection, "data")
        _insert(connection, claim.id, files, version, now)
        days = sorted(
            {(file.hiveperiod, file.dstrct_code) for file in files if file.layer == CLEAN}
        )
        rows = [
            {"hiveperiod": day, "dstrct_code": district, "data_version": version}
            for day, district in days
        ]
        upsert(connection, t.partitions, rows)
        touch(connection, set(neighbours) & _partitions(connection))
        claims.end(connection, claim.id, "committed")


def overlaps(connection: Connection, objects: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Keys whose rows may be visible already, with the reason.

    A key is named when an earlier version of it is in, or when its span of time touches that of
    another live object of its device, those before it in ``objects`` included.
    """
    o = t.raw_objects.c
    found: dict[str, str] = {}
    spans: dict[str, list[tuple[int, int, str]]] = {}
    for row in objects:
        if row["min_ts"] is None:
            continue
        device = (o.deviceid == row["deviceid"], o.dead_at.is_(None), o.id != row["id"])
        touching = select(o.key).where(
            *device, o.min_ts <= row["max_ts"], o.max_ts >= row["min_ts"]
        )
        same_key = select(o.key).where(o.key == row["key"], o.accepted > 0, *device)
        others = [str(hit[0]) for hit in connection.execute(touching)]
        own = spans.setdefault(row["deviceid"], [])
        others += [k for low, high, k in own if low <= row["max_ts"] and high >= row["min_ts"]]
        if connection.execute(same_key).first() is not None:
            found[row["key"]] = "another version of this file is in; replacing it is not built yet"
        elif others:
            found[row["key"]] = f"its seconds overlap those of {others[0]}; not built yet"
        else:
            own.append((row["min_ts"], row["max_ts"], row["key"]))
    return found


def commit_swap(
    ledger: Ledger,
    claim_id: str,
    old: Sequence[DataFile],
    new: Sequence[NewFile],
    partition: Partition,
) -> None:
    """Compaction's swap. Raises ClaimLost unless every old file is still visible."""
    with ledger.write() as connection:
        claims.hold(connection, claim_id)
        now = clock(connection)
        _supersede(connection, claim_id, [file.id for file in old], now)
        version = step(connection, "data")
        _insert(connection, claim_id, new, version, now)
        p = t.partitions.c
        connection.execute(
            update(t.partitions)
            .where(p.hiveperiod == partition.hiveperiod, p.dstrct_code == partition.dstrct_code)
            .values(compacted_version=partition.data_version)
        )
        claims.end(connection, claim_id, "committed")


def commit_marts(
    ledger: Ledger,
    claim_id: str,
    partitions: Sequence[Partition],
    new: Sequence[NewFile],
    tests: Sequence[dict[str, Any]],
) -> None:
    """Publish the marts of some partitions: what was visible of them before is superseded.

    All marts of one build become visible together, with the results of their tests.
    """
    with ledger.write() as connection:
        claims.hold(connection, claim_id)
        now = clock(connection)
        f, p = t.data_files.c, t.partitions.c
        version = step(connection, "data")
        for part in partitions:
            here = (f.hiveperiod == part.hiveperiod, f.dstrct_code == part.dstrct_code)
            connection.execute(
                update(t.data_files)
                .where(f.layer == ANALYTICS, f.superseded_at.is_(None), *here)
                .values(superseded_at=now)
            )
            connection.execute(
                update(t.partitions)
                .where(p.hiveperiod == part.hiveperiod, p.dstrct_code == part.dstrct_code)
                .values(built_version=part.data_version, built_at=now)
            )
        _insert(connection, claim_id, new, version, now)
        record_tests(connection, tests)
        claims.end(connection, claim_id, "committed")


def record_tests(connection: Connection, tests: Sequence[dict[str, Any]]) -> None:
    """Keep the test results of the latest build only."""
    if tests:
        connection.execute(delete(t.mart_tests))
        connection.execute(insert(t.mart_tests), list(tests))


def _partitions(connection: Connection) -> set[tuple[str, str]]:
    p = t.partitions.c
    rows = connection.execute(select(p.hiveperiod, p.dstrct_code))
    return {(str(row[0]), str(row[1])) for row in rows}


def _supersede(connection: Connection, claim_id: str, ids: list[int], now: int) -> None:
    done = connection.execute(
        update(t.data_files)
        .where(t.data_files.c.id.in_(ids), t.data_files.c.superseded_at.is_(None))
        .values(superseded_at=now)
    )
    if done.rowcount != len(ids):
        raise ClaimLost(claim_id)


def _insert(
    connection: Connection, claim_id: str, files: Sequence[NewFile], version: int, now: int
) -> None:
    for file in files:
        row = {name: getattr(file, name) for name in _FILE_COLUMNS}
        row |= {"claim_id": claim_id, "units": json.dumps(list(file.units))}
        row |= {"committed_at": now, "version": version}
        key = connection.execute(insert(t.data_files).values(**row)).inserted_primary_key
        assert key is not None  # noqa: S101 — every dialect we use returns it
        sources = [
            {"file_id": key[0], "src": src, "rows": rows} for src, rows in file.sources.items()
        ]
        if sources:
            connection.execute(insert(t.file_sources), sources)


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


def sources_of(connection: Connection, file_ids: Sequence[int]) -> dict[int, int]:
    """Rows by object version over some files."""
    s = t.file_sources.c
    total: Counter[int] = Counter()
    for row in connection.execute(select(s.src, s.rows).where(s.file_id.in_(list(file_ids)))):
        total[int(row[0])] += int(row[1])
    return dict(total)
