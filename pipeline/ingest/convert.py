"""One claim's raw files → Parquet files of ``clean``. Runs in a child process; pure of the ledger.

Nothing here is visible to readers: the files are named after the claim and wait for its commit.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl
import pyarrow as pa

from pipeline import fields, steps
from pipeline.errors import ObjectChanged, RefusedByFastPath
from pipeline.ingest import clean, fast, quarantine, unpack
from pipeline.ingest.gunzip import TooLarge, gunzip
from pipeline.ingest.job import Converted, Job
from pipeline.ingest.salvage import BadLine, TooLong, salvage
from pipeline.storage.lake import Lake, discard
from pipeline.storage.parquet import Writer, partition_path
from pipeline.storage.records import CLEAN, TELEMETRY, UNREADABLE, Held, NewFile, RawFile


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


def convert(job: Job) -> Converted:
    """Read every file of the claim and write the rows of those that can be accounted for.

    Raises StoreUnavailable, and OSError when the lake cannot be written; what was half written is
    removed then.
    """
    result = Converted(reread=job.reread)
    try:
        return _convert(job, result)
    except BaseException:
        discard(job.lake, result.files)
        raise


def _convert(job: Job, result: Converted) -> Converted:
    schema = fields.json_schema(job.extra)
    partitions: dict[tuple[str, str], list[pl.DataFrame]] = defaultdict(list)
    bad_lines: list[tuple[RawFile, int, BadLine]] = []
    for file in job.claim.files:
        try:
            spooled = unpack.spool(job.store, file)
        except (ObjectChanged, FileNotFoundError):
            result.changing.append(file.key)
            continue
        except OSError as error:
            reason = f"{UNREADABLE}: {error.strerror or error}"
            result.objects.append(failed_row(job.source_id(file.key, ""), file, "", reason))
            continue
        steps.reached("ingest.spooled")
        arrived_at = job.known.get(file.key, {}).get(spooled.sha256)
        if arrived_at is not None and file.key not in job.reread:
            result.unchanged[file.key] = arrived_at
            continue
        if arrived_at is not None:  # the same content arrived once, whenever it was touched
            file = replace(file, arrived_at=arrived_at)  # noqa: PLW2901
        try:
            taken = read_object(job, file, spooled, schema)
        except SetAside as error:
            src = job.source_id(file.key, spooled.sha256)
            result.objects.append(failed_row(src, file, spooled.sha256, str(error)))
            continue
        if job.ask_for_fields and taken.unknown:
            for name, kind in taken.unknown.items():
                result.unknown.setdefault(name, (kind, file.key))
            continue
        row = object_row(job.source_id(file.key, spooled.sha256), file, spooled.sha256, taken)
        result.objects.append(row)
        bad_lines += [(file, row["id"], line) for line in taken.bad]
        for part in split(taken.cleaned.frame, "hiveperiod"):
            partitions[part["hiveperiod"][0], file.district].append(part)
    arrow = fields.arrow_schema(job.extra)
    for number, ((day, district), frames) in enumerate(sorted(partitions.items())):
        steps.reached("ingest.writing")
        path = partition_path(CLEAN, TELEMETRY, day, district, f"{job.claim.id}-{number}.parquet")
        result.files.append(write_day(job.lake, path, day, district, frames, arrow))
    for held in quarantine.write(job.lake, job.claim.id, bad_lines):
        result.files.append(held)  # one by one: what is finished must be known should the next fail
    steps.reached("ingest.written")
    return result


def read_object(
    job: Job, file: RawFile, spooled: unpack.Spooled, schema: dict[str, pl.DataType]
) -> Taken:
    """Fast if every value can be vouched for, line by line otherwise. Raises SetAside."""
    src = job.source_id(file.key, spooled.sha256)

    def cleaned(frame: pl.DataFrame) -> clean.Cleaned:
        zone = job.zones[file.district]
        return clean.clean(frame, file, src, zone, job.extra, job.window_start)

    try:
        text = unpack.unpack(spooled.packed, job.most_bytes)
        if unpack.has_longer_line(text, job.most_line_bytes):
            raise RefusedByFastPath("a line beyond the limit")
        frame = fast.read(text, schema)
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
    nothing_sent = unpacked.members and not unpacked.torn and taken.lines == taken.blank
    readable = taken.cleaned.accepted or nothing_sent
    if unpacked.crc or not readable:
        taken.status = "corrupt"
    return taken


def write_day(
    lake: Lake, path: str, day: str, district: str, frames: list[pl.DataFrame], schema: pa.Schema
) -> NewFile:
    """One file a local day and district: a row group a unit and device, in their order."""
    by_unit: dict[tuple[str, str], list[pl.DataFrame]] = defaultdict(list)
    for frame in frames:
        for part in split(frame, "unitno"):
            by_unit[part["unitno"][0] or "", part["deviceid"][0]].append(part)
    sources: dict[int, Held] = {}
    with Writer(lake, path, schema) as writer:
        for key in sorted(by_unit):
            group = by_unit.pop(key)
            unit = group[0] if len(group) == 1 else pl.concat(group, how="diagonal").sort("ts")
            writer.write(clean.to_arrow(unit, schema))
        size = writer.close()
    for frame in frames:  # one of an object each
        low, high = span_us(frame)
        src, device = frame["_src"][0], frame["deviceid"][0]
        sources[src] = Held(device, frame.height, low, high)
    units = {str(name) for frame in frames for name in frame["unitno"].unique() if name}
    return NewFile(
        layer=CLEAN,
        dataset=TELEMETRY,
        path=path,
        hiveperiod=day,
        dstrct_code=district,
        rows=writer.rows,
        bytes=size,
        min_ts=min(held.min_ts for held in sources.values()),
        max_ts=max(held.max_ts for held in sources.values()),
        units=tuple(sorted(units)),
        sources=sources,
    )


def split(frame: pl.DataFrame, name: str) -> list[pl.DataFrame]:
    """The frame by the values of a column; as it is when there is one only, as there mostly is."""
    if frame.height and frame[name].n_unique() == 1:
        return [frame]
    return frame.partition_by(name, maintain_order=True)


def span_us(frame: pl.DataFrame) -> tuple[int, int]:
    """First and last ``ts`` of a frame with rows, in microseconds."""
    ts = frame.select(pl.col("ts").to_physical().min().alias("a"), pl.col("ts").to_physical().max())
    low, high = ts.row(0)
    return int(low), int(high)


def object_row(src: int, file: RawFile, sha256: str, taken: Taken) -> dict[str, Any]:
    """The row of ``raw_objects`` of a version that could be read."""
    cleaned, frame = taken.cleaned, taken.cleaned.frame
    row = _row(src, file, sha256) | {
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


def failed_row(src: int, file: RawFile, sha256: str, reason: str) -> dict[str, Any]:
    """The row of ``raw_objects`` of a version that was set aside."""
    return _row(src, file, sha256) | {"status": "failed", "error": reason}


def _row(src: int, file: RawFile, sha256: str) -> dict[str, Any]:
    return {
        "id": src,
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
