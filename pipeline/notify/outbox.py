"""Notices that wait, one ledger row a topic: said once, and again only after a while.

A notice is *due* when it was never sent, or was met again since and the repeat time is over.
Nothing here can fail the transaction it is called in: a notice that cannot be kept is lost, the
work it tells of is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import Connection, and_, delete, func, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger
from pipeline.storage.sql import chunks, clock, insert_into

#: Most topics in the table; the oldest go first.
KEPT = 1_000
#: So many are removed together when it is full, so that not every notice has to make room.
ROOM = 100
#: What waited for longer than this (microseconds) is no news: nobody was to be told all that time.
STALE = 7 * 86_400_000_000


@dataclass(frozen=True)
class Notice:
    """What is to be said about a topic. The body's first line is the reason, the rest the way out.

    ``kind``: one of ``message.KINDS``. What makes two notices the same is their topic.
    """

    kind: str
    topic: str
    title: str
    body: str
    first_at: int = 0
    times: int = 1
    tries: int = 0


def note(connection: Connection, kind: str, topic: str, title: str, body: str) -> None:
    """Keep a notice; of a topic that is there already only the words are renewed and it counts."""
    note_all(connection, [Notice(kind, topic, title, body)])


def note_all(connection: Connection, notices: Iterable[Notice]) -> None:
    """Keep many notices in one go."""
    # In order: two transactions that lock the same topics must not wait for each other.
    rows = {_clean(n.topic): n for n in sorted(notices, key=lambda n: n.topic)}
    if not rows:
        return
    with suppress(SQLAlchemyError), connection.begin_nested():
        now = clock(connection)
        statement = insert_into(connection, t.notices)
        renewed = {name: statement.excluded[name] for name in ("kind", "title", "body", "last_at")}
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["topic"], set_={**renewed, "times": t.notices.c.times + 1}
            ),
            [
                {
                    "topic": topic,
                    "kind": notice.kind,
                    "title": _clean(notice.title)[:300],
                    "body": _clean(notice.body)[:2_000],
                    "first_at": now,
                    "last_at": now,
                    "times": 1,
                    "tries": 0,
                }
                for topic, notice in rows.items()
            ],
        )
        _make_room(connection)


def forget(connection: Connection, topics: Iterable[str]) -> None:
    """Drop topics: what they told of is over, and is told at once when it comes again."""
    with suppress(SQLAlchemyError), connection.begin_nested():
        for chunk in chunks(sorted(topics)):
            connection.execute(delete(t.notices).where(t.notices.c.topic.in_(chunk)))


def safely(ledger: Ledger, write: Callable[[Connection], None]) -> bool:
    """Run ``write`` in a transaction of its own; False when the ledger would not have it."""
    try:
        with ledger.write() as connection:
            write(connection)
    except (SQLAlchemyError, OSError):
        return False
    return True


def due(connection: Connection, now: int, repeat: int) -> list[Notice]:
    """What is to be told at ``now``, newest first; ``repeat`` in microseconds too."""
    n = t.notices.c
    again = and_(n.last_at > n.sent_at, n.sent_at <= now - repeat)
    query = (
        select(n.kind, n.topic, n.title, n.body, n.first_at, n.times, n.tries)
        .where(or_(n.sent_at.is_(None), again), n.last_at > now - STALE)
        .order_by(n.last_at.desc(), n.topic)
    )
    return [Notice(**row._mapping) for row in connection.execute(query)]


def told(connection: Connection, notices: Sequence[Notice], at: int, error: str | None) -> None:
    """Note that people know since ``at``; ``error`` names those who could not be reached.

    A topic that was forgotten and met anew meanwhile still waits.
    """
    n = t.notices.c
    for chunk in chunks([notice.topic for notice in notices]):
        connection.execute(
            update(t.notices)
            .where(n.topic.in_(chunk), n.first_at <= at)
            .values(sent_at=at, tries=0, error=error)
        )


def untold(connection: Connection, notices: Sequence[Notice], error: str) -> None:
    """Note that nobody could be reached."""
    n = t.notices.c
    for chunk in chunks([notice.topic for notice in notices]):
        connection.execute(
            update(t.notices).where(n.topic.in_(chunk)).values(tries=n.tries + 1, error=error)
        )


def _make_room(connection: Connection) -> None:
    if connection.execute(select(func.count()).select_from(t.notices)).scalar_one() <= KEPT:
        return
    n = t.notices.c
    query = select(n.topic).order_by(n.last_at.desc(), n.topic).offset(KEPT - ROOM)
    # Rows that another worker has at hand are left: waiting for them could wait for ever.
    rows = connection.execute(query.with_for_update(skip_locked=True))
    for chunk in chunks([str(row[0]) for row in rows]):
        connection.execute(delete(t.notices).where(n.topic.in_(chunk)))


def _clean(text: str) -> str:
    """Text that every database takes: no NUL, no half characters from odd file names."""
    return text.encode("utf-8", "replace").decode().replace("\0", "?")
