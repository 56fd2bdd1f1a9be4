"""What is visible: the files that readers may open, and the rows in them to leave out.

``commits`` changes it; this module describes and reads it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, case, func, select, update

from pipeline.storage import tables as t
from pipeline.storage.records import TELEMETRY, DataFile, Hidden, Partition
from pipeline.storage.sql import chunks, insert_or_skip, step


def live(
    connection: Connection,
    dataset: str = TELEMETRY,
    *,
    days: Iterable[str] | None = None,
    districts: Iterable[str] | None = None,
    units: Iterable[str] | None = None,
    min_ts: int | None = None,
    max_ts: int | None = None,
    devices: Iterable[str] | None = None,
    whole: bool = False,
) -> list[DataFile]:
    """Visible files of a dataset, pruned by all that the manifest knows, oldest day first.

    Files without a row to be seen are left out, unless ``whole``. ``devices`` prunes
    telemetry alone: of other files it is not known whose rows they hold.
    """
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
        f.hidden,
    )
    query = select(*columns).where(f.dataset == dataset, f.superseded_at.is_(None))
    if not whole:
        query = query.where(f.hidden < f.rows)
    if days is not None:
        query = query.where(f.hiveperiod.in_(list(days)))
    if districts is not None:
        query = query.where(f.dstrct_code.in_(list(districts)))
    if min_ts is not None:
        query = query.where(func.coalesce(f.max_ts, min_ts) >= min_ts)
    if max_ts is not None:
        query = query.where(func.coalesce(f.min_ts, max_ts) <= max_ts)
    if devices is not None and dataset == TELEMETRY:
        s = t.file_sources.c
        own = select(s.file_id).where(s.deviceid.in_(list(devices)))
        if max_ts is not None:
            own = own.where(s.min_ts <= max_ts)
        if min_ts is not None:
            own = own.where(s.max_ts >= min_ts)
        query = query.where(f.id.in_(own))
    wanted = None if units is None else set(units)
    files = []
    for row in connection.execute(query.order_by(f.hiveperiod, f.dstrct_code, f.id)):
        names = tuple(json.loads(row.units))
        if wanted is None or not names or wanted.intersection(names):
            values = {**row._mapping, "units": names, "compacted": bool(row.compacted)}
            files.append(DataFile(**values))
    return files


def hidden(connection: Connection, files: Iterable[DataFile]) -> Hidden:
    """What readers of these files leave out."""
    mixed = [file.id for file in files if file.hidden]
    s, o, b = t.file_sources.c, t.raw_objects.c, t.beaten.c
    dead, beaten = set[int](), set[int]()
    for ids in chunks(mixed):
        query = select(s.src, o.dead_at).join(t.raw_objects, o.id == s.src).distinct()
        for row in connection.execute(query.where(s.file_id.in_(ids), s.hidden > 0)):
            (beaten if row.dead_at is None else dead).add(row.src)
    spans = frozenset(
        (row.src, row.lo, row.hi)
        for ids in chunks(sorted(beaten))
        for row in connection.execute(select(b.src, b.lo, b.hi).where(b.src.in_(ids)))
    )
    return Hidden(frozenset(dead), spans)


def dirty(connection: Connection, column: Any) -> list[Partition]:
    """Partitions newer than ``column``: ``compacted_version`` or ``built_version`` of the table.

    What is built also depends on its context; what is compacted on its rows alone. A day whose rows
    were let go is not built again: its marts are those of the whole day.
    """
    p = t.partitions.c
    newest: Any = p.data_version
    kept = []
    if column.name == p.built_version.name:
        newest = case((p.context_version > newest, p.context_version), else_=newest)
        kept = [p.clean_expired_at.is_(None)]
    query = select(p.hiveperiod, p.dstrct_code, newest.label("data_version"))
    query = query.where(newest > column, *kept).order_by(p.hiveperiod, p.dstrct_code)
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
