"""People: who may sign in, how often they may try, and what they did.

Passwords are kept as bcrypt hashes. ``token_version`` is part of every cookie: moving it on ends
all sessions of a person, wherever their cookies have been copied to.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import bcrypt
from sqlalchemy import Connection, func, insert, select, update

from pipeline.errors import UsageError
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger
from pipeline.storage.sql import clock

#: What each may see is decided in one place: ``app/access.py``.
ROLES = ("supervisor", "fleet_manager", "admin")

MIN_PASSWORD = 10
#: bcrypt reads no more bytes than that.
MAX_PASSWORD_BYTES = 72

SECOND = 1_000_000
#: Failures are counted over so long, by user and address, and by address alone.
MEMORY_S = 15 * 60
#: A hash of the same cost as every other, of random bytes that nobody kept.
NOBODY = "$2b$12$Q7Sy5xuChAaUVrs2g83vM.9GcPOAIJFA8w4xVgrgtwFLBWi0s00pS"
FREE_TRIES = 3
FREE_TRIES_ADDRESS = 30
LONGEST_WAIT_S = 300


@dataclass(frozen=True)
class User:
    """A person. ``districts``: those they may see; empty means all."""

    username: str
    name: str
    role: str
    districts: tuple[str, ...]
    disabled: bool
    token_version: int
    password_hash: str = field(repr=False)


@dataclass(frozen=True)
class Attempt:
    """What came of a sign-in: the user, or how long to wait before the next try."""

    user: User | None = None
    wait_s: float = 0.0


def add_user(
    ledger: Ledger,
    username: str,
    name: str,
    role: str,
    password: str,
    districts: Iterable[str] = (),
    *,
    who: str = "command line",
) -> User:
    """Add a person. Raises UsageError for a taken name, an unknown role or a weak password."""
    username = username.strip().lower()
    check_new(ledger, username, role)
    hashed = _hash(username, password)
    with ledger.write() as connection:
        connection.execute(
            insert(t.users).values(
                username=username,
                name=name,
                password_hash=hashed,
                role=role,
                districts=json.dumps(sorted(districts)),
                disabled=False,
                token_version=1,
                created_at=clock(connection),
            )
        )
        audit(connection, who, "user added", username, {"role": role})
    return find(ledger, username)


def check_new(ledger: Ledger, username: str, role: str) -> None:
    """Raise UsageError unless a person of this name and role can be added."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9._@-]{1,63}", username.strip().lower()):
        raise UsageError(f"user name {username!r}: 2 to 64 of a-z, 0-9, dot, dash, _ and @")
    _check_role(role)
    if get(ledger, username) is not None:
        raise UsageError(f"user {username.strip().lower()} exists already")


def get(ledger: Ledger, username: str) -> User | None:
    """The person of that name, or None."""
    with ledger.read() as connection:
        query = select(t.users).where(t.users.c.username == username.strip().lower())
        row = connection.execute(query).first()
    return None if row is None else _user(row)


def find(ledger: Ledger, username: str) -> User:
    """The person of that name. Raises UsageError when there is none."""
    user = get(ledger, username)
    if user is None:
        raise UsageError(f"there is no user {username.strip().lower()}")
    return user


def list_users(ledger: Ledger) -> list[User]:
    """Everybody, by name."""
    with ledger.read() as connection:
        rows = connection.execute(select(t.users).order_by(t.users.c.username)).all()
    return [_user(row) for row in rows]


def set_password(
    ledger: Ledger, username: str, password: str, *, who: str = "command line"
) -> None:
    """Give a person another password; all their sessions end."""
    user = find(ledger, username)
    hashed = _hash(user.username, password)
    _change(ledger, user, who, "password set", {}, password_hash=hashed)


def set_role(ledger: Ledger, username: str, role: str, *, who: str = "command line") -> None:
    """Give a person another role; it counts from their next click on."""
    _check_role(role)
    user = find(ledger, username)
    detail = {"before": user.role, "after": role}
    _change(ledger, user, who, "role set", detail, ends_sessions=False, role=role)


def disable(ledger: Ledger, username: str, *, who: str = "command line") -> None:
    """Shut a person out; all their sessions end."""
    _change(ledger, find(ledger, username), who, "user disabled", {}, disabled=True)


def sign_out(ledger: Ledger, username: str) -> None:
    """End every session of a person, copies of the cookie included."""
    user = find(ledger, username)
    _change(ledger, user, user.username, "signed out", {})


def sign_in(ledger: Ledger, username: str, address: str, password: str) -> Attempt:
    """Check a password, at a pace that guessing cannot afford.

    Each failure beyond the first few doubles the wait for this user from this address; the wait is
    checked before the hash is. An unknown user costs as much time as a wrong password.
    """
    username = username.strip().lower()[:64]
    with ledger.read() as connection:
        wait = _wait(connection, username, address)
    if wait > 0:
        return Attempt(wait_s=wait)
    user = get(ledger, username)
    usable = user is not None and not user.disabled
    stored = user.password_hash if user is not None and usable else NOBODY
    matches = bcrypt.checkpw(password.encode()[:MAX_PASSWORD_BYTES], stored.encode())
    accepted = usable and matches
    with ledger.write() as connection:
        row = {"username": username, "address": address, "at": clock(connection), "ok": accepted}
        connection.execute(insert(t.sign_ins).values(**row))
        if accepted:
            audit(connection, username, "signed in", username, {"address": address})
    return Attempt(user=user if accepted else None)


def audit(
    connection: Connection,
    who: str,
    what: str,
    subject: str = "",
    detail: Mapping[str, object] | None = None,
) -> None:
    """Record who did what, in the transaction that does it."""
    row = {"who": who, "what": what, "subject": subject, "detail": json.dumps(dict(detail or {}))}
    connection.execute(insert(t.audit).values(at=clock(connection), **row))


def _change(
    ledger: Ledger,
    user: User,
    who: str,
    what: str,
    detail: Mapping[str, object],
    *,
    ends_sessions: bool = True,
    **values: object,
) -> None:
    if ends_sessions:
        values["token_version"] = t.users.c.token_version + 1
    with ledger.write() as connection:
        connection.execute(
            update(t.users).where(t.users.c.username == user.username).values(**values)
        )
        audit(connection, who, what, user.username, detail)


def _wait(connection: Connection, username: str, address: str) -> float:
    """Seconds until this user may try again from this address."""
    now, s = clock(connection), t.sign_ins.c
    recent = (s.address == address, s.at > now - MEMORY_S * SECOND)
    mine = (*recent, s.username == username)
    success = select(func.max(s.at)).where(*mine, s.ok.is_(True)).scalar_subquery()
    waits = [0.0]
    for conditions, free in (
        ((*mine, s.at > func.coalesce(success, 0)), FREE_TRIES),
        (recent, FREE_TRIES_ADDRESS),
    ):
        query = select(func.count(), func.max(s.at)).where(*conditions, s.ok.is_(False))
        row = connection.execute(query).one()
        failures, last = int(row[0]), int(row[1] or 0)
        if failures >= free:
            pause = min(2.0 ** min(failures - free + 1, 16), LONGEST_WAIT_S)
            waits.append(pause - (now - last) / SECOND)
    return max(waits)


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise UsageError(f"role {role!r} is none of {', '.join(ROLES)}")


def _hash(username: str, password: str) -> str:
    if len(password) < MIN_PASSWORD:
        raise UsageError(f"the password needs {MIN_PASSWORD} characters or more")
    if len(password.encode()) > MAX_PASSWORD_BYTES:
        raise UsageError(f"the password is longer than {MAX_PASSWORD_BYTES} bytes")
    if username in password.lower():
        raise UsageError("the password contains the user name")
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt()).decode()


def _user(row: object) -> User:
    values = dict(row._mapping)  # type: ignore[attr-defined]
    return User(
        username=values["username"],
        name=values["name"],
        role=values["role"],
        districts=tuple(json.loads(values["districts"])),
        disabled=bool(values["disabled"]),
        token_version=values["token_version"],
        password_hash=values["password_hash"],
    )
