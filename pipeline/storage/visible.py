"""SQL over exactly the visible rows: explicit file lists from the manifest, never a glob.

The schema is given by Parquet field ids (``schema=MAP{…}``): DuckDB then fills absent columns and
casts without opening every file first. It excludes ``hive_partitioning``, which is why the two
partition columns are stored in the files too.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline import fields
from pipeline.storage.manifest import DataFile


def literal(text: str) -> str:
    """A DuckDB string literal."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A DuckDB identifier, quoted."""
    return '"' + name.replace('"', '""') + '"'


def file_list(root: Path, files: Sequence[DataFile]) -> str:
    """DuckDB list of the files' absolute paths."""
    return "[" + ", ".join(literal(str(root / file.path)) for file in files) + "]"


def telemetry_sql(root: Path, files: Sequence[DataFile], extra: dict[str, str]) -> str:
    """SELECT over the visible rows of ``clean`` in some files, with every known column."""
    columns = [
        (number, name, fields.duckdb_type(kind))
        for number, name, kind in fields.clean_columns(extra)
    ]
    if not files:
        empty = ", ".join(f"NULL::{kind} AS {identifier(name)}" for _, name, kind in columns)
        return f"SELECT {empty} WHERE false"
    schema = ", ".join(
        f"{number}: {{name: {literal(name)}, type: {literal(kind)}, default_value: NULL}}"
        for number, name, kind in columns
    )
    return f"SELECT * FROM read_parquet({file_list(root, files)}, schema=MAP {{{schema}}})"


def mart_sql(root: Path, files: Sequence[DataFile], columns: Sequence[tuple[str, str]]) -> str:
    """SELECT over the published files of one mart; ``columns`` are its (name, DuckDB type)s."""
    names = ", ".join(f"{identifier(name)}::{kind} AS {identifier(name)}" for name, kind in columns)
    if not files:
        empty = ", ".join(f"NULL::{kind} AS {identifier(name)}" for name, kind in columns)
        return f"SELECT {empty} WHERE false"
    # Files of an older release may lack a column that the mart has gained since.
    source = f"read_parquet({file_list(root, files)}, union_by_name=true)"
    return f"SELECT {names} FROM {source}"
