"""Where a band's condition holds: limits are judged there alone."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from pipeline.fields import Band, bands

#: The first seconds after the engine came on are not judged [FMS-Standard].
NOT_JUDGED_S = 10.0

NONE, PARTLY, WHOLLY = 0, 1, 2


def of(signal: str) -> tuple[Band, ...]:
    """The bands of a signal; several where they depend on a condition."""
    return tuple(band for band in bands() if band.name == signal)


def column(signal: str, number: int) -> str:
    """Where a frame says whether the condition of a signal's n-th band holds."""
    return f"{signal}_holds_{number}"


def signals(names: Iterable[str]) -> tuple[str, ...]:
    """Signals on which the bands of others depend."""
    found = (band.cond_signal for name in names for band in of(name) if band.cond_signal)
    return tuple(dict.fromkeys(found))


def lead_s(names: Iterable[str]) -> float:
    """Seconds before a span that must be known to tell since when conditions have held."""
    return max((_hold_s(band) for name in names for band in of(name)), default=0.0)


def words(band: Band) -> str:
    """A condition as people read it: ``EngineSpeed ≥ 400, 900 s``; empty for always."""
    if not band.cond_signal or band.cond_value is None:
        return ""
    sign = {">=": "≥", "<=": "≤"}.get(band.cond_op, band.cond_op)
    rule = f"{band.cond_signal} {sign} {band.cond_value:g}"
    return f"{rule}, {band.cond_hold_s:g} s" if band.cond_hold_s else rule


def holding(frame: pl.DataFrame, band: Band) -> pl.Series:
    """For each bucket of an envelope: WHOLLY, PARTLY or NONE.

    It holds once it has been met for its hold time within a run; what is not known is not met.
    """
    if not band.cond_signal or band.cond_value is None:
        return pl.Series("holds", [WHOLLY] * frame.height, dtype=pl.Int8)
    low, high = (f"{band.cond_signal}_{kind}" for kind in ("min", "max"))
    if low not in frame.columns:
        return pl.Series("holds", [NONE] * frame.height, dtype=pl.Int8)
    every, some = (high, low) if band.cond_op.startswith("<") else (low, high)
    keys = ["unitno", "run"]
    met = _met(every, band).alias("met")
    held = frame.select("unitno", "run", "at", met, _met(some, band).alias("once"))
    held = held.with_columns((~pl.col("met")).cum_sum().over(keys).alias("stretch"))
    begin = pl.col("at").filter(pl.col("met")).min().over([*keys, "stretch"])
    # The last bucket that did not wholly meet it may belong to the stretch in part.
    long = (pl.col("at") - begin).dt.total_seconds() >= _hold_s(band)
    previous = long.fill_null(False).shift().over(keys).fill_null(False)
    return (
        held.with_columns((pl.col("met") & long).fill_null(False).alias("whole"))
        .select(
            pl.when(pl.col("whole"))
            .then(WHOLLY)
            .when(pl.col("once") & ((_hold_s(band) <= NOT_JUDGED_S) | previous))
            .then(PARTLY)
            .otherwise(NONE)
            .cast(pl.Int8)
            .alias("holds")
        )
        .to_series()
    )


def _hold_s(band: Band) -> float:
    return max(NOT_JUDGED_S, band.cond_hold_s) if band.cond_signal else 0.0


def _met(column: str, band: Band) -> pl.Expr:
    value, limit = pl.col(column), band.cond_value
    test = {
        ">=": value >= limit,
        ">": value > limit,
        "<": value < limit,
        "<=": value <= limit,
    }[band.cond_op]
    return test.fill_null(False)
