"""A small lake out of thin air: ledger rows and marts as a build would publish them.

For tests of queries and pages that must not wait for the simulator: four units over one local day,
with a missing hour, a late hour, a fatigue case and an exceedance whose numbers the tests know.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import literal, select

from pipeline import fields
from pipeline.localtime import day_span, hiveperiod, next_day, path_hour, shifts, to_us
from pipeline.settings import Settings
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger
from pipeline.storage.parquet import partition_path
from pipeline.storage.records import ANALYTICS, CLEAN
from pipeline.storage.sql import step
from queries.connect import mart_columns
from tests.app.fabricate_fleet import fleet_marts

DISTRICT = "MLKB"
UNITS = ("DT-101", "DT-102", "DT-103", "WT-201")
MISSING = ("dev-DT-102", 3)  # device, hour of the day
LATE = ("dev-DT-103", 2)  # three hours after its end

_TYPES = {
    "VARCHAR": pl.String,
    "DOUBLE": pl.Float64,
    "BIGINT": pl.Int64,
    "BIGINT[]": pl.List(pl.Int64),
    "INTEGER": pl.Int32,
    "BOOLEAN": pl.Boolean,
    "FLOAT": pl.Float32,
    "UTINYINT[]": pl.List(pl.UInt8),
    "FLOAT[]": pl.List(pl.Float32),
    "TIMESTAMPTZ": pl.Datetime("us", "UTC"),
}


def fabricate(
    settings: Settings,
    ledger: Ledger,
    *,
    hours: int = 6,
    units: tuple[str, ...] = UNITS,
    now: datetime | None = None,
) -> str:
    """Fill the ledger and the lake with the ``hours`` before ``now``; return the last local day.

    What was made once in this process is put there again: hundreds of tests ask for the same.
    """
    zone = settings.zone_of(DISTRICT)
    end = (now or datetime.now(UTC)).replace(minute=0, second=0, microsecond=0)
    start = end - timedelta(hours=hours)
    before = _ledger_rows(ledger)
    asked = (end, hours, units, zone, DISTRICT, MISSING, LATE)
    made = _made.get(asked)
    if made is not None and made.before == before and not _lake_files(settings):
        made.put(settings, ledger)
    else:
        alone = not _lake_files(settings)
        Lake(settings, ledger, zone, units).fill([start + timedelta(hours=i) for i in range(hours)])
        if alone:
            _made[asked] = Made(before, _ledger_rows(ledger), _lake_files(settings))
    return hiveperiod(end - timedelta(seconds=1), zone)


#: Tables in the order in which they may be filled.
TABLES = (
    t.devices,
    t.zones,
    t.raw_keys,
    t.raw_objects,
    t.data_files,
    t.file_sources,
    t.partitions,
    t.counters,
)


@dataclass(frozen=True)
class Made:
    """Rows of the ledger before and after, by table, and what lies in the lake, by path."""

    before: dict[str, list[dict[str, Any]]]
    after: dict[str, list[dict[str, Any]]]
    lake: dict[str, bytes]

    def put(self, settings: Settings, ledger: Ledger) -> None:
        for path, content in self.lake.items():
            target = settings.lake_root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        with ledger.write() as connection:
            for table in TABLES:
                if self.before[table.name]:
                    connection.execute(table.delete())
                if rows := self.after[table.name]:
                    connection.execute(table.insert(), rows)


_made: dict[Any, Made] = {}


def _ledger_rows(ledger: Ledger) -> dict[str, list[dict[str, Any]]]:
    with ledger.read() as connection:
        return {
            table.name: [dict(row) for row in connection.execute(select(table)).mappings()]
            for table in TABLES
        }


def _lake_files(settings: Settings) -> dict[str, bytes]:
    root = settings.lake_root
    return {
        str(path.relative_to(root)): path.read_bytes()
        for layer in (ANALYTICS, CLEAN)
        for path in (root / layer).rglob("*.parquet")
    }


class Lake:
    """Writes one consistent set of marts and ledger rows."""

    def __init__(self, settings: Settings, ledger: Ledger, zone: str, units: tuple[str, ...]):
        self.settings, self.ledger, self.zone, self.units = settings, ledger, zone, units

    def fill(self, starts: list[datetime]) -> None:
        rows = self.minute_rows(starts)
        with self.ledger.write() as connection:
            connection.execute(t.devices.insert(), [self.device(unit) for unit in self.units])
            connection.execute(t.zones.insert(), [{"district": DISTRICT, "zone": self.zone}])
            for i, start in enumerate(starts):
                for unit in self.units:
                    self.raw_hour(connection, unit, start, i)
            version = step(connection, "data")
            tables = {
                "unit_minute": rows,
                "unit_day": self.day_rows(rows),
                "fatigue_case": self.cases(starts),
                "exceedance": self.exceedances(starts),
                "device_hour": [],
                **fleet_marts(rows, self.units),
            }
            for name, mart in tables.items():
                self.write(connection, name, mart, version)
            self.write_seconds(connection, starts, version)

    def day(self, moment: datetime) -> str:
        return hiveperiod(moment, self.zone)

    def production_shift(self, moment: datetime) -> tuple[str, int]:
        """Production day and number of the shift of a moment."""
        for day in (self.day(moment), next_day(self.day(moment), -1)):
            first, second, _ = shifts(day, self.zone)
            if moment >= first:
                return day, 2 if moment >= second else 1
        raise AssertionError(moment)

    def device(self, unit: str) -> dict[str, Any]:
        return {
            "deviceid": f"dev-{unit}",
            "unitno": unit,
            "unittype": "water" if unit.startswith("WT") else "dump",
            "dstrct_code": DISTRICT,
            "model": "X1",
            "valid_from": "2020-01-01",
            "valid_to": None,
        }

    def raw_hour(self, connection: Any, unit: str, start: datetime, i: int) -> None:
        device = f"dev-{unit}"
        if (device, i) == MISSING:
            return
        delay = timedelta(hours=3) if (device, i) == LATE else timedelta(minutes=4)
        hour = path_hour(start, self.zone)
        key = f"{DISTRICT}/{device}/{hour}/{hour}.txt.gz"
        arrived = to_us(start + timedelta(hours=1) + delay)
        common = {"key": key, "district": DISTRICT, "deviceid": device, "hour": hour, "size": 1000}
        connection.execute(
            t.raw_keys.insert(),
            [
                {
                    **common,
                    "etag": "e",
                    "arrived_at": arrived,
                    "seen_at": arrived,
                    "state": "done",
                    "suspect": False,
                    "attempts": 0,
                }
            ],
        )
        number = int(start.timestamp()) * 100 + self.units.index(unit)
        counts = {"lines": 3600, "accepted": 3600, "duplicate": 0, "quarantined": 0, "blank": 0}
        span = {"min_ts": to_us(start), "max_ts": to_us(start + timedelta(seconds=3599))}
        connection.execute(
            t.raw_objects.insert(),
            [
                {
                    **common,
                    **counts,
                    **span,
                    "id": number,
                    "sha256": f"{number:064x}",
                    "status": "ok",
                    "arrived_at": arrived,
                    "committed_at": arrived,
                    "overlapped": 0,
                    "rescued": 0,
                    "unitno": unit,
                    "fwversion": "3.1",
                    "flags": "",
                    "rules_version": fields.RULES_VERSION,
                }
            ],
        )

    def minute_rows(self, starts: list[datetime]) -> list[dict[str, Any]]:
        rows = []
        for n, unit in enumerate(self.units):
            for i, start in enumerate(starts):
                missing = (f"dev-{unit}", i) == MISSING
                for minute in range(60):
                    rows.append(self.minute(unit, n, start + timedelta(minutes=minute), missing))
        return rows

    def minute(self, unit: str, n: int, moment: datetime, missing: bool) -> dict[str, Any]:
        phase = (moment.minute + 7 * n) % 30
        state = "moving" if phase < 18 else "idle" if phase < 26 else "off"
        blind = state == "moving" and n in (0, 2) and phase >= 12
        row: dict[str, Any] = {
            "hiveperiod": self.day(moment),
            "dstrct_code": DISTRICT,
            "unitno": unit,
            "deviceid": f"dev-{unit}",
            "unittype": "dump",
            "minute": moment,
            "seconds": 0 if missing else 60,
            "moving_s": 60 if state == "moving" and not missing else 0,
            "idle_s": 60 if state == "idle" and not missing else 0,
            "off_s": 60 if state == "off" and not missing else 0,
            "unknown_s": 60 if missing else 0,
            "cam_cabin_up_s": 0 if missing or blind else 60,
            "cam_front_up_s": 0 if missing else 60,
            "gps_fix_s": 0 if missing else 58,
            "eyes_valid_s": 0 if missing or blind else 55,
            "blind_moving_s": 60 if blind and not missing else 0,
            "net_down_s": 0,
            "lat": 0.5,
            "lon": 117.0,
        }
        if not missing:
            for name, value in (
                ("VehicleSpeed", 28.0 if state == "moving" else 0.0),
                ("gpsspeed", 27.0 if state == "moving" else 0.2),
                ("EngineSpeed", {"moving": 1500.0, "idle": 700.0, "off": 0.0}[state]),
                ("EngineCoolantTemp", 88.0 + n + moment.minute / 10),
                ("EngineOilTemp", 97.0 + phase / 4),
                ("BatteryVoltage", 27.4),
                ("gpsnumsat", 11.0),
            ):
                row[f"{name}_mean"] = value
                row[f"{name}_min"] = value * 0.9
                row[f"{name}_max"] = value * 1.1 + 0.5
            row |= {"speed_gap_mean": 1.0, "speed_gap_max": 3.0 + n}
        return row

    def day_rows(self, minutes: list[dict[str, Any]]) -> list[dict[str, Any]]:
        sums = ["moving_s", "idle_s", "off_s", "unknown_s", "blind_moving_s", "cam_cabin_up_s"]
        sums += ["cam_front_up_s", "gps_fix_s"]
        keys = ["hiveperiod", "dstrct_code", "unitno", "deviceid", "unittype"]
        frame = pl.DataFrame(minutes, infer_schema_length=None)
        days = frame.group_by(keys).agg(
            pl.col(sums).sum(),
            pl.col("seconds").sum().alias("observed_s"),
            pl.len().mul(60).alias("day_s"),
            pl.col("minute").min().alias("first_ts"),
            pl.col("minute").max().alias("last_ts"),
        )
        days = days.with_columns(
            (pl.col("moving_s") - pl.col("blind_moving_s")).alias("eyes_valid_moving_s"),
            pl.col("unknown_s").alias("no_data_s"),
            (pl.col("moving_s") / 3600 * 28).alias("km"),
            ((pl.col("moving_s") + pl.col("idle_s")) / 3600).alias("engine_h"),
            pl.lit(120.0).alias("fuel_l"),
            pl.lit(4).alias("trips"),
            pl.lit(0).alias("inferred_off_s"),
            pl.lit(2.5).alias("unobserved_km"),
            pl.lit(15_250.4).alias("engine_hours_last"),
            pl.lit(430.0).alias("service_km_last"),
            pl.lit(61.0).alias("fuel_pct_last"),
            pl.lit("3.1").alias("fwversion"),
            pl.lit(1).alias("exceedances"),
        )
        return days.to_dicts()

    def cases(self, starts: list[datetime]) -> list[dict[str, Any]]:
        begin = starts[1] + timedelta(minutes=5)
        day, shift = self.production_shift(begin)
        common = {"dstrct_code": DISTRICT, "operatorid": "op-7", "hiveperiod": day, "shift": shift}
        return [
            {
                **common,
                "case_id": "F-1",
                "unitno": self.units[0],
                "deviceid": f"dev-{self.units[0]}",
                "kind": "microsleep",
                "evidence": "closure",
                "started_at": begin,
                "ended_at": begin + timedelta(seconds=4),
                "closure_s": 3.6,
                "speed_kmh": 31.0,
                "metres_closed": 31.0,
                "severity": 2,
                "device_agrees": True,
                "arrived_at": begin + timedelta(hours=1),
            },
            {
                **common,
                "case_id": "F-2",
                "unitno": self.units[-1],
                "deviceid": f"dev-{self.units[-1]}",
                "kind": "drowsy",
                "evidence": "closed_share",
                "started_at": begin + timedelta(minutes=20),
                "ended_at": begin + timedelta(minutes=25),
                "closed_share": 0.14,
                "speed_kmh": 24.0,
                "metres_closed": 280.0,
                "severity": 3,
                "device_agrees": False,
                "arrived_at": begin + timedelta(hours=1),
            },
        ]

    def exceedances(self, starts: list[datetime]) -> list[dict[str, Any]]:
        begin = starts[0] + timedelta(minutes=11)
        return [
            {
                "hiveperiod": self.day(begin),
                "dstrct_code": DISTRICT,
                "unitno": self.units[0],
                "deviceid": f"dev-{self.units[0]}",
                "signal": "EngineCoolantTemp",
                "level": "warn",
                "side": "high",
                "limit_value": 103.0,
                "started_at": begin,
                "ended_at": begin + timedelta(seconds=95),
                "duration_s": 95.0,
                "beyond_s": 80,
                "worst": 105.0,
                "condition": "EngineSpeed >= 400",
                "dtc_spn": 110,
                "dtc_fmi": 0,
                "dtc_source": 0,
            }
        ]

    def write(self, connection: Any, name: str, rows: list[dict[str, Any]], version: int) -> None:
        columns = mart_columns()[name]
        schema = {column: _TYPES[kind] for column, kind in columns}
        known = [{key: row.get(key) for key in schema} for row in rows]
        frame = pl.DataFrame(known, schema=schema, strict=False)
        for (day,), part in frame.group_by("hiveperiod"):
            self.publish(connection, ANALYTICS, name, str(day), part, version)

    def write_seconds(self, connection: Any, starts: list[datetime], version: int) -> None:
        """Four minutes of seconds around the first case."""
        begin = starts[1] + timedelta(minutes=3)
        arrow = fields.arrow_schema()
        rows = []
        for second in range(240):
            closed = 120 <= second < 124
            moment = begin + timedelta(seconds=second)
            rows.append(
                {
                    "ts": moment,
                    "hiveperiod": self.day(moment),
                    "dstrct_code": DISTRICT,
                    "deviceid": f"dev-{self.units[0]}",
                    "unitno": self.units[0],
                    "_src": 1,
                    "_line": second + 1,
                    "ear": None if 60 <= second < 80 else 0.07 if closed else 0.31,
                    "earbaseline": 0.31,
                    "eyeclosedfrac": 1.0 if closed else 0.05,
                    "faceconf": 0.9,
                    "driverpresent": 1.0,
                    "camcabinstatus": 1.0,
                    "VehicleSpeed": 31.0,
                    "dmsalarm": 1.0 if second == 123 else 0.0,
                }
            )
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pa.Table.from_pylist(rows, schema=arrow)
        day = self.day(begin)
        path = self.path(CLEAN, "telemetry", day)
        pq.write_table(table, self.settings.lake_root / path)
        self.record(connection, CLEAN, "telemetry", day, path, table.num_rows, version)
        last = to_us(rows[-1]["ts"])
        connection.execute(
            t.file_sources.insert().from_select(
                ["file_id", "src", "deviceid", "rows", "hidden", "min_ts", "max_ts"],
                select(
                    t.data_files.c.id,
                    *map(literal, (1, rows[0]["deviceid"], len(rows), 0, to_us(begin), last)),
                ).where(t.data_files.c.path == path),
            )
        )

    def path(self, layer: str, name: str, day: str) -> str:
        path = partition_path(layer, name, day, DISTRICT, "fabricated.parquet")
        (self.settings.lake_root / Path(path)).parent.mkdir(parents=True, exist_ok=True)
        return path

    def publish(
        self, connection: Any, layer: str, name: str, day: str, part: pl.DataFrame, version: int
    ) -> None:
        path = self.path(layer, name, day)
        part.write_parquet(self.settings.lake_root / path)
        self.record(connection, layer, name, day, path, part.height, version)

    def record(
        self, connection: Any, layer: str, name: str, day: str, path: str, rows: int, version: int
    ) -> None:
        start, _ = day_span(day, self.zone)
        connection.execute(
            t.data_files.insert(),
            [
                {
                    "claim_id": "fabricated",
                    "layer": layer,
                    "dataset": name,
                    "path": path,
                    "hiveperiod": day,
                    "dstrct_code": DISTRICT,
                    "rows": rows,
                    "bytes": 1,
                    "units": "[]",
                    "compacted": False,
                    "committed_at": to_us(start),
                    "version": version,
                }
            ],
        )
        exists = connection.execute(
            t.partitions.select().where(t.partitions.c.hiveperiod == day)
        ).first()
        if exists is None:
            connection.execute(
                t.partitions.insert(),
                [
                    {
                        "hiveperiod": day,
                        "dstrct_code": DISTRICT,
                        "data_version": version,
                        "context_version": 0,
                        "closed_hours": 0,
                        "compacted_version": 0,
                        "built_version": version,
                    }
                ],
            )
