"""When a person looked at the overview: what changed since then is what they do not know yet."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select, update

from pipeline.localtime import MICROSECOND, from_us
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger
from pipeline.storage.sql import clock, insert_or_skip

#: Two looks less than this apart are one visit: a page loaded again forgets nothing.
APART = timedelta(minutes=30)


def begin(ledger: Ledger, username: str) -> datetime | None:
    """Note that a person opens the overview; when their visit before ended, None on the first."""
    v = t.visits.c
    with ledger.write() as connection:
        now = clock(connection)
        first = {"username": username, "before_at": None, "seen_at": now}
        insert_or_skip(connection, t.visits, [first])
        row = connection.execute(select(v.before_at, v.seen_at).where(v.username == username)).one()
        another = now - row.seen_at >= APART // MICROSECOND
        before: int | None = row.seen_at if another else row.before_at
        changed = update(t.visits).where(v.username == username)
        connection.execute(changed.values(before_at=before, seen_at=now))
    return None if before is None else from_us(before)


def still_here(ledger: Ledger, username: str) -> None:
    """Note that the visit goes on."""
    with ledger.write() as connection:
        mine = t.visits.c.username == username
        connection.execute(update(t.visits).where(mine).values(seen_at=clock(connection)))


def seen(ledger: Ledger, username: str) -> datetime:
    """Note that a person knows all that there is to know now; that moment."""
    with ledger.write() as connection:
        now = clock(connection)
        mine = t.visits.c.username == username
        connection.execute(update(t.visits).where(mine).values(before_at=now, seen_at=now))
    return from_us(now)
