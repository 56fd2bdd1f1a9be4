"""Writing marts: the rows of every partition, as Parquet files that wait for the commit."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import steps
from pipeline.marts.catalogue import MARTS
from pipeline.storage.lake import Lake, discard
from pipeline.storage.parquet import partition_path
from pipeline.storage.records import ANALYTICS, NewFile, Partition
from pipeline.storage.visible import NUMBERED, field_id, identifier

#: Zstandard's level.
LEVEL = 12
#: Rows of a row group: an hour of 500 units.
ROW_GROUP = 30_000
#: A column of floats with more than one value in so many rows is varied.
VARIED = 8
#: Decimals that a measure may have; coordinates have five.
MOST_DIGITS = 5


def written(
    database: Path,
    lake: Lake,
    claim_id: str,
    parts: list[Partition],
    names: Iterable[str] = tuple(MARTS),
) -> list[NewFile]:
    """Write these marts and return the files; nothing of them stays when that fails."""
    files: list[NewFile] = []
    try:
        write(database, lake, claim_id, parts, files, names)
    except BaseException:  # no room, most likely: leave none of it to stand in the way
        discard(lake, files)
        raise
    return files


def pack(rows: pa.Table, path: Path, level: int = LEVEL) -> None:
    """Write a mart's file. Marts are written once and read for years: small goes before quick.

    Measures with few decimals are stored as such, byte by byte, which takes half as much as a
    float; readers get the same float back. Times are stored as differences.
    """
    columns = {own.name: exact(rows[own.name].combine_chunks()) for own in rows.schema}
    schema = pa.schema(
        pa.field(name, own.type, metadata={"PARQUET:field_id": str(field_id(name))})
        for name, own in columns.items()
    )
    encodings = {name: code for name, own in columns.items() if (code := _encoding(own))}
    others = [
        f"{name}.list.element" if pa.types.is_list(own.type) else name
        for name, own in columns.items()
        if name not in encodings
    ]
    pq.write_table(
        pa.table(columns, schema=schema),
        path,
        compression="zstd",
        compression_level=level,
        use_dictionary=others,
        column_encoding=encodings,
        row_group_size=ROW_GROUP,
        store_schema=False,
        store_decimal_as_integer=True,
    )


def exact(values: pa.Array) -> pa.Array:
    """Floats as decimals of up to nine digits, where each comes back as it was; else unchanged."""
    if not pa.types.is_floating(values.type) or values.null_count == len(values):
        return values
    numbers = values.to_numpy(zero_copy_only=False)
    known = np.isfinite(numbers)
    if np.count_nonzero(known) + values.null_count < len(values):  # infinite, or no number
        return values
    for digits in range(MOST_DIGITS + 1):
        whole = np.round(numbers[known].astype(np.float64) * 10**digits)
        if np.abs(whole).max() >= 10**9:
            break
        if np.array_equal((whole / 10**digits).astype(numbers.dtype), numbers[known]):
            words = np.zeros((len(numbers), 2), np.int64)  # 128 bits, the lower half first
            words[known, 0] = whole.astype(np.int64)
            words[:, 1] = words[:, 0] >> 63
            kind = pa.decimal128(9, digits)
            buffers = [pa.array(known).buffers()[1], pa.py_buffer(words)]
            return pa.Array.from_buffers(kind, len(numbers), buffers)
    return values


def _encoding(values: pa.Array) -> str:
    """What packs a column better than a dictionary; empty when nothing does."""
    if pa.types.is_decimal(values.type):
        return "BYTE_STREAM_SPLIT"
    if pa.types.is_floating(values.type) and len(values.unique()) * VARIED > len(values):
        return "BYTE_STREAM_SPLIT"
    return "DELTA_BINARY_PACKED" if pa.types.is_timestamp(values.type) else ""


def write(
    database: Path,
    lake: Lake,
    claim_id: str,
    parts: list[Partition],
    files: list[NewFile],
    names: Iterable[str],
) -> None:
    """Write the marts, and add each finished file to ``files``."""
    with duckdb.connect(str(database), read_only=True) as duck:
        duck.execute("SET TimeZone = 'UTC'")
        for name in names:
            mart = MARTS[name]
            columns = ", ".join(
                f"{identifier(column)}::{kind} AS {identifier(column)}"
                for column, kind in mart.schema
            )
            for part in parts:
                rows: pa.Table = duck.sql(
                    f"SELECT {columns} FROM {identifier(name)}"
                    " WHERE hiveperiod = $day AND dstrct_code = $district"
                    f" ORDER BY {', '.join(map(identifier, mart.key))}",
                    params={"day": part.hiveperiod, "district": part.dstrct_code},
                ).to_arrow_table()
                if rows.num_rows == 0:
                    continue
                where = (part.hiveperiod, part.dstrct_code)
                path = partition_path(ANALYTICS, name, *where, f"{claim_id}-{len(files)}{NUMBERED}")
                temporary = lake.temporary(path)
                pack(rows, temporary)
                steps.reached("build.writing")
                size = lake.publish(temporary, path)
                files.append(NewFile(ANALYTICS, name, path, *where, rows.num_rows, size))
