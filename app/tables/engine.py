"""Exceedances as people read them."""

from __future__ import annotations

import polars as pl

from app.tables.columns import clock, named


def exceedances(frame: pl.DataFrame, zone: str) -> pl.DataFrame:
    """Exceedances, in the order given."""
    fault = pl.concat_str(
        pl.lit("SPN "),
        pl.col("dtc_spn").cast(pl.Int64, strict=False),
        pl.lit(" FMI "),
        pl.col("dtc_fmi").cast(pl.Int64, strict=False),
        pl.lit(" from "),
        pl.col("dtc_source").cast(pl.Int64, strict=False),
    )
    return named(
        frame,
        {
            "started": clock("started_at", zone),
            "signal": "signal",
            "level": "level",
            "limit": "limit_value",
            "worst": pl.col("worst").round(1),
            "duration": pl.col("duration_s").round(0),
            "condition": "condition",
            "fault": fault,
        },
    )
