"""One line a unit along the clock, or one a day over the hours of the day."""

from __future__ import annotations

from datetime import date, datetime

import polars as pl

from app.charts.palette import BLUE, GREEN, ORANGE, PURPLE, SKY
from app.spans import Span
from queries.envelope import GAP_S, drawn

#: Days over each other are drawn on this one.
ANY_DAY = date(2000, 1, 1)

#: More lines than these nobody tells apart.
MOST = 8

DASHES = ("solid", "dash", "dot")


def along_the_clock(frame: pl.DataFrame, zone: str) -> pl.DataFrame:
    """``clock``: local time; ``series``: the unit."""
    local = pl.col("at").dt.convert_time_zone(zone).dt.replace_time_zone(None)
    return frame.with_columns(local.alias("clock"), pl.col("unitno").alias("series"))


def over_each_other(frame: pl.DataFrame, zone: str) -> pl.DataFrame:
    """``clock``: time of day on one and the same day; ``series``: the local day.

    With its unit where there are several; the newest ``MOST`` of them.
    """
    found = along_the_clock(frame, zone).with_columns(pl.col("clock").dt.date().alias("day"))
    several = found["unitno"].n_unique() > 1
    day = pl.col("day").dt.strftime("%Y-%m-%d")
    name = pl.concat_str(day, pl.col("unitno"), separator=" · ") if several else day
    found = found.with_columns(
        name.alias("series"),
        pl.lit(ANY_DAY).dt.combine(pl.col("clock").dt.time()).alias("clock"),
    )
    newest = found["series"].unique().sort(descending=True).head(MOST)
    return found.filter(pl.col("series").is_in(newest.implode())).drop("day")


def names(frame: pl.DataFrame) -> list[str]:
    """The series, in the order of their colours."""
    return sorted(frame["series"].unique().to_list())


def style(number: int, dark: bool) -> tuple[str, str]:
    """(colour, dash) of the n-th series; both differ between neighbours, for eyes that see few."""
    colours = (SKY if dark else BLUE, ORANGE, PURPLE, GREEN)
    return colours[number % len(colours)], DASHES[number % len(DASHES)]


def steps(frame: pl.DataFrame, series: str, step_s: int) -> pl.DataFrame:
    """One series as steps to draw: runs closed, an empty row after each."""
    own = frame.filter(pl.col("series") == series).drop("at").rename({"clock": "at"})
    return drawn(own, step_s, ("series",)).rename({"at": "clock"})


def edges(span: Span, zone: str) -> tuple[datetime, datetime]:
    """A span's start and end as local time."""
    both = pl.Series([span.start, span.end]).dt.convert_time_zone(zone).dt.replace_time_zone(None)
    return both[0], both[1]


def ribbon(frame: pl.DataFrame, low: str, high: str, step_s: int) -> pl.DataFrame:
    """Outline of the area between two columns, bucket by bucket; a polygon a run, then a NULL.

    ``clock``, ``value``.
    """
    start, end = pl.col("clock"), pl.col("clock") + pl.duration(seconds=step_s)
    known = frame.filter(pl.col(low).is_not_null())
    joined = (pl.col("run") != pl.col("run").shift()) | (start != end.shift())
    known = known.with_columns(joined.fill_null(True).cum_sum().alias("piece")).with_row_index(
        "bucket"
    )
    nothing = pl.lit(None, known.schema["clock"])
    # To the end along the highest and back along the lowest; a row number has no sign.
    there, back = pl.col("bucket").cast(pl.Int64), -pl.col("bucket").cast(pl.Int64)
    edges = (
        (0, 2 * there, start, pl.col(high)),
        (0, 2 * there + 1, end, pl.col(high)),
        (1, 2 * back - 1, end, pl.col(low)),
        (1, 2 * back, start, pl.col(low)),
        (2, there * 0, nothing, pl.lit(None)),
    )
    outline = pl.concat(
        known.select(
            "piece",
            pl.lit(way).alias("way"),
            order.alias("order"),
            x.alias("clock"),
            y.cast(pl.Float64).alias("value"),
        )
        for way, order, x, y in edges
    )
    ways = ("piece", "way", "order")
    return outline.unique(ways, keep="any").sort(ways).select("clock", "value")


def stretches(
    frame: pl.DataFrame, column: str, value: int, step_s: int
) -> list[tuple[datetime, datetime]]:
    """[start, end) of unbroken buckets in which a column has a value, over all series at once."""
    at = (
        frame.group_by("clock")
        .agg(pl.col(column).max())
        .filter(pl.col(column) == value)
        .sort("clock")
        .with_columns((pl.col("clock") + pl.duration(seconds=step_s)).alias("end"))
    )
    fresh = (pl.col("clock") > pl.col("end").shift()).fill_null(True)
    found = (
        at.with_columns(fresh.cum_sum().alias("piece"))
        .group_by("piece", maintain_order=True)
        .agg(pl.col("clock").min(), pl.col("end").max())
    )
    return list(found.select("clock", "end").iter_rows())


def holes(
    frame: pl.DataFrame, start: datetime, end: datetime, step_s: int
) -> list[tuple[datetime, datetime]]:
    """[start, end) of a span (local) in which no series has a bucket, longer than a gap."""
    seen = frame.select("clock").unique().sort("clock")
    seen = seen.with_columns((pl.col("clock") + pl.duration(seconds=step_s)).alias("end"))
    begins = [start, *seen["end"].to_list()]
    ends = [*seen["clock"].to_list(), end]
    return [
        (a, b)
        for a, b in zip(begins, ends, strict=True)
        if (b - a).total_seconds() > (GAP_S if step_s <= GAP_S else 0)
    ]
