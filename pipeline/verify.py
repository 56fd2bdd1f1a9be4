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
from sqlalchemy import Connection, func, select

from pipeline import fields, localtime, retention
from pipeline.errors import StoreUnavailable
from pipeline.gc import orphans
from pipeline.settings import Settings
from pipeline.storage import manifest
from pipeline.storage import tables as t
from pipeline.storage.lake import Lake, open_lake
from pipeline.storage.ledger import Ledger
from pipeline.storage.records import CLEAN, DataFile
from pipeline.storage.visible import telemetry_sql
from pipeline.unclaimed import Left, left

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
    lake = open_lake(settings)
    with ledger.read() as connection:  # one snapshot: commits meanwhile cannot confuse us
        files = manifest.live(connection, whole=True)
        result.files = len(files)
        result.breaches += _identity(connection, result)
        result.breaches += _footers(lake, files)
        if not result.breaches:
            result.breaches += _rows(connection, settings, lake, files, result)
        result.notices += _notices(connection, settings)
        if deep and not result.breaches:
            from pipeline.deep import compare

            result.breaches += [Finding(*item) for item in compare(connection, settings, files)]
    _orphans(ledger, settings, lake, result)
    result.seconds = time.monotonic() - started
    return result


def _orphans(ledger: Ledger, settings: Settings, lake: Lake, result: VerifyResult) -> None:
    """Files that the manifest does not know: for gc, or of an earlier ledger, which gc leaves."""
    unknown = orphans(ledger, settings)
    # What is visible is read to tell what is not: only where it can be.
    earlier = left(ledger, settings, lake, unknown) if result.ok else Left()
    ours = sorted(set(unknown) - set(earlier.spare) - set(earlier.needed))
    if ours:
        result.notices.append(Finding("orphans", ours[0], f"{len(ours)} files for gc"))
    if earlier.spare:
        text = f"{len(earlier.spare)} files of an earlier ledger, all of which is visible elsewhere"
        text += " (haulwatch rebuild-ledger leaves them to gc)"
        result.notices.append(Finding("earlier ledger", earlier.spare[0], text))
    unseen = [(path, rows) for path, rows in earlier.needed.items() if rows]
    for path, rows in unseen[:MOST]:
        what = "rows" if path.startswith(f"{CLEAN}/") else "bad lines"
        text = f"{rows} {what} of an earlier ledger are in this file alone and shown to nobody; gc"
        text += " leaves it (haulwatch rebuild-ledger reads again what raw files still hold)"
        result.notices.append(Finding("unseen", path, text))
    if len(unseen) > MOST:
        text = f"{sum(rows for _, rows in unseen)} rows and bad lines in {len(unseen)} files in all"
        result.notices.append(Finding("unseen", f"{len(unseen) - MOST} more", text))


def _identity(connection: Connection, result: VerifyResult) -> Iterator[Finding]:
    """lines = accepted + duplicate + quarantined + blank; the manifest holds what was accepted.

    Of a live version, all but the expired, and as many hidden as were overlapped; of a dead one,
    all that is left is hidden.
    """
    f, s, b = t.data_files.c, t.file_sources.c, t.beaten.c
    sums = (func.sum(s.rows).label("held"), func.sum(s.hidden).label("out"))
    query = select(s.src, *sums).join(t.data_files, f.id == s.file_id).group_by(s.src)
    query = query.where(f.superseded_at.is_(None))
    held = {row.src: (int(row.held), int(row.out)) for row in connection.execute(query)}
    spans = select(b.src, func.sum(b.rows).label("out")).group_by(b.src)
    beaten = {row.src: int(row.out) for row in connection.execute(spans)}
    for row in connection.execute(select(t.raw_objects)):
        result.objects += 1
        parts = row.accepted + row.duplicate + row.quarantined + row.blank
        if row.lines != parts:
            yield Finding("identity", row.key, f"{row.lines} lines but {parts} accounted for")
        rows, hidden = held.pop(row.id, (0, 0))
        expected = rows if row.dead_at else row.accepted - row.expired
        if rows != expected:
            kept = f"{row.accepted} accepted, {row.expired} expired"
            yield Finding("sources", row.key, f"{kept} but {rows} in the manifest")
        out = rows if row.dead_at else row.overlapped
        if hidden != out or beaten.pop(row.id, 0) != row.overlapped:
            yield Finding("hidden", row.key, f"{out} rows to leave out but {hidden} are")
    for src, (rows, _) in held.items():
        yield Finding("sources", f"_src {src}", f"{rows} rows of an object the ledger lacks")


def _footers(lake: Lake, files: list[DataFile]) -> Iterator[Finding]:
    """Every visible file is there, as large and with as many rows as at its commit."""
    sizes = lake.sizes()
    for file in files:
        size = sizes.get(file.path)
        if size is None:
            yield Finding("missing file", file.path, f"{file.rows} rows cannot be read")
            continue
        rows = file.rows
        try:
            if size == file.bytes:
                with lake.reading() as source:
                    rows = pq.read_metadata(file.path, filesystem=source).num_rows
        except StoreUnavailable:
            raise
        except Exception as error:  # a damaged footer raises whatever the reader meets first
            yield Finding("damaged file", file.path, str(error).splitlines()[0])
            continue
        if size != file.bytes:
            yield Finding("changed file", file.path, f"{file.bytes} bytes at commit, {size} now")
        if rows != file.rows:
            yield Finding("changed file", file.path, f"{file.rows} rows at commit, {rows} now")


def _rows(
    connection: Connection,
    settings: Settings,
    lake: Lake,
    files: list[DataFile],
    result: VerifyResult,
) -> Iterator[Finding]:
    """Exactly once per (deviceid, ts); of each object: accepted less overlapped and expired."""
    import duckdb

    o = t.raw_objects.c
    columns = (o.id, o.key, o.accepted, o.overlapped, o.expired)
    query = select(*columns).where(o.dead_at.is_(None))
    objects = {row.id: row for row in connection.execute(query)}
    seen: Counter[int] = Counter()
    with duckdb.connect(config=settings.duckdb) as duck:
        for day, district, group in _by_day(files):
            with lake.loan() as loan:
                loan.fetch(file.path for file in group)
                source = telemetry_sql(connection, loan.root, group)
                duck.execute(
                    "CREATE OR REPLACE TEMP TABLE part AS SELECT deviceid, ts, _src,"
                    " hiveperiod IS DISTINCT FROM $day OR dstrct_code IS DISTINCT FROM $district"
                    f" AS stray FROM ({source})",
                    {"day": day, "district": district},
                )
            answer = duck.execute(
                "SELECT count(*), count(*) - count(DISTINCT (deviceid, ts)),"
                " count(*) FILTER (stray) FROM part"
            ).fetchone()
            rows, twice, stray = answer or (0, 0, 0)
            result.rows += rows
            if twice:
                yield Finding("rows", f"{day}/{district}", f"{twice} rows are visible twice")
            if stray:
                yield Finding("rows", f"{day}/{district}", f"{stray} rows of another partition")
            by_source = duck.execute("SELECT _src, count(*) FROM part GROUP BY ALL").fetchall()
            seen.update(dict(by_source))
    for src, row in objects.items():
        wanted = row.accepted - row.overlapped - row.expired
        found = seen.pop(src, 0)
        if wanted != found:
            yield Finding("rows", row.key, f"{wanted} rows should be visible, {found} are")
    for src, rows in seen.items():
        yield Finding("rows", f"_src {src}", f"{rows} rows of no live object are visible")
    yield from _twice_across_districts(connection, settings, lake, files)


def _by_day(files: list[DataFile]) -> Iterator[tuple[str, str, list[DataFile]]]:
    groups: dict[tuple[str, str], list[DataFile]] = {}
    for file in files:
        if file.hidden < file.rows:
            groups.setdefault((file.hiveperiod, file.dstrct_code), []).append(file)
    yield from ((day, district, group) for (day, district), group in groups.items())


def _twice_across_districts(
    connection: Connection, settings: Settings, lake: Lake, files: list[DataFile]
) -> Iterator[Finding]:
    """A device that delivers into two districts is one device all the same."""
    import duckdb

    s, f = t.file_sources.c, t.data_files.c
    moved = (
        select(s.deviceid)
        .join(t.data_files, f.id == s.file_id)
        .where(f.superseded_at.is_(None))
        .group_by(s.deviceid)
        .having(func.count(func.distinct(f.dstrct_code)) > 1)
    )
    devices = [str(row[0]) for row in connection.execute(moved)]
    if not devices:
        return
    held = select(s.file_id).where(s.deviceid.in_(devices))
    ids = {int(row[0]) for row in connection.execute(held)}
    visible = [file for file in files if file.hidden < file.rows and file.id in ids]
    with duckdb.connect(config=settings.duckdb) as duck, lake.loan() as loan:
        loan.fetch(file.path for file in visible)
        source = telemetry_sql(connection, loan.root, visible)
        query = (
            "SELECT deviceid, count(*) - count(DISTINCT ts) AS twice"
            f" FROM ({source}) WHERE deviceid IN (SELECT unnest($devices))"
            " GROUP BY ALL HAVING twice > 0"
        )
        for device, twice in duck.execute(query, {"devices": devices}).fetchall():
            yield Finding("rows", device, f"{twice} rows are visible twice, in several districts")


def _notices(connection: Connection, settings: Settings) -> Iterator[Finding]:
    o, k = t.raw_objects.c, t.raw_keys.c
    odd = select(o.key, o.status, o.error, o.flags).where(o.dead_at.is_(None), o.status != "ok")
    found: dict[str, list[tuple[str, str]]] = {}
    for row in connection.execute(odd.order_by(o.status, o.key)):
        found.setdefault(row.status, []).append((row.key, row.error or row.flags or ""))
    said = select(o.id).where(o.key == k.key, o.dead_at.is_(None), o.status == "failed").exists()
    aside = select(k.key, k.error).where(k.state == "failed", ~said).order_by(k.key)
    for row in connection.execute(aside):  # no version of theirs was ever read
        found.setdefault("failed", []).append((row.key, row.error or ""))
    waiting = select(k.key).where(k.state == "pending").order_by(k.arrived_at)
    found["backlog"] = [(row.key, "waits to be read") for row in connection.execute(waiting)]
    stale = select(o.key, o.rules_version).where(
        o.dead_at.is_(None), o.rules_version != fields.RULES_VERSION
    )
    found["stale rules"] = [
        (row.key, f"was read by rules {row.rules_version} (haulwatch reingest --stale-rules)")
        for row in connection.execute(stale.order_by(o.key))
    ]
    for check, items in found.items():
        yield from (Finding(check, key, text) for key, text in items[:MOST])
        if len(items) > MOST:
            yield Finding(check, f"{len(items) - MOST} more", f"{len(items)} in all")
    now = datetime.now(UTC)
    for part in manifest.dirty(connection, t.partitions.c.compacted_version):
        if localtime.is_closed(part.hiveperiod, settings.zone_of(part.dstrct_code), now):
            about = f"{part.hiveperiod}/{part.dstrct_code}"
            yield Finding("compaction", about, "a closed day waits for compaction")
    d = t.devices.c
    known = {str(row[0]) for row in connection.execute(select(d.deviceid).distinct())}
    # An adopted Parquet file is an object of no device.
    named = select(o.deviceid).where(o.deviceid != "").distinct()
    seen = {str(row[0]) for row in connection.execute(named)}
    strangers = sorted(seen - known)
    if strangers:
        text = f"{len(strangers)} devices are not in the register"
        yield Finding("not registered", strangers[0], text)
    for layer, what in retention.gone(connection).items():
        yield Finding("expired", layer, what)
