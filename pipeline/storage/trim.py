"""Rows that every file, run and request leaves, and that tell nobody anything after a while.

What was done to the data is told by the raw objects, the manifest and the audit; those stay.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Table, delete, func, select

from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger
from pipeline.storage.sql import chunks, clock

#: So long they are kept.
KEPT_DAYS = 30

DAY_US = 86_400_000_000


def trim(ledger: Ledger, owners: Collection[str]) -> int:
    """Forget claims, runs and requests that ended long ago; returns how many.

    ``owners``: claims of which files are in the lake; gc has to know how those ended.
    """
    with ledger.write() as connection:
        before = clock(connection) - KEPT_DAYS * DAY_US
        return (
            _forget(connection, t.claims, set(_claims(connection, before)) - set(owners))
            + _forget(connection, t.runs, set(_runs(connection, before)))
            + _forget(connection, t.requests, set(_requests(connection, before)))
        )


def _forget(connection: Connection, table: Table, ids: Collection[Any]) -> int:
    for part in chunks(sorted(ids)):
        connection.execute(delete(table).where(table.c.id.in_(part)))
    return len(ids)


def _claims(connection: Connection, before: int) -> list[str]:
    """Ended claims that no file in the manifest names."""
    c = t.claims.c
    ended = select(c.id).where(c.outcome.is_not(None), c.ended_at < before)
    named = select(t.data_files.c.claim_id)
    return [str(row[0]) for row in connection.execute(ended.where(c.id.not_in(named)))]


def _runs(connection: Connection, before: int) -> list[int]:
    """Ended runs but the first, since which there is service, and the newest of each outcome."""
    r = t.runs.c
    newest = select(func.max(r.id)).group_by(r.kind, r.status)
    kept = {int(row[0]) for row in connection.execute(newest)}
    first = select(r.id).order_by(r.started_at).limit(1)
    kept |= {int(row[0]) for row in connection.execute(first)}
    ended = connection.execute(select(r.id).where(r.ended_at < before))
    return [int(row[0]) for row in ended if int(row[0]) not in kept]


def _requests(connection: Connection, before: int) -> list[int]:
    """Ended requests; who asked for what stays in the audit."""
    r = t.requests.c
    return [int(row[0]) for row in connection.execute(select(r.id).where(r.ended_at < before))]
