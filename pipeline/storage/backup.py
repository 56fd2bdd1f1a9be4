"""Copies of the ledger: one SQLite file each, whatever database the ledger is in.

So a copy can be looked at with any tool, and brought back into either database. It is taken from
one snapshot while everything goes on, and appears under its name whole or not at all. It holds
what the ledger holds, hashes of passwords and names of operators among it: its mode is 600.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, delete, func, insert, select, text, update

from pipeline.errors import UsageError
from pipeline.settings import Settings
from pipeline.storage import claims
from pipeline.storage import tables as t
from pipeline.storage.ledger import UNCHECKED, Ledger, check_zones
from pipeline.storage.migrate import HEAD, upgrade
from pipeline.storage.requests import SILENT_US
from pipeline.storage.sql import clock, counter, upsert

#: What is true of running processes alone, and of none of them after a restore.
PASSING = (t.leases, t.workers)
#: Cookies of what came after the copy must not become valid again: tokens begin far beyond them.
BEYOND = 1_000
#: Rows that are copied at once.
PORTION = 5_000


class NoCopy(UsageError):
    """A file that is no copy of a ledger, or is not whole."""


@dataclass(frozen=True)
class Saved:
    """A copy: its size, the revision of its schema, and rows of the tables that people know."""

    file: Path
    bytes: int
    revision: str
    objects: int
    users: int

    def as_json(self) -> dict[str, Any]:
        """The object that ``backup --json`` prints."""
        return {**self.__dict__, "file": str(self.file)}


def save(ledger: Ledger, target: Path) -> Saved:
    """Copy the ledger to ``target``, in place of an older copy there.

    Raises UsageError when something else is there, or no file can be made there.
    """
    _check_target(ledger, target)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        if ledger.is_sqlite:
            _vacuum(ledger, temporary)
        else:
            with ledger.read() as source:
                _copy_out(source, temporary)
        saved = look(temporary)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.rename(target)
    except OSError as error:
        raise UsageError(f"{target}: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)
    return Saved(**{**saved.__dict__, "file": target})


def look(file: Path) -> Saved:
    """What a copy is. Raises NoCopy, and UsageError for one that a later Haulwatch made."""
    if not file.is_file():
        raise UsageError(f"{file}: there is no such file")
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as copy:
            (found,) = copy.execute("SELECT version_num FROM alembic_version").fetchone()
            (objects,) = copy.execute("SELECT count(*) FROM raw_objects").fetchone()
            (users,) = copy.execute("SELECT count(*) FROM users").fetchone()
            (sound,) = copy.execute("PRAGMA quick_check(1)").fetchone()
    except (sqlite3.DatabaseError, TypeError) as error:
        raise NoCopy(f"{file} is no copy of a ledger ({error})") from error
    if sound != "ok":
        raise NoCopy(f"{file} is damaged: {sound}")
    if found > HEAD:
        raise UsageError(f"{file} is of a later Haulwatch (schema {found}; this one has {HEAD})")
    return Saved(file, file.stat().st_size, found, objects, users)


def load(ledger: Ledger, settings: Settings, file: Path) -> None:
    """Replace what the ledger holds by what a copy holds, in one transaction.

    The copy may be of any earlier schema; it is not changed. Every sign-in ends, and the data
    version moves on, so that nothing that was cached is taken for what is there now. Until it has
    been compared with the lake, only those open it who are to do that. Raises
    SettingsError when a district of the copy was dated by another zone than the settings say.
    """
    settings.scratch.mkdir(parents=True, exist_ok=True)
    copy = settings.scratch / f"restore-{os.getpid()}.db"
    try:
        shutil.copyfile(file, copy)
        with _opened(copy) as source:
            upgrade(source)
            check_zones(source, settings)
            with source.read() as rows, ledger.write() as connection:
                _replace(rows, connection)
    finally:
        for suffix in ("", "-wal", "-shm"):
            copy.with_name(copy.name + suffix).unlink(missing_ok=True)


def _check_target(ledger: Ledger, target: Path) -> None:
    """Only a copy may be replaced: never a file that was meant for something else."""
    if ledger.is_sqlite and target.exists() and target.samefile(str(ledger.engine.url.database)):
        raise UsageError(f"{target} is the ledger itself; name another file")
    if target.is_dir():
        raise UsageError(f"{target} is a folder; name a file in it")
    if target.exists():
        try:
            look(target)
        except UsageError as error:
            raise UsageError(f"{error}; it is left as it is: name another file") from None


def _vacuum(ledger: Ledger, target: Path) -> None:
    """SQLite's own copy of a snapshot; whoever writes meanwhile goes on."""
    connection = ledger.engine.raw_connection()
    try:
        connection.cursor().execute("VACUUM INTO ?", (str(target),))
    finally:
        connection.close()


def _copy_out(source: Connection, target: Path) -> None:
    with _opened(target) as copy:
        upgrade(copy)
        with copy.write() as connection:
            for table in t.metadata.sorted_tables:
                _copy(source, connection, table)
    with closing(sqlite3.connect(target)) as plain:  # one file, without a journal beside it
        plain.execute("PRAGMA journal_mode=DELETE")


@contextmanager
def _opened(file: Path) -> Iterator[Ledger]:
    opened = Ledger(f"sqlite:///{file.absolute()}")
    try:
        yield opened
    finally:
        opened.close()


def _copy(source: Connection, target: Connection, table: Table) -> None:
    rows = source.execution_options(yield_per=PORTION).execute(select(table))
    for portion in rows.mappings().partitions(PORTION):
        target.execute(insert(table), [dict(row) for row in portion])


def _replace(source: Connection, target: Connection) -> None:
    newest = max(counter(source, "data"), counter(target, "data"))
    with _audit_open(target):
        for table in reversed(t.metadata.sorted_tables):
            target.execute(delete(table))
        for table in t.metadata.sorted_tables:
            if table not in PASSING:
                _copy(source, target, table)
                _count_on(target, table)
    tokens = t.users.c.token_version
    target.execute(update(t.users).values(token_version=tokens + BEYOND))
    moved = {"data": newest + 1, UNCHECKED: 1}
    upsert(target, t.counters, [{"name": name, "value": value} for name, value in moved.items()])


@contextmanager
def _audit_open(connection: Connection) -> Iterator[None]:
    """The one place where the audit is replaced. What was in it is in the copy made before."""
    if connection.dialect.name == "sqlite":
        query = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'"
        triggers = connection.execute(text(query)).all()
        for name, _ in triggers:
            connection.exec_driver_sql(f'DROP TRIGGER "{name}"')
        yield
        for _, statement in triggers:
            connection.exec_driver_sql(str(statement))
    else:
        connection.exec_driver_sql("ALTER TABLE audit DISABLE TRIGGER USER")
        yield
        connection.exec_driver_sql("ALTER TABLE audit ENABLE TRIGGER USER")


def _count_on(connection: Connection, table: Table) -> None:
    """PostgreSQL mints ids from a sequence, which knows nothing of rows that brought theirs."""
    minted = table.autoincrement_column
    if minted is None or connection.dialect.name == "sqlite":
        return
    highest = select(func.coalesce(func.max(minted), 0) + 1).scalar_subquery()
    sequence = func.pg_get_serial_sequence(table.name, minted.name)
    connection.execute(select(func.setval(sequence, highest, False)))


def alive(ledger: Ledger) -> list[str]:
    """Workers that gave a sign of life of late, and of this machine those that still run."""
    w = t.workers.c
    with ledger.read() as connection:
        seen = w.seen_at > clock(connection) - SILENT_US
        found = [str(row[0]) for row in connection.execute(select(w.id).where(seen))]
    return [name for name in found if not claims.is_dead(name)]


def is_empty(ledger: Ledger) -> bool:
    """True for a ledger in which nobody and nothing has been entered yet."""
    with ledger.read() as connection:
        holds = (t.raw_objects, t.users, t.audit, t.devices)
        return not any(connection.execute(select(table).limit(1)).first() for table in holds)
