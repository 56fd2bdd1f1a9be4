"""Units as people read them."""

from __future__ import annotations

import polars as pl

from app.figures.fleet import NEED_A_LOOK
from app.tables.columns import clock, hours, named, part, words


def units(totals: pl.DataFrame, now: pl.DataFrame, zone: str) -> pl.DataFrame:
    """One row a unit, those that need a look first; registered units without data included."""
    status = now.select("dstrct_code", "unitno", "unittype", "status", "last_seen")
    frame = status.unique(["dstrct_code", "unitno"], keep="first").join(
        totals.drop("unittype"), on=["dstrct_code", "unitno"], how="full", coalesce=True
    )
    order = {name: i for i, name in enumerate((*NEED_A_LOOK, "reporting", "parked"))}
    rank = pl.col("status").replace_strict(order, default=9, return_dtype=pl.Int64)
    return named(
        frame.sort(rank, "unitno"),
        {
            "unit": "unitno",
            "type": "unittype",
            "status": words("status", "status"),
            "last_seen": clock("last_seen", zone, "%Y-%m-%d %H:%M"),
            "observed": hours("observed_s"),
            "moving": hours("moving_s"),
            "idle": hours("idle_s"),
            "unknown": hours("unknown_s"),
            "km": pl.col("km").round(1),
            "unobserved": pl.col("unobserved_km").round(1),
            "trips": "trips",
            "fuel": pl.col("fuel_l").round(0),
            "fuel_level": pl.col("fuel_pct_last").round(0),
            "hour_meter": pl.col("engine_hours_last").round(1),
            "service": pl.col("service_km_last").round(0),
            "cab_camera": part("cam_cabin_up_s", "observed_s"),
            "front_camera": part("cam_front_up_s", "observed_s"),
            "gps": part("gps_fix_s", "observed_s"),
            "exceedances": "exceedances",
            "district": "dstrct_code",
        },
    )


def attention(now: pl.DataFrame, zone: str) -> pl.DataFrame:
    """Units that are silent, never seen or late, longest first."""
    frame = now.filter(pl.col("status").is_in(NEED_A_LOOK))
    return named(
        frame.sort("age_s", descending=True, nulls_last=False),
        {
            "unit": "unitno",
            "status": words("status", "status"),
            "last_seen": clock("last_seen", zone, "%Y-%m-%d %H:%M"),
            "type": "unittype",
            "district": "dstrct_code",
        },
    )
