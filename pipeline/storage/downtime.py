"""The downtime log: which unit stood when and why, and what time the log of a district covers.

Within a span a unit without a row had no downtime; outside of every span nothing is known.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from sqlalchemy import Connection, delete, insert, select

from pipeline import localtime
from pipeline.errors import UsageError
from pipeline.settings import Settings
from pipeline.storage import csvfile, downtime_rows, manifest
from pipeline.storage import tables as t
from pipeline.storage.downtime_rows import Register, Row
from pipeline.storage.ledger import Ledger
from pipeline.storage.people import audit
from pipeline.storage.sql import chunks, clock, take_turns

#: PostgreSQL's advisory lock of whoever changes the log: any number that nobody else uses.
_LOCK = 7_428_513


@dataclass(frozen=True)
class Span:
    """Time of a district, in µs; the end is excluded."""

    district: str
    start: int
    end: int


@dataclass
class ImportResult:
    """Rows new or replaced, rows that were in already, days to build, and what is wrong by line."""

    imported: int = 0
    unchanged: int = 0
    days: int = 0
    errors: list[str] = field(default_factory=list)


def import_csv(
    ledger: Ledger,
    settings: Settings,
    path: Path,
    *,
    who: str,
    first: date | None = None,
    last: date | None = None,
) -> ImportResult:
    """Add the rows of a CSV file to the log, all of them, or none if any is wrong.

    A row with the same unit and start as one of the log replaces it. Whole local days are covered
    then, in each district of the file, as far as they are over: from ``first`` or that of its
    earliest start, to ``last`` or that of its latest end. Raises UsageError when the file cannot
    be read or lacks a column, and for days that cannot be meant.
    """
    _check_days(first, last)
    lines = csvfile.read(path, downtime_rows.REQUIRED)
    with ledger.write() as connection:
        take_turns(connection, _LOCK)
        rows, problems = downtime_rows.parse(lines, Register(connection, settings))
        spans = _spans(rows, settings, first, last)
        logged = _logged(connection, rows)
        problems |= downtime_rows.clashes(rows, logged.values(), settings)
        problems |= _outside(rows, spans, first, last)
        if problems:
            return ImportResult(errors=[f"line {n}: {problems[n]}" for n in sorted(problems)])
        said = {row.key: row.said for row in logged.values()}
        changed = {row.key: row for row in rows if said.get(row.key) != row.said}
        replaced = {number: row for number, row in logged.items() if row.key in changed}
        fresh = [piece for span in spans.values() for piece in _uncovered(connection, span)]
        result = ImportResult(len(changed), len(rows) - len(changed))
        if changed or fresh:
            _write(connection, changed.values(), replaced, fresh, who)
            stood = (*changed.values(), *replaced.values())
            touched = [*fresh, *(Span(row.district, row.start, row.end) for row in stood)]
            days = _days(connection, settings, touched)
            manifest.touch(connection, days)
            result.days = len(days)
            detail = {
                "new": len(changed) - len(replaced),
                "replaced": len(replaced),
                "unchanged": result.unchanged,
                "covered": [_words(span, settings) for span in fresh],
            }
            audit(connection, who, "downtime imported", path.name, detail)
    return result


def _words(span: Span, settings: Settings) -> str:
    zone = settings.zone_of(span.district)
    ends = (localtime.on_wall(localtime.from_us(at), zone) for at in (span.start, span.end))
    return f"{span.district} {' to '.join(ends)}"


def _check_days(first: date | None, last: date | None) -> None:
    for option, day in (("--from", first), ("--to", last)):
        if day is not None and not 2000 <= day.year < 2100:
            raise UsageError(f"{option} {day} is no day of 2000 to 2099")
    if first and last and first > last:
        raise UsageError(f"--from {first} lies after --to {last}")


def _spans(
    rows: Iterable[Row], settings: Settings, first: date | None, last: date | None
) -> dict[str, Span]:
    """What a file covers of each of its districts: whole local days."""
    by_district = defaultdict[str, list[Row]](list)
    for row in rows:
        by_district[row.district].append(row)
    spans = {}
    for district, mine in sorted(by_district.items()):
        zone = settings.zone_of(district)
        start, end = min(row.start for row in mine), max(row.end for row in mine)
        first_day = first.isoformat() if first else _day(start, zone)
        last_day = last.isoformat() if last else _day(end - 1, zone)
        begin, finish = (
            localtime.day_span(first_day, zone)[0],
            localtime.day_span(last_day, zone)[1],
        )
        spans[district] = Span(district, localtime.to_us(begin), localtime.to_us(finish))
    return spans


def _day(at: int, zone: str) -> str:
    return localtime.hiveperiod(localtime.from_us(at), zone)


def _outside(
    rows: Iterable[Row], spans: dict[str, Span], first: date | None, last: date | None
) -> dict[int, str]:
    """By line, rows of which nothing lies in the days that were asked for: the dates are a slip."""
    limits = (("--from", first), ("--to", last))
    asked = " ".join(f"{option} {day}" for option, day in limits if day)
    return {
        row.line: f"lies outside of {asked}"
        for row in rows
        if row.end <= spans[row.district].start or row.start >= spans[row.district].end
    }


def _logged(connection: Connection, rows: Sequence[Row]) -> dict[int, Row]:
    """By id, what the log says of the file's units within the file's time."""
    if not rows:
        return {}
    d = t.downtime.c
    query = select(t.downtime).where(
        d.dstrct_code.in_({row.district for row in rows}),
        d.start_ts < max(row.end for row in rows),
        d.end_ts > min(row.start for row in rows),
    )
    units = {(row.district, row.unit) for row in rows}
    return {
        row.id: Row(0, row.dstrct_code, row.unitno, row.start_ts, row.end_ts, row.code, row.note)
        for row in connection.execute(query)
        if (row.dstrct_code, row.unitno) in units
    }


def _uncovered(connection: Connection, span: Span) -> Iterator[Span]:
    """What of a span is over and was not covered before."""
    s = t.downtime_spans.c
    query = select(s.from_ts, s.to_ts).where(s.dstrct_code == span.district, s.to_ts > span.start)
    at, end = span.start, min(span.end, clock(connection))
    for known in connection.execute(query.order_by(s.from_ts)).all():
        if at < min(known.from_ts, end):
            yield Span(span.district, at, min(known.from_ts, end))
        at = max(at, known.to_ts)
    if at < end:
        yield Span(span.district, at, end)


def _write(
    connection: Connection,
    rows: Iterable[Row],
    replaced: Iterable[int],
    spans: Iterable[Span],
    who: str,
) -> None:
    now = clock(connection)
    for ids in chunks(sorted(replaced)):
        connection.execute(delete(t.downtime).where(t.downtime.c.id.in_(ids)))
    stood = [
        {
            "dstrct_code": row.district,
            "unitno": row.unit,
            "start_ts": row.start,
            "end_ts": row.end,
            "code": row.code,
            "note": row.note,
            "imported_at": now,
            "imported_by": who,
        }
        for row in rows
    ]
    covered = [
        {"dstrct_code": s.district, "from_ts": s.start, "to_ts": s.end, "imported_at": now}
        for s in spans
    ]
    for table, values in ((t.downtime, stood), (t.downtime_spans, covered)):
        if values:
            connection.execute(insert(table), values)


def _days(
    connection: Connection, settings: Settings, spans: Iterable[Span]
) -> set[tuple[str, str]]:
    """(day, district)s that have marts to build, of these spans and of the days beside them."""
    p = t.partitions.c
    known = defaultdict[str, list[str]](list)
    query = select(p.dstrct_code, p.hiveperiod).order_by(p.hiveperiod)
    for district, day in connection.execute(query):
        known[str(district)].append(str(day))
    found = set[tuple[str, str]]()
    for span in spans:
        zone, days = settings.zone_of(span.district), known[span.district]
        low = bisect_left(days, localtime.next_day(_day(span.start, zone), -1))
        high = bisect_right(days, localtime.next_day(_day(span.end - 1, zone)))
        found |= {(day, span.district) for day in days[low:high]}
    return found
