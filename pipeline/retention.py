"""Days that a site does not keep for ever: what is older than the settings say is let go, by layer.

A day of a district goes at once, in one ledger transaction that supersedes its files; gc deletes
them after the grace, so readers that are at them go on. Raw files are never touched. Every row
that goes is counted in its object (``raw_objects.expired``). Rows wait for the marts of their day;
once they went, these are not built again: what comes late is not the day. A day of which every row
is there again, because raw files were read again, is a day like any other: it is built, and let go
when it is due.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, select, update

from pipeline import localtime, steps
from pipeline.settings import Settings
from pipeline.storage import manifest
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger
from pipeline.storage.records import ANALYTICS, CLEAN, QUARANTINE
from pipeline.storage.sql import clock, step

Day = tuple[str, str]


@dataclass
class Expired:
    """What was let go: days (``2026-01-05/MLKB``) by layer, files of all layers, telemetry rows.

    ``returned`` days are whole again: their marts are built once more.
    """

    clean: list[str] = field(default_factory=list)
    marts: list[str] = field(default_factory=list)
    quarantine: list[str] = field(default_factory=list)
    returned: list[str] = field(default_factory=list)
    files: int = 0
    rows: int = 0

    def as_json(self) -> dict[str, Any]:
        """The object ``expired`` that ``gc --json`` prints."""
        return dict(self.__dict__)


@dataclass(frozen=True)
class Forgotten:
    """Bad lines of an object whose bytes are not kept any more, and the day they were filed by."""

    day: Day
    lines: int


def expire(ledger: Ledger, settings: Settings, now: datetime) -> Expired:
    """Let go of every day that is older than its layer is kept at ``now``, oldest first."""
    result = Expired()
    for day in _returning(ledger, settings):
        _take_back(ledger, day, result)
    for day in _due(ledger, settings, settings.keep_clean_days, now, _with_rows):
        _let_rows_go(ledger, day, result)
    for day in _due(ledger, settings, settings.keep_marts_days, now, _with_marts):
        _let_marts_go(ledger, day, result)
    for day in _due(ledger, settings, settings.keep_quarantine_days, now, _with_bad_lines):
        _let_bad_lines_go(ledger, day, result)
    return result


def _is_past(settings: Settings, day: Day, days: int | None, now: datetime) -> bool:
    """True when the day ended, by its district's clock, more than so many days ago."""
    if days is None:
        return False
    return localtime.day_span(day[0], settings.zone_of(day[1]))[1] + timedelta(days=days) < now


def _due(
    ledger: Ledger, settings: Settings, days: int | None, now: datetime, there: Any
) -> Iterator[Day]:
    if days is None:
        return
    with ledger.read() as connection:
        found = sorted(there(connection))
    yield from (day for day in found if _is_past(settings, day, days, now))


def _with_rows(connection: Connection) -> set[Day]:
    """Days with rows to be let go, and days that never had any: their marts are not due again."""
    p = t.partitions.c
    query = select(p.hiveperiod, p.dstrct_code).where(p.clean_expired_at.is_(None))
    return (_days(connection, query) | _live(connection, CLEAN)) - _unbuilt(connection)


def _with_marts(connection: Connection) -> set[Day]:
    """Marts of days without their rows: nothing can build them again."""
    return _live(connection, ANALYTICS) & _rowless(connection)


def _with_bad_lines(connection: Connection) -> set[Day]:
    return _live(connection, QUARANTINE)


def _unbuilt(connection: Connection) -> set[Day]:
    parts = manifest.dirty(connection, t.partitions.c.built_version)
    return {(part.hiveperiod, part.dstrct_code) for part in parts}


def _rowless(connection: Connection) -> set[Day]:
    p = t.partitions.c
    query = select(p.hiveperiod, p.dstrct_code).where(p.clean_expired_at.is_not(None))
    return _days(connection, query)


def _live(connection: Connection, layer: str) -> set[Day]:
    f = t.data_files.c
    query = select(f.hiveperiod, f.dstrct_code).where(f.layer == layer, f.superseded_at.is_(None))
    return _days(connection, query.distinct())


def _days(connection: Connection, query: Any) -> set[Day]:
    return {(str(day), str(district)) for day, district in connection.execute(query)}


def _let_rows_go(ledger: Ledger, day: Day, result: Expired) -> None:
    """One day's telemetry. Each object is told how many of its rows went."""
    with ledger.write() as connection:
        # The counter puts commits in a row: what is read after it is what stands at this one.
        version = step(connection, "data")
        if day in _unbuilt(connection):  # late rows came in between
            return
        now = clock(connection)
        f = t.data_files.c
        here = (f.hiveperiod == day[0], f.dstrct_code == day[1])
        rows = sum(forget_rows(connection, *here).values())
        files = _supersede(connection, CLEAN, day, now)
        # Nothing is left to be merged.
        versions = {"data_version": version, "compacted_version": version}
        connection.execute(_of(day).values(clean_expired_at=now, **versions))
        steps.reached("gc.expiring")
    steps.reached("gc.expired")
    if files:
        result.clean.append("/".join(day))
        result.files += files
        result.rows += rows


def forget_rows(connection: Connection, *files: ColumnElement[bool]) -> dict[int, int]:
    """Move what live objects have in these files of ``clean`` from what is there to what expired.

    Returns the rows by object (``_src``).
    """
    f, s, o, b = t.data_files.c, t.file_sources.c, t.raw_objects.c, t.beaten.c
    query = (
        select(
            s.src,
            func.sum(s.rows).label("rows"),
            func.sum(s.hidden).label("hidden"),
            func.min(s.min_ts).label("lo"),
            func.max(s.max_ts).label("hi"),
        )
        .join(t.data_files, f.id == s.file_id)
        .join(t.raw_objects, o.id == s.src)
        .where(f.layer == CLEAN, f.superseded_at.is_(None), o.dead_at.is_(None), *files)
        .group_by(s.src)
        .order_by(s.src)
    )
    forgotten = {}
    for held in connection.execute(query).all():
        rows, hidden = int(held.rows), int(held.hidden)
        counts = {"expired": o.expired + rows, "overlapped": o.overlapped - hidden}
        connection.execute(update(t.raw_objects).where(o.id == held.src).values(**counts))
        if hidden:
            here = (b.src == held.src, b.lo.between(held.lo, held.hi))
            connection.execute(delete(t.beaten).where(*here))
        forgotten[int(held.src)] = rows
    return forgotten


def _let_marts_go(ledger: Ledger, day: Day, result: Expired) -> None:
    with ledger.write() as connection:
        step(connection, "data")
        if day not in _rowless(connection):
            return
        now = clock(connection)
        files = _supersede(connection, ANALYTICS, day, now)
        connection.execute(_of(day).values(marts_expired_at=now))
        steps.reached("gc.expiring")
    steps.reached("gc.expired")
    if files:
        result.marts.append("/".join(day))
        result.files += files


def _let_bad_lines_go(ledger: Ledger, day: Day, result: Expired) -> None:
    with ledger.write() as connection:
        step(connection, "data")
        files = _supersede(connection, QUARANTINE, day, clock(connection))
        steps.reached("gc.expiring")
    steps.reached("gc.expired")
    if files:
        result.quarantine.append("/".join(day))
        result.files += files


def _supersede(connection: Connection, layer: str, day: Day, now: int) -> int:
    """Nobody is shown the day's files any more; return how many."""
    f = t.data_files.c
    here = (f.layer == layer, f.hiveperiod == day[0], f.dstrct_code == day[1])
    statement = update(t.data_files).where(*here, f.superseded_at.is_(None))
    return connection.execute(statement.values(superseded_at=now)).rowcount


def _of(day: Day) -> Any:
    p = t.partitions.c
    return update(t.partitions).where(p.hiveperiod == day[0], p.dstrct_code == day[1])


def _returning(ledger: Ledger, settings: Settings) -> list[Day]:
    """Days that have rows again, and of which no object lacks any."""
    with ledger.read() as connection:
        days = _rowless(connection) & _live(connection, CLEAN)
        return sorted(day for day in days if _is_whole(connection, settings, day))


def _is_whole(connection: Connection, settings: Settings, day: Day) -> bool:
    """True unless some live object that reaches into the day lacks rows, of whatever day."""
    start, end = localtime.day_span(day[0], settings.zone_of(day[1]))
    o = t.raw_objects.c
    lacking = (o.dead_at.is_(None), o.expired > 0, o.district == day[1])
    meets = (o.min_ts < localtime.to_us(end), o.max_ts >= localtime.to_us(start))
    return connection.execute(select(o.id).where(*lacking, *meets).limit(1)).first() is None


def _take_back(ledger: Ledger, day: Day, result: Expired) -> None:
    with ledger.write() as connection:
        step(connection, "data")
        connection.execute(_of(day).values(clean_expired_at=None, marts_expired_at=None))
    result.returned.append("/".join(day))


def forgotten(
    connection: Connection, without: Collection[int] = frozenset()
) -> dict[int, Forgotten]:
    """Live objects of whose bad lines the bytes were let go, or lie in files ``without`` which.

    An object's bad lines are in the one file of its commit and day: it is live, or it expired. (An
    adopted file has no hour, and its lines are in some file of its commit.)
    """
    f, o = t.data_files.c, t.raw_objects.c
    live = select(f.committed_at, f.dstrct_code, f.hiveperiod, f.id)
    live = live.where(f.layer == QUARANTINE, f.superseded_at.is_(None))
    kept = {tuple(row[:3]) for row in connection.execute(live) if row.id not in without}
    kept |= {(*row[:2], "") for row in kept}
    query = select(o.id, o.committed_at, o.district, o.hour, o.quarantined)
    found = {}
    for row in connection.execute(query.where(o.dead_at.is_(None), o.quarantined > 0)):
        hour = row.hour
        day = f"{hour[:4]}-{hour[4:6]}-{hour[6:8]}" if hour else ""
        if (row.committed_at, row.district, day) not in kept:
            found[row.id] = Forgotten((day, row.district), row.quarantined)
    return found


def gone(connection: Connection) -> dict[str, str]:
    """What is not kept any more, in a sentence a layer; nothing of layers that lack nothing."""
    o, p = t.raw_objects.c, t.partitions.c
    query = select(func.coalesce(func.sum(o.expired), 0)).where(o.dead_at.is_(None))
    rows = int(connection.execute(query).scalar_one())
    query = select(func.count(p.clean_expired_at), func.count(p.marts_expired_at))
    clean, marts = connection.execute(query).one()
    bad = forgotten(connection).values()
    sentences = {
        "clean": (rows, f"{rows} rows of {clean} days are not kept any more"),
        "marts": (marts, f"the marts of {marts} days are not kept any more"),
        "quarantine": (
            len(bad),
            f"the bytes of {sum(item.lines for item in bad)} lines"
            f" of {len({item.day for item in bad})} days are not kept any more",
        ),
    }
    return {layer: text for layer, (number, text) in sentences.items() if number}
