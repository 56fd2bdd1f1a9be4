"""The ledger: one database that says what exists, what is visible, and who did what.

SQLite by default (WAL; every writing transaction is ``BEGIN IMMEDIATE``, for a deferred one that
upgrades fails at once when another writes), PostgreSQL by URL. Its own modules hold the verbs:
``claims`` (who works on what), ``manifest`` (what is visible), ``people`` (users, audit).
"""

from __future__ import annotations

import json
import os
import re
import socket
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    create_engine,
    delete,
    event,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from pipeline.errors import SettingsError
from pipeline.settings import Settings, ready_home
from pipeline.storage import tables as t
from pipeline.storage.sql import clock, counter, insert_or_skip, take_turns

#: Milliseconds that a SQLite writer waits for its turn.
BUSY_MS = 30_000
#: Seconds until it tries again where SQLite does not wait by itself.
AGAIN_S = 0.02

#: Seconds that a PostgreSQL statement waits for a lock.
LOCK_S = 30.0
#: Seconds that a writing transaction may do nothing. Fewer than LOCK_S: whoever waits for the locks
#: of a worker that is gone gets them before it gives up.
IDLE_S = 20.0

#: libpq's own patience, in seconds (but one in ms): a server that is gone without a word is noticed
#: within a minute. What the URL says of these counts more.
_PATIENCE = {
    "connect_timeout": 10,
    "keepalives_idle": 20,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 50_000,
    "application_name": "haulwatch",
}

#: The server refuses what we must do: insufficient privilege, a read-only database.
_REFUSED = frozenset({"42501", "25006"})


def worker_name() -> str:
    """A name no other process has, readable in a list: host, process id, a few random digits."""
    digits = uuid.uuid4().hex[:6]
    return f"{this_host()}{os.getpid()}-{digits}{pid_space()}"


def this_host() -> str:
    """How the names of this host's workers begin."""
    return f"{socket.gethostname()}-"


def pid_space() -> str:
    """A mark of the space in which our process ids count, or nothing where there is but one.

    Containers may share a host's name, and each of them has its own process 7.
    """
    try:
        return f".{os.stat('/proc/self/ns/pid').st_ino & 0xFFFF_FFFF:x}"
    except OSError:
        return ""


class Ledger:
    """The database and its two kinds of transaction. Cheap to make; safe to share by threads."""

    def __init__(self, url: str) -> None:
        try:
            self.engine = _engine(url)
        except ModuleNotFoundError as error:
            hint = f"needs the package {error.name}: pip install 'haulwatch[postgres]'"
            raise SettingsError("HAULWATCH_LEDGER", hint) from error
        except (ArgumentError, ImportError, ValueError) as error:
            masked = re.sub(r"(//[^:/@]*:).*@", r"\1***@", url)
            raise SettingsError("HAULWATCH_LEDGER", f"{masked!r}: {error}") from error

    @property
    def is_sqlite(self) -> bool:
        """True on the default, file-based ledger."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent snapshot; nothing written is kept."""
        with self.engine.connect() as connection:
            connection.execution_options(haulwatch_read=True)
            if not self.is_sqlite:
                connection.execute(
                    text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                )
            try:
                yield connection
            finally:
                connection.rollback()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One writing transaction: committed at the end, rolled back on any exception."""
        with self.engine.connect() as connection, connection.begin():
            if not self.is_sqlite:
                # A worker that hangs in the middle must not hold its locks for ever. Set here, not
                # at the connect: a snapshot may be read for long, and poolers drop such options.
                connection.execute(_LIMIT, {"lock": f"{LOCK_S}s", "idle": f"{IDLE_S}s"})
            yield connection

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()


_LIMIT = text(
    "SELECT set_config('lock_timeout', :lock, true),"
    " set_config('idle_in_transaction_session_timeout', :idle, true)"
)


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    backend = parsed.drivername.partition("+")[0]
    if backend in ("postgresql", "postgres"):
        if "@" in (parsed.host or ""):
            raise ValueError("an @ in the password is written %40")
        patience = {name: value for name, value in _PATIENCE.items() if name not in parsed.query}
        return create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            pool_pre_ping=True,
            hide_parameters=True,  # errors are logged: no hashes, no thousand keys
            isolation_level="READ COMMITTED",  # whatever the server's default: see ``step``
            connect_args=patience,
        )
    if backend != "sqlite":
        raise ValueError("a ledger is sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE")
    waits = {"timeout": BUSY_MS / 1000}
    engine = create_engine(parsed, hide_parameters=True, connect_args=waits)

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        # We begin transactions ourselves: the driver would begin deferred ones.
        connection.isolation_level = None
        _write_ahead(connection)
        for pragma in ("synchronous=FULL", "foreign_keys=ON", f"busy_timeout={BUSY_MS}"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        reading = connection.get_execution_options().get("haulwatch_read")
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Change a new file's mode to WAL; of several that open it at once each waits for its turn.

    SQLite itself waits for readers here, but gives up at once while somebody begins to write.
    """
    until = time.monotonic() + BUSY_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
        time.sleep(AGAIN_S)


#: Detail of a run that was ended from outside.
STOPPED = json.dumps({"error": "stopped"})

#: Counter that stands at 1 from the moment a copy is loaded until it agrees with the lake.
UNCHECKED = "unchecked"


def open_ledger(
    settings: Settings, *, rezone: str | None = None, unchecked: bool = False
) -> Ledger:
    """The ledger that the settings name, its schema brought up to date.

    ``rezone`` names the one district that is worked on, whose zone may change: of several, each is
    changed by itself.
    ``unchecked``: also one that was brought back and not yet compared with the lake.

    Raises HomeError when the home cannot be used and SettingsError when the URL leads nowhere, a
    district's zone is not the one its files were dated by, or a restore broke off.
    """
    ready_home(settings)
    ledger = Ledger(settings.ledger_url)
    try:
        from pipeline.storage.migrate import upgrade

        upgrade(ledger)
        if rezone is None:  # that one may change, and no other is touched meanwhile
            check_zones(ledger, settings)
        if not unchecked:
            _check_compared(ledger)
    except DBAPIError as error:
        ledger.close()
        if _is_damaged(error):
            raise SettingsError(
                "HAULWATCH_LEDGER",
                f"{ledger.engine.url.database} is damaged ({_reason(error)}); make it anew with:"
                " haulwatch rebuild-ledger",
            ) from error
        refused = getattr(error.orig, "sqlstate", None) in _REFUSED
        if not refused and not isinstance(error, OperationalError):
            raise
        masked = ledger.engine.url.render_as_string(hide_password=True)
        raise SettingsError("HAULWATCH_LEDGER", f"{masked}: {_reason(error)}") from error
    return ledger


def _check_compared(ledger: Ledger) -> None:
    with ledger.read() as connection:
        if counter(connection, UNCHECKED):
            raise SettingsError(
                "HAULWATCH_LEDGER",
                "it was brought back from a copy and not yet compared with the lake; do that with:"
                " haulwatch rebuild-ledger",
            )


def _is_damaged(error: DBAPIError) -> bool:
    """What SQLite says of a file that it cannot make sense of."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    return code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)


def _reason(error: DBAPIError) -> str:
    """One line. With several addresses the driver's first line only says that there were some."""
    lines = [line.strip() for line in str(error.orig).splitlines() if line.strip()]
    return lines[-1] if lines[0].startswith("Multiple") else lines[0]


def check_zones(ledger: Ledger, settings: Settings) -> None:
    """Raise SettingsError when a district's zone is not the one its files were dated by."""
    with ledger.read() as connection:
        for row in connection.execute(select(t.zones.c.district, t.zones.c.zone)):
            district, zone = str(row[0]), str(row[1])
            if settings.zone_of(district) != zone:
                variable = "HAULWATCH_ZONES" if district in settings.zones else "HAULWATCH_ZONE"
                raise SettingsError(
                    variable,
                    f"district {district} was dated by {zone}, not {settings.zone_of(district)}; "
                    f"set it back, or change it with: haulwatch reingest --district {district}",
                )


def record_zone(connection: Connection, district: str, zone: str) -> None:
    """Remember the zone by which a district's files are dated, at its first use."""
    insert_or_skip(connection, t.zones, [{"district": district, "zone": zone}])


def extra_fields(connection: Connection) -> dict[str, str]:
    """Fields outside the dictionary: name → DOUBLE or VARCHAR, in the order they were met."""
    query = select(t.fields.c.name, t.fields.c.type).order_by(t.fields.c.id)
    return {str(name): str(kind) for name, kind in connection.execute(query)}


def room_for_fields(connection: Connection, most_a_day: int) -> int:
    """How many more unknown fields can become columns within the 24 hours."""
    recent = select(func.count()).where(t.fields.c.seen_at > clock(connection) - 86_400_000_000)
    return max(0, most_a_day - int(connection.execute(recent).scalar_one()))


#: PostgreSQL's advisory lock of whoever adds fields: any number that nobody else uses.
_FIELDS_LOCK = 7_428_512


def record_fields(ledger: Ledger, met: Mapping[str, tuple[str, str]], most_a_day: int) -> list[str]:
    """Give fields outside the dictionary a column, before any file holds them.

    ``met``: name → (DOUBLE or VARCHAR, key that brought it). Returns the names that are new; what
    is over the day's limit gets no column and stays in ``_rescued``. Of several workers that meet
    a field at once, one records it.
    """
    with ledger.write() as connection:
        take_turns(connection, _FIELDS_LOCK)
        now = clock(connection)
        f = t.fields.c
        known = {str(row[0]) for row in connection.execute(select(f.folded))}
        room = room_for_fields(connection, most_a_day)
        spelt: dict[str, str] = {}
        for name in met:
            spelt.setdefault(name.casefold(), name)  # the first spelling counts
        fresh = [name for folded, name in spelt.items() if folded not in known][:room]
        rows = [
            {
                "name": name,
                "folded": name.casefold(),
                "type": met[name][0],
                "first_key": met[name][1],
                "seen_at": now,
            }
            for name in fresh
        ]
        if rows:
            connection.execute(insert(t.fields), rows)
    return fresh


def end_runs(ledger: Ledger, worker: str) -> None:
    """Say of runs whose process was ended that they were: it could not say so itself."""
    r = t.runs.c
    with ledger.write() as connection:
        ended = {"status": "failed", "ended_at": clock(connection), "detail": STOPPED}
        mine = (r.worker == worker, r.status == "running")
        connection.execute(update(t.runs).where(*mine).values(**ended))


@contextmanager
def run(
    ledger: Ledger, kind: str, worker: str, *, worth: Callable[[dict[str, Any]], bool] | None = None
) -> Iterator[dict[str, Any]]:
    """Record one piece of work; what the caller puts into the yielded dict is kept with it.

    With ``worth`` a run that ends well is forgotten unless it says True: a poll that found nothing
    is no news.
    """
    with ledger.write() as connection:
        row = {"kind": kind, "worker": worker, "started_at": clock(connection), "status": "running"}
        number = connection.execute(insert(t.runs).values(**row)).inserted_primary_key
    run_id = int(number[0]) if number else 0
    detail: dict[str, Any] = {}
    status = "failed"
    try:
        yield detail
        status = "failed" if detail.get("error") else "ok"
    except BaseException as error:
        detail["error"] = f"{type(error).__name__}: {error}"
        raise
    finally:
        with ledger.write() as connection:
            if status == "ok" and worth is not None and not worth(detail):
                connection.execute(delete(t.runs).where(t.runs.c.id == run_id))
            else:
                connection.execute(
                    update(t.runs)
                    .where(t.runs.c.id == run_id)
                    .values(status=status, ended_at=clock(connection), detail=json.dumps(detail))
                )


def data_version(ledger: Ledger) -> int:
    """Version of everything visible; changes with every commit that a reader could notice."""
    with ledger.read() as connection:
        return counter(connection, "data")
