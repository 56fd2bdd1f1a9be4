"""Signing in at a pace that guessing cannot afford, and that keeps nobody else out.

Every try is written down as a failure before its password is looked at, so tries at the same time
count too; one that turns out right is corrected. Counted over ``MEMORY_S``:

- a user from one address: after ``FREE_TRIES`` failures each doubles the wait;
- an address, whoever is tried: the same after ``FREE_TRIES_ADDRESS``, except for users who have
  signed in from there within ``KNOWN_S``: a neighbour's guesses do not lock them out;
- a user from anywhere: after ``FREE_TRIES_USER`` the answer comes later, by ``LONGEST_DELAY_S`` at
  most, and never to an address from which they have signed in. It always comes.

The waits are looked up before the hash is computed, for names that exist and for those that do not.
"""

from __future__ import annotations

import ipaddress
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import bcrypt
from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, or_, select, update

from pipeline.storage import people
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger
from pipeline.storage.people import User
from pipeline.storage.sql import clock, take_turns

SECOND = 1_000_000
MEMORY_S = 15 * 60
KNOWN_S = 30 * 86_400
#: Failures are kept for so long: to be looked at, not counted.
KEPT_S = 86_400

FREE_TRIES, FREE_TRIES_ADDRESS, FREE_TRIES_USER = 3, 30, 10
LONGEST_WAIT_S, LONGEST_DELAY_S = 300.0, 4.0

#: A hash of the same cost as every other, of random bytes that nobody kept.
NOBODY = "$2b$12$Q7Sy5xuChAaUVrs2g83vM.9GcPOAIJFA8w4xVgrgtwFLBWi0s00pS"
#: PostgreSQL's advisory lock of whoever writes a try down: any number that nobody else uses.
_LOCK = 7_428_514
#: Hashes at a time: the other cores are for the pages.
_hashing = threading.BoundedSemaphore(max(1, (os.cpu_count() or 1) // 2))


@dataclass(frozen=True)
class Attempt:
    """What came of a sign-in: the user, or how long to wait before the next try."""

    user: User | None = None
    wait_s: float = 0.0


@dataclass(frozen=True)
class Pace:
    """What a try has to bear: come again after ``wait_s``, or an answer ``delay_s`` later."""

    wait_s: float = 0.0
    delay_s: float = 0.0


def sign_in(
    ledger: Ledger,
    username: str,
    address: str,
    password: str,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> Attempt:
    """Check a password from an address. An unknown user costs as much time as a wrong password."""
    username, address = username.strip().lower()[:64], network(address)
    with ledger.read() as connection:  # most tries of a flood end here, and write nothing
        pace = _pace(connection, username, address)
    if not pace.wait_s:
        with ledger.write() as connection:
            take_turns(connection, _LOCK)
            pace = _pace(connection, username, address)
            number = 0 if pace.wait_s else _record(connection, username, address)
    if pace.wait_s:
        return Attempt(wait_s=pace.wait_s)
    if pace.delay_s:
        sleep(pace.delay_s)
    user = people.get(ledger, username)
    stored = user.password_hash if user is not None and not user.disabled else NOBODY
    with _hashing:
        matches = bcrypt.checkpw(password.encode()[: people.MAX_PASSWORD_BYTES], stored.encode())
    if user is None or user.disabled or not matches:
        return Attempt()
    with ledger.write() as connection:
        connection.execute(update(t.sign_ins).where(t.sign_ins.c.id == number).values(ok=True))
        people.audit(connection, username, "signed in", username, {"address": address})
    return Attempt(user=user)


def network(address: str) -> str:
    """What an address is counted by: itself, or the /64 of IPv6, which one customer has whole."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found.packed[:8] + bytes(8), 64)))


def prune(ledger: Ledger) -> int:
    """Forget tries that count no more; returns how many."""
    with ledger.write() as connection:
        now, s = clock(connection), t.sign_ins.c
        old = or_(
            and_(s.ok.is_(False), s.at < now - KEPT_S * SECOND), s.at < now - KNOWN_S * SECOND
        )
        return connection.execute(delete(t.sign_ins).where(old)).rowcount


def _record(connection: Connection, username: str, address: str) -> int:
    """Write the try down, a failure until it is proven right; its id."""
    row = {"username": username, "address": address, "at": clock(connection), "ok": False}
    key = connection.execute(insert(t.sign_ins).values(**row)).inserted_primary_key
    return int(key[0]) if key else 0


def _pace(connection: Connection, username: str, address: str) -> Pace:
    now, s = clock(connection), t.sign_ins.c
    mine = and_(s.username == username, s.address == address)
    success: int | None = connection.execute(
        select(func.max(s.at)).where(mine, s.ok.is_(True), s.at > now - KNOWN_S * SECOND)
    ).scalar_one()
    since = max(now - MEMORY_S * SECOND, success or 0)
    waits = [_wait(*_failures(connection, mine, since), FREE_TRIES, now)]
    if success is not None:
        return Pace(wait_s=max(waits))
    since = now - MEMORY_S * SECOND
    waits.append(
        _wait(*_failures(connection, s.address == address, since), FREE_TRIES_ADDRESS, now)
    )
    everywhere, _ = _failures(connection, s.username == username, since)
    over = everywhere - FREE_TRIES_USER
    return Pace(max(waits), 0.0 if over < 0 else min(2.0 ** min(over - 2, 8), LONGEST_DELAY_S))


def _failures(connection: Connection, whose: ColumnElement[bool], since: int) -> tuple[int, int]:
    """How many failures there were, and when the last was."""
    s = t.sign_ins.c
    query = select(func.count(), func.max(s.at)).where(whose, s.ok.is_(False), s.at > since)
    row = connection.execute(query).one()
    return int(row[0]), int(row[1] or 0)


def _wait(failures: int, last: int, free: int, now: int) -> float:
    """Seconds until the next try is looked at."""
    if failures < free:
        return 0.0
    pause = min(2.0 ** min(failures - free + 1, 16), LONGEST_WAIT_S)
    return max(0.0, pause - (now - last) / SECOND)
