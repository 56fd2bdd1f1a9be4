"""Weigh the rows of contested versions against each other: see ``overlaps``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import polars as pl
import pyarrow.parquet as pq
from pyarrow import fs as pafs

from pipeline.errors import Terminal
from pipeline.storage.lake import Lake
from pipeline.storage.overlaps import Piece, Plan, Rank, Span, Verdict


def settle(lake: Lake, plan: Plan) -> Verdict:
    """Who is beaten where. Reads only (ts, _src) of the contested versions and their rivals."""
    verdict = Verdict(plan)
    order = {rank: i for i, rank in enumerate(sorted({piece.rank for piece in plan.pieces}))}
    places = _by_path(plan.pieces)
    with lake.reading() as source:
        rows = pl.concat([_rows(source, path, pieces, order) for path, pieces in places])
    best = pl.col("rank").max().over("device", "ts")
    rows = rows.with_columns((pl.col("rank") < best).alias("beaten"))
    rows = rows.filter(pl.col("src").is_in(plan.contested)).sort("src", "ts")
    # A run ends with its day, so that a day can be let go without a look into its neighbours.
    day = pl.col("path").str.replace("/[^/]*$", "").alias("day")
    runs = rows.with_columns(pl.struct("src", "beaten", day).rle_id().alias("run"))
    spans = runs.filter("beaten").group_by("run", maintain_order=True)
    ends = spans.agg(
        pl.col("src").first(),
        pl.col("ts").min().alias("lo"),
        pl.col("ts").max().alias("hi"),
        pl.len().alias("rows"),
    )
    verdict.beaten = [Span(**row) for row in ends.drop("run").iter_rows(named=True)]
    for path, src, number in rows.group_by("path", "src").agg(pl.col("beaten").sum()).iter_rows():
        verdict.hidden[path, src] = number
    return verdict


def _by_path(pieces: Iterable[Piece]) -> list[tuple[str, list[Piece]]]:
    groups: dict[str, list[Piece]] = defaultdict(list)
    for piece in pieces:
        groups[piece.path].append(piece)
    return sorted(groups.items())


def _rows(
    source: pafs.FileSystem, path: str, pieces: Sequence[Piece], order: dict[Rank, int]
) -> pl.DataFrame:
    """device, ts, src, rank, path of the rows of some versions in one file."""
    by_src = {piece.src: piece for piece in pieces}
    wanted = [
        ("deviceid", "in", sorted({piece.deviceid for piece in pieces})),
        ("_src", "in", sorted(by_src)),
    ]
    table = pq.read_table(
        path, columns=["ts", "_src"], filters=wanted, filesystem=source, partitioning=None
    )
    expected = sum(piece.rows for piece in pieces)
    if table.num_rows != expected:
        raise Terminal(f"{path} holds {table.num_rows} rows of {expected} (haulwatch verify)")
    frame = pl.DataFrame(
        {"ts": pl.Series(table["ts"].cast("int64")), "src": pl.Series(table["_src"])}
    )
    about = pl.DataFrame(
        {
            "src": list(by_src),
            "device": [piece.deviceid for piece in by_src.values()],
            "rank": [order[piece.rank] for piece in by_src.values()],
        },
        schema={"src": pl.Int64, "device": pl.String, "rank": pl.Int32},
    )
    return frame.join(about, on="src").with_columns(pl.lit(path).alias("path"))
