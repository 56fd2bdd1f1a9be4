"""The device register: which devices are expected to deliver, on which unit, from when to when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select, update

from pipeline import localtime
from pipeline.errors import UsageError
from pipeline.settings import Settings
from pipeline.storage import csvfile, manifest
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger
from pipeline.storage.people import audit
from pipeline.storage.sql import upsert

REQUIRED = ("deviceid", "unitno", "unittype", "dstrct_code", "valid_from")
OPTIONAL = ("model", "valid_to")
UNIT_TYPES = ("dump", "coal", "bus", "water")


@dataclass
class ImportResult:
    """Rows taken, and one sentence for each row that was not."""

    imported: int = 0
    errors: list[str] = field(default_factory=list)


def import_csv(ledger: Ledger, path: Path, *, who: str = "command line") -> ImportResult:
    """Add or replace register rows from a CSV file; all of them, or none if any is wrong.

    What changed is audited. Raises UsageError when the file cannot be read or lacks a column.
    """
    result = ImportResult()
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for number, line in csvfile.read(path, REQUIRED):
        row = {name: (line.get(name) or "").strip() for name in REQUIRED + OPTIONAL}
        problem = _problem(row) or (
            "the same device and valid_from again"
            if (row["deviceid"], row["valid_from"]) in rows
            else None
        )
        if problem:
            result.errors.append(f"line {number}: {problem}")
        rows[row["deviceid"], row["valid_from"]] = {**row, "valid_to": row["valid_to"] or None}
    if not result.errors and rows:
        with ledger.write() as connection:
            before = _register(connection)
            changed = {key: row for key, row in rows.items() if before.get(key) != row}
            upsert(connection, t.devices, list(rows.values()))
            districts = {row["dstrct_code"] for row in rows.values()}
            districts |= {before[key]["dstrct_code"] for key in changed if key in before}
            _touch(connection, districts)
            if changed:
                audit(connection, who, "devices imported", path.name, _changes(before, changed))
        result.imported = len(rows)
    return result


def set_validity(
    ledger: Ledger, deviceid: str, valid_from: str, valid_to: str | None, *, who: str
) -> None:
    """Change the last valid day of a register row (None: it stays open), audited.

    Raises UsageError when there is no such row, or the day lies before its first.
    """
    d = t.devices.c
    mine = (d.deviceid == deviceid, d.valid_from == valid_from)
    with ledger.write() as connection:
        row = connection.execute(select(t.devices).where(*mine)).first()
        if row is None:
            raise UsageError(f"there is no device {deviceid} from {valid_from} on")
        problem = _problem({**row._mapping, "valid_to": valid_to or ""})
        if problem:
            raise UsageError(problem)
        connection.execute(update(t.devices).where(*mine).values(valid_to=valid_to))
        _touch(connection, {row.dstrct_code})
        detail = {"before": row.valid_to, "after": valid_to, "valid_from": valid_from}
        audit(connection, who, "device validity", deviceid, detail)


#: Rows that an entry of the audit spells out; of more it says how many.
SPELT = 50


def _changes(
    before: dict[tuple[str, str], dict[str, Any]], changed: dict[tuple[str, str], dict[str, Any]]
) -> dict[str, Any]:
    """What an entry of the audit says of an import."""
    first = list(changed)[:SPELT]
    return {
        "before": [before[key] for key in first if key in before],
        "after": [changed[key] for key in first],
        "new": sum(key not in before for key in changed),
        "replaced": sum(key in before for key in changed),
    }


def _register(connection: Connection) -> dict[tuple[str, str], dict[str, Any]]:
    rows = connection.execute(select(t.devices))
    return {(row.deviceid, row.valid_from): dict(row._mapping) for row in rows}


def _touch(connection: Connection, districts: set[str]) -> None:
    """Every day of these districts is built anew."""
    p = t.partitions.c
    built = select(p.hiveperiod, p.dstrct_code).where(p.dstrct_code.in_(districts))
    days = [(str(row[0]), str(row[1])) for row in connection.execute(built)]
    manifest.touch(connection, days)


def _problem(row: dict[str, str]) -> str | None:
    empty = [name for name in REQUIRED if not row[name]]
    if empty:
        return f"{', '.join(empty)} is empty"
    if row["unittype"] not in UNIT_TYPES:
        return f"unittype {row['unittype']!r} is none of {', '.join(UNIT_TYPES)}"
    for name in ("valid_from", "valid_to"):
        if row[name]:
            try:
                date.fromisoformat(row[name])
            except ValueError:
                return f"{name} {row[name]!r} is no date like 2026-01-31"
    if row["valid_to"] and row["valid_to"] < row["valid_from"]:
        return "valid_to lies before valid_from"
    return None


def close_hours(ledger: Ledger, settings: Settings, now: datetime | None = None) -> int:
    """Mark days in which one more hour closed: an hour without a file becomes *missing* by time.

    Looks at the days from each registered district's first data to today; returns days marked.
    """
    now = now or datetime.now(UTC)
    with ledger.read() as connection:
        due = [
            (day, district, hours)
            for district, first in _first_days(connection)
            for day, hours in _closed(first, settings.zone_of(district), now)
        ]
        known = _closed_known(connection)
    late = [item for item in due if item[2] > known.get(item[:2], 0)]
    if late:
        with ledger.write() as connection:
            for hours in sorted({item[2] for item in late}):
                manifest.touch(connection, [item[:2] for item in late if item[2] == hours], hours)
    return len(late)


def _first_days(connection: Connection) -> Iterable[tuple[str, str]]:
    p, d = t.partitions.c, t.devices.c
    registered = select(d.dstrct_code).distinct()
    query = select(p.dstrct_code, func.min(p.hiveperiod)).where(p.dstrct_code.in_(registered))
    return [(str(a), str(b)) for a, b in connection.execute(query.group_by(p.dstrct_code))]


def _closed_known(connection: Connection) -> dict[tuple[str, str], int]:
    p = t.partitions.c
    rows = connection.execute(select(p.hiveperiod, p.dstrct_code, p.closed_hours))
    return {(str(a), str(b)): int(str(c)) for a, b, c in rows}


def _closed(first: str, zone: str, now: datetime) -> Iterable[tuple[str, int]]:
    today = localtime.hiveperiod(now, zone)
    day = first
    while day <= today:
        start, end = localtime.day_span(day, zone)
        past = min(now - localtime.CLOSES_AFTER, end) - start
        yield day, max(0, int(past.total_seconds() // 3600))
        day = localtime.next_day(day)
