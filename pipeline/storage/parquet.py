"""Parquet files of the lake: written once under a unique final name, never changed afterwards."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Self
from urllib.parse import quote, unquote

import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from pipeline.storage.lake import Lake

#: Row-group statistics serve pruning by time, unit and source; for the other columns they only
#: make the footer larger than the data of a short file.
STATISTICS = ["ts", "unitno", "deviceid", "_src"]

#: Numbers that hardly repeat, but rise: their differences take next to no room. The values of all
#: other columns repeat, even those of sensors, whose steps are few: a dictionary of them makes
#: files smaller and less work for the codec.
RISING = frozenset({"ts", "heartbeat", "_line"})


def partition_path(layer: str, dataset: str, day: str, district: str, name: str) -> str:
    """Path of a file relative to the lake's root, hive-partitioned."""
    return f"{layer}/{dataset}/hiveperiod={day}/dstrct_code={quote(district, safe='')}/{name}"


def partition_of(path: str) -> tuple[str, str]:
    """(day, district) of a file's path."""
    day, district = (part.partition("=")[2] for part in path.split("/")[-3:-1])
    return day, unquote(district)


class Writer:
    """One Parquet file; each ``write`` is a row group. It appears at ``close``.

    ``level`` is Zstandard's. None means Snappy, for files that will soon be merged: they are a
    tenth larger, and read in half the time. As a context manager it removes what was half written
    when an exception ends it.
    """

    def __init__(self, lake: Lake, path: str, schema: pa.Schema, level: int | None = None) -> None:
        self.path = path
        self.rows = 0
        self._lake = lake
        self._temporary = lake.temporary(path)
        rising = [name for name in schema.names if name in RISING]
        try:
            self._writer = pq.ParquetWriter(
                self._temporary,
                schema,
                compression="snappy" if level is None else "zstd",
                compression_level=level,
                use_dictionary=[name for name in schema.names if name not in RISING],
                column_encoding=dict.fromkeys(rising, "DELTA_BINARY_PACKED") or None,
                write_statistics=[name for name in STATISTICS if name in schema.names] or False,
                store_schema=False,
                write_batch_size=8_192,  # a unit-hour's column in one go
            )
        except OSError:  # not even the first bytes could be written
            self._temporary.unlink(missing_ok=True)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self.abandon()

    def abandon(self) -> None:
        """Remove what was written so far; after ``close`` nothing happens."""
        with suppress(OSError):
            self._writer.close()
        self._temporary.unlink(missing_ok=True)

    def write(self, table: pa.Table) -> None:
        """Append a table as one row group."""
        self._writer.write_table(table, row_group_size=max(1, table.num_rows))
        self.rows += table.num_rows

    @property
    def size(self) -> int:
        """Bytes written so far."""
        return self._temporary.stat().st_size

    def close(self) -> int:
        """Finish and publish the file; return its size in bytes."""
        self._writer.close()
        return self._lake.publish(self._temporary, self.path)
