"""One claim's raw files → Parquet files of ``clean``. Runs in a child process; pure of the ledger.

Nothing here is visible to readers: the files are named after the claim and wait for its commit.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from pipeline import fields
from pipeline.errors import ObjectChanged, RefusedByFastPath
from pipeline.ingest import clean, fast, quarantine, unpack
from pipeline.ingest.gunzip import TooLarge, gunzip
from pipeline.ingest.salvage import BadLine, TooLong, salvage
from pipeline.storage.claims import Claim, RawFile
from pipeline.storage.manifest import CLEAN, TELEMETRY, NewFile
from pipeline.storage.objects import DiskStore
from pipeline.storage.parquet import Writer, partition_path

#: Level 1 writes a fleet-hour about as fast as it is parsed; compaction packs it tighter later.
ZSTD_LEVEL = 1


@dataclass(frozen=True)
class Job:
    """Everything a child needs: it opens no ledger and reads no settings."""

    claim: Claim
    raw_root: Path
    lake_root: Path
    zones: dict[str, str]
    extra: dict[str, str]
    window_start: int
    most_bytes: int
    most_line_bytes: int
    #: Content hashes already in, by key: the same content again is not read again.
    known: dict[str, frozenset[str]] = field(default_factory=dict)
    #: False once new fields were recorded: what is still unknown is over the day's limit.
    ask_for_fields: bool = True
    #: Keys of the claim that cannot become visible, and why; they are not read.
    refused: dict[str, str] = field(default_factory=dict)


class SetAside(Exception):
    """A file beyond a limit: it is not read, and says why."""


@dataclass
class Taken:
    """What one object gave: clean rows, bad lines, and fields nobody knew."""

    cleaned: clean.Cleaned
    lines: int
    blank: int = 0
    bad: list[BadLine] = field(default_factory=list)
    status: str = "ok"
    unknown: dict[str, str] = field(default_factory=dict)


@dataclass
class Converted:
    """What became of a claim: rows of ``raw_objects``, files, and keys left for another time."""

    objects: list[dict[str, Any]] = field(default_factory=list)
    files: list[NewFile] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    changing: list[str] = field(default_factory=list)
    #: Fields the ledger does not know yet, with the key that holds them. If there are any, nothing
    #: was written: they are recorded first, then the claim is converted again.
    unknown: dict[str, tuple[str, str]] = field(default_factory=dict)


def convert(job: Job) -> Converted:
    """Read every file of the claim and write the rows of those that can be accounted for."""
    result = Converted()
    store = DiskStore(job.raw_root)
    schema = fields.json_schema(job.extra)
    partitions: dict[tuple[str, str], list[pl.DataFrame]] = defaultdict(list)
    bad_lines: list[tuple[RawFile, int, BadLine]] = []
    for file in job.claim.files:
        if file.key in job.refused:
            result.objects.append(_failed(file, "", job.refused[file.key]))
            continue
        try:
            spooled = unpack.spool(store, file)
        except ObjectChanged:
            result.changing.append(file.key)
            continue
        except OSError as error:
            reason = f"cannot be read: {error.strerror}"
            result.objects.append(_failed(file, "", reason))
            continue
        if spooled.sha256 in job.known.get(file.key, ()):
            result.unchanged.append(file.key)
            continue
        try:
            taken = read_object(job, file, spooled, schema)
        except SetAside as error:
            result.objects.append(_failed(file, spooled.sha256, str(error)))
            continue
        if job.ask_for_fields:
            for name, kind in taken.unknown.items():
                result.unknown.setdefault(name, (kind, file.key))
        row = _object(file, spooled.sha256, taken)
        result.objects.append(row)
        bad_lines += [(file, row["id"], line) for line in taken.bad]
        for part in taken.cleaned.frame.partition_by("hiveperiod", maintain_order=True):
            partitions[part["hiveperiod"][0], file.district].append(part)
    if result.unknown:
        return Converted(unknown=result.unknown)
    arrow = fields.arrow_schema(job.extra)
    for number, ((day, district), frames) in enumerate(sorted(partitions.items())):
        path = partition_path(CLEAN, TELEMETRY, day, district, f"{job.claim.id}-{number}.parquet")
        result.files.append(_write(job.lake_root, path, day, district, frames, arrow))
    result.files += quarantine.write(job.lake_root, job.claim.id, bad_lines)
    return result


def read_object(
    job: Job, file: RawFile, spooled: unpack.Spooled, schema: dict[str, pl.DataType]
) -> Taken:
    """Fast if every value can be vouched for, line by line otherwise. Raises SetAside."""
    src = unpack.source_id(file.key, spooled.sha256)

    def cleaned(frame: pl.DataFrame) -> clean.Cleaned:
        zone = job.zones[file.district]
        return clean.clean(frame, file, src, zone, job.extra, job.window_start)

    try:
        frame = fast.read(unpack.unpack(spooled.packed, job.most_bytes), schema)
        taken = Taken(cleaned(frame), lines=frame.height)
        if not taken.cleaned.wrong_clock:
            return taken
    except RefusedByFastPath:
        pass  # not a verdict on the file, only on the way to read it
    try:
        unpacked = gunzip(spooled.packed, job.most_bytes)
        salvaged = salvage(unpacked, schema, job.most_line_bytes)
    except TooLarge:
        raise SetAside(f"unpacks to more than {job.most_bytes:,} bytes") from None
    except TooLong:
        raise SetAside(f"has a line of more than {job.most_line_bytes:,} bytes") from None
    taken = Taken(cleaned(salvaged.frame), salvaged.lines, salvaged.blank, salvaged.bad)
    taken.unknown = salvaged.unknown
    wrong = set(taken.cleaned.wrong_clock)
    texts = unpacked.text.split(b"\n") if wrong else []
    taken.bad += [BadLine(number, "clock", texts[number - 1]) for number in sorted(wrong)]
    taken.cleaned.flags += unpacked.flags
    if unpacked.torn:
        taken.status = "partial"
    readable = taken.cleaned.accepted or (
        unpacked.members and not unpacked.torn and not taken.lines
    )
    if unpacked.crc or not readable:
        taken.status = "corrupt"
    return taken


def _write(
    root: Path, path: str, day: str, district: str, frames: list[pl.DataFrame], schema: pa.Schema
) -> NewFile:
    """One file a local day and district: a row group a unit and device, in their order."""
    by_unit: dict[tuple[str, str], list[pl.DataFrame]] = defaultdict(list)
    for frame in frames:
        for part in frame.partition_by("unitno", maintain_order=True):
            by_unit[part["unitno"][0] or "", part["deviceid"][0]].append(part)
    sources: Counter[int] = Counter()
    writer = Writer(root / path, schema, ZSTD_LEVEL)
    for key in sorted(by_unit):
        group = by_unit.pop(key)
        unit = group[0] if len(group) == 1 else pl.concat(group, how="diagonal").sort("ts")
        for src, rows in unit["_src"].value_counts().iter_rows():
            sources[src] += rows
        writer.write(clean.to_arrow(unit, schema))
    size = writer.close()
    spans = [span_us(frame) for frame in frames]
    units = {str(name) for frame in frames for name in frame["unitno"].unique() if name}
    return NewFile(
        layer=CLEAN,
        dataset=TELEMETRY,
        path=path,
        hiveperiod=day,
        dstrct_code=district,
        rows=writer.rows,
        bytes=size,
        min_ts=min(low for low, _ in spans),
        max_ts=max(high for _, high in spans),
        units=tuple(sorted(units)),
        sources=dict(sources),
    )


def span_us(frame: pl.DataFrame) -> tuple[int, int]:
    """First and last ``ts`` of a frame with rows, in microseconds."""
    ts = frame.select(pl.col("ts").to_physical().min().alias("a"), pl.col("ts").to_physical().max())
    low, high = ts.row(0)
    return int(low), int(high)


def _object(file: RawFile, sha256: str, taken: Taken) -> dict[str, Any]:
    cleaned, frame = taken.cleaned, taken.cleaned.frame
    row = _row(file, sha256) | {
        "status": taken.status,
        "lines": taken.lines,
        "accepted": cleaned.accepted,
        "duplicate": cleaned.duplicate,
        "quarantined": len(taken.bad),
        "blank": taken.blank,
        "rescued": cleaned.rescued,
        "flags": ",".join(cleaned.flags),
    }
    if taken.bad:
        reasons = Counter(line.reason for line in taken.bad)
        row["error"] = ", ".join(f"{number} × {why}" for why, number in sorted(reasons.items()))
    if frame.height:
        row["min_ts"], row["max_ts"] = span_us(frame)
        last = frame.select(pl.col("unitno", "fwversion").drop_nulls().last())
        row["unitno"], row["fwversion"] = last.row(0)
    return row


def _failed(file: RawFile, sha256: str, reason: str) -> dict[str, Any]:
    return _row(file, sha256) | {"status": "failed", "error": reason}


def _row(file: RawFile, sha256: str) -> dict[str, Any]:
    return {
        "id": unpack.source_id(file.key, sha256),
        "key": file.key,
        "sha256": sha256,
        "district": file.district,
        "deviceid": file.deviceid,
        "hour": file.hour,
        "size": file.size,
        "arrived_at": file.arrived_at,
        "lines": 0,
        "accepted": 0,
        "duplicate": 0,
        "quarantined": 0,
        "blank": 0,
        "overlapped": 0,
        "rescued": 0,
        "min_ts": None,
        "max_ts": None,
        "unitno": None,
        "fwversion": None,
        "flags": "",
        "error": None,
        "dead_at": None,
        "rules_version": fields.RULES_VERSION,
    }
