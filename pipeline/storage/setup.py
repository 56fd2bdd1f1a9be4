"""The first administrator by a link: for a home without users, used once, and not for long."""

from __future__ import annotations

import hashlib
import secrets

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from pipeline.errors import UsageError
from pipeline.storage import people
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger
from pipeline.storage.people import User
from pipeline.storage.sql import clock

#: A link is good for so long.
VALID_S = 3_600
TOKEN_BYTES = 32
GONE = "this set-up link has been used or has expired"


def link_token(ledger: Ledger) -> str | None:
    """A new token, which ends every other; None where there are users. Only its hash is kept."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    with ledger.write() as connection:
        if _users(connection):
            return None
        connection.execute(delete(t.setup_links))
        expires = clock(connection) + VALID_S * 1_000_000
        row = {"token_hash": _hash(token), "expires_at": expires}
        connection.execute(insert(t.setup_links).values(**row))
    return token


def is_open(ledger: Ledger, token: str) -> bool:
    """Whether the token would make the first administrator now."""
    with ledger.read() as connection:
        query = select(func.count()).select_from(t.setup_links).where(_good(connection, token))
        return bool(connection.execute(query).scalar_one()) and not _users(connection)


def use(ledger: Ledger, token: str, username: str, password: str) -> User:
    """Make the first administrator and end the link.

    Raises UsageError for a link that is no good (any more), a name or a password that cannot be.
    """
    role = people.ROLES[-1]
    username = people.check_new(ledger, username, role)
    hashed = people.hashed(username, password)
    with ledger.write() as connection:
        taken = connection.execute(
            update(t.setup_links).where(_good(connection, token)).values(used_at=clock(connection))
        )
        if taken.rowcount != 1 or _users(connection):
            raise UsageError(GONE)
        people.insert_user(connection, username, username, role, hashed, (), who="set-up link")
    return people.find(ledger, username)


def _good(connection: Connection, token: str) -> ColumnElement[bool]:
    s = t.setup_links.c
    fresh = s.used_at.is_(None) & (s.expires_at > clock(connection))
    return (s.token_hash == _hash(token)) & fresh


def _users(connection: Connection) -> int:
    return int(connection.execute(select(func.count()).select_from(t.users)).scalar_one())


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
