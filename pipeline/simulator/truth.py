"""What really happened and what was delivered, apart from the raw files.

``truth.json`` counts over the object versions that lie in ``raw`` now: ``lines`` are all of their
lines (bad, blank and repeated ones too), ``distinct_rows`` their recoverable (deviceid, ts).
"""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from . import network, stage
from .block import Block
from .spec import SECONDS
from .state import World
from .trace import STATES

UPLOADS = {
    "unit": pl.Int32, "index": pl.Int32, "hour": pl.String, "version": pl.Int32,
    "arrived_at": pl.Int64, "lines": pl.Int64, "bad_lines": pl.Int64, "blank_lines": pl.Int64,
    "rows": pl.Int64, "overlap": pl.Int64, "kind": pl.String,
}  # fmt: skip
HOURS = {
    "unit": pl.Int32, "index": pl.Int32, "hour": pl.String, "start": pl.Int64,
    "powered": pl.Int64, "produced": pl.Int64, "cause": pl.String, "fwversion": pl.String,
}  # fmt: skip
EPISODES = {
    "deviceid": pl.String, "unitno": pl.String, "operatorid": pl.String, "dstrct_code": pl.String,
    "kind": pl.String, "start": pl.Float64, "end": pl.Float64, "closure_s": pl.Float64,
    "closed_share": pl.Float64, "speed": pl.Float64, "metres": pl.Float64, "observed": pl.Boolean,
    "finished": pl.Boolean,
}  # fmt: skip
FAULTS = {"unit": pl.Int32, "kind": pl.String, "start": pl.Int64, "end": pl.Int64}
TABLES = {"uploads": UPLOADS, "hours": HOURS, "episodes": EPISODES, "faults": FAULTS}


class Truth:
    """The tables of all simulated hours, and what is written from them."""

    def __init__(self, world: World, out: Path) -> None:
        self.world, self.out = world, out
        self.tables = {name: pl.DataFrame(schema=dict(schema)) for name, schema in TABLES.items()}

    def load(self, hours: int) -> None:
        """Read back the hours that the journal vouches for."""
        for name in TABLES:
            paths = [self._path(name, hour) for hour in range(hours)]
            if paths:
                self.tables[name] = pl.concat([pl.read_parquet(path) for path in paths])

    def _path(self, name: str, hour: int) -> Path:
        return stage.home(self.out) / "hours" / f"{name}-{hour}.parquet"

    def add(self, hour: int, blocks: list[Block]) -> None:
        """Note an hour, on disk and here. Safe to repeat."""
        parts: dict[str, list[dict[str, Any]]] = {
            name: [
                {key: row[key] for key in schema}
                for made in blocks
                for row in map(_as_dict, getattr(made, name))
            ]
            for name, schema in TABLES.items()
        }
        for name, schema in TABLES.items():
            frame = pl.DataFrame(parts[name], schema=dict(schema))
            save(self._path(name, hour), frame)
            self.tables[name] = pl.concat([self.tables[name], frame])
        self._write_states(hour, blocks)

    def _write_states(self, hour: int, blocks: list[Block]) -> None:
        truths = [truth for made in blocks for truth in made.hours]
        rows = np.repeat(np.arange(len(truths)), SECONDS)
        units = [self.world.units[truth.unit] for truth in truths]
        starts = np.array([truth.start for truth in truths])
        ts = (starts[:, None] + np.arange(SECONDS)).ravel() * 1_000_000
        index = pl.Series(rows, dtype=pl.UInt32)
        codes = pl.Series(np.concatenate([t.state for t in truths]), dtype=pl.UInt32)
        frame = pl.DataFrame(
            {
                "deviceid": pl.Series([u.deviceid for u in units]).gather(index),
                "unitno": pl.Series([u.unitno for u in units]).gather(index),
                "dstrct_code": pl.Series([u.district for u in units]).gather(index),
                "ts": pl.Series(ts).cast(pl.Datetime("us", "UTC")),
                "state": pl.Series(STATES).gather(codes),
                "powered": pl.Series(np.concatenate([t.power for t in truths])),
            }
        )
        moment = datetime.fromtimestamp(self.world.spec.epoch + hour * SECONDS, UTC)
        save(self.out / "truth" / f"states-{moment:%Y%m%d%H}.parquet", frame)

    def due(self, journal: stage.Journal, until: int) -> list[dict[str, Any]]:
        """Uploads that arrive by ``until`` and were not released before, in order."""
        at, new = pl.col("arrived_at"), pl.col("index") >= journal.released
        uploads = self.tables["uploads"].filter(
            (at <= until) & ((at > journal.delivered_until) | new)
        )
        return uploads.sort("arrived_at", "index", "unit", "version").to_dicts()

    def last_arrival(self) -> int:
        """The latest arrival of all (epoch s)."""
        latest = self.tables["uploads"]["arrived_at"].max()
        return int(latest) if isinstance(latest, int) else self.world.spec.epoch

    def publish(self, until: int, generated: int) -> dict[str, Any]:
        """Write ``truth.json`` and the tables as of ``until`` (epoch s); returns the summary."""
        arrived = self.tables["uploads"].filter(pl.col("arrived_at") <= until)
        current = _newest(arrived.sort("version"), "unit", "index")
        hours = device_hours(self.tables["hours"], arrived, current)
        # An hour that comes twice is one object: its last upload holds the rows of both.
        lying = _newest(arrived.sort("index", "version"), "unit", "hour")
        summary = self._summary(hours, lying, arrived, until, generated)
        folder = self.out / "truth"
        save(folder / "device_hours.parquet", self._named(hours))
        episodes = self.tables["episodes"].unique(
            ["deviceid", "kind", "start"], keep="last", maintain_order=True
        )
        save(folder / "episodes.parquet", _times(episodes.sort("start"), "start", "end"))
        spells = self.tables["faults"].unique(["unit", "kind", "start"], maintain_order=True)
        save(folder / "faults.parquet", _times(self._with_names(spells), "start", "end"))
        save(folder / "outages.parquet", self._outages(generated))
        stage.write_atomically(self.out / "truth.json", json.dumps(summary, indent=1).encode())
        return summary

    def _summary(
        self, hours: pl.DataFrame, lying: pl.DataFrame, arrived: pl.DataFrame, until: int,
        generated: int,
    ) -> dict[str, Any]:  # fmt: skip
        known = set(zip(lying["unit"], lying["index"], strict=True))
        overlaps = lying.filter(pl.col("overlap") > 0).select("unit", "index", "overlap").rows()
        only_here = sum(n for unit, index, n in overlaps if (unit, index - 1) not in known)
        spec = self.world.spec
        closed = pl.col("start") + SECONDS + 150 <= until
        sent = self.tables["uploads"].select("unit", "index").unique()
        lost = hours.filter(closed & (pl.col("produced") > 0)).join(
            sent, on=["unit", "index"], how="anti"
        )
        return {
            **spec.identity(),
            "hours": generated,
            "districts": sorted(self.world.grounds),
            "delivered_until": datetime.fromtimestamp(until, UTC).isoformat(),
            "files_delivered": lying.height,
            "uploads_delivered": arrived.height,
            "files_lost": lost.height,
            "files_pending": self.tables["uploads"].height - arrived.height,
            "lines": int(lying["lines"].sum()),
            "bad_lines": int(lying["bad_lines"].sum()),
            "blank_lines": int(lying["blank_lines"].sum()),
            "distinct_rows": int(lying["rows"].sum()) + only_here,
        }

    def _with_names(self, frame: pl.DataFrame) -> pl.DataFrame:
        own = pl.DataFrame(
            [(u.index, u.deviceid, u.unitno, u.unittype, u.district) for u in self.world.units],
            schema={"unit": pl.Int32, "deviceid": pl.String, "unitno": pl.String,
                    "unittype": pl.String, "dstrct_code": pl.String},
            orient="row",
        )  # fmt: skip
        return own.join(frame, on="unit", how="inner", maintain_order="right")

    def _named(self, hours: pl.DataFrame) -> pl.DataFrame:
        frame = self._with_names(hours.sort("index", "unit")).select(
            "deviceid", "unitno", "unittype", "dstrct_code", "hour",
            pl.col("start").alias("hour_start"),
            pl.col("powered").alias("powered_seconds"),
            pl.col("powered").alias("expected_rows"),
            "produced", "delivered", "arrived_at", "last_arrived_at", "lines", "bad_lines",
            "blank_lines", "rows", "status", "cause", "fwversion",
        )  # fmt: skip
        return _times(frame, "hour_start", "arrived_at", "last_arrived_at")

    def _outages(self, generated: int) -> pl.DataFrame:
        spec = self.world.spec
        end = spec.epoch + generated * SECONDS
        found = [
            (o.district, o.area, o.start, o.end)
            for district in sorted(self.world.grounds)
            for day in range(spec.epoch // network.DAY - 1, end // network.DAY + 1)
            for o in network.outages(spec.seed, spec.severity, district, day)
            if o.start < end and o.end > spec.epoch
        ]
        schema = {"dstrct_code": pl.String, "area": pl.String, "start": pl.Int64, "end": pl.Int64}
        return _times(pl.DataFrame(found, schema=schema, orient="row"), "start", "end")


def device_hours(hours: pl.DataFrame, arrived: pl.DataFrame, current: pl.DataFrame) -> pl.DataFrame:
    """Every device-hour with what of it lies in the store, its status and its cause."""
    first = arrived.group_by("unit", "index").agg(pl.col("arrived_at").min())
    newest = current.drop("hour", "version").rename({"arrived_at": "last_arrived_at"})
    joined = hours.join(newest, on=["unit", "index"], how="left").join(
        first, on=["unit", "index"], how="left"
    )
    missing = pl.col("last_arrived_at").is_null()
    few = pl.col("rows") < 0.99 * pl.col("powered")
    status = (
        pl.when(pl.col("powered") == 0).then(pl.lit("off"))
        .when(missing).then(pl.lit("missing"))
        .when(pl.col("kind").is_in(["crc", "empty"])).then(pl.lit("corrupt"))
        .when((pl.col("kind") == "torn") | few).then(pl.lit("partial"))
        .otherwise(pl.lit("ok"))
    )  # fmt: skip
    pending = missing & (pl.col("produced") > 0) & (pl.col("cause") == "")
    return joined.with_columns(
        status.alias("status"),
        pl.when(pending).then(pl.lit("pending")).otherwise("cause").alias("cause"),
        (~missing).alias("delivered"),
        *(pl.col(n).fill_null(0) for n in ("lines", "bad_lines", "blank_lines", "rows")),
    )


def _newest(frame: pl.DataFrame, *key: str) -> pl.DataFrame:
    return frame.unique(list(key), keep="last", maintain_order=True)


def _as_dict(row: Any) -> dict[str, Any]:
    return row if isinstance(row, dict) else vars(row)


def _times(frame: pl.DataFrame, *names: str) -> pl.DataFrame:
    """Epoch seconds to UTC timestamps in µs."""
    moments = [
        (pl.col(n).cast(pl.Float64) * 1e6).round().cast(pl.Int64).cast(pl.Datetime("us", "UTC"))
        for n in names
    ]
    return frame.with_columns(moments)


def save(path: Path, frame: pl.DataFrame) -> None:
    """One Parquet file, complete or absent."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd", compression_level=1, statistics=True)
    stage.write_atomically(path, buffer.getvalue())
