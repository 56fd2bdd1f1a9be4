"""Bring the ledger's schema up to date with Alembic, without an ini file and only when needed."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from pipeline.errors import UsageError
from pipeline.storage.ledger import LOCK_S, Ledger
from pipeline.storage.sql import take_turns

#: Name of the newest revision; a test holds it against the files in ``migrations/versions``.
HEAD = "0013"

#: PostgreSQL's advisory lock of whoever migrates: any number that nobody else uses.
LOCK = 7_428_511


def revision(connection: Connection) -> str | None:
    """Revision of a ledger's schema; None where there is none yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def upgrade(ledger: Ledger, target: str = "head") -> None:
    """Create or upgrade the schema in one transaction; processes that start together take turns.

    Raises UsageError when the schema is of a newer version than this one.
    """
    if target == "head":
        with ledger.read() as connection:
            found = revision(connection)
        if found == HEAD:
            return
        if found and found > HEAD:
            raise UsageError(
                f"the ledger is of a newer version ({found}, this one knows {HEAD}): run that, or"
                " restore the ledger that was saved before the upgrade"
            )
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with ledger.write() as connection:
        if not ledger.is_sqlite:  # whoever is at it may have a long history to go through
            connection.execute(text("SET LOCAL lock_timeout = '15min'"))
            take_turns(connection, LOCK)
            connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_S}s'"))
        if target == "head" and revision(connection) == HEAD:
            return
        config.attributes["connection"] = connection
        command.upgrade(config, target)
