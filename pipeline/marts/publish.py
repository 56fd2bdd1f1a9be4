"""Writing marts: the rows of every partition, as Parquet files that wait for the commit."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import steps
from pipeline.marts.catalogue import MARTS
from pipeline.storage.lake import Lake, discard
from pipeline.storage.parquet import partition_path
from pipeline.storage.records import ANALYTICS, NewFile, Partition
from pipeline.storage.visible import identifier

#: Rows of a row group: an hour of 500 units.
ROW_GROUP = 30_000
#: A column with more than one value in so many rows is varied.
VARIED = 8


def written(database: Path, lake: Lake, claim_id: str, parts: list[Partition]) -> list[NewFile]:
    """Write all marts and return the files; nothing of them stays when that fails."""
    files: list[NewFile] = []
    try:
        write(database, lake, claim_id, parts, files)
    except BaseException:  # no room, most likely: leave none of it to stand in the way
        discard(lake, files)
        raise
    return files


def pack(rows: pa.Table, path: Path) -> None:
    """Write a mart's file. Marts are written once and read for years: small goes before quick.

    A measure with many values packs better byte by byte than by a dictionary of them.
    """
    varied = [
        own.name
        for own in rows.schema
        if pa.types.is_floating(own.type) and len(rows[own.name].unique()) * VARIED > rows.num_rows
    ]
    others = [
        f"{own.name}.list.element" if pa.types.is_list(own.type) else own.name
        for own in rows.schema
        if own.name not in varied
    ]
    pq.write_table(
        rows,
        path,
        compression="zstd",
        compression_level=12,
        use_dictionary=others,
        use_byte_stream_split=varied,
        row_group_size=ROW_GROUP,
        store_schema=False,
    )


def write(
    database: Path, lake: Lake, claim_id: str, parts: list[Partition], files: list[NewFile]
) -> None:
    """Write the marts, and add each finished file to ``files``."""
    with duckdb.connect(str(database), read_only=True) as duck:
        duck.execute("SET TimeZone = 'UTC'")
        for name, mart in MARTS.items():
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
                path = partition_path(ANALYTICS, name, *where, f"{claim_id}-{len(files)}.parquet")
                temporary = lake.temporary(path)
                pack(rows, temporary)
                steps.reached("build.writing")
                size = lake.publish(temporary, path)
                files.append(NewFile(ANALYTICS, name, path, *where, rows.num_rows, size))
