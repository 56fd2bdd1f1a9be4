"""What a build is made of, as of one moment of the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import polars as pl
from sqlalchemy import Connection, Table, func, select

from pipeline import localtime
from pipeline.marts import hours
from pipeline.marts.catalogue import MARTS, ROWS
from pipeline.marts.hours import BEFORE, Hour
from pipeline.settings import Settings
from pipeline.storage import manifest
from pipeline.storage import tables as t
from pipeline.storage.records import TELEMETRY, DataFile, Partition
from pipeline.storage.visible import literal, mart_sql, no_telemetry_sql, telemetry_sql

#: Rows of telemetry that one run over the seconds works on; more are taken in turns.
ROWS_AT_ONCE = 1_500_000

#: Times of an object that marts show.
ARRIVAL = ("arrived_at", "committed_at")

#: How much came in on a day.
VOLUMES = {"hiveperiod": pl.String, "dstrct_code": pl.String, "rows_per_hour": pl.Float64}

Day = tuple[str, str]


@dataclass(frozen=True)
class Chunk:
    """Hours whose seconds are worked on together, and SQL over these and those beside them."""

    hours: tuple[Hour, ...]
    telemetry: str
    paths: tuple[str, ...]


@dataclass(frozen=True)
class Snapshot:
    """``kept``: SQL over the published rows, by mart, of all days that are read; those of stale
    hours are taken out later. ``unlinked``: days among them without operators. ``newest``: the last
    row (µs) and ``first``: when a district's first delivered hour began, by partition and by
    district."""

    partitions: tuple[Partition, ...]
    hours: dict[Partition, tuple[Hour, ...]]
    chunks: tuple[Chunk, ...]
    kept: dict[str, str]
    kept_paths: tuple[str, ...]
    unlinked: tuple[Day, ...]
    eye_days: str
    newest: dict[Day, int]
    first: dict[str, int]
    objects: pl.DataFrame
    volumes: pl.DataFrame
    devices: pl.DataFrame
    downtime: pl.DataFrame
    spans: pl.DataFrame

    @property
    def stale(self) -> list[Hour]:
        """All hours that are computed from seconds."""
        return [hour for chunk in self.chunks for hour in chunk.hours]


def take(
    connection: Connection, root: Path, settings: Settings, partitions: Iterable[Partition]
) -> Snapshot:
    """Everything that is needed to build these partitions."""
    partitions = tuple(partitions)
    chosen = {(part.hiveperiod, part.dstrct_code) for part in partitions}
    near = chosen | {(localtime.next_day(day, by), at) for day, at in chosen for by in (-1, 1)}
    every = {part: tuple(hours.of(connection, settings, part)) for part in partitions}
    stale = [
        hour
        for part in partitions
        for hour in hours.stale(every[part], hours.built(connection, part))
    ]
    kept_files = {name: _files(connection, name, near) for name in ROWS}
    earlier = {(localtime.next_day(day, -by), at) for day, at in chosen for by in range(1, 15)}
    eyes = _files(connection, "eye_hour", earlier)
    doubted = _doubted(connection)
    telemetry = _files(connection, TELEMETRY, near)
    return Snapshot(
        partitions=partitions,
        hours=every,
        chunks=tuple(_chunks(connection, root, stale, telemetry, doubted)),
        kept={
            name: mart_sql(root, files, MARTS[name].schema) for name, files in kept_files.items()
        },
        kept_paths=tuple({file.path for files in (*kept_files.values(), eyes) for file in files}),
        unlinked=_unlinked(connection, near),
        eye_days=mart_sql(root, eyes, MARTS["eye_hour"].schema),
        newest=_newest(telemetry),
        first=_first(connection, settings),
        objects=_objects(connection, {day for day, _ in near}),
        volumes=_volumes(connection, {day for day, _ in chosen}),
        devices=frame_of(connection, t.devices),
        downtime=_log(connection, t.downtime, {day for day, _ in near}, "start_ts", "end_ts"),
        spans=_log(connection, t.downtime_spans, {day for day, _ in near}, "from_ts", "to_ts"),
    )


def nothing(part: Partition) -> Snapshot:
    """A snapshot without anything, for the documentation."""
    empty = {name: mart_sql(Path(), (), MARTS[name].schema) for name in ROWS}
    hour = Hour(part.hiveperiod, part.dstrct_code, 0, 0, "")
    return Snapshot(
        (part,),
        {part: (hour,)},
        (Chunk((hour,), no_telemetry_sql({}), ()),),
        empty,
        (),
        (),
        empty["eye_hour"],
        {},
        {},
        _moments(pl.DataFrame(schema=_schema(t.raw_objects)), *ARRIVAL),
        pl.DataFrame(schema=VOLUMES),
        pl.DataFrame(schema=_schema(t.devices)),
        _moments(pl.DataFrame(schema=_schema(t.downtime)), "start_ts", "end_ts"),
        _moments(pl.DataFrame(schema=_schema(t.downtime_spans)), "from_ts", "to_ts"),
    )


def _files(connection: Connection, dataset: str, days: set[Day]) -> list[DataFile]:
    live = manifest.live(
        connection, dataset, days={day for day, _ in days}, districts={at for _, at in days}
    )
    return [file for file in live if (file.hiveperiod, file.dstrct_code) in days]


def _unlinked(connection: Connection, days: set[Day]) -> tuple[Day, ...]:
    p = t.partitions.c
    query = select(p.hiveperiod, p.dstrct_code).where(p.unlinked_at.is_not(None))
    found = {(str(row[0]), str(row[1])) for row in connection.execute(query)}
    # Evidence of a night lies in the day after.
    found |= {(localtime.next_day(day), district) for day, district in found}
    return tuple(sorted(found & days))


def _chunks(
    connection: Connection,
    root: Path,
    stale: Sequence[Hour],
    files: Sequence[DataFile],
    doubted: str,
) -> Iterator[Chunk]:
    for some in _turns(stale):
        spans = _spans(some)
        own = [file for file in files if any(_meets(file, *span) for span in spans)]
        where = " OR ".join(
            f"(dstrct_code = {literal(at)} AND ts >= make_timestamptz({low})"
            f" AND ts < make_timestamptz({high}))"
            for at, low, high in spans
        )
        rows = telemetry_sql(connection, root, own)
        sql = f"SELECT * FROM ({rows}) WHERE ({where}){doubted}"
        yield Chunk(tuple(some), sql, tuple(file.path for file in own))


def _turns(stale: Sequence[Hour]) -> Iterator[list[Hour]]:
    """Hours that fit into memory together, oldest first."""
    turn: list[Hour] = []
    for hour in sorted(stale, key=lambda hour: (hour.start, hour.dstrct_code)):
        if turn and sum(other.rows for other in turn) + hour.rows > ROWS_AT_ONCE:
            yield turn
            turn = []
        turn.append(hour)
    if turn:
        yield turn


def _spans(some: Iterable[Hour]) -> list[tuple[str, int, int]]:
    """(district, from, to) in µs of the seconds that are read for some hours."""
    spans: list[tuple[str, int, int]] = []
    for hour in sorted(some, key=lambda hour: (hour.dstrct_code, hour.start)):
        low, high = hour.start - BEFORE, hour.end
        if spans and spans[-1][0] == hour.dstrct_code and spans[-1][2] >= low:
            spans[-1] = (hour.dstrct_code, spans[-1][1], high)
        else:
            spans.append((hour.dstrct_code, low, high))
    return spans


def _meets(file: DataFile, district: str, low: int, high: int) -> bool:
    if file.dstrct_code != district:
        return False
    return file.min_ts is None or file.max_ts is None or (file.min_ts < high and file.max_ts >= low)


def _doubted(connection: Connection) -> str:
    """Condition that leaves out objects whose checksum is wrong: their digits may be, too.

    Their rows can be looked at in ``telemetry``; no figure is made of them.
    """
    o = t.raw_objects.c
    query = select(o.id).where(o.dead_at.is_(None), o.accepted > 0, o.flags.contains("crc"))
    ids = ", ".join(str(row.id) for row in connection.execute(query.order_by(o.id)))
    return f" AND _src NOT IN ({ids})" if ids else ""


def _newest(files: Iterable[DataFile]) -> dict[Day, int]:
    found: dict[Day, int] = {}
    for file in files:
        if file.max_ts is not None:
            day = file.hiveperiod, file.dstrct_code
            found[day] = max(found.get(day, file.max_ts), file.max_ts)
    return found


def _first(connection: Connection, settings: Settings) -> dict[str, int]:
    """When the hour of each district's first row began (µs)."""
    f = t.data_files.c
    query = select(f.dstrct_code, func.min(f.min_ts)).where(
        f.dataset == TELEMETRY, f.superseded_at.is_(None), f.min_ts.is_not(None)
    )
    found = {}
    for row in connection.execute(query.group_by(f.dstrct_code)).all():
        zone = settings.zone_of(str(row[0]))
        hour = localtime.path_hour(localtime.from_us(int(row[1])), zone)
        found[str(row[0])] = localtime.to_us(localtime.hour_start(hour, zone))
    return found


def _objects(connection: Connection, days: set[str]) -> pl.DataFrame:
    o = t.raw_objects.c
    after = localtime.next_day(max(days), 1).replace("-", "") + "00"
    return _moments(
        frame_of(
            connection,
            t.raw_objects,
            o.dead_at.is_(None),
            o.hour >= min(days).replace("-", "") + "00",
            o.hour < after,
        ),
        *ARRIVAL,
    )


def _volumes(connection: Connection, days: set[str]) -> pl.DataFrame:
    """Rows accepted per hour delivered, by the path's day: of these days and the week before."""
    o = t.raw_objects.c
    low = localtime.next_day(min(days), -7).replace("-", "") + "00"
    high = localtime.next_day(max(days), 1).replace("-", "") + "00"
    day = func.substr(o.hour, 1, 8)
    query = (
        select(
            day.label("day"),
            o.district,
            func.sum(o.accepted).label("rows"),
            func.count(o.hour.distinct()).label("hours"),
        )
        .where(o.dead_at.is_(None), o.hour >= low, o.hour < high)
        .group_by(day, o.district)
    )
    found = [
        (
            date.fromisoformat(row.day).isoformat(),
            row.district,
            float(row.rows or 0) / row.hours,
        )
        for row in connection.execute(query)
    ]
    return pl.DataFrame(found, schema=VOLUMES, orient="row")


def _log(
    connection: Connection, table: Table, days: set[str], begin: str, end: str
) -> pl.DataFrame:
    """Rows of the downtime log that may reach into some days, whatever their zone."""
    low = localtime.to_us(datetime.fromisoformat(f"{min(days)}T00:00+14:00"))
    high = localtime.to_us(datetime.fromisoformat(f"{max(days)}T23:59-12:00"))
    rows = frame_of(connection, table, table.c[end] > low, table.c[begin] < high)
    return _moments(rows, begin, end)


def _moments(frame: pl.DataFrame, *names: str) -> pl.DataFrame:
    """The frame with its µs of these columns as timestamps."""
    return frame.with_columns(
        pl.from_epoch(pl.col(name).cast(pl.Int64), "us").dt.replace_time_zone("UTC")
        for name in names
    )


def frame_of(connection: Connection, table: object, *where: object) -> pl.DataFrame:
    """Rows of a ledger table."""
    query = select(table).where(*where)  # type: ignore[call-overload]
    rows = [dict(row._mapping) for row in connection.execute(query)]
    return pl.DataFrame(rows, schema=_schema(table))


def _schema(table: object) -> dict[str, pl.DataType]:
    kinds = {"String": pl.String(), "Text": pl.String(), "Boolean": pl.Boolean()}
    return {
        column.name: kinds.get(type(column.type).__name__, pl.Int64())
        for column in table.columns  # type: ignore[attr-defined]
    }


def latest_known(shot: Snapshot, day: str, district: str, low: int, high: int, closed: int) -> int:
    """µs up to which a span is known: its newest row, or the last closed hour."""
    rows = [
        newest + 1_000_000
        for by in (0, 1)
        if (newest := shot.newest.get((localtime.next_day(day, by), district))) is not None
    ]
    return min(high, max([closed, low, *rows]))
