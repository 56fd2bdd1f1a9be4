"""Merge a day's files without sorting the day. Runs in a child process; pure of the ledger.

Ingestion writes one unit and device per row group, so a day is merged unit by unit: read that
unit's row groups from every file, put them in order of time, write them as one row group. Memory
is that of one unit-day and of the footers of a run's files (``runs``), whatever the fleet's size.
Each run of units writes files of its own, so several children share a day.

Rows of dead versions end here. Beaten rows go to a file of their own, which readers pass over: the
day's other files then need no filter, and should the winner be replaced one day, nothing has to be
read again to show the rows that it beat.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow.fs import FileSystem

from pipeline import fields, steps
from pipeline.compact.runs import Run
from pipeline.storage.lake import Lake, discard
from pipeline.storage.parquet import Writer, partition_path
from pipeline.storage.records import CLEAN, TELEMETRY, Held, Hidden, NewFile

ZSTD_LEVEL = 3

#: A file is closed once it is this large: big enough for few opens, small enough to move about.
FILE_BYTES = 512 * 1024 * 1024

Group = tuple[str, str]


@dataclass(frozen=True)
class MergeJob:
    """A run of units of one district's day, and where its rows go. Its number tells it apart."""

    lake: Lake
    day: str
    district: str
    run: Run
    claim_id: str
    extra: dict[str, str]
    hidden: Hidden = field(default_factory=Hidden)
    number: int = 0


def merge(job: MergeJob) -> list[NewFile]:
    """Write the run's rows in (unitno, deviceid, ts) order and describe the new files."""
    schema = fields.arrow_schema(job.extra)
    sources: list[pq.ParquetFile] = []
    seen, beaten = _Output(job, schema, "m"), _Output(job, schema, "b", hidden=True)
    try:
        with job.lake.reading() as place:
            groups = _open(job, place, sources)
            for key in sorted(groups):
                steps.reached("compact.writing")
                _one_unit(job, schema, [(sources[i], g) for i, g in groups[key]], (seen, beaten))
        return seen.finish() + beaten.finish()
    except BaseException:
        seen.abandon()
        beaten.abandon()
        raise
    finally:
        for source in sources:
            source.close()


def _one_unit(
    job: MergeJob,
    schema: pa.Schema,
    places: Iterable[tuple[pq.ParquetFile, int]],
    outputs: Iterable[_Output],
) -> None:
    """Read and write one unit's day; nothing of it is left in memory for the next."""
    tables = [_conform(source.read_row_group(group), schema) for source, group in places]
    for output, chosen in zip(outputs, _apart(tables, job.hidden), strict=True):
        if chosen:
            output.add(_in_order(chosen))


def _apart(tables: list[pa.Table], hidden: Hidden) -> tuple[list[pa.Table], list[pa.Table]]:
    """(rows to be seen, beaten rows) of some row groups, without those of dead versions."""
    if not hidden.dead and not hidden.beaten:
        return tables, []
    seen, beaten = [], []
    for table in tables:
        sources = set(pc.unique(table["_src"]).to_pylist())
        dead = pc.is_in(table["_src"], pa.array(sorted(sources & hidden.dead), pa.int64()))
        lost = pa.chunked_array([pa.repeat(False, table.num_rows)])
        ts = table["ts"].cast(pa.int64())
        for src, low, high in sorted(hidden.beaten):
            if src in sources:
                within = pc.and_(pc.greater_equal(ts, low), pc.less_equal(ts, high))
                lost = pc.or_(lost, pc.and_(within, pc.equal(table["_src"], src)))
        seen.append(table.filter(pc.invert(pc.or_(dead, lost))))
        beaten.append(table.filter(lost))
    return [x for x in seen if x.num_rows], [x for x in beaten if x.num_rows]


def _open(
    job: MergeJob, place: FileSystem, sources: list[pq.ParquetFile]
) -> dict[Group, list[tuple[int, int]]]:
    """(unit, device) → its (source, row group)s, from the footers alone.

    ``sources`` gains the files that hold some, open; the others are closed again.
    """
    groups: dict[Group, list[tuple[int, int]]] = defaultdict(list)
    for file in job.run.files:
        sources.append(pq.ParquetFile(place.open_input_file(file.path), pre_buffer=True))
        found = [(key, g) for g, key in enumerate(_keys(sources[-1])) if job.run.takes(key[0])]
        for key, g in found:
            groups[key].append((len(sources) - 1, g))
        if not found:
            sources.pop().close()
    return groups


def _keys(source: pq.ParquetFile) -> Iterator[Group]:
    """Unit and device of each row group."""
    names = {name: i for i, name in enumerate(source.schema_arrow.names)}
    for g in range(source.metadata.num_row_groups):
        row_group = source.metadata.row_group(g)
        unit = row_group.column(names["unitno"]).statistics
        device = row_group.column(names["deviceid"]).statistics
        yield (unit.min if unit and unit.has_min_max else "", device.min)


def _conform(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The table with exactly the schema's columns; those it lacks are NULL."""
    names = set(table.schema.names)
    columns = [
        _as(table[field.name], field.type)
        if field.name in names
        else pa.nulls(table.num_rows, field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _as(values: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    # A cast to the type that they have takes time all the same.
    return values if values.type == kind else values.cast(kind)


def _in_order(tables: list[pa.Table]) -> pa.Table:
    """Row groups put together by time. Sorted only if their spans touch: they seldom do."""
    spans = sorted(
        (
            (pc.min(table["ts"]).value, pc.max(table["ts"]).value, i)
            for i, table in enumerate(tables)
        )
    )
    whole = pa.concat_tables([tables[i] for _, _, i in spans])
    apart = all(spans[i][1] < spans[i + 1][0] for i in range(len(spans) - 1))
    return whole if apart else whole.sort_by("ts")


class _Output:
    """Files of the merged day; a new one begins when the present one is large enough."""

    def __init__(self, job: MergeJob, schema: pa.Schema, name: str, *, hidden: bool = False):
        self.job, self.schema, self.name, self.hidden = job, schema, name, hidden
        self.done: list[NewFile] = []
        self.writer: Writer | None = None

    def add(self, table: pa.Table) -> None:
        if self.writer is None:
            number = f"{self.job.number}-{len(self.done)}"
            name = f"{self.job.claim_id}-{self.name}{number}.parquet"
            self.path = partition_path(CLEAN, TELEMETRY, self.job.day, self.job.district, name)
            self.writer = Writer(self.job.lake, self.path, self.schema, ZSTD_LEVEL)
            self.sources: dict[int, Held] = {}
            self.units: set[str] = set()
        self.writer.write(table)
        for src, held in held_rows(table).items():
            self.sources[src] = _both(held, self.sources.get(src))
        self.units |= {unit for unit in pc.unique(table["unitno"]).to_pylist() if unit}
        if self.writer.size >= FILE_BYTES:
            self._close()

    def finish(self) -> list[NewFile]:
        self._close()
        return self.done

    def abandon(self) -> None:
        """Remove every file made so far."""
        if self.writer is not None:
            self.writer.abandon()
        discard(self.job.lake, self.done)

    def _close(self) -> None:
        if self.writer is None:
            return
        size = self.writer.close()
        sources = self.sources
        if self.hidden:
            sources = {src: replace(held, hidden=held.rows) for src, held in sources.items()}
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
            "sources": sources,
            "min_ts": min(held.min_ts for held in sources.values()),
            "max_ts": max(held.max_ts for held in sources.values()),
        }
        self.done.append(NewFile(**described))
        self.writer = None


def held_rows(table: pa.Table) -> dict[int, Held]:
    """What each object version has in a table of one device."""
    device = table["deviceid"][0].as_py()
    ts = pa.table({"src": table["_src"], "ts": table["ts"].cast(pa.int64())})
    groups = ts.group_by("src").aggregate([("ts", "count"), ("ts", "min"), ("ts", "max")])
    return {
        row["src"]: Held(device, row["ts_count"], row["ts_min"], row["ts_max"])
        for row in groups.to_pylist()
    }


def _both(held: Held, other: Held | None) -> Held:
    if other is None:
        return held
    return replace(
        held,
        rows=held.rows + other.rows,
        min_ts=min(held.min_ts, other.min_ts),
        max_ts=max(held.max_ts, other.max_ts),
    )
