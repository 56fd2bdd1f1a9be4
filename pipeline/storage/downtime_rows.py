"""Rows of a downtime file: what each says, or one sentence on why it cannot be taken."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from pipeline import localtime
from pipeline.downtime import BY_CODE
from pipeline.settings import Settings
from pipeline.storage import tables as t

REQUIRED = ("unit", "start", "end", "code")

#: Minutes at least; seconds and an offset may follow. No other century: it is a slip.
_TIME = re.compile(r"20\d\d-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?")


@dataclass(frozen=True)
class Row:
    """A unit stood from ``start`` to ``end`` (µs, end excluded). ``line`` 0: of the log itself."""

    line: int
    district: str
    unit: str
    start: int
    end: int
    code: str
    note: str

    @property
    def key(self) -> tuple[str, str, int]:
        """A row with the same key replaces it."""
        return self.district, self.unit, self.start

    @property
    def said(self) -> tuple[int, str, str]:
        """Everything beside the key."""
        return self.end, self.code, self.note


class Register:
    """Where a unit was at a time, by the device register; and what clocks show there."""

    def __init__(self, connection: Connection, settings: Settings) -> None:
        self.zone_of: Callable[[str], str] = settings.zone_of
        self._places: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
        d = t.devices.c
        for row in connection.execute(select(d.unitno, d.dstrct_code, d.valid_from, d.valid_to)):
            place = (row.dstrct_code, row.valid_from, row.valid_to or "9999-12-31")
            self._places[row.unitno].append(place)

    def district(self, unit: str, start: datetime) -> str:
        """District of a unit at a time, naive times being local. Raises ValueError with why not."""
        if unit not in self._places:
            raise ValueError(f"unit {unit!r} is not in the device register")
        at = start.isoformat(timespec="minutes")
        found = {
            district
            for district, first, last in self._places[unit]
            if first <= self._day(start, district) <= last
        }
        if not found:
            raise ValueError(f"unit {unit!r} is not in the device register at {at}")
        if len(found) > 1:
            raise ValueError(f"unit {unit!r} is in {' and '.join(sorted(found))} at {at}")
        return found.pop()

    def _day(self, moment: datetime, district: str) -> str:
        if moment.tzinfo is None:
            return moment.date().isoformat()
        return localtime.hiveperiod(moment, self.zone_of(district))


def parse(
    lines: Iterable[tuple[int, Mapping[str, Any]]], register: Register
) -> tuple[list[Row], dict[int, str]]:
    """The rows of a file, and a sentence by line number for each that is none."""
    rows: dict[tuple[str, str, int], Row] = {}
    problems: dict[int, str] = {}
    for number, line in lines:
        try:
            row = _row(number, line, register)
        except ValueError as error:
            problems[number] = str(error)
            continue
        first = rows.setdefault(row.key, row)
        if first is not row:
            problems[number] = f"the same unit and start as in line {first.line}"
    return list(rows.values()), problems


def _row(number: int, line: Mapping[Any, Any], register: Register) -> Row:
    if None in line:
        raise ValueError("has more cells than the head: a note with a comma needs quotes")
    cells = {name: (line.get(name) or "").strip() for name in (*REQUIRED, "note")}
    empty = [name for name in REQUIRED if not cells[name]]
    if empty:
        raise ValueError(f"{', '.join(empty)} is empty")
    code = cells["code"].upper()
    if code not in BY_CODE:
        raise ValueError(f"code {cells['code']!r} is none of {', '.join(BY_CODE)}")
    times = {name: _time(name, cells[name]) for name in ("start", "end")}
    district = register.district(cells["unit"], times["start"])
    zone = register.zone_of(district)
    start, end = (_moment(name, cells[name], time, zone) for name, time in times.items())
    if end <= start:
        raise ValueError(f"end {cells['end']} is not after start {cells['start']}")
    return Row(number, district, cells["unit"], start, end, code, cells["note"])


def _time(name: str, text: str) -> datetime:
    try:
        if _TIME.fullmatch(text):
            return datetime.fromisoformat(text)
    except ValueError:
        pass  # a 31st of February
    raise ValueError(f"{name} {text!r} is no time like 2026-01-31T06:30")


def _moment(name: str, text: str, time: datetime, zone: str) -> int:
    if time.tzinfo is not None:
        return localtime.to_us(time)
    try:
        return localtime.to_us(localtime.from_wall(time, zone))
    except ValueError as error:
        raise ValueError(f"{name} {text} {error}; write it with its offset") from None


def clashes(rows: Iterable[Row], logged: Iterable[Row], settings: Settings) -> dict[int, str]:
    """A sentence by line for rows that overlap another of their unit, in the file or in the log.

    A row of the log that one of the file replaces is in nobody's way.
    """
    rows = list(rows)
    given = {row.key for row in rows}
    kept = [row for row in logged if row.key not in given]
    problems = dict[int, str]()
    latest: Row | None = None
    for row in sorted((*rows, *kept), key=lambda row: row.key):
        if latest is None or latest.key[:2] != row.key[:2]:
            latest = row
            continue
        if row.start < latest.end:
            # Of two of the file the later line is blamed; the log's own (line 0) never.
            other, wrong = sorted((latest, row), key=lambda row: row.line)
            problems.setdefault(wrong.line, f"overlaps {_name(other, settings)}")
        latest = max(latest, row, key=lambda row: row.end)
    return problems


def _name(row: Row, settings: Settings) -> str:
    if row.line:
        return f"line {row.line}"
    start = localtime.on_wall(localtime.from_us(row.start), settings.zone_of(row.district))
    return f"{row.code} of {start} in the log"
