"""What people ask the worker for from the pages: asked → taken → done | failed | cancelled.

``ingest``, ``build`` and ``compact`` are steps to be done now; ``reread`` reads raw files again in
portions (``pipeline.reingest``), so it can be watched, and ended between two of them. Nothing is
deleted: who asked for what, and what came of it, stays.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, insert, or_, select, update

from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger
from pipeline.storage.people import audit
from pipeline.storage.sql import clock

REREAD = "reread"
ASKED, TAKEN, DONE, FAILED, CANCELLED = "asked", "taken", "done", "failed", "cancelled"
OPEN = (ASKED, TAKEN)

#: A worker that gave no sign of life for so long has let go of what it had taken.
SILENT_US = 30_000_000


@dataclass(frozen=True)
class Request:
    """Work asked for. ``detail``: what it is about; ``result``: how far it is, what came of it."""

    id: int
    kind: str
    who: str
    state: str
    detail: dict[str, Any]
    result: dict[str, Any]


def ask(
    connection: Connection,
    kind: str,
    who: str,
    detail: Mapping[str, object] | None = None,
    *,
    what: str = "",
    subject: str = "",
) -> int:
    """Record a request and, in the same transaction, in the audit; return its id."""
    row = {"kind": kind, "who": who, "asked_at": clock(connection), "state": ASKED}
    values = {**row, "detail": json.dumps(dict(detail or {})), "result": "{}"}
    number = connection.execute(insert(t.requests).values(**values)).inserted_primary_key
    audit(connection, who, what or f"run {kind}", subject, detail)
    return int(number[0]) if number else 0


def take(connection: Connection, kinds: Collection[str], worker: str) -> list[Request]:
    """Take every request of these kinds, also from workers that died over one; oldest first."""
    r, w = t.requests.c, t.workers.c
    now = clock(connection)
    alive = select(w.id).where(w.seen_at > now - SILENT_US)
    orphaned = (r.state == TAKEN) & r.worker.not_in(alive) & (r.worker != worker)
    taken = connection.execute(
        update(t.requests)
        .where(r.kind.in_(kinds), or_(r.state == ASKED, orphaned))
        .values(state=TAKEN, taken_at=now, worker=worker)
        .returning(r.id, r.kind, r.who, r.state, r.detail, r.result)
    )
    return sorted((_request(row) for row in taken), key=lambda found: found.id)


def oldest(connection: Connection, kind: str) -> Request | None:
    """The request of a kind that is in work, else the one asked for first."""
    r = t.requests.c
    query = select(r.id, r.kind, r.who, r.state, r.detail, r.result)
    query = query.where(r.kind == kind, r.state.in_(OPEN))
    row = connection.execute(query.order_by(r.state.desc(), r.id).limit(1)).first()
    return None if row is None else _request(row)


def go_on(connection: Connection, request: Request, worker: str, result: dict[str, Any]) -> bool:
    """Record that a request is in work and how far it is; False when it has ended meanwhile."""
    r = t.requests.c
    changed = connection.execute(
        update(t.requests)
        .where(r.id == request.id, r.state.in_(OPEN))
        .values(
            state=TAKEN,
            taken_at=func.coalesce(r.taken_at, clock(connection)),
            worker=worker,
            result=json.dumps(result),
        )
    )
    return changed.rowcount == 1


def end(
    connection: Connection,
    ids: Collection[int],
    error: str | None = None,
    result: Mapping[str, object] | None = None,
) -> None:
    """Close open requests: done, or failed with its error. One that was cancelled stays so."""
    r = t.requests.c
    values: dict[str, Any] = {"state": FAILED if error else DONE, "error": error}
    if result is not None:
        values["result"] = json.dumps(dict(result))
    connection.execute(
        update(t.requests)
        .where(r.id.in_(list(ids)), r.state.in_(OPEN))
        .values(ended_at=clock(connection), **values)
    )


def cancel(ledger: Ledger, request_id: int, who: str) -> bool:
    """End a request that nobody took, or the rest of one that reads files again; audited.

    False when it had ended, or is a step that is being done: that cannot be stopped half-way.
    """
    r = t.requests.c
    stoppable = or_(r.state == ASKED, (r.state == TAKEN) & (r.kind == REREAD))
    with ledger.write() as connection:
        changed = connection.execute(
            update(t.requests)
            .where(r.id == request_id, stoppable)
            .values(state=CANCELLED, ended_at=clock(connection))
        )
        if changed.rowcount == 1:
            audit(connection, who, "request cancelled", str(request_id))
        return changed.rowcount == 1


def waiting(connection: Connection) -> bool:
    """Whether somebody asked for something that nobody took yet."""
    query = select(t.requests.c.id).where(t.requests.c.state == ASKED).limit(1)
    return connection.execute(query).first() is not None


def _request(row: Any) -> Request:
    return Request(
        row.id, row.kind, row.who, row.state, json.loads(row.detail), json.loads(row.result)
    )
