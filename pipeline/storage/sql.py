"""What SQL alone does not say alike on SQLite and PostgreSQL, and its small change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, bindparam, func, select, text
from sqlalchemy.dialects import postgresql, sqlite

from pipeline.storage import tables as t

T = TypeVar("T")

#: Values that one statement may name. PostgreSQL takes 65,535 parameters, SQLite 32,766.
CHUNK = 1_000


def insert_or_skip(connection: Connection, table: Any, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows; those whose key is there already are left as they are."""
    if rows:
        statement = insert_into(connection, table).on_conflict_do_nothing()
        connection.execute(statement, _in_order(table, rows))


def upsert(
    connection: Connection,
    table: Any,
    rows: Sequence[dict[str, Any]],
    only: Callable[[Any], Any] | None = None,
) -> None:
    """Insert rows; one whose primary key is there already takes the new values.

    ``only`` makes a condition of the values that were to be inserted: a row that is there and does
    not meet it stays.
    """
    if not rows:
        return
    statement = insert_into(connection, table)
    keys = [column.name for column in table.primary_key]
    values = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    condition = only(statement.excluded) if only else None
    statement = statement.on_conflict_do_update(index_elements=keys, set_=values, where=condition)
    connection.execute(statement, _in_order(table, rows))


def insert_into(connection: Connection, table: Any) -> Any:
    """An insert that knows ``on_conflict_do_update`` and ``on_conflict_do_nothing``."""
    return (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(table)


def _in_order(table: Any, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows by key: two transactions then never wait for each other in a circle."""
    keys = [column.name for column in table.primary_key if column.name in rows[0]]
    return sorted(rows, key=lambda row: [str(row[key]) for key in keys])


def take_turns(connection: Connection, lock: int) -> None:
    """From here to the end of the transaction no other one is past this point.

    What is read afterwards is what the one before left. On SQLite writers are alone anyway.
    """
    if connection.dialect.name != "sqlite":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": lock})


def clock(connection: Connection) -> int:
    """The database's own time in microseconds: leases of all machines are measured by it."""
    if connection.dialect.name == "sqlite":
        # unixepoch('subsec') needs SQLite 3.42; Debian 12 has 3.40
        query = "SELECT CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)"
    else:
        query = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)"
    return int(connection.execute(text(query)).scalar_one())


#: Put together once: it is asked for with every question.
_COUNTER = select(t.counters.c.value).where(t.counters.c.name == bindparam("name"))


def counter(connection: Connection, name: str) -> int:
    """Present value of a named counter; 0 before its first step."""
    return int(connection.execute(_COUNTER, {"name": name}).scalar_one_or_none() or 0)


def step(connection: Connection, name: str) -> int:
    """Move a counter on by one and return its new value. Orders all commits that move it.

    The row stays locked to the end of the transaction, and (being READ COMMITTED) what is read
    after this is what the commit before it left.
    """
    value = t.counters.c.value
    statement = insert_into(connection, t.counters).values(name=name, value=1)
    statement = statement.on_conflict_do_update(index_elements=["name"], set_={"value": value + 1})
    return int(connection.execute(statement.returning(value)).scalar_one())


def count_by(connection: Connection, column: Any, *where: Any) -> dict[str, int]:
    """Rows of a table by one of its columns."""
    query = select(column, func.count()).where(*where).group_by(column)
    return {str(row[0]): int(row[1]) for row in connection.execute(query)}


def chunks(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """The values in portions that one statement can name."""
    return (values[start : start + CHUNK] for start in range(0, len(values), CHUNK))
