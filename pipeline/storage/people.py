"""People: who may sign in, and what they did.

Passwords are kept as bcrypt hashes. ``token_version`` is part of every cookie: moving it on ends
all sessions of a person, wherever their cookies have been copied to.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import bcrypt
from sqlalchemy import Connection, bindparam, insert, select, update

from pipeline.errors import UsageError
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger
from pipeline.storage.sql import clock

#: What each may see is decided in one place: ``app/access.py``.
ROLES = ("supervisor", "fleet_manager", "admin")

MIN_PASSWORD = 10
#: bcrypt reads no more bytes than that.
MAX_PASSWORD_BYTES = 72

#: What a password must not be, nor begin with: the tries that come first.
COMMON = (
    *("password", "passw0rd", "p@ssw0rd", "1234567890", "0123456789", "qwertyuiop", "qwerty"),
    *("administrator", "welcome", "letmein", "iloveyou", "haulwatch", "rahasia", "bismillah"),
    *("indonesia", "sayang"),
)
#: A password of fewer different characters is a pattern.
DIFFERENT = 5


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
    username = check_new(ledger, username, role)
    secret = hashed(username, password)
    with ledger.write() as connection:
        insert_user(connection, username, name, role, secret, districts, who=who)
    return find(ledger, username)


def insert_user(
    connection: Connection,
    username: str,
    name: str,
    role: str,
    password_hash: str,
    districts: Iterable[str],
    *,
    who: str,
) -> None:
    """Add a person who has been checked, audited."""
    names = sorted(districts)
    connection.execute(
        insert(t.users).values(
            username=username,
            name=name,
            password_hash=password_hash,
            role=role,
            districts=json.dumps(names),
            disabled=False,
            token_version=1,
            created_at=clock(connection),
        )
    )
    after = {"role": role, "districts": names}
    audit(connection, who, "user added", username, {"before": None, "after": after})


def check_new(ledger: Ledger, username: str, role: str) -> str:
    """The user name as it is kept. Raises UsageError unless such a person can be added."""
    username = username.strip().lower()
    if not re.fullmatch(r"[a-z0-9][a-z0-9._@-]{1,63}", username):
        raise UsageError(f"user name {username!r}: 2 to 64 of a-z, 0-9, dot, dash, _ and @")
    _check_role(role)
    if get(ledger, username) is not None:
        raise UsageError(f"user {username} exists already")
    return username


#: Every question of every page asks it, so it is put together once.
_BY_NAME = select(t.users).where(t.users.c.username == bindparam("name"))


def get(ledger: Ledger, username: str) -> User | None:
    """The person of that name, or None."""
    with ledger.read() as connection:
        row = connection.execute(_BY_NAME, {"name": username.strip().lower()}).first()
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
    secret = hashed(user.username, password)
    _change(ledger, user, who, "password set", {}, password_hash=secret)


def set_role(ledger: Ledger, username: str, role: str, *, who: str = "command line") -> None:
    """Give a person another role; it counts from their next click on."""
    _check_role(role)
    user = find(ledger, username)
    detail = {"before": user.role, "after": role}
    _change(ledger, user, who, "role set", detail, ends_sessions=False, role=role)


def set_districts(
    ledger: Ledger, username: str, districts: Iterable[str], *, who: str = "command line"
) -> None:
    """Bind a person to districts (none: all); it counts from their next click on."""
    user, names = find(ledger, username), sorted({name.strip() for name in districts} - {""})
    detail = {"before": list(user.districts), "after": names}
    kept = json.dumps(names)
    _change(ledger, user, who, "districts set", detail, ends_sessions=False, districts=kept)


def disable(ledger: Ledger, username: str, *, who: str = "command line") -> None:
    """Shut a person out; all their sessions end."""
    user = find(ledger, username)
    detail = {"before": _state(user.disabled), "after": _state(disabled=True)}
    _change(ledger, user, who, "user disabled", detail, disabled=True)


def enable(ledger: Ledger, username: str, *, who: str = "command line") -> None:
    """Let a person in again who was shut out, with the password they had."""
    user = find(ledger, username)
    detail = {"before": _state(user.disabled), "after": _state(disabled=False)}
    _change(ledger, user, who, "user enabled", detail, disabled=False)


def _state(disabled: bool) -> str:
    return "disabled" if disabled else "enabled"


def sign_out(ledger: Ledger, username: str) -> None:
    """End every session of a person, copies of the cookie included."""
    user = find(ledger, username)
    _change(ledger, user, user.username, "signed out", {})


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


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise UsageError(f"role {role!r} is none of {', '.join(ROLES)}")


def hashed(username: str, password: str) -> str:
    """The hash that is kept of a password. Raises UsageError for a weak one."""
    folded = password.lower()
    if len(password) < MIN_PASSWORD:
        raise UsageError(f"the password needs {MIN_PASSWORD} characters or more")
    if len(password.encode()) > MAX_PASSWORD_BYTES:
        raise UsageError(f"the password is longer than {MAX_PASSWORD_BYTES} bytes")
    if username in folded:
        raise UsageError("the password contains the user name")
    if len(set(folded)) < DIFFERENT:
        raise UsageError(f"the password needs {DIFFERENT} different characters or more")
    if folded.startswith(COMMON):
        raise UsageError("the password begins with a word that is tried first; take another")
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
