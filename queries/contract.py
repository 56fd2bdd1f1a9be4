"""What ``haulwatch sql`` may see and do: the contract's views, in a locked sandbox."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb
from sqlalchemy import Connection, select

from pipeline.errors import UsageError
from pipeline.storage import tables as t
from pipeline.storage.records import DataFile
from pipeline.storage.visible import file_list, identifier, literal
from queries.ledger_frames import ledger_frame
from queries.scope import EVERYTHING

#: Ledger views: name → (the table it is made of, its columns).
LEDGER_VIEWS = {
    "raw_objects": (
        "raw_objects",
        "key, sha256, district, deviceid, hour, status, arrived_at, lines, accepted, duplicate, "
        "quarantined, blank, overlapped, flags, error, rules_version, id, expired",
    ),
    "data_files": (
        "data_files",
        "layer, dataset, path, hiveperiod, dstrct_code, rows, bytes, min_ts, max_ts, compacted, "
        "committed_at, id",
    ),
    "runs": ("runs", "id, kind, worker, started_at, ended_at, status, detail"),
    "devices": (
        "devices",
        "deviceid, unitno, unittype, dstrct_code, model, valid_from, valid_to",
    ),
    "case_reviews": (
        "case_reviews",
        "case_id, state, basis, action, note, fit_to_work, sleep_h, who, reviewed_at, id",
    ),
    "case_states": (
        "case_states",
        "case_id, state, basis, action, minted_at, opened_at, acknowledged_at, reviewed_at, "
        "reviews, withdrawn_at",
    ),
}

_EXPLAIN = re.compile(r"\s*EXPLAIN\s+(ANALYZE\s+)?(\([^)]*\)\s*)?", re.I)


def check(query: str) -> None:
    """Raise UsageError unless the text is one statement that only reads."""
    try:
        statements = duckdb.extract_statements(query)
    except duckdb.Error as error:
        raise UsageError(str(error).strip().splitlines()[0]) from error
    if len(statements) != 1:
        raise UsageError(f"one SELECT at a time, not {len(statements)} statements")
    kind = statements[0].type
    if kind == duckdb.StatementType.EXPLAIN:  # what it explains, ANALYZE even runs
        check(_EXPLAIN.sub("", query, count=1))
    elif kind != duckdb.StatementType.SELECT:
        raise UsageError("only SELECT: nothing can be changed here")


def mentioned(query: str, names: Iterable[str]) -> list[str]:
    """Names that occur in the text; all of them when none does (SHOW TABLES, for one)."""
    names = list(names)
    words = set(re.findall(r"\w+", query.lower()))
    return [name for name in names if name in words] or names


def define_ledger_views(
    connection: duckdb.DuckDBPyConnection, ledger: Connection, names: Iterable[str]
) -> None:
    """Copy the ledger tables behind the views asked for, as they are at this moment."""
    for name in set(names) & set(LEDGER_VIEWS):
        table, columns = LEDGER_VIEWS[name]
        source = identifier(f"_ledger_{table}")
        frame = ledger_frame(ledger, table, EVERYTHING).to_arrow()
        connection.register("_incoming", frame)
        connection.execute(f"CREATE TEMP TABLE {source} AS SELECT * FROM _incoming")
        connection.unregister("_incoming")
        connection.execute(f"CREATE TEMP VIEW {identifier(name)} AS SELECT {columns} FROM {source}")


def quarantine_sql(ledger: Connection, root: Path, files: Sequence[DataFile]) -> str:
    """SELECT over the bad lines of live objects: key, line, reason, their bytes in hexadecimal."""
    if not files:
        return (
            "SELECT NULL::VARCHAR AS key, NULL::INTEGER AS line, NULL::VARCHAR AS reason, "
            "NULL::VARCHAR AS bytes_hex WHERE false"
        )
    o = t.raw_objects.c
    replaced = select(o.id).where(o.dead_at.is_not(None), o.quarantined > 0)
    dead = ", ".join(str(row.id) for row in ledger.execute(replaced))
    return (
        "SELECT key, line, reason, lower(hex(bytes)) AS bytes_hex "
        f"FROM read_parquet({file_list(root, files)})"
    ) + (f" WHERE _src NOT IN ({dead})" if dead else "")


def lock(connection: duckdb.DuckDBPyConnection, paths: Iterable[str]) -> None:
    """Shut the sandbox: these files may be read, nothing else; no setting can change any more."""
    listed = ", ".join(literal(path) for path in paths)
    for statement in (
        f"SET allowed_paths = [{listed}]",
        "SET python_enable_replacements = false",
        "SET enable_external_access = false",
        "SET lock_configuration = true",
    ):
        connection.execute(statement)
