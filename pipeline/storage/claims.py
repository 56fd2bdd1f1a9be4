"""Who works on what: claims on raw files, and named leases.

A claim is taken before work and ends with its commit, its release, or its expiry. Files of a claim
that expired are *suspects*: one of them may have killed the batch, so they are tried one at a time,
and only such lone attempts count against a file.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Integer, and_, func, insert, select, update

from pipeline.errors import ClaimLost
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger, pid_space, this_host
from pipeline.storage.records import WORN_OUT, Claim, RawFile
from pipeline.storage.sql import clock, upsert

#: A file that was alone in this many claims that died is set aside.
MAX_ATTEMPTS = 5

SECOND = 1_000_000


def new_id() -> str:
    """A claim's id; the names of all files it writes begin with it."""
    return uuid.uuid4().hex


def begin(connection: Connection, kind: str, worker: str, lease_seconds: float) -> str:
    """Record a claim without files (compaction, build) and return its id."""
    claim_id, now = new_id(), clock(connection)
    row = {"id": claim_id, "kind": kind, "worker": worker, "taken_at": now}
    row["expires_at"] = now + int(lease_seconds * SECOND)
    connection.execute(insert(t.claims).values(**row))
    return claim_id


def take(
    ledger: Ledger, worker: str, limit: int, lease_seconds: float, district: str | None = None
) -> Claim | None:
    """Claim up to ``limit`` pending raw files, oldest hour first; a suspect is claimed alone.

    With ``district`` only files that lie under that district.
    """
    with ledger.write() as connection:
        expire(connection)
        k = t.raw_keys.c
        free = and_(k.state == "pending", k.claim_id.is_(None), *_of(district))
        columns = (k.key, k.district, k.deviceid, k.hour, k.etag, k.size, k.arrived_at)
        query = select(*columns).where(free, k.suspect.is_(False))
        query = query.order_by(k.hour, k.district, k.key).limit(limit)
        rows = connection.execute(query.with_for_update(skip_locked=True)).all()
        if not rows:
            alone = select(*columns).where(free, k.suspect.is_(True)).order_by(k.key).limit(1)
            rows = connection.execute(alone.with_for_update(skip_locked=True)).all()
        if not rows:
            return None
        claim_id = begin(connection, "ingest", worker, lease_seconds)
        files = tuple(RawFile(**row._mapping) for row in rows)
        connection.execute(
            update(t.raw_keys)
            .where(k.key.in_([file.key for file in files]))
            .values(claim_id=claim_id, attempts=k.attempts + k.suspect.cast(Integer))
        )
        return Claim(claim_id, files)


def renew(ledger: Ledger, claim_ids: list[str], lease_seconds: float) -> None:
    """Move the end of held claims on."""
    with ledger.write() as connection:
        connection.execute(
            update(t.claims)
            .where(t.claims.c.id.in_(claim_ids), t.claims.c.outcome.is_(None))
            .values(expires_at=clock(connection) + int(lease_seconds * SECOND))
        )


def hold(connection: Connection, claim_id: str) -> None:
    """Fence: raise ClaimLost unless the claim is still held. First thing in every commit.

    From here to the end of the transaction it cannot expire, and its files are not recorded anew.
    """
    query = select(t.claims.c.id).where(
        t.claims.c.id == claim_id,
        t.claims.c.outcome.is_(None),
        t.claims.c.expires_at > clock(connection),
    )
    if connection.execute(query.with_for_update()).first() is None:
        raise ClaimLost(claim_id)
    lock_keys(connection, _held([claim_id]))


def lock_keys(connection: Connection, *where: Any) -> None:
    """Lock raw keys in their order, on PostgreSQL: before an UPDATE, which locks in any order.

    All who write several of them do so in this order (``upsert`` too), claims before keys and keys
    before the counters: so nobody waits for another in a circle.
    """
    if connection.dialect.name != "sqlite":
        key = t.raw_keys.c.key
        connection.execute(select(key).where(*where).order_by(key.collate("C")).with_for_update())


def _held(claim_ids: Sequence[str]) -> Any:
    """Raw keys of claims. All states are named so that the index on (state, claim_id) serves."""
    k = t.raw_keys.c
    return k.state.in_(("pending", "done", "failed")) & k.claim_id.in_(claim_ids)


def end(connection: Connection, claim_id: str, outcome: str) -> None:
    """Close a claim: ``committed`` or ``released``.

    Files it still holds are free again, and the attempt does not count: nobody died over them.
    """
    _end(connection, [claim_id], outcome)


def release(ledger: Ledger, claim_ids: list[str]) -> None:
    """End claims without a verdict on their files: the machine was in trouble, not a file."""
    if claim_ids:
        with ledger.write() as connection:
            _end(connection, claim_ids, "released")


def _end(connection: Connection, claim_ids: Sequence[str], outcome: str) -> None:
    c, k = t.claims.c, t.raw_keys.c
    connection.execute(
        update(t.claims)
        .where(c.id.in_(claim_ids), c.outcome.is_(None))
        .values(outcome=outcome, ended_at=clock(connection))
    )
    held = _held(claim_ids)
    lock_keys(connection, held)
    connection.execute(
        update(t.raw_keys)
        .where(held)
        .values(claim_id=None, attempts=k.attempts - k.suspect.cast(Integer))
    )


def let_go(ledger: Ledger, worker: str) -> None:
    """End all that a worker holds, claims and leases, without a verdict on any file.

    For one that was told to stop. What it still writes is fenced: nothing of it becomes visible.
    """
    c, leases = t.claims.c, t.leases
    with ledger.write() as connection:
        query = select(c.id).where(c.worker == worker, c.outcome.is_(None))
        held = [str(row[0]) for row in connection.execute(query.with_for_update())]
        if held:
            _end(connection, held, "released")
        connection.execute(leases.delete().where(leases.c.holder == worker))


def abandon(ledger: Ledger, claim_id: str, reason: str | None = None) -> dict[str, str]:
    """End a claim whose work failed under our eyes: as if its lease had run out.

    ``reason``: what was raised; without it the process died. Returns the files that are tried no
    more, each with its error.
    """
    k = t.raw_keys.c
    with ledger.write() as connection:
        keys = [str(row[0]) for row in connection.execute(select(k.key).where(_held([claim_id])))]
        connection.execute(
            update(t.claims)
            .where(t.claims.c.id == claim_id, t.claims.c.outcome.is_(None))
            .values(expires_at=0)
        )
        expire(connection)
        failed = k.key.in_(keys) & (k.state == "failed")
        if reason is not None:
            error = f"{WORN_OUT}reading it failed {MAX_ATTEMPTS} times: {reason}"
            connection.execute(update(t.raw_keys).where(failed).values(error=error))
        found = connection.execute(select(k.key, k.error).where(failed).order_by(k.key))
        return {str(key): str(error) for key, error in found}


def expire_dead(ledger: Ledger) -> dict[str, str]:
    """End claims and leases of processes of this machine that are gone, without waiting for them.

    Returns what ``abandon`` does.

    Should a name mislead (two machines of one name), fencing keeps the worst to repeated work.
    """
    with ledger.read() as connection:
        query = select(t.claims.c.id, t.claims.c.worker).where(t.claims.c.outcome.is_(None))
        held = [(str(row[0]), str(row[1])) for row in connection.execute(query)]
        query = select(t.leases.c.name, t.leases.c.holder)
        leased = [(str(row[0]), str(row[1])) for row in connection.execute(query)]
    failed = dict[str, str]()
    for claim_id, worker in held:
        if is_dead(worker):
            failed |= abandon(ledger, claim_id)
    for name, worker in leased:
        if is_dead(worker):
            give_back(ledger, name, worker)
    return failed


def is_dead(worker: str) -> bool:
    """True for a worker of this machine, or this container of it, whose process is gone."""
    here = this_host()
    if not worker.startswith(here):
        return False
    pid, _, digits = worker.removeprefix(here).partition("-")
    if "." in digits and not digits.endswith(pid_space()):
        return False
    return pid.isdecimal() and not _alive(int(pid))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def expire(connection: Connection) -> None:
    """End claims whose lease ran out: their files become suspects, or are set aside after five."""
    now = clock(connection)
    dead = select(t.claims.c.id).where(t.claims.c.outcome.is_(None), t.claims.c.expires_at <= now)
    # One that is being committed is not dead. (SQLite has one writer, and knows no FOR UPDATE.)
    dead = dead.with_for_update(skip_locked=True)
    ids = [str(row[0]) for row in connection.execute(dead)]
    if not ids:
        return
    held = _held(ids)
    lock_keys(connection, held)
    worn_out = t.raw_keys.c.attempts >= MAX_ATTEMPTS
    message = f"{WORN_OUT}the worker died {MAX_ATTEMPTS} times while it read this file alone"
    connection.execute(
        update(t.raw_keys)
        .where(held, worn_out)
        .values(state="failed", claim_id=None, error=message)
    )
    connection.execute(update(t.raw_keys).where(held).values(suspect=True, claim_id=None))
    connection.execute(
        update(t.claims).where(t.claims.c.id.in_(ids)).values(outcome="expired", ended_at=now)
    )


def backlog(connection: Connection, *, free: bool = False, district: str | None = None) -> int:
    """Raw files not yet committed or failed, those under another's claim included.

    With ``free`` only those that nobody works on, with ``district`` only those under it.
    """
    query = select(func.count()).where(t.raw_keys.c.state == "pending", *_of(district))
    if free:
        query = query.where(t.raw_keys.c.claim_id.is_(None))
    return int(connection.execute(query).scalar_one())


def districts(connection: Connection) -> list[str]:
    """Districts with a backlog, in order."""
    k = t.raw_keys.c
    query = select(k.district).where(k.state == "pending").distinct().order_by(k.district)
    return [str(row[0]) for row in connection.execute(query)]


def _of(district: str | None) -> list[ColumnElement[bool]]:
    """The condition that picks a district's raw keys; none for all of them."""
    return [] if district is None else [t.raw_keys.c.district == district]


def lease(ledger: Ledger, name: str, holder: str, seconds: float) -> bool:
    """Take or keep a named lease; False while somebody else holds it."""
    with ledger.write() as connection:
        now = clock(connection)
        row = {"name": name, "holder": holder, "expires_at": now + int(seconds * SECOND)}
        present = t.leases.c
        free = (present.expires_at <= now) | (present.holder == holder)
        upsert(connection, t.leases, [row], only=lambda _: free)
        query = select(present.holder).where(present.name == name)
        return bool(connection.execute(query).scalar_one() == holder)


def give_back(ledger: Ledger, name: str, holder: str) -> None:
    """End a lease early; nothing happens when it is not ours."""
    with ledger.write() as connection:
        connection.execute(
            t.leases.delete().where(t.leases.c.name == name, t.leases.c.holder == holder)
        )
