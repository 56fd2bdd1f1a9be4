"""``verify --deep``: read the raw files again, with nothing but zlib and json, and compare values.

Shares no code with ingestion's readers, so that it can find their mistakes. Every line of an
object must be a row, a duplicate of a later line, in quarantine, or white space; every visible row
must be its line, value by value.
"""

from __future__ import annotations

import hashlib
import json
import math
import zlib
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow.parquet as pq
from sqlalchemy import Connection, select

from pipeline.errors import StoreUnavailable
from pipeline.fields import FIELDS, SENTINEL
from pipeline.settings import Settings
from pipeline.storage import manifest
from pipeline.storage import tables as t
from pipeline.storage.manifest import DataFile
from pipeline.storage.objects import open_store
from pipeline.storage.visible import telemetry_sql

WORDS = {"-9999", "-9999.0"}
Rows = dict[int, tuple[Any, ...]]


def compare(
    connection: Connection, settings: Settings, files: list[DataFile]
) -> Iterator[tuple[str, str, str]]:
    """(check, key, text) for every object whose visible values are not those of its raw file.

    Objects whose raw file is gone or has another content by now are passed over: raw has its own
    keeper, and a newer version waits for ingestion.
    """
    store = open_store(settings)
    o = t.raw_objects.c
    columns = (o.id, o.key, o.sha256, o.quarantined, o.overlapped)
    query = select(*columns).where(o.status != "failed", o.dead_at.is_(None))
    places, bad = _places(connection, files), _quarantined(connection, settings)
    with duckdb.connect(config=settings.duckdb) as duck:
        duck.execute("SET TimeZone = 'UTC'")
        for item in connection.execute(query):
            try:
                packed = store.read(item.key)
            except OSError:
                continue
            except StoreUnavailable as error:
                yield "raw", settings.raw or "raw", str(error)
                return
            if hashlib.sha256(packed).hexdigest() != item.sha256:
                continue
            source = telemetry_sql(connection, settings.lake_root, places[item.id])
            seen = "SELECT *, epoch_us(ts) AS us FROM (" + source + ") WHERE _src = $src"
            duck.execute(f"SELECT * EXCLUDE (ts) FROM ({seen})", {"src": item.id})
            names = [column[0] for column in duck.description or []]
            rows = {row[names.index("_line")]: row for row in duck.fetchall()}
            difference = _difference(unpacked(packed), names, rows, bad[item.id], item)
            if difference:
                yield "values", item.key, difference


def _places(connection: Connection, files: list[DataFile]) -> dict[int, list[DataFile]]:
    """The files that hold rows of each object version."""
    by_id = {file.id: file for file in files}
    places: dict[int, list[DataFile]] = defaultdict(list)
    s = t.file_sources.c
    for row in connection.execute(select(s.src, s.file_id).order_by(s.file_id)):
        if row.file_id in by_id:
            places[row.src].append(by_id[row.file_id])
    return places


def _quarantined(connection: Connection, settings: Settings) -> dict[int, set[int]]:
    """Line numbers in quarantine by object version."""
    lines: dict[int, set[int]] = defaultdict(set)
    for file in manifest.live(connection, manifest.QUARANTINE):
        table = pq.read_table(settings.lake_root / file.path, columns=["_src", "line"])
        for src, line in zip(*(column.to_pylist() for column in table.columns), strict=True):
            lines[src].add(line)
    return lines


def unpacked(packed: bytes) -> bytes:
    """Everything that zlib gives before the first damage, all members; plain text as it is."""
    if not packed.startswith(b"\x1f\x8b"):
        return packed
    text, rest = bytearray(), packed
    while rest.startswith(b"\x1f\x8b"):
        inflate = zlib.decompressobj(31)
        try:
            for at in range(0, len(rest), 256):
                text += inflate.decompress(rest[at : at + 256])
            rest = inflate.unused_data
        except zlib.error:
            text += _last_bytes(rest, at)
            return bytes(text)
    return bytes(text)


def _last_bytes(packed: bytes, good: int) -> bytes:
    """What can still be had of the chunk that holds the damage: byte by byte."""
    inflate, out = zlib.decompressobj(31), bytearray()
    inflate.decompress(packed[:good])
    try:
        for at in range(good, len(packed)):
            out += inflate.decompress(packed[at : at + 1])
    except zlib.error:
        pass
    return bytes(out)


def _difference(
    text: bytes, names: list[str], rows: Rows, quarantined: set[int], item: Any
) -> str | None:
    """The first line that is not where it should be; None when all are."""
    at = {name: i for i, name in enumerate(names)}
    sent: dict[int, dict[str, Any]] = {}
    last: dict[int, int] = {}
    for number, line in enumerate(text.split(b"\n"), 1):
        if number in quarantined or not line.strip():
            continue
        try:
            value = json.loads(line)
            last[_microseconds(value["heartbeat"])] = number
            sent[number] = value
        except (ValueError, KeyError, TypeError, ArithmeticError):
            return f"line {number} cannot be read and is not in quarantine"
    if len(quarantined) != item.quarantined:
        return f"{item.quarantined} lines quarantined, {len(quarantined)} in quarantine"
    expected = set(last.values())
    if not rows.keys() <= expected:
        return f"line {min(rows.keys() - expected)} is visible and should not be"
    if len(expected) - len(rows) != item.overlapped:
        return (
            f"{len(expected)} distinct heartbeats in the file, {item.overlapped} overlapped,"
            f" {len(rows)} rows visible"
        )
    for us, number in last.items():
        if number in rows:
            problem = _row_difference(sent[number], rows[number], at, us)
            if problem:
                return f"line {number}, {problem}"
    return None


def _row_difference(
    sent: dict[str, Any], row: tuple[Any, ...], at: dict[str, int], us: int
) -> str | None:
    if row[at["us"]] != us:
        return f"heartbeat: {us} µs were sent, {row[at['us']]} are visible"
    rescued = json.loads(row[at["_rescued"]] or "{}")
    folded = {name.casefold(): name for name in at}
    for key, value in sent.items():
        name = folded.get(key.casefold())
        if name in ("heartbeat", "deviceid", "dstrct_code"):
            continue
        if name is None:
            if value is not None and key not in rescued:
                return f"{key}: {value!r} was sent and is nowhere"
        elif not _same(value, row[at[name]], name in rescued):
            return f"{key}: {value!r} was sent, {row[at[name]]!r} is visible"
    return None


def _microseconds(heartbeat: Any) -> int:
    """Epoch in µs of a heartbeat in s, ms, µs or ns. Raises when it is no number."""
    if isinstance(heartbeat, bool) or heartbeat is None:
        raise TypeError
    number = Decimal(heartbeat) if isinstance(heartbeat, int | str) else Decimal(repr(heartbeat))
    if number < 10**10:
        return round(number * 1_000_000)
    if number < 10**13:
        return round(number * 1_000)
    return round(number) if number < 10**16 else int(number // 1_000)


_NUMERIC = {field.name for field in FIELDS if field.numeric}


def _same(sent: Any, seen: Any, rescued: bool) -> bool:
    if sent is None or sent == SENTINEL or sent in WORDS or rescued:
        return seen is None or rescued
    if isinstance(seen, float):
        return math.isclose(float(sent), seen, rel_tol=0, abs_tol=0)
    if isinstance(sent, float) and isinstance(seen, str):
        return float(seen) == sent
    return bool(str(sent) == seen)
