"""The scratch database that dbt starts from: visible rows as views, ledger facts as tables."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl
from sqlalchemy import Connection, select

from pipeline import localtime
from pipeline.fields import Band, bands
from pipeline.settings import Settings
from pipeline.storage import manifest
from pipeline.storage import tables as t
from pipeline.storage.records import DataFile, Partition
from pipeline.storage.visible import telemetry_sql


@dataclass(frozen=True)
class Snapshot:
    """Partitions to build and everything they are built from, as of one moment of the ledger."""

    partitions: tuple[Partition, ...]
    files: tuple[DataFile, ...]
    #: all that is read: the partitions' files and those of the days beside them
    paths: tuple[str, ...]
    #: SELECTs over the visible rows of the partitions, and of the days beside them
    telemetry: str
    context: str
    objects: pl.DataFrame
    devices: pl.DataFrame


def snapshot(connection: Connection, root: Path, partitions: Iterable[Partition]) -> Snapshot:
    """Files of the partitions, files of the days beside them, and the ledger's facts on both."""
    partitions = tuple(partitions)
    chosen = {(part.hiveperiod, part.dstrct_code) for part in partitions}
    beside = {
        (localtime.next_day(day, by), district) for day, district in chosen for by in (-1, 1)
    } - chosen

    def files(keys: set[tuple[str, str]]) -> tuple[DataFile, ...]:
        live = manifest.live(
            connection, days={day for day, _ in keys}, districts={place for _, place in keys}
        )
        return tuple(file for file in live if (file.hiveperiod, file.dstrct_code) in keys)

    own, near, doubted = files(chosen), files(beside), _doubted(connection)
    return Snapshot(
        partitions=partitions,
        files=own,
        paths=tuple(file.path for file in (*own, *near)),
        telemetry=f"SELECT * FROM ({telemetry_sql(connection, root, own)}){doubted}",
        context=f"SELECT * FROM ({telemetry_sql(connection, root, near)}){doubted}",
        objects=_objects(connection, {day for day, _ in chosen}),
        devices=_frame(connection, t.devices),
    )


def _doubted(connection: Connection) -> str:
    """Condition that leaves out objects whose checksum is wrong: their digits may be, too.

    Their rows can be looked at in ``telemetry``; no figure is made of them.
    """
    o = t.raw_objects.c
    query = select(o.id).where(o.dead_at.is_(None), o.accepted > 0, o.flags.contains("crc"))
    ids = ", ".join(str(row.id) for row in connection.execute(query.order_by(o.id)))
    return f" WHERE _src NOT IN ({ids})" if ids else ""


def _objects(connection: Connection, days: set[str]) -> pl.DataFrame:
    o = t.raw_objects.c
    frame = _frame(
        connection,
        t.raw_objects,
        o.dead_at.is_(None),
        o.hour >= _hour(min(days)),
        o.hour < _hour(localtime.next_day(max(days), 2)),
    )
    return frame.with_columns(
        pl.from_epoch(pl.col(name).cast(pl.Int64), "us").dt.replace_time_zone("UTC")
        for name in ("arrived_at", "committed_at")
    )


def _hour(day: str) -> str:
    return day.replace("-", "") + "00"


def _frame(connection: Connection, table: object, *where: object) -> pl.DataFrame:
    query = select(table).where(*where)  # type: ignore[call-overload]
    rows = [dict(row._mapping) for row in connection.execute(query)]
    kinds = {"String": pl.String, "Text": pl.String, "Boolean": pl.Boolean}
    schema = {
        column.name: kinds.get(type(column.type).__name__, pl.Int64())
        for column in table.columns  # type: ignore[attr-defined]
    }
    return pl.DataFrame(rows, schema=schema)


def fill(path: Path, shot: Snapshot, settings: Settings, now: datetime) -> None:
    """Write the scratch database; it is closed again when this returns."""
    with duckdb.connect(str(path)) as duck:
        duck.execute("SET TimeZone = 'UTC'")
        duck.execute(f"CREATE VIEW telemetry AS {shot.telemetry}")
        duck.execute(f"CREATE VIEW context AS {shot.context}")
        tables = {
            "objects": shot.objects,
            "devices": shot.devices,
            "days": _days(shot, settings, now),
            "bands": _bands(),
        }
        for name, frame in tables.items():
            duck.register("incoming", frame.to_arrow())
            duck.execute(f"CREATE TABLE {name} AS SELECT * FROM incoming")
            duck.unregister("incoming")


def _days(shot: Snapshot, settings: Settings, now: datetime) -> pl.DataFrame:
    rows = []
    for part in shot.partitions:
        zone = settings.zone_of(part.dstrct_code)
        start, end = localtime.day_span(part.hiveperiod, zone)
        seen = [
            file.max_ts
            for file in shot.files
            if (file.hiveperiod, file.dstrct_code) == (part.hiveperiod, part.dstrct_code)
            and file.max_ts is not None
        ]
        newest = localtime.from_us(max(seen)) + timedelta(seconds=1) if seen else start
        closed = (now - localtime.CLOSES_AFTER).replace(minute=0, second=0, microsecond=0)
        rows.append(
            {
                "hiveperiod": part.hiveperiod,
                "dstrct_code": part.dstrct_code,
                "zone": zone,
                "start_ts": start,
                "end_ts": end,
                "known_until": min(end, max(newest, closed, start)),
                "now": now,
            }
        )
    return pl.DataFrame(rows)


def _bands() -> pl.DataFrame:
    rows = [
        {
            "signal": band.name,
            "level": level,
            "side": side,
            "limit_value": limit,
            "rule": _rule(band),
            "condition": f"{_rule(band)} for {band.cond_hold_s:g} s" if _rule(band) else "",
            # the first 10 s after the engine came on are not judged
            "hold_s": max(10.0, band.cond_hold_s),
            "least_s": 10.0 if band.cond_signal else max(10.0, band.cond_hold_s),
        }
        for band in bands()
        for level in ("warn", "crit")
        for side in ("low", "high")
        if (limit := getattr(band, f"{level}_{side}")) is not None
    ]
    return pl.DataFrame(rows)


def _rule(band: Band) -> str:
    if not band.cond_signal or band.cond_value is None:
        return ""
    return f"{band.cond_signal}{band.cond_op}{band.cond_value:g}"
