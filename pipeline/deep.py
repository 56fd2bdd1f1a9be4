"""``verify --deep``: read the raw files again, with nothing but gzip and json, and compare values.

Shares no code with ingestion's readers, so that it can find their mistakes.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import math
from collections.abc import Iterator
from typing import Any

import duckdb
from sqlalchemy import Connection, select

from pipeline.fields import FIELDS, SENTINEL
from pipeline.settings import Settings
from pipeline.storage import tables as t
from pipeline.storage.ledger import extra_fields
from pipeline.storage.manifest import DataFile
from pipeline.storage.visible import telemetry_sql

WORDS = {"-9999", "-9999.0"}


def compare(
    connection: Connection, settings: Settings, files: list[DataFile]
) -> Iterator[tuple[str, str, str]]:
    """(check, key, text) for every object whose visible values are not those of its raw file."""
    extra = extra_fields(connection)
    o = t.raw_objects.c
    query = select(o.id, o.key, o.sha256).where(o.status == "ok", o.dead_at.is_(None))
    with duckdb.connect(config=settings.duckdb) as duck:
        duck.execute("SET TimeZone = 'UTC'")
        source = telemetry_sql(settings.lake_root, files, extra)
        for src, key, sha256 in connection.execute(query):
            path = settings.raw_root / str(key)
            if not path.is_file():
                continue  # raw has its own keeper; what is in the lake stays
            packed = path.read_bytes()
            if hashlib.sha256(packed).hexdigest() != sha256:
                continue  # a newer version waits for ingestion
            duck.execute(f"SELECT * EXCLUDE (ts) FROM ({source}) WHERE _src = $src", {"src": src})
            names = [column[0] for column in duck.description or []]
            rows = {row[names.index("_line")]: row for row in duck.fetchall()}
            difference = _difference(gzip.decompress(packed), names, rows)
            if difference:
                yield "values", str(key), difference


def _difference(text: bytes, names: list[str], rows: dict[int, tuple[Any, ...]]) -> str | None:
    at = {name: i for i, name in enumerate(names)}
    last: dict[Any, int] = {}
    sent: dict[int, dict[str, Any]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        sent[number] = json.loads(line)
        last[sent[number]["heartbeat"]] = number
    if sorted(last.values()) != sorted(rows):
        return f"{len(last)} distinct heartbeats in the file, {len(rows)} rows visible"
    for number, row in rows.items():
        rescued = json.loads(row[at["_rescued"]] or "{}")
        for name, value in sent[number].items():
            if name in ("heartbeat", "deviceid", "dstrct_code"):
                continue
            if not _same(value, row[at[name]], name in rescued):
                return f"line {number}, {name}: {value!r} was sent, {row[at[name]]!r} is visible"
    return None


_NUMERIC = {field.name for field in FIELDS if field.numeric}


def _same(sent: Any, seen: Any, rescued: bool) -> bool:
    if sent is None or sent == SENTINEL or sent in WORDS or rescued:
        return seen is None
    if isinstance(seen, float):
        return math.isclose(float(sent), seen, rel_tol=0, abs_tol=0)
    return bool(str(sent) == seen)
