"""The scratch database that dbt starts from: rows as views, ledger facts as tables."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import duckdb
import polars as pl

from pipeline import localtime
from pipeline.downtime import CODES
from pipeline.fields import Band, bands
from pipeline.localtime import CLOSES_AFTER, to_us
from pipeline.marts.cases import Found
from pipeline.marts.catalogue import MARTS, ROWS
from pipeline.marts.dbt_runner import TestResult
from pipeline.marts.hours import Hour
from pipeline.marts.snapshot import Chunk, Snapshot, latest_known
from pipeline.settings import Settings
from pipeline.storage.records import Partition
from pipeline.storage.visible import identifier

#: The box of a district of which none is told.
_NOWHERE: list[float | None] = [None] * 4

#: Where the rows of each mart of ``ROWS`` come from while the seconds are worked on.
NEW = {
    "unit_minute": ("new_minute", "minute"),
    "unit_fragment": ("new_fragment", "first_ts"),
    "beyond_limit": ("new_beyond", "started_at"),
    "fault_code_hour": ("new_fault_code", "k.hour_start"),
    "fatigue_evidence": ("new_evidence", "k.hour_start"),
    "eye_hour": ("new_eye_hour", "k.hour_start"),
}


def fill(
    path: Path, shot: Snapshot, settings: Settings, thresholds: dict[str, float], now: datetime
) -> None:
    """Write the scratch database but for the seconds; it is closed again when this returns."""
    with duckdb.connect(str(path)) as duck:
        duck.execute("SET TimeZone = 'UTC'")
        tables = {
            "objects": shot.objects,
            "volumes": shot.volumes,
            "devices": shot.devices,
            "downtime": _downtime(shot.downtime),
            "downtime_spans": shot.spans,
            "days": _days(shot, settings, now),
            "shifts": _shifts(shot, settings, now),
            "districts": _districts(shot, settings),
            "bands": _bands(),
            "limits": _limits(),
            "thresholds": pl.DataFrame([thresholds], schema=dict.fromkeys(thresholds, pl.Float64)),
            "hours": _hours(shot.stale),
            "test_results": _no_results(),
        }
        for name, frame in tables.items():
            _put(duck, name, frame)
        duck.execute(f"CREATE TABLE eye_days AS SELECT * FROM ({shot.eye_days})")
        for name in ROWS:
            columns = ", ".join(
                f"{identifier(column)} {kind}" for column, kind in MARTS[name].schema
            )
            duck.execute(f"CREATE TABLE {name}_rows ({columns})")
            duck.execute(
                f"INSERT INTO {name}_rows BY NAME SELECT * FROM ({shot.kept[name]}) AS k"
                " WHERE NOT EXISTS (FROM hours AS h WHERE h.dstrct_code = k.dstrct_code"
                f" AND {NEW[name][1]} >= h.hour_start"
                f" AND {NEW[name][1]} < h.hour_start + INTERVAL 1 HOUR)"
            )
        _link(duck, shot)


def _link(duck: duckdb.DuckDBPyConnection, shot: Snapshot) -> None:
    """Say of evidence that lost its operator whose it was, as the roster has it, for this build.

    Otherwise what belongs together would not be found together; it is taken out again at the end.
    """
    for day, district in shot.unlinked:
        duck.execute(
            "UPDATE fatigue_evidence_rows AS e SET operatorid = m.operatorid,"
            " operator = m.operatorid FROM unit_minute_rows AS m"
            " WHERE e.hiveperiod = $day AND e.dstrct_code = $district AND e.operatorid = ''"
            " AND m.operatorid <> '' AND m.dstrct_code = e.dstrct_code AND m.deviceid = e.deviceid"
            " AND m.minute = time_bucket(INTERVAL 1 MINUTE, e.started_at)",
            {"day": day, "district": district},
        )


def begin(path: Path, chunk: Chunk) -> None:
    """Show the models of the seconds the hours of one chunk."""
    with duckdb.connect(str(path)) as duck:
        duck.execute("SET TimeZone = 'UTC'")
        duck.execute(f"CREATE OR REPLACE VIEW telemetry AS {chunk.telemetry}")
        _put(duck, "hours", _hours(chunk.hours))


def keep(path: Path) -> None:
    """Put what was made of one chunk's seconds to the rows of the others."""
    with duckdb.connect(str(path)) as duck:
        duck.execute("SET TimeZone = 'UTC'")
        for name, (model, _) in NEW.items():
            duck.execute(f"INSERT INTO {name}_rows BY NAME SELECT * FROM {model}")
        query = "SELECT table_name FROM duckdb_tables() WHERE table_name SIMILAR TO '(stg|new)_.*'"
        for (model,) in duck.execute(query).fetchall():
            duck.execute(f"DROP TABLE {identifier(model)}")


def put_results(path: Path, tests: Iterable[TestResult]) -> None:
    """Hand the results of the tests to the model that publishes them."""
    rows = [test.__dict__ for test in tests]
    with duckdb.connect(str(path)) as duck:
        _put(duck, "test_results", pl.DataFrame(rows, schema=_no_results().schema))


def cases(path: Path, parts: Iterable[Partition]) -> list[Found]:
    """Fatigue cases of these days, as they were found."""
    with duckdb.connect(str(path), read_only=True) as duck:
        rows = duck.execute(
            "SELECT case_id, hiveperiod, dstrct_code, unitno,"
            " coalesce(nullif(operatorid, ''), unitno), epoch_us(started_at), epoch_us(ended_at)"
            " FROM fatigue_case ORDER BY ALL"
        ).fetchall()
    days = {(part.hiveperiod, part.dstrct_code) for part in parts}
    return [found for row in rows if ((found := Found(*row)).hiveperiod, found.dstrct_code) in days]


def name_cases(path: Path, names: dict[str, str]) -> None:
    """Give the cases their lasting names."""
    with duckdb.connect(str(path)) as duck:
        schema = {"found": pl.String, "name": pl.String}
        _put(duck, "case_names", pl.DataFrame(list(names.items()), schema=schema, orient="row"))
        duck.execute(
            "UPDATE fatigue_case SET case_id = n.name FROM case_names AS n WHERE case_id = n.found"
        )


def _put(duck: duckdb.DuckDBPyConnection, name: str, frame: pl.DataFrame) -> None:
    duck.register("incoming", frame.to_arrow())
    duck.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM incoming")
    duck.unregister("incoming")


def _hours(hours: Iterable[Hour]) -> pl.DataFrame:
    moment = pl.Datetime("us", "UTC")
    return pl.DataFrame(
        [(hour.hiveperiod, hour.dstrct_code, localtime.from_us(hour.start)) for hour in hours],
        schema={"hiveperiod": pl.String, "dstrct_code": pl.String, "hour_start": moment},
        orient="row",
    )


def _days(shot: Snapshot, settings: Settings, now: datetime) -> pl.DataFrame:
    rows = []
    for part in shot.partitions:
        zone = settings.zone_of(part.dstrct_code)
        start, end = localtime.day_span(part.hiveperiod, zone)
        first = shot.first.get(part.dstrct_code, to_us(start))
        rows.append(
            {
                "hiveperiod": part.hiveperiod,
                "dstrct_code": part.dstrct_code,
                "zone": zone,
                "start_ts": start,
                "end_ts": end,
                "known_from": localtime.from_us(first),
                "now": now,
            }
        )
    return pl.DataFrame(rows)


def _shifts(shot: Snapshot, settings: Settings, now: datetime) -> pl.DataFrame:
    """Shifts of the production days, from the known beginning to the known end (epoch s).

    ``begin_s`` is when a shift begins by the clock, whether anything is known of its first hours.
    """
    closed = to_us((now - CLOSES_AFTER).replace(minute=0, second=0, microsecond=0))
    rows = []
    for part in shot.partitions:
        day, district = part.hiveperiod, part.dstrct_code
        edges = [
            to_us(edge)
            for edge in localtime.shifts(
                day, settings.zone_of(district), settings.shift_start.get(district)
            )
        ]
        low = max(edges[0], shot.first.get(district, edges[0]))
        high = latest_known(shot, day, district, edges[0], edges[-1], closed)
        for shift in (1, 2):
            begin, end = max(low, edges[shift - 1]), min(high, edges[shift])
            if begin < end:
                moments = (x // 1_000_000 for x in (edges[shift - 1], begin, end))
                rows.append((day, district, shift, *moments))
    whole = ("shift", "begin_s", "from_s", "until_s")
    schema = {"hiveperiod": pl.String, "dstrct_code": pl.String} | dict.fromkeys(whole, pl.Int64)
    return pl.DataFrame(rows, schema=schema, orient="row")


def _districts(shot: Snapshot, settings: Settings) -> pl.DataFrame:
    """Where hours begin, for some zones are half an hour off; where units can be (deg), if told."""
    rows = {}
    for part in shot.partitions:
        start, _ = localtime.day_span(part.hiveperiod, settings.zone_of(part.dstrct_code))
        box = settings.boxes.get(part.dstrct_code, _NOWHERE)
        rows[part.dstrct_code] = (to_us(start) // 1_000_000 % 3600, *box)
    edges = ("south", "west", "north", "east")
    schema = {"dstrct_code": pl.String, "offset_s": pl.Int64} | dict.fromkeys(edges, pl.Float64)
    found = [(district, *row) for district, row in rows.items()]
    return pl.DataFrame(found, schema=schema, orient="row")


def _downtime(log: pl.DataFrame) -> pl.DataFrame:
    """The log with what its codes count as."""
    kinds = {code.code: code.kind for code in CODES}
    planned = [code.code for code in CODES if code.scheduled]
    return log.with_columns(
        kind=pl.col("code").replace_strict(kinds, default="R", return_dtype=pl.String),
        scheduled=pl.col("code").is_in(planned),
    )


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


def _limits() -> pl.DataFrame:
    """One row: what lies between a band's loosest limits is beyond none of them."""
    row: dict[str, float | None] = {}
    for band in bands():
        for side, loosest in (("low", max), ("high", min)):
            limits = [getattr(band, f"{level}_{side}") for level in ("warn", "crit")]
            known = [limit for limit in limits if limit is not None]
            row[f"{band.name} {_rule(band)} {side}"] = loosest(known) if known else None
    return pl.DataFrame([row], schema=dict.fromkeys(row, pl.Float64))


def _rule(band: Band) -> str:
    if not band.cond_signal or band.cond_value is None:
        return ""
    return f"{band.cond_signal}{band.cond_op}{band.cond_value:g}"


def _no_results() -> pl.DataFrame:
    schema = {"test": pl.String, "model": pl.String, "severity": pl.String, "status": pl.String}
    return pl.DataFrame(schema={**schema, "failures": pl.Int64, "message": pl.String})
