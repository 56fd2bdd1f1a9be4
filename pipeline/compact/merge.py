"""Merge a day's files without sorting the day. Runs in a child process; pure of the ledger.

Ingestion writes one unit and device per row group, so a day is merged unit by unit: read that
unit's row groups from every file, put them in order of time, write them as one row group. Memory
is that of one unit-day, whatever the fleet's size.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline import fields
from pipeline.storage.manifest import CLEAN, TELEMETRY, DataFile, NewFile
from pipeline.storage.parquet import Writer, partition_path

ZSTD_LEVEL = 3

#: A file is closed once it is this large: big enough for few opens, small enough to move about.
FILE_BYTES = 512 * 1024 * 1024

Group = tuple[str, str]


@dataclass(frozen=True)
class MergeJob:
    """One day of one district: its visible files, oldest first, and where the result goes."""

    root: Path
    day: str
    district: str
    files: tuple[DataFile, ...]
    claim_id: str
    extra: dict[str, str]


def merge(job: MergeJob) -> list[NewFile]:
    """Write the day's rows in (unitno, deviceid, ts) order and describe the new files."""
    schema = fields.arrow_schema(job.extra)
    sources = [pq.ParquetFile(job.root / file.path) for file in job.files]
    try:
        output = _Output(job, schema)
        for _, places in sorted(_groups(sources).items()):
            tables = [_conform(sources[i].read_row_group(g), schema) for i, g in places]
            output.add(_in_order(tables))
        return output.finish()
    finally:
        for source in sources:
            source.close()


def _groups(sources: list[pq.ParquetFile]) -> dict[Group, list[tuple[int, int]]]:
    """(unit, device) → its (file, row group)s, from the footers alone."""
    groups: dict[Group, list[tuple[int, int]]] = defaultdict(list)
    for number, source in enumerate(sources):
        names = {name: i for i, name in enumerate(source.schema_arrow.names)}
        for g in range(source.metadata.num_row_groups):
            row_group = source.metadata.row_group(g)
            unit = row_group.column(names["unitno"]).statistics
            device = row_group.column(names["deviceid"]).statistics
            key = (unit.min if unit and unit.has_min_max else "", device.min)
            groups[key].append((number, g))
    return groups


def _conform(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The table with exactly the schema's columns; those it lacks are NULL."""
    columns = [
        table[field.name].cast(field.type)
        if field.name in table.schema.names
        else pa.nulls(table.num_rows, field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _in_order(tables: list[pa.Table]) -> pa.Table:
    """Row groups put together by time. Sorted only if their spans touch: they seldom do."""
    spans = sorted(
        (
            (pc.min(table["ts"]).value, pc.max(table["ts"]).value, i)
            for i, table in enumerate(tables)
        )
    )
    whole = pa.concat_tables([tables[i] for _, _, i in spans]).combine_chunks()
    apart = all(spans[i][1] < spans[i + 1][0] for i in range(len(spans) - 1))
    return whole if apart else whole.sort_by("ts")


class _Output:
    """Files of the merged day; a new one begins when the present one is large enough."""

    def __init__(self, job: MergeJob, schema: pa.Schema) -> None:
        self.job, self.schema = job, schema
        self.done: list[NewFile] = []
        self.writer: Writer | None = None

    def add(self, table: pa.Table) -> None:
        if self.writer is None:
            name = f"{self.job.claim_id}-{len(self.done)}.parquet"
            self.path = partition_path(CLEAN, TELEMETRY, self.job.day, self.job.district, name)
            self.writer = Writer(self.job.root / self.path, self.schema, ZSTD_LEVEL)
            self.sources: Counter[int] = Counter()
            self.units: set[str] = set()
            self.span: tuple[int, int] | None = None
        self.writer.write(table)
        for pair in pc.value_counts(table["_src"]).to_pylist():
            self.sources[pair["values"]] += pair["counts"]
        self.units |= {unit for unit in pc.unique(table["unitno"]).to_pylist() if unit}
        low, high = pc.min(table["ts"]).value, pc.max(table["ts"]).value
        self.span = (min(low, self.span[0]), max(high, self.span[1])) if self.span else (low, high)
        if self.writer.size >= FILE_BYTES:
            self._close()

    def finish(self) -> list[NewFile]:
        self._close()
        return self.done

    def _close(self) -> None:
        if self.writer is None:
            return
        size = self.writer.close()
        described: dict[str, Any] = {
            "layer": CLEAN,
            "dataset": TELEMETRY,
            "path": self.path,
            "hiveperiod": self.job.day,
            "dstrct_code": self.job.district,
            "rows": self.writer.rows,
            "bytes": size,
            "units": tuple(sorted(self.units)),
            "compacted": True,
            "sources": dict(self.sources),
        }
        low, high = self.span or (None, None)
        self.done.append(NewFile(**described, min_ts=low, max_ts=high))
        self.writer = None
