"""Which raw file a row of the lake came from: its ``source_file``, or else its device and hour."""

from __future__ import annotations

import re
from dataclasses import dataclass

import polars as pl

from pipeline import fields, localtime
from pipeline.ingest import clean

_RAW_KEY = re.compile(r"(?:^|/)([^/]+)/([^/]+)/(\d{10})/\3\.txt\.gz$", re.ASCII)


@dataclass(frozen=True)
class Piece:
    """Rows of one raw file in one file of the lake. ``source``: what the lake says it is."""

    source: str | None
    device: str
    hour: str

    def key(self, district: str, lake_key: str) -> str:
        """The raw file's own key, so that it takes the rows' place should it arrive one day.

        Where the lake names no raw file of ours, a key below the lake file's.
        """
        if raw_key(self.source, district):
            return f"{district}/{self.device}/{self.hour}/{self.hour}.txt.gz"
        beside = f" {self.source}" if self.source else ""
        return f"{lake_key}/{self.device}/{self.hour}{beside}"


def raw_key(source: str | None, district: str) -> tuple[str, str] | None:
    """(device, hour) of a source file that is a device-hour of the district; None otherwise."""
    match = _RAW_KEY.search(source or "")
    if match is None or match[1] != district:
        return None
    try:
        localtime.hour_start(match[3], "UTC")
    except ValueError:
        return None
    return match[2], match[3]


def place(
    source: pl.Series,
    device: pl.Series,
    heartbeat: pl.Series,
    district: str,
    zone: str,
    window: pl.Expr,
) -> pl.DataFrame:
    """``source``, ``device`` and ``hour`` of the raw file of each row, in the rows' order.

    A source that is a device-hour is its key, however the lake's writer spelt its place.

    Device and hour are NULL of a row that cannot be placed: nobody knows its device, or it names
    no raw file and has no heartbeat within the ``window``.
    """
    known = {text: raw_key(text, district) for text in source.unique().to_list()}
    by_source = pl.DataFrame(
        {
            "source": list(known),
            "raw": [
                Piece(text, *place).key(district, "") if place else None
                for text, place in known.items()
            ],
            "path_device": [place[0] if place else None for place in known.values()],
            "path_hour": [place[1] if place else None for place in known.values()],
        },
        schema={
            "source": pl.String,
            "raw": pl.String,
            "path_device": pl.String,
            "path_hour": pl.String,
        },
    )
    rows = pl.DataFrame({"source": source, "own": device, fields.TIME_FIELD: heartbeat})
    rows = clean.timestamps(rows).with_columns(window.alias("believed"))
    rows = rows.join(by_source, on="source", how="left", nulls_equal=True, maintain_order="left")
    meant = ~pl.col("own").is_in([*clean.SENTINEL_WORDS, ""])
    local = pl.when("believed").then(pl.col("ts")).dt.convert_time_zone(zone)
    rows = rows.select(
        pl.coalesce("raw", pl.when(pl.col("source") != "").then("source")).alias("source"),
        pl.coalesce("path_device", pl.when(meant).then("own")).alias("device"),
        pl.coalesce("path_hour", local.dt.strftime("%Y%m%d%H")).alias("hour"),
    )
    whole = pl.col("device").is_not_null() & pl.col("hour").is_not_null()
    return rows.with_columns(
        pl.when(whole).then(pl.col(name)).alias(name) for name in ("device", "hour")
    )
