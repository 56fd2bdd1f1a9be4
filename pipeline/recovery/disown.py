"""Files of an earlier ledger that nobody needs are handed to gc, which may have them."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import insert

from pipeline.gc import owner
from pipeline.settings import Settings
from pipeline.storage import tables as t
from pipeline.storage.lake import open_lake
from pipeline.storage.ledger import Ledger
from pipeline.storage.sql import chunks, clock
from pipeline.unclaimed import left


@dataclass
class Unclaimed:
    """``files`` that gc deletes after its grace, and ``kept`` ones: ``rows`` are there alone."""

    files: int = 0
    bytes: int = 0
    kept: list[str] = field(default_factory=list)
    rows: int = 0


def disown(ledger: Ledger, settings: Settings, worker: str) -> Unclaimed:
    """Hand to gc what an earlier ledger left in the lake and nobody needs. Nothing is deleted."""
    lake, result = open_lake(settings), Unclaimed()
    sizes = lake.sizes()
    found = left(ledger, settings, lake, sizes)
    owners = {owner(path) for path in found.spare}
    result.files, result.bytes = len(found.spare), sum(sizes[path] for path in found.spare)
    result.kept = list(found.needed)
    result.rows = sum(found.needed.values())
    if not owners:
        return result
    with ledger.write() as connection:
        now = clock(connection)
        ended = {"taken_at": now, "expires_at": now, "ended_at": now, "outcome": "expired"}
        rows = [
            {"id": name, "kind": "unclaimed", "worker": worker} | ended for name in sorted(owners)
        ]
        for part in chunks(rows):
            connection.execute(insert(t.claims), list(part))
    return result
