"""Cases as people read them."""

from __future__ import annotations

import polars as pl

from app.tables.columns import clock, named, words


def cases(frame: pl.DataFrame, zone: str) -> pl.DataFrame:
    """Fatigue cases, in the order given."""
    return named(
        frame,
        {
            "started": clock("started_at", zone),
            "unit": "unitno",
            "kind": words("kind", "kind"),
            "metres": pl.col("metres_closed").round(0),
            "closure": pl.col("closure_s").round(1),
            "speed": pl.col("speed_kmh").round(0),
            "evidence": words("evidence", "evidence"),
            "agrees": "device_agrees",
            "arrived": clock("arrived_at", zone, "%H:%M"),
            "district": "dstrct_code",
        },
    )
