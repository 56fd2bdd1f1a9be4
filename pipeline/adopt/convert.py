"""One file of the lake → Parquet files of ``clean``. Runs in child processes; pure of the ledger.

``survey`` hashes a file and counts its rows by raw file. A large file is cut into parts of whole
raw files in one more read, so that a part fits into memory however the rows are mixed. ``convert``
then reads one part, and cleans and writes it by the rules of ingestion.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import fields, steps
from pipeline.adopt.fit import fit, heartbeat, plain, series, texts
from pipeline.adopt.lake import DAY, LOCAL_TIME, SOURCES, LakeFile, Unreadable, column_of
from pipeline.adopt.place import Piece, place
from pipeline.errors import Terminal
from pipeline.ingest import clean, quarantine, unpack
from pipeline.ingest.convert import Taken, object_row, split, write_day
from pipeline.ingest.salvage import RESERVED, BadLine
from pipeline.storage.lake import Lake, discard
from pipeline.storage.parquet import partition_path
from pipeline.storage.records import CLEAN, TELEMETRY, NewFile, RawFile

#: A part is an open file while a large file is cut.
MOST_PARTS = 256
#: Rows read at once while a file is gone through.
BATCH_ROWS = 32_768

#: Seconds by which ``datetime_wita`` may differ: it has no fractions.
WITA_HOURS, WITA_SLACK = 8, 1

#: Adopted rows rank so many microseconds below their time: below every raw file's, in their order.
BELOW_RAW = 10**17

#: The lake's own columns. A district in a file is a value of the row, as in a raw file.
_BESIDE = {DAY, LOCAL_TIME, *SOURCES}


@dataclass(frozen=True)
class Source:
    """A file of the lake and how to read it. ``arrived_at``: its time, where it makes sense."""

    file: LakeFile
    zone: str
    window_start: int
    arrived_at: int

    @property
    def window(self) -> pl.Expr:
        """True where ``ts`` can be believed."""
        return clean.in_window(self.window_start, self.arrived_at)


@dataclass(frozen=True)
class Part:
    """Some raw files' rows in a file of the lake: their keys, and where the rows lie cut out."""

    keys: tuple[str, ...]
    rows: int
    path: str | None = None


@dataclass
class Survey:
    """A file of the lake as its first reading found it. ``unknown``: name → DOUBLE or VARCHAR.

    The last part also holds the rows that belong to no raw file.
    """

    source: Source
    sha256: str
    rows: int
    parts: list[Part] = field(default_factory=list)
    unknown: dict[str, str] = field(default_factory=dict)


def survey(source: Source, known: frozenset[str], scratch: Path, part_rows: int) -> Survey:
    """Go through a file. ``known``: names of all columns that ``clean`` has, case-folded.

    What is too large for one part of about ``part_rows`` is cut in ``scratch``; so is a file from a
    bucket, which the survey names. Raises Unreadable, StoreUnavailable.
    """
    with _reading():
        file = source.file.fetched(scratch)
    try:
        return _surveyed(replace(source, file=file), known, scratch, part_rows)
    except BaseException:
        file.forget()
        raise


def _surveyed(source: Source, known: frozenset[str], scratch: Path, part_rows: int) -> Survey:
    file = source.file
    with _reading():
        sha256 = _hash(file.path)
        parquet = _open(file)
    with parquet:
        if column_of(parquet.schema_arrow, fields.TIME_FIELD) is None:
            raise Unreadable(f"has no column {fields.TIME_FIELD}")
        result = Survey(source, sha256, parquet.metadata.num_rows)
        with _reading():
            result.unknown = _unknown(parquet, known)
        counts: Counter[Piece | None] = Counter()
        for table in _batches(parquet, ["deviceid", *SOURCES, fields.TIME_FIELD]):
            for *names, rows in _places(source, table).group_by(*_PIECE).len().iter_rows():
                counts[Piece(*names) if names[1] is not None else None] += rows
        limit = max(part_rows, -(-result.rows // MOST_PARTS))
        _divide(result, counts, parquet, scratch, limit)
    _unchanged(file)
    return result


_PIECE = ("source", "device", "hour")


@contextmanager
def _reading() -> Iterator[None]:
    """What a reader of Parquet raises within means that this file cannot be read."""
    try:
        yield
    except MemoryError:
        raise  # no verdict on the file
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        text = str(error).strip() or type(error).__name__
        raise Unreadable(f"cannot be read: {text.splitlines()[0]}") from error


def _open(file: LakeFile) -> pq.ParquetFile:
    return pq.ParquetFile(file.path, buffer_size=1 << 18, pre_buffer=False)


def _hash(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _unchanged(file: LakeFile) -> None:
    with _reading():
        version = file.version()
    if version != (file.size, file.modified_at):
        raise Unreadable("changed while it was read; adopt it again")


def _batches(parquet: pq.ParquetFile, names: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """The file's rows (of some columns, whatever their case) a batch at a time."""
    chosen = None
    if names is not None:
        chosen = [own for own in parquet.schema_arrow.names if own.casefold() in names]
    batches = parquet.iter_batches(batch_size=BATCH_ROWS, columns=chosen)
    while True:
        with _reading():
            batch = next(batches, None)
        if batch is None:
            return
        table = pa.Table.from_batches([batch])
        yield table.cast(_schema(table.schema))


def _schema(schema: pa.Schema) -> pa.Schema:
    """The schema without views of text and bytes: pyarrow cannot choose rows of them."""
    kinds = {pa.string_view(): pa.large_string(), pa.binary_view(): pa.large_binary()}
    return pa.schema([own.with_type(kinds.get(own.type, own.type)) for own in schema])


def _unknown(parquet: pq.ParquetFile, known: frozenset[str]) -> dict[str, str]:
    """Columns that nobody knows and that hold a value."""
    found: dict[str, str] = {}
    seen = set[str]()
    for own in parquet.schema_arrow:
        folded = own.name.casefold()
        reserved = folded in RESERVED or not own.name or "\0" in own.name
        if folded in known | seen | _BESIDE or reserved or _is_empty(parquet, own.name):
            continue
        kind = own.type.value_type if pa.types.is_dictionary(own.type) else own.type
        number = (
            pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
        )
        found[own.name] = "DOUBLE" if number else "VARCHAR"
        seen.add(folded)
    return found


def _is_empty(parquet: pq.ParquetFile, name: str) -> bool:
    """True when a column is NULL throughout, by its statistics or, for want of them, its values."""
    meta = parquet.metadata
    places = [i for i in range(meta.num_columns) if meta.schema.column(i).path == name]
    if places:
        groups = [meta.row_group(g) for g in range(meta.num_row_groups)]
        stats = [(group.num_rows, group.column(places[0]).statistics) for group in groups]
        if all(stat is not None and stat.has_null_count for _, stat in stats):
            return all(stat.null_count == rows for rows, stat in stats)
    batches = parquet.iter_batches(batch_size=BATCH_ROWS, columns=[name])
    return all(batch.column(0).null_count == batch.num_rows for batch in batches)


def _places(source: Source, table: pa.Table) -> pl.DataFrame:
    """``source``, ``device``, ``hour`` of the raw file of each row."""

    def column(*names: str) -> pl.Series:
        at = column_of(table.schema, *names)
        if at is None:
            return pl.Series([], dtype=pl.String).extend_constant(None, table.num_rows)
        return texts(series(table.column(at)))

    time = heartbeat(series(table.column(column_of(table.schema, fields.TIME_FIELD))))
    district, zone = source.file.district, source.zone
    return place(column(*SOURCES), column("deviceid"), time, district, zone, source.window)


def _divide(
    result: Survey,
    counts: Counter[Piece | None],
    parquet: pq.ParquetFile,
    scratch: Path,
    limit: int,
) -> None:
    """Set the parts: whole raw files, by device and hour, until one is full."""
    file = result.source.file
    groups: list[list[Piece]] = [[]]
    rows = 0
    for piece in sorted((p for p in counts if p), key=lambda p: (p.device, p.hour, p.source or "")):
        if groups[-1] and rows + counts[piece] > limit:
            groups.append([])
            rows = 0
        groups[-1].append(piece)
        rows += counts[piece]
    paths: list[str | None] = [None]
    if len(groups) > 1:
        paths = list(_cut(result.source, groups, parquet, scratch))
    for group, path in zip(groups, paths, strict=True):
        keys = tuple(piece.key(file.district, file.key) for piece in group)
        result.parts.append(Part(keys, sum(counts[piece] for piece in group), path))
    if counts[None]:
        last = result.parts[-1]
        result.parts[-1] = Part(last.keys, last.rows + counts[None], last.path)


def _cut(
    source: Source, groups: list[list[Piece]], parquet: pq.ParquetFile, scratch: Path
) -> Iterator[str]:
    """Write each group's rows, with their numbers as last column, to a file of its own."""
    scratch.mkdir(parents=True, exist_ok=True)
    name = uuid.uuid4().hex
    places = [str(scratch / f"{name}-{number}.arrows") for number in range(len(groups))]
    owner = pl.DataFrame(
        [(p.source, p.device, p.hour, n) for n, group in enumerate(groups) for p in group],
        schema={"source": pl.String, "device": pl.String, "hour": pl.String, "part": pl.Int32},
        orient="row",
    )
    schema = _schema(parquet.schema_arrow).append(pa.field("line", pa.int64()))
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    first = 1
    with ExitStack() as stack:
        writers = [
            stack.enter_context(pa.ipc.new_stream(place, schema, options=options))
            for place in places
        ]
        for table in _batches(parquet):
            numbers = pa.array(range(first, first + table.num_rows), pa.int64())
            first += table.num_rows
            placed = _places(source, table)
            parts = placed.join(
                owner, on=_PIECE, how="left", nulls_equal=True, maintain_order="left"
            )["part"].fill_null(len(groups) - 1)
            numbered = table.append_column("line", numbers).cast(schema)
            order = parts.to_frame().with_row_index().sort("part", maintain_order=True)
            sorted_rows, at = numbered.take(order["index"].to_arrow()), 0
            for part, number in order.group_by("part", maintain_order=True).len().iter_rows():
                writers[part].write_table(sorted_rows.slice(at, number))
                at += number
    return iter(places)


@dataclass(frozen=True)
class Job:
    """Everything a child needs to convert one part: it opens no ledger and reads no settings."""

    source: Source
    part: Part
    sha256: str
    claim_id: str
    lake: Lake
    extra: dict[str, str]
    #: The file itself is recorded with its last part: rows that belong to no raw file are its own.
    own_src: int | None
    file_rows: int
    #: Keys whose rows of this file are in, from an adoption that did not come to its end.
    done: frozenset[str] = frozenset()
    #: Keys whose raw file is in: what a lake made of it is history, and is not written.
    replaced: frozenset[str] = frozenset()
    now: int = 0
    dry_run: bool = False


@dataclass
class Adopted:
    """What became of one part."""

    objects: list[dict[str, Any]] = field(default_factory=list)
    keys: list[dict[str, Any]] = field(default_factory=list)
    files: list[NewFile] = field(default_factory=list)
    #: (day of the folder, day of the row) of accepted rows, where they differ.
    redated: Counter[tuple[str, str]] = field(default_factory=Counter)
    bad: Counter[str] = field(default_factory=Counter)
    differing: int = 0
    replaced: int = 0
    rows: int = 0
    known: int = 0


def convert(job: Job) -> Adopted:
    """Write the rows of one part. Raises Unreadable, and OSError when the lake takes no more."""
    result = Adopted()
    try:
        return _convert(job, result)
    except BaseException:
        discard(job.lake, result.files)
        raise


def _convert(job: Job, result: Adopted) -> Adopted:
    table, lines = _read(job)
    result.rows = table.num_rows
    frame = fit(table, fields.json_schema(job.extra), _BESIDE)
    placed = _places(job.source, table)
    frame = frame.with_columns(
        lines, _local_time(table), *(placed[name].alias(f"_{name}") for name in _PIECE)
    )
    partitions: dict[str, list[pl.DataFrame]] = defaultdict(list)
    bad_lines: list[tuple[RawFile, int, BadLine]] = []
    original = _Original(table, lines)
    own = frame.clear()
    for rows in frame.partition_by("_source", "_device", "_hour", maintain_order=True):
        source, device, hour = rows.select("_source", "_device", "_hour").row(0)
        if device is None:
            own = pl.concat([own, rows])
            continue
        key = Piece(source, device, hour).key(job.source.file.district, job.source.file.key)
        if key in job.done:
            result.known += rows.height
            continue
        file = _raw_file(job, key, device, hour, rows.height)
        src = unpack.source_id(key, job.sha256)
        cleaned, bad, differing = _piece(job, file, src, rows, original)
        row = _describe(job, file, src, cleaned, bad, rows.height)
        if differing:
            row["flags"] = f"{row['flags']},{LOCAL_TIME}"
        result.objects.append(row)
        result.bad.update(line.reason for line in bad)
        result.differing += differing
        if row["dead_at"]:
            result.replaced += cleaned.accepted
            continue
        result.keys.append(_key_row(job, file))
        bad_lines += [(file, src, line) for line in bad]
        for part in split(cleaned.frame, "hiveperiod"):
            day = part["hiveperiod"][0]
            partitions[day].append(part)
            if day != job.source.file.day:
                result.redated[job.source.file.day, day] += part.height
    if job.own_src is not None:
        bad_lines += _itself(job, own, original, result)
    counted = sum(row["lines"] for row in result.objects) + result.known
    if counted != table.num_rows:
        raise Terminal(f"{job.source.file.name}: {counted} rows accounted for of {table.num_rows}")
    if not job.dry_run:
        _write(job, partitions, bad_lines, result)
    return result


def _read(job: Job) -> tuple[pa.Table, pl.Series]:
    """The part's rows as they are in the lake, and their numbers in its file."""
    if job.part.path is None:
        with _reading():
            parquet = _open(job.source.file)
        with parquet:
            schema = _schema(parquet.schema_arrow)
            table = pa.concat_tables([schema.empty_table(), *_batches(parquet)])
        _unchanged(job.source.file)
        return table, pl.Series("_line", range(1, table.num_rows + 1), pl.Int32)
    with pa.memory_map(job.part.path) as source, pa.ipc.open_stream(source) as stream:
        table = stream.read_all()
    at = table.num_columns - 1
    lines = pl.Series("_line", pl.Series(values=table.column(at)), pl.Int32)
    return table.remove_column(at), lines


def _local_time(table: pa.Table) -> pl.Series:
    """``datetime_wita`` as instants (UTC), NULL where there is none that can be read."""
    at = column_of(table.schema, LOCAL_TIME)
    none = pl.Series("_wita", [], pl.Datetime("us")).extend_constant(None, table.num_rows)
    if at is None:
        return none
    found = series(table.column(at))
    if found.dtype == pl.String:
        found = found.str.to_datetime(time_unit="us", strict=False)
    if not isinstance(found.dtype, pl.Datetime):
        return none
    if found.dtype.time_zone:
        instant = found.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    else:
        instant = found.dt.offset_by(f"-{WITA_HOURS}h")
    return instant.cast(pl.Datetime("us")).alias("_wita")


class _Original:
    """The rows as they are in the lake, for quarantine."""

    def __init__(self, table: pa.Table, lines: pl.Series) -> None:
        self.table, self.lines = table, lines

    def bad(self, numbers: Sequence[int], reason: str) -> list[BadLine]:
        """Bad lines of some rows; their bytes are the row's values as JSON."""
        if not numbers:
            return []
        chosen = self.lines.is_in(list(numbers)).arg_true()
        rows = self.table.take(pa.array(chosen.to_list(), pa.int64()))
        names = rows.column_names
        columns = [series(rows.column(i)).to_list() for i in range(rows.num_columns)]
        found = []
        for number, *values in zip(self.lines.gather(chosen).to_list(), *columns, strict=True):
            row = {n: plain(v) for n, v in zip(names, values, strict=True) if v is not None}
            content = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
            found.append(BadLine(number, reason, content.encode("utf-8", "replace")))
        return found


def _piece(
    job: Job, file: RawFile, src: int, rows: pl.DataFrame, original: _Original
) -> tuple[clean.Cleaned, list[BadLine], int]:
    """Clean rows of one raw file, its bad rows, and how many contradict their local time."""
    usable = rows[fields.TIME_FIELD].is_not_null()
    bad = original.bad(rows.filter(~usable)["_line"].to_list(), "heartbeat")
    frame = rows.filter(usable).drop("_source", "_device", "_hour")
    source = job.source
    cleaned = clean.clean(frame, file, src, source.zone, job.extra, source.window_start)
    bad += original.bad(cleaned.wrong_clock, "clock")
    local = pl.col("_wita").dt.replace_time_zone("UTC")
    apart = (pl.col("ts") - local).abs() > pl.duration(seconds=WITA_SLACK)
    return cleaned, bad, int(cleaned.frame.select(apart.sum()).item() or 0)


def _describe(
    job: Job, file: RawFile, src: int, cleaned: clean.Cleaned, bad: list[BadLine], lines: int
) -> dict[str, Any]:
    """The row of ``raw_objects`` of one raw file's rows."""
    taken = Taken(cleaned, lines, bad=bad, status="ok" if cleaned.accepted else "corrupt")
    row = object_row(src, file, job.sha256, taken)
    row["flags"] = ",".join(["adopted", *cleaned.flags])
    row["rank_at"] = job.source.arrived_at - BELOW_RAW
    if file.key in job.replaced:
        row["dead_at"] = job.now
    return row


def _raw_file(job: Job, key: str, device: str, hour: str, rows: int) -> RawFile:
    """The raw file that the rows are said to come from; its size is its share of the lake's."""
    lake = job.source.file
    size = lake.size * rows // max(1, job.file_rows)
    etag = f"adopted-{job.sha256[:32]}"
    return RawFile(key, lake.district, device, hour, etag, size, job.source.arrived_at)


def _key_row(job: Job, file: RawFile) -> dict[str, Any]:
    return {
        **file.__dict__,
        "seen_at": job.now,
        "state": "done",
        "suspect": False,
        "attempts": 0,
        "reread": False,
    }


def itself(source: Source, sha256: str) -> RawFile:
    """The lake's file as an object of its own: of no device and no hour."""
    lake = source.file
    return RawFile(lake.key, lake.district, "", "", sha256, lake.size, source.arrived_at)


def _itself(
    job: Job, rows: pl.DataFrame, original: _Original, result: Adopted
) -> list[tuple[RawFile, int, BadLine]]:
    """Record the lake's file itself, with the rows that belong to no raw file."""
    assert job.own_src is not None  # noqa: S101 — the caller looked
    timeless = rows[fields.TIME_FIELD].is_null()
    time_of = rows.select(fields.TIME_FIELD)
    believed = clean.timestamps(time_of).select(job.source.window).to_series()
    bad = []
    for chosen, reason in (
        (timeless, "heartbeat"),
        (~timeless & ~believed, "clock"),
        (~timeless & believed, "device"),
    ):
        bad += original.bad(rows.filter(chosen)["_line"].to_list(), reason)
    file = itself(job.source, job.sha256)
    status = "corrupt" if rows.height and rows.height == job.file_rows else "ok"
    taken = Taken(clean.Cleaned(rows.clear()), rows.height, bad=bad, status=status)
    row = object_row(job.own_src, file, job.sha256, taken)
    result.objects.append(row | {"flags": "adopted"})
    result.bad.update(line.reason for line in bad)
    day = RawFile(file.key, file.district, "", job.source.file.hour, "", file.size, 0)
    return [(day, job.own_src, line) for line in bad]


def _write(
    job: Job,
    partitions: dict[str, list[pl.DataFrame]],
    bad_lines: list[tuple[RawFile, int, BadLine]],
    result: Adopted,
) -> None:
    arrow = fields.arrow_schema(job.extra)
    district = job.source.file.district
    for number, (day, frames) in enumerate(sorted(partitions.items())):
        steps.reached("adopt.writing")
        path = partition_path(CLEAN, TELEMETRY, day, district, f"{job.claim_id}-{number}.parquet")
        result.files.append(write_day(job.lake, path, day, district, frames, arrow))
    for held in quarantine.write(job.lake, job.claim_id, bad_lines):
        result.files.append(held)
    steps.reached("adopt.written")
