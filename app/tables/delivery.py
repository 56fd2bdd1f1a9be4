"""Device-hours as people read them."""

from __future__ import annotations

import polars as pl

from app.tables.columns import clock, named, words


def cells(frame: pl.DataFrame, zone: str) -> pl.DataFrame:
    """Device-hours that are not complete or came late, newest first."""
    bad = pl.col("late") | ~pl.col("state").is_in(["complete", "pending", "proven_off"])
    return named(
        frame.filter(bad).sort("hour", "deviceid", descending=[True, False]),
        {
            "hour": clock("hour_start", zone, "%Y-%m-%d %H:%M"),
            "unit": "unitno",
            "device": "deviceid",
            "status": words("state", "cell"),
            "arrived": clock("arrived_at", zone, "%Y-%m-%d %H:%M"),
            "delay": (pl.col("delay_s") / 60).round(0),
            "lines": "lines",
            "accepted": "accepted",
            "quarantined": "quarantined",
            "district": "district",
            "key": "key",
        },
    )
