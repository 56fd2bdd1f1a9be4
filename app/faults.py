"""Fault codes (SAE J1939: SPN, FMI and source address) in words, and those that come back. Pure."""

from __future__ import annotations

from functools import cache

import polars as pl

from app.text import known, say
from pipeline import fields

KEYS = ("unitno", "spn", "fmi", "source")


@cache
def _by_spn() -> dict[int, str]:
    # A code says that a tyre is meant, not which one.
    return {
        field.spn: field.name.rstrip("0123456789")
        for field in fields.FIELDS
        if field.spn is not None
    }


def code_name(spn: float | None, fmi: float | None, source: float | None) -> str:
    """A code as workshops write it: without the source address SPN and FMI are ambiguous."""
    parts = (("SPN", spn), ("FMI", fmi), ("SA", source))
    return " ".join(f"{name} {value:.0f}" for name, value in parts if value is not None)


def code_words(spn: float | None, fmi: float | None, source: float | None) -> str:
    """What a code says, as far as the dictionary and the standard's common words tell."""
    parts = [
        _by_spn().get(int(spn), "") if spn is not None else "",
        known(f"fmi.{fmi:.0f}", "") if fmi is not None else "",
        known(f"sa.{source:.0f}", "") if source is not None else "",
    ]
    return " · ".join(part for part in parts if part) or say("engine.codes.unknown")


def repeats(codes: pl.DataFrame, exceeded: pl.DataFrame) -> pl.DataFrame:
    """One row per unit and code, that which came most often first.

    Columns: KEYS, ``times``, ``active_s``, ``first_at``, ``last_at``, ``occurrence`` (the
    controller's own count), ``exceedances`` (with this code active).
    """
    # What was there already when the span began came once, too.
    first = pl.col("carried").first().cast(pl.Int64)
    ranked = (
        codes.sort("started_at")
        .group_by(*KEYS)
        .agg(
            (pl.col("times").sum() + first).alias("times"),
            pl.col("active_s").sum(),
            pl.col("started_at").min().alias("first_at"),
            pl.col("ended_at").max().alias("last_at"),
            pl.col("occurrence").max(),
        )
    )
    beside = exceeded.select(
        "unitno", *(pl.col(f"dtc_{name}").cast(pl.Float64).alias(name) for name in KEYS[1:])
    )
    counted = beside.drop_nulls().group_by(*KEYS).agg(pl.len().alias("exceedances"))
    return (
        ranked.join(counted, on=KEYS, how="left")
        .with_columns(pl.col("exceedances").fill_null(0))
        .sort("times", "active_s", *KEYS, descending=[True, True, False, False, False, False])
    )
