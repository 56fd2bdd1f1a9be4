"""What other thresholds would have found: cases of a span, from the published evidence."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from pipeline.localtime import next_day
from pipeline.marts import thresholds, what_if
from queries.connect import Reader
from queries.ledger_frames import district_names
from queries.scope import Scope

#: Cases of two ways to look are one when they are this close.
NEAR = pl.duration(minutes=5)


def cases(reader: Reader, scope: Scope, changed: Mapping[str, float]) -> pl.DataFrame:
    """Cases of a scope's production days with some thresholds changed: ``fatigue_case``'s columns.

    Raises UsageError for a threshold that is none or beyond its limits, and for an open span.
    """
    if scope.first is None or scope.last is None:
        raise ValueError("a what-if needs a first and a last day")
    first, last = scope.first, scope.last
    # units are chosen afterwards: what is usual in a district is told by all of its units
    wide = Scope(
        next_day(first, -what_if.DAYS_BEFORE), next_day(last, what_if.DAYS_AFTER), scope.districts
    )

    def answer() -> pl.DataFrame:
        with reader.ledger.read() as ledger:
            districts = scope.districts or tuple(district_names(ledger))
            limits = what_if.rules(thresholds.current(ledger), changed)
        with reader.cursor(what_if.READS, wide) as cursor:
            found = what_if.cases(cursor, reader.settings, (first, last), districts, limits)
        return found.filter(pl.col("unitno").is_in(scope.units)) if scope.units else found

    return reader.retrying(answer)


def compared(now: pl.DataFrame, then: pl.DataFrame) -> pl.DataFrame:
    """Each case of either side: ``case_id`` as it is now, None for one that would be new.

    ``change``: kept, gone or new. Cases of a unit are the same when they overlap or lie within five
    minutes of each other.
    """
    keys = ("unitno", "deviceid", "kind", "started_at", "ended_at")
    left = now.select("case_id", *keys).with_row_index("own")
    right = then.select(*keys).with_row_index("other")
    pairs = left.join(right, on=["unitno", "deviceid"], suffix="_then").filter(
        (pl.col("started_at") <= pl.col("ended_at_then") + NEAR)
        & (pl.col("started_at_then") <= pl.col("ended_at") + NEAR)
    )
    kept = pl.col("own").is_in(pairs["own"].unique().implode())
    matched = pl.col("other").is_in(pairs["other"].unique().implode())
    return pl.concat(
        [
            left.with_columns(
                pl.when(kept).then(pl.lit("kept")).otherwise(pl.lit("gone")).alias("change")
            ).drop("own"),
            right.filter(~matched).with_columns(pl.lit("new").alias("change")).drop("other"),
        ],
        how="diagonal",
    ).sort("started_at", "unitno")
