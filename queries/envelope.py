"""Signals at the detail that a span allows: mean with the lowest and the highest second.

Whatever they were read from, frames have one shape: ``unitno``, ``at`` (UTC, begin of the bucket),
``seconds`` (with rows), ``{signal}_mean``, ``_min``, ``_max``, and ``run``: buckets of one run have
nothing between them that is longer than a gap, so a line may join them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

#: A line ends where nothing was seen for longer than this.
GAP_S = 10

KINDS = ("mean", "min", "max")

HOUR, DAY = 3600, 86_400


@dataclass(frozen=True)
class Level:
    """What a span is read from (hour, minute, second), and the seconds of a bucket it is shown in.

    ``grain_s``: seconds that a row of the source stands for.
    """

    source: str
    grain_s: int
    step_s: int


#: (longest span in s, source, grain, steps, most buckets)
_LEVELS: tuple[tuple[float, str, int, tuple[int, ...], int], ...] = (
    (2 * HOUR, "second", 1, (1, 2, 5), 1800),
    (3 * DAY, "minute", 60, (60, 120, 300), 1000),
    (float("inf"), "hour", HOUR, (HOUR,), 1000),
)

#: Signals that no mart keeps come from seconds, so their spans are short.
SECONDS_ALONE_S = 6 * HOUR


def level_of(span_s: float) -> Level:
    """The coarsest source that serves a span, and the finest step with a few thousand points."""
    _, source, grain, steps, most = next(one for one in _LEVELS if span_s <= one[0])
    step = next((step for step in steps if span_s / step <= most), steps[-1])
    return Level(source, grain, step)


def columns(signals: Sequence[str]) -> tuple[str, ...]:
    """Names that marts give these signals."""
    return tuple(f"{signal}_{kind}" for signal in signals for kind in KINDS)


def of_seconds(rows: pl.DataFrame, signals: Sequence[str]) -> pl.DataFrame:
    """Seconds (``unitno``, ``at``, a column a signal) in the shape of a mart's rows."""
    return rows.select(
        "unitno",
        "at",
        pl.lit(1).alias("seconds"),
        *(pl.col(signal).alias(f"{signal}_{kind}") for signal in signals for kind in KINDS),
    )


def envelope(rows: pl.DataFrame, signals: Sequence[str], grain_s: int, step_s: int) -> pl.DataFrame:
    """Rows of ``grain_s`` put into buckets of ``step_s``; no peak of a second is lost.

    A bucket of which more than a gap has no rows stands alone: no line leads to it.
    """
    bucket = pl.col("at") if step_s <= grain_s else pl.col("at").dt.truncate(f"{step_s}s")
    rows = rows.sort("unitno", "at").with_columns(
        bucket.alias("bucket"),
        # from the end of the row before to the begin of this one
        (pl.col("at").diff().over("unitno").dt.total_seconds() - (grain_s - 1)).alias("before"),
    )
    inside = pl.col("bucket") == pl.col("bucket").shift().over("unitno")
    rows = rows.with_columns((inside & (pl.col("before") > GAP_S)).fill_null(False).alias("hole"))
    found = rows.group_by("unitno", "bucket", maintain_order=True).agg(
        pl.col("seconds").sum().cast(pl.Float64),
        pl.col("before").first(),
        # A minute or an hour hides where in it seconds are missing.
        (
            pl.col("hole").any()
            | (pl.col("at").n_unique() * grain_s - pl.col("seconds").sum() > GAP_S)
        ).alias("torn"),
        *(aggregate for signal in signals for aggregate in _aggregates(signal)),
    )
    alone = pl.col("torn") | pl.col("torn").shift().over("unitno")
    fresh = (alone | (pl.col("before") > GAP_S)).fill_null(True)
    return (
        found.sort("unitno", "bucket")
        .with_columns(fresh.cum_sum().over("unitno").alias("run"))
        .rename({"bucket": "at"})
        .drop("before", "torn")
    )


def _aggregates(signal: str) -> tuple[pl.Expr, ...]:
    mean, seconds = pl.col(f"{signal}_mean"), pl.col("seconds")
    weight = pl.when(mean.is_not_null()).then(seconds).sum()
    return (
        pl.when(weight > 0).then((mean * seconds).sum() / weight).alias(f"{signal}_mean"),
        pl.col(f"{signal}_min").min(),
        pl.col(f"{signal}_max").max(),
    )


def deviation(rows: pl.DataFrame, grain_s: int, step_s: int) -> pl.DataFrame:
    """The two speeds by buckets: ``gap_mean``, ``gap_max``, satellites, ``by_gps`` (%), ``run``."""
    shaped = rows.with_columns(
        pl.col("gap_mean").alias("gap_min"),
        pl.col("satellites_mean").alias("satellites_max"),
        *((100 * pl.col("by_gps_s") / pl.col("seconds")).alias(f"by_gps_{kind}") for kind in KINDS),
    )
    return envelope(shaped, ("gap", "satellites", "by_gps"), grain_s, step_s)


def drawn(frame: pl.DataFrame, step_s: int, keys: Sequence[str] = ("unitno",)) -> pl.DataFrame:
    """The frame as steps to draw: each run closed at the end of its last bucket, then an empty row.

    ``keys``: what runs belong to.
    """
    last = pl.col("run") != pl.col("run").shift(-1).over(keys)
    ends = frame.filter(last.fill_null(True)).with_columns(
        pl.col("at") + pl.duration(seconds=step_s)
    )
    holes = ends.select(*keys, "at", "run")
    parts = [
        part.with_columns(pl.lit(i).alias("part")) for i, part in enumerate((frame, ends, holes))
    ]
    return pl.concat(parts, how="diagonal").sort(*keys, "run", "part", "at").drop("part")
