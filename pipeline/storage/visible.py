"""SQL over exactly the visible rows: explicit file lists from the manifest, never a glob.

The schema is given by Parquet field ids (``schema=MAP{…}``): DuckDB then fills absent columns and
casts without opening every file first. It excludes ``hive_partitioning``, which is why the two
partition columns are stored in the files too.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from sqlalchemy import Connection

from pipeline import fields
from pipeline.storage import manifest
from pipeline.storage.ledger import extra_fields
from pipeline.storage.records import DataFile, Hidden

#: Columns by which rows are found or left out: there whatever a query asks for.
KEYS = ("ts", "unitno", "deviceid", "_src", "hiveperiod", "dstrct_code")


#: How the names of a mart's files end whose columns are numbered (``field_id``).
NUMBERED = ".n.parquet"


def literal(text: str) -> str:
    """A DuckDB string literal."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A DuckDB identifier, quoted."""
    return '"' + name.replace('"', '""') + '"'


def file_list(root: Path, files: Sequence[DataFile]) -> str:
    """DuckDB list of the files' absolute paths."""
    return "[" + ", ".join(literal(str(root / file.path)) for file in files) + "]"


def telemetry_sql(
    connection: Connection,
    root: Path,
    files: Sequence[DataFile],
    columns: Collection[str] | None = None,
) -> str:
    """SELECT over the visible rows of ``clean`` in some files, with every known column.

    ``connection`` must be the one that named the files: what to leave out belongs to them. With
    ``columns`` only those and the ``KEYS``: binding a schema of 185 columns takes DuckDB longer
    than to read a few of them.
    """
    schema = ", ".join(
        f"{number}: {{name: {literal(name)}, type: {literal(kind)}, default_value: NULL}}"
        for number, name, kind in _columns(extra_fields(connection), columns)
    )

    def scan(some: Sequence[DataFile]) -> str:
        return f"SELECT * FROM read_parquet({file_list(root, some)}, schema=MAP {{{schema}}})"

    return telemetry_over(connection, files, scan, columns)


def telemetry_over(
    connection: Connection,
    files: Sequence[DataFile],
    scan: Callable[[Sequence[DataFile]], str],
    columns: Collection[str] | None = None,
) -> str:
    """The same, for whoever has a way of his own to ``scan`` all rows of some files."""
    if not files:
        return no_telemetry_sql(extra_fields(connection), columns)
    mixed = [file for file in files if file.hidden]
    plain = [file for file in files if not file.hidden]
    parts = [scan(plain)] if plain else []
    if mixed:
        parts.append(f"{scan(mixed)} AS seen WHERE {_seen(manifest.hidden(connection, mixed))}")
    return " UNION ALL ".join(parts)


def no_telemetry_sql(extra: dict[str, str], columns: Collection[str] | None = None) -> str:
    """The same columns without a row; ``extra`` are the fields outside the dictionary."""
    named = _columns(extra, columns)
    empty = ", ".join(f"NULL::{kind} AS {identifier(name)}" for _, name, kind in named)
    return f"SELECT {empty} WHERE false"


def _columns(
    extra: dict[str, str], wanted: Collection[str] | None = None
) -> list[tuple[int, str, str]]:
    """(field id, name, DuckDB type) of every column, or of those wanted, whatever their case."""
    asked = among(wanted)
    return [
        (number, name, fields.duckdb_type(kind))
        for number, name, kind in fields.clean_columns(extra)
        if asked(name)
    ]


def among(wanted: Collection[str] | None) -> Callable[[str], bool]:
    """Whether a column is one of those, whatever its case, or a key; None: every column is."""
    if wanted is None:
        return lambda _: True
    asked = {name.casefold() for name in (*wanted, *KEYS)}
    return lambda name: name.casefold() in asked


def _seen(hidden: Hidden) -> str:
    """Condition on ``seen``: neither of a dead version nor in a beaten span."""
    spans = [f"({src}, '-infinity'::TIMESTAMPTZ, 'infinity'::TIMESTAMPTZ)" for src in hidden.dead]
    spans += [
        f"({src}, make_timestamptz({lo}), make_timestamptz({hi}))" for src, lo, hi in hidden.beaten
    ]
    return (
        f"NOT EXISTS (SELECT 1 FROM (VALUES {', '.join(sorted(spans))}) AS hidden(src, lo, hi)"
        " WHERE hidden.src = seen._src AND seen.ts BETWEEN hidden.lo AND hidden.hi)"
    )


def field_id(name: str) -> int:
    """Number of a mart's column in its files: the same in every mart and every release."""
    return zlib.crc32(name.encode()) >> 1


def mart_sql(
    root: Path,
    files: Sequence[DataFile],
    columns: Sequence[tuple[str, str]],
    wanted: Collection[str] | None = None,
) -> str:
    """SELECT over the published files of one mart; ``columns`` are its (name, DuckDB type)s.

    With ``wanted`` only those: binding all of a wide mart takes longer than to read a few.
    """
    asked = among(wanted)
    columns = [(name, kind) for name, kind in columns if asked(name)]
    empty = ", ".join(f"NULL::{kind} AS {identifier(name)}" for name, kind in columns)
    nothing = f"SELECT {empty} WHERE false"
    if not files:
        return nothing
    names = ", ".join(f"{identifier(name)}::{kind} AS {identifier(name)}" for name, kind in columns)
    schema = ", ".join(
        f"{field_id(name)}: {{name: {literal(name)}, type: {literal(kind)}, default_value: NULL}}"
        for name, kind in columns
    )
    numbered = [file for file in files if file.path.endswith(NUMBERED)]
    # Files of an older release: each is opened first, for it may lack a column.
    older = [file for file in files if not file.path.endswith(NUMBERED)]
    parts = []
    if numbered:
        source = f"read_parquet({file_list(root, numbered)}, schema=MAP {{{schema}}})"
        parts.append(f"SELECT {names} FROM {source}")
    if older:
        source = f"read_parquet({file_list(root, older)}, union_by_name=true)"
        rows = f"{nothing} UNION ALL BY NAME SELECT * FROM {source}"
        parts.append(f"SELECT {names} FROM ({rows})")
    return " UNION ALL ".join(parts)
