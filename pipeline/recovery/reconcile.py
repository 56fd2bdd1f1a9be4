"""Make the ledger say of the lake what is so."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, delete, select, update

from pipeline import reingest, retention
from pipeline.settings import Settings
from pipeline.storage import claims
from pipeline.storage import tables as t
from pipeline.storage.lake import open_lake
from pipeline.storage.ledger import UNCHECKED, Ledger
from pipeline.storage.objects import open_store
from pipeline.storage.records import ANALYTICS, CLEAN
from pipeline.storage.sql import chunks, clock, step

CUT_OFF = "cut off: the ledger was brought back"


@dataclass
class Reconciled:
    """What was done to make the manifest agree with the lake.

    ``files`` that are not there as it says, with ``rows`` of telemetry; ``reread``: raw files to be
    read again for what was in them, and ``gone`` ones, which cannot be; ``rebuild``: days whose
    marts are to be built.
    """

    files: int = 0
    rows: int = 0
    reread: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    rebuild: list[str] = field(default_factory=list)


def reconcile(ledger: Ledger, settings: Settings) -> Reconciled:
    """Make the ledger say of the lake what is so. Nothing else may be at work meanwhile."""
    sizes, store = open_lake(settings).sizes(), open_store(settings)
    with ledger.read() as connection:
        f = t.data_files.c
        columns = (f.id, f.path, f.bytes, f.layer, f.hiveperiod, f.dstrct_code)
        live = connection.execute(select(*columns).where(f.superseded_at.is_(None)))
        lost = [row for row in live if sizes.get(row.path) != row.bytes]
        keys = _held_by(connection, {row.id for row in lost})
    result = Reconciled(files=len(lost))
    for key in keys:
        (result.reread if store.stat(key) else result.gone).append(key)
    with ledger.write() as connection:
        _end_work(connection)
        connection.execute(delete(t.counters).where(t.counters.c.name == UNCHECKED))
        if lost:
            result.rows = _take_out(connection, lost)
            reingest.mark(connection, result.reread)
    result.rebuild = sorted(
        {f"{row.hiveperiod}/{row.dstrct_code}" for row in lost if row.layer == ANALYTICS}
    )
    return result


def _held_by(connection: Connection, files: Collection[int]) -> list[str]:
    """Raw keys whose rows, or whose bad lines, are in these files and are to be seen."""
    o, s = t.raw_objects.c, t.file_sources.c
    keys = set[str]()
    for part in chunks(sorted(files)):
        held = select(o.key).join(t.file_sources, s.src == o.id)
        held = held.where(s.file_id.in_(part), o.dead_at.is_(None))
        keys |= {str(row[0]) for row in connection.execute(held.distinct())}
    bad = set(retention.forgotten(connection, files)) - set(retention.forgotten(connection))
    for some in chunks(sorted(bad)):
        keys |= {str(row[0]) for row in connection.execute(select(o.key).where(o.id.in_(some)))}
    return sorted(keys)


def _end_work(connection: Connection) -> None:
    """Nobody works on anything: what a copy says of workers is past."""
    c, r, now = t.claims.c, t.runs.c, clock(connection)
    for row in connection.execute(select(c.id).where(c.outcome.is_(None))).all():
        claims.end(connection, row.id, "released")
    connection.execute(delete(t.leases))
    connection.execute(delete(t.workers))
    ended = {"status": "failed", "ended_at": now, "detail": json.dumps({"error": CUT_OFF})}
    connection.execute(update(t.runs).where(r.status == "running").values(**ended))


def _take_out(connection: Connection, lost: Collection[Any]) -> int:
    """Nobody is shown these files any more; how many rows were to be seen in them."""
    version, now = step(connection, "data"), clock(connection)
    f, p = t.data_files.c, t.partitions.c
    rows = 0
    for part in chunks([row.id for row in lost]):
        rows += sum(retention.forget_rows(connection, f.id.in_(part)).values())
        connection.execute(update(t.data_files).where(f.id.in_(part)).values(superseded_at=now))
    for row in {(row.layer, row.hiveperiod, row.dstrct_code) for row in lost}:
        layer, *day = row
        changed = {CLEAN: {"data_version": version}, ANALYTICS: {"built_version": 0}}.get(layer)
        if changed:
            here = (p.hiveperiod == day[0], p.dstrct_code == day[1])
            connection.execute(update(t.partitions).where(*here).values(**changed))
    return rows
