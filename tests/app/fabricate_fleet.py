"""The marts of fleet health that belong to fabricated minutes, with numbers that tests know.

Each unit moves 18, idles 8 and stands off 4 minutes of each half hour. The first unit's downtime
log covers its days: half an hour of breakdown and a quarter of rain. The second has no GPS.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import polars as pl

REPAIR_S, STANDBY_S, DELAY_S = 1800.0, 900.0, 600.0
PARTS = ("cab_camera", "front_camera", "gps", "vehicle_bus", "storage", "temperature", "clock")
KEYS = ["hiveperiod", "dstrct_code", "unitno", "deviceid"]
STATES = ("moving", "idle", "off", "unknown")

Rows = list[dict[str, Any]]


def fleet_marts(minutes: Rows, units: tuple[str, ...]) -> dict[str, Rows]:
    """Mart → rows."""
    frame = pl.DataFrame(minutes, infer_schema_length=None).with_columns(_state().alias("state"))
    days = frame.group_by(*KEYS, "unittype").agg(
        pl.len().mul(60).alias("day_s"),
        pl.col("seconds").sum().alias("observed_s"),
        *(pl.col(f"{name}_s").sum() for name in STATES),
        pl.col("cam_cabin_up_s").sum(),
    )
    return {
        "unit_hour": _hours(frame),
        "state_interval": _intervals(frame),
        "unit_availability": [_availability(row, units[0]) for row in days.to_dicts()],
        "device_health": [_part(row, part, units) for row in days.to_dicts() for part in PARTS],
    }


def _state() -> pl.Expr:
    named = pl.lit("unknown")
    for name in STATES[:3]:
        named = pl.when(pl.col(f"{name}_s") > 0).then(pl.lit(name)).otherwise(named)
    return named


def _hours(frame: pl.DataFrame) -> Rows:
    hours = frame.sort("minute").group_by(
        *KEYS, "unittype", pl.col("minute").dt.truncate("1h").alias("hour_start")
    )
    return hours.agg(
        *(pl.col(f"{name}_s").sum() for name in STATES),
        pl.len().mul(60).alias("seconds"),
        pl.col("minute").filter(pl.col("seconds") > 0).max().alias("last_minute"),
        pl.col("state").filter(pl.col("seconds") > 0).last().alias("last_state"),
        pl.col("lat").last(),
        pl.col("lon").last(),
        pl.lit(90.0).alias("heading"),
    ).to_dicts()


def _intervals(frame: pl.DataFrame) -> Rows:
    runs = frame.sort("unitno", "minute").with_columns(
        pl.struct("unitno", "hiveperiod", "state").rle_id().alias("run")
    )
    found = runs.group_by(*KEYS, "state", "run").agg(
        pl.col("minute").min().alias("started_at"),
        (pl.col("minute").max() + timedelta(minutes=1)).alias("ended_at"),
        pl.len().mul(60).alias("seconds"),
        (pl.col("seconds").sum() > 0).alias("observed"),
        pl.lit(1).alias("shift"),
    )
    return found.to_dicts()


def _availability(day: dict[str, Any], logged: str) -> dict[str, Any]:
    known, on = day["day_s"] - day["unknown_s"], day["moving_s"] + day["idle_s"]
    row = {**day, "known_s": known, "engine_on_s": on, "log_covers": False}
    row["eu"] = on / known if known else None
    if day["unitno"] == logged and day["day_s"] > REPAIR_S + STANDBY_S:
        row |= {
            "log_covers": True,
            "delay_s": DELAY_S,
            "standby_s": STANDBY_S,
            "repair_s": REPAIR_S,
            "breakdown_s": REPAIR_S,
            "breakdowns": 1,
            "work_s": day["day_s"] - REPAIR_S - STANDBY_S,
        }
    return row


def _part(day: dict[str, Any], part: str, units: tuple[str, ...]) -> dict[str, Any]:
    down = part == "gps" and len(units) > 1 and day["unitno"] == units[1]
    up = 0 if down else day["cam_cabin_up_s"] if part == "cab_camera" else day["observed_s"]
    state = "well" if up >= 0.98 * day["observed_s"] else "unwell" if down else "at_times"
    row = {**day, "part": part, "up_s": up, "uptime": up / max(day["observed_s"], 1)}
    return {**row, "state": state, "reason": {"unwell": "no fix", "at_times": "down"}.get(state)}
