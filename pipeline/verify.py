"""Do the invariants hold? Breaches are errors in Haulwatch; notices are facts worth knowing.

Each check yields findings that name the key or file and the numbers that disagree.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pyarrow.parquet as pq
from sqlalchemy import Connection, select

from pipeline import fields, localtime
from pipeline.gc import orphans
from pipeline.settings import Settings
from pipeline.storage import manifest
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger, count_by, extra_fields
from pipeline.storage.manifest import DataFile
from pipeline.storage.visible import telemetry_sql

#: Findings of one kind that are spelled out; the rest is a number.
MOST = 20


@dataclass(frozen=True)
class Finding:
    """One fact: the check that found it, what it is about, and the figures."""

    check: str
    about: str
    text: str


@dataclass
class VerifyResult:
    """Breaches make the command fail; notices do not."""

    breaches: list[Finding] = field(default_factory=list)
    notices: list[Finding] = field(default_factory=list)
    objects: int = 0
    files: int = 0
    rows: int = 0
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """True when no invariant is broken."""
        return not self.breaches

    def as_json(self) -> dict[str, Any]:
        """The object that ``verify --json`` prints."""
        return {
            "ok": self.ok,
            "breaches": [finding.__dict__ for finding in self.breaches],
            "notices": [finding.__dict__ for finding in self.notices],
            "objects": self.objects,
            "files": self.files,
            "rows": self.rows,
            "seconds": round(self.seconds, 3),
        }


def verify(ledger: Ledger, settings: Settings, *, deep: bool = False) -> VerifyResult:
    """Check the ledger against itself, the lake's footers and rows and, ``deep``, the raw files."""
    started = time.monotonic()
    result = VerifyResult()
    with ledger.read() as connection:  # one snapshot: commits meanwhile cannot confuse us
        files = manifest.live(connection)
        result.files = len(files)
        result.breaches += _identity(connection, result)
        result.breaches += _footers(settings, files)
        if not result.breaches:
            result.breaches += _rows(connection, settings, files, result)
        result.notices += _notices(connection, settings)
        if deep and not result.breaches:
            from pipeline.deep import compare

            result.breaches += [Finding(*item) for item in compare(connection, settings, files)]
    unknown = orphans(ledger, settings)
    if unknown:
        result.notices.append(Finding("orphans", unknown[0], f"{len(unknown)} files for gc"))
    result.seconds = time.monotonic() - started
    return result


def _identity(connection: Connection, result: VerifyResult) -> Iterator[Finding]:
    """lines = accepted + duplicate + quarantined + blank; rows by source add up to accepted."""
    f, s = t.data_files.c, t.file_sources.c
    query = select(s.src, s.rows).join(t.data_files, f.id == s.file_id)
    held: Counter[int] = Counter()
    for src, rows in connection.execute(query.where(f.superseded_at.is_(None))):
        held[int(src)] += int(rows)  # type: ignore[call-overload]
    for row in connection.execute(select(t.raw_objects)):
        result.objects += 1
        parts = row.accepted + row.duplicate + row.quarantined + row.blank
        if row.lines != parts:
            yield Finding("identity", row.key, f"{row.lines} lines but {parts} accounted for")
        expected = 0 if row.dead_at else row.accepted
        present = held.pop(row.id, 0)
        if not row.dead_at and present != expected:
            yield Finding("sources", row.key, f"{expected} accepted but {present} in the manifest")
    for src, rows in held.items():
        yield Finding("sources", f"_src {src}", f"{rows} rows of an object the ledger lacks")


def _footers(settings: Settings, files: list[DataFile]) -> Iterator[Finding]:
    """Every visible file is there, as large and with as many rows as at its commit."""
    for file in files:
        path = settings.lake_root / file.path
        try:
            size = path.stat().st_size
            rows = pq.read_metadata(path).num_rows if size == file.bytes else file.rows
        except FileNotFoundError:
            yield Finding("missing file", file.path, f"{file.rows} rows cannot be read")
            continue
        except Exception as error:  # a damaged footer raises whatever the reader meets first
            yield Finding("damaged file", file.path, str(error).splitlines()[0])
            continue
        if size != file.bytes:
            yield Finding("changed file", file.path, f"{file.bytes} bytes at commit, {size} now")
        if rows != file.rows:
            yield Finding("changed file", file.path, f"{file.rows} rows at commit, {rows} now")


def _rows(
    connection: Connection, settings: Settings, files: list[DataFile], result: VerifyResult
) -> Iterator[Finding]:
    """Exactly once per (deviceid, ts), and as many as were accepted less those overlapped."""
    import duckdb

    o = t.raw_objects.c
    query = select(o.accepted, o.overlapped, o.dead_at)
    wanted = sum(
        row.accepted - row.overlapped for row in connection.execute(query) if row.dead_at is None
    )
    with duckdb.connect(config=settings.duckdb) as duck:
        extra = extra_fields(connection)
        by_day: dict[tuple[str, str], list[DataFile]] = {}
        for file in files:
            by_day.setdefault((file.hiveperiod, file.dstrct_code), []).append(file)
        for (day, district), group in by_day.items():
            source = telemetry_sql(settings.lake_root, group, extra)
            answer = duck.execute(
                "SELECT count(*), count(*) - count(DISTINCT (deviceid, ts)),"
                " count(*) FILTER (hiveperiod IS DISTINCT FROM $day"
                " OR dstrct_code IS DISTINCT FROM $district)"
                f" FROM ({source})",
                {"day": day, "district": district},
            ).fetchone()
            rows, twice, stray = answer or (0, 0, 0)
            result.rows += rows
            if twice:
                yield Finding("rows", f"{day}/{district}", f"{twice} rows are visible twice")
            if stray:
                yield Finding("rows", f"{day}/{district}", f"{stray} rows of another partition")
    if result.rows != wanted:
        text = f"{wanted} rows should be visible, {result.rows} are"
        yield Finding("rows", "all objects", text)


def _notices(connection: Connection, settings: Settings) -> Iterator[Finding]:
    o, k = t.raw_objects.c, t.raw_keys.c
    for status, number in sorted(count_by(connection, o.status).items()):
        if status != "ok":
            query = select(o.key, o.error).where(o.status == status).limit(1)
            key, error = connection.execute(query).one()
            yield Finding(status, str(key), f"{number} objects are {status}; first: {error}")
    states = count_by(connection, k.state)
    if states.get("pending"):
        yield Finding("backlog", "raw", f"{states['pending']} files wait to be read")
    stale = select(o.key).where(o.rules_version != fields.RULES_VERSION)
    old = connection.execute(stale).all()
    if old:
        yield Finding("stale rules", str(old[0][0]), f"{len(old)} objects were read by older rules")
    now = datetime.now(UTC)
    for part in manifest.dirty(connection, t.partitions.c.compacted_version):
        if localtime.is_closed(part.hiveperiod, settings.zone_of(part.dstrct_code), now):
            about = f"{part.hiveperiod}/{part.dstrct_code}"
            yield Finding("compaction", about, "a closed day waits for compaction")
    d = t.devices.c
    known = {str(row[0]) for row in connection.execute(select(d.deviceid).distinct())}
    seen = {str(row[0]) for row in connection.execute(select(o.deviceid).distinct())}
    strangers = sorted(seen - known)
    if strangers:
        text = f"{len(strangers)} devices are not in the register"
        yield Finding("not registered", strangers[0], text)
