"""``verify --deep``: read the raw files again, with nothing but zlib and json, and compare values.

Shares no code with ingestion's readers, so that it can find their mistakes. Every line of an
object must be a row, a duplicate of a later line, in quarantine, or white space; every visible row
must be its line, value by value. Of what retention let go only the number is compared.
"""

from __future__ import annotations

import hashlib
import json
import math
import zlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

import duckdb
import polars as pl
import pyarrow.parquet as pq
from sqlalchemy import Connection, select

from pipeline import retention
from pipeline.errors import StoreUnavailable
from pipeline.fields import SENTINEL, TIME_FIELD
from pipeline.pool import Pool
from pipeline.settings import Settings
from pipeline.storage import manifest
from pipeline.storage import tables as t
from pipeline.storage.lake import Lake, Loan, open_lake
from pipeline.storage.objects import Store, open_store
from pipeline.storage.records import QUARANTINE, DataFile
from pipeline.storage.visible import telemetry_sql

WORDS = {"-9999", "-9999.0"}

#: Objects that a child reads again before it comes back.
BATCH = 16


@dataclass(frozen=True)
class Task:
    """One object to be read again; ``source`` is SQL over the visible rows of its files.

    ``unseen`` rows are overlapped or expired; of ``forgotten`` bad lines the bytes are not kept any
    more, and which lines they were is not known.
    """

    key: str
    sha256: str
    src: int
    source: str
    paths: tuple[str, ...]
    quarantined: frozenset[int]
    expected_bad: int
    forgotten: int
    unseen: int


def compare(
    connection: Connection, settings: Settings, files: list[DataFile]
) -> Iterator[tuple[str, str, str]]:
    """(check, key, text) for every object whose visible values are not those of its raw file.

    Objects whose raw file is gone or has another content by now are passed over: raw has its own
    keeper, and a newer version waits for ingestion.
    """
    lake = open_lake(settings)
    with lake.loan() as loan:
        tasks = list(_tasks(connection, lake, loan, files))
        examine = partial(_examine, open_store(settings), loan, settings.duckdb)
        batches = [tasks[i : i + BATCH] for i in range(0, len(tasks), BATCH)]
        if len(batches) < 2 or settings.threads == 1:
            for batch in batches:
                yield from examine(batch)
            return
        with Pool(settings.threads) as pool:
            for found in pool.map(examine, batches):
                yield from found


def _tasks(connection: Connection, lake: Lake, loan: Loan, files: list[DataFile]) -> Iterator[Task]:
    o = t.raw_objects.c
    columns = (o.id, o.key, o.sha256, o.quarantined, o.overlapped, o.expired)
    query = select(*columns).where(o.status != "failed", o.dead_at.is_(None)).order_by(o.key)
    places, bad = _places(connection, files), _quarantined(connection, lake)
    forgotten = retention.forgotten(connection)
    for row in connection.execute(query):
        source = telemetry_sql(connection, loan.root, places[row.id])
        paths = tuple(file.path for file in places[row.id])
        lines = frozenset(bad[row.id])
        gone = forgotten[row.id].lines if row.id in forgotten else 0
        counts = (row.quarantined - gone, gone, row.overlapped + row.expired)
        yield Task(row.key, row.sha256, row.id, source, paths, lines, *counts)


def _examine(
    store: Store, loan: Loan, limits: dict[str, Any], tasks: list[Task]
) -> list[tuple[str, str, str]]:
    """What is wrong with some objects. Runs in a child process when there are many."""
    found: list[tuple[str, str, str]] = []
    with duckdb.connect(config=limits) as duck:
        duck.execute("SET TimeZone = 'UTC'")
        for task in tasks:
            try:
                packed = store.read(task.key)
            except OSError:
                continue
            except StoreUnavailable as error:
                return [*found, ("raw", task.key, str(error))]
            if hashlib.sha256(packed).hexdigest() != task.sha256:
                continue
            loan.fetch(task.paths)
            query = f"SELECT *, epoch_us(ts) AS us FROM ({task.source}) WHERE _src = $src"
            seen: pl.DataFrame = duck.sql(query, params={"src": task.src}).pl().sort("_line")
            difference = _difference(unpacked(packed), seen, task)
            if difference:
                found.append(("values", task.key, difference))
    return found


def _places(connection: Connection, files: list[DataFile]) -> dict[int, list[DataFile]]:
    """The files that hold rows of each object version."""
    by_id = {file.id: file for file in files}
    places: dict[int, list[DataFile]] = defaultdict(list)
    s = t.file_sources.c
    for row in connection.execute(select(s.src, s.file_id).order_by(s.file_id)):
        if row.file_id in by_id:
            places[row.src].append(by_id[row.file_id])
    return places


def _quarantined(connection: Connection, lake: Lake) -> dict[int, set[int]]:
    """Line numbers in quarantine by object version."""
    lines: dict[int, set[int]] = defaultdict(set)
    files = manifest.live(connection, QUARANTINE)
    root = lake.cached(file.path for file in files)
    for file in files:
        table = pq.read_table(root / file.path, columns=["_src", "line"])
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


def _difference(text: bytes, seen: pl.DataFrame, task: Task) -> str | None:
    """The first line that is not where it should be; None when all are."""
    sent: dict[int, dict[str, Any]] = {}
    last: dict[int, int] = {}
    visible = set[int](seen["_line"].to_list())
    bad = task.forgotten  # lines left that may be bad although nobody remembers them
    for number, line in enumerate(text.split(b"\n"), 1):
        if number in task.quarantined or not line.strip():
            continue
        try:
            value = json.loads(line, object_pairs_hook=_latest)
            instant = _microseconds(_heartbeat(value))
        except (ValueError, KeyError, TypeError, ArithmeticError, RecursionError):
            if not bad:
                return f"line {number} cannot be read and is not in quarantine"
            bad -= 1
            continue
        sent[number] = value
        # A line that may be bad does not take the place of one that is seen.
        if not task.forgotten or number in visible or last.get(instant) not in visible:
            last[instant] = number
    if len(task.quarantined) != task.expected_bad:
        return f"{task.expected_bad} lines quarantined, {len(task.quarantined)} in quarantine"
    expected = {n: us for us, n in last.items()}
    if not visible <= expected.keys():
        return f"line {min(visible - expected.keys())} is visible and should not be"
    if not task.unseen <= len(expected) - len(visible) <= task.unseen + bad:
        return (
            f"{len(expected)} distinct heartbeats in the file, {task.unseen} overlapped or expired,"
            f" {len(visible)} rows visible"
        )
    return _values_differ(sent, expected, seen)


def _values_differ(
    sent: dict[int, dict[str, Any]], instants: dict[int, int], seen: pl.DataFrame
) -> str | None:
    """The first value that is not what was sent. Whole columns first: they are mostly equal."""
    lines: list[int] = seen["_line"].to_list()
    rows = [sent[line] for line in lines]
    rescued = [json.loads(text or "{}") for text in seen["_rescued"].to_list()]
    at = [instants[line] for line in lines]
    if at != seen["us"].to_list():
        return f"heartbeat: line {lines[0]} and following are at other instants than were sent"
    columns = {name.casefold(): name for name in seen.columns}
    for key, values in _by_key(rows):
        name = columns.get(key.casefold())
        if name in ("heartbeat", "deviceid", "dstrct_code"):
            continue
        shown = [None] * len(rows) if name is None else seen[name].to_list()
        if values == shown:
            continue
        for line, value, other, kept in zip(lines, values, shown, rescued, strict=True):
            if key not in sent[line]:
                continue  # this line spelt it otherwise
            if name is None and value is not None and key not in kept:
                return f"line {line}, {key}: {value!r} was sent and is nowhere"
            if name is not None and not _same(value, other, name in kept):
                return f"line {line}, {key}: {value!r} was sent, {other!r} is visible"
    return None


def _by_key(rows: list[dict[str, Any]]) -> Iterator[tuple[str, list[Any]]]:
    """Every key with its value in each row; None in rows that lack it."""
    keys = dict.fromkeys(rows[0]) if rows else {}
    first = list(keys)
    if all(list(row) == first for row in rows):
        turned = zip(*(row.values() for row in rows), strict=True)
        yield from ((key, list(values)) for key, values in zip(keys, turned, strict=True))
        return
    for key in {key: None for row in rows for key in row}:
        yield key, [row.get(key) for row in rows]


def _latest(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object whose repeated keys stand where they came last."""
    value = dict(pairs)
    if len(value) < len(pairs):
        value.clear()
        for key, item in pairs:
            value.pop(key, None)
            value[key] = item
    return value


def _heartbeat(value: Any) -> Any:
    """What was sent as heartbeat, in whatever case; the last one counts. Raises when none was."""
    if not isinstance(value, dict):
        raise TypeError
    names = [name for name in value if name.casefold() == TIME_FIELD]
    if not names:
        raise KeyError(TIME_FIELD)
    return value[names[-1]]


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


def _same(sent: Any, seen: Any, rescued: bool) -> bool:
    if rescued or sent is None or sent == SENTINEL or (isinstance(sent, str) and sent in WORDS):
        return seen is None or rescued
    if isinstance(seen, float):
        return _is_number(sent) and float(sent) == seen
    if isinstance(sent, float) and isinstance(seen, str):
        return _is_number(sent) and _as_number(seen) == sent
    return bool(str(sent) == seen)


def _is_number(value: Any) -> bool:
    """True for what a DOUBLE can hold: no text, no bool, no list, nothing too large."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _as_number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
