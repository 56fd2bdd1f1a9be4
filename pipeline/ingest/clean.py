"""Raw values → clean values: time, local day, sentinels, limits. One rule a function.

A value that is kept nowhere else goes to the row's ``_rescued``: a JSON object of field → the
value as it came (beyond its limits, an error code, or contradicting the path).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache, reduce
from operator import and_
from typing import Any, cast

import polars as pl
import pyarrow as pa

from pipeline import fields, localtime
from pipeline.storage.records import RawFile

SENTINEL_WORDS = ["-9999", "-9999.0"]

#: A heartbeat may lie so far after its file's arrival: device clocks drift by minutes, and a day
#: covers a wrong zone; more is a wrong clock.
AFTER_ARRIVAL = timedelta(days=1)

DAY_US = 86_400_000_000

#: First magnitude that is no longer seconds, milliseconds, microseconds.
_UNITS = ((10**10, 1_000_000), (10**13, 1_000), (10**16, 1))


@dataclass
class Cleaned:
    """Rows of one object, ready to be written, and what was counted on the way."""

    frame: pl.DataFrame
    accepted: int = 0
    duplicate: int = 0
    rescued: int = 0
    flags: list[str] = field(default_factory=list)
    wrong_clock: list[int] = field(default_factory=list)


def timestamps(frame: pl.DataFrame) -> pl.DataFrame:
    """Add ``ts`` (µs, UTC) from the heartbeat's text and make the heartbeat an integer.

    Fractions are kept in ``ts``. NULL where the heartbeat is no number.
    """
    whole = pl.col(fields.TIME_FIELD).cast(pl.Int64, strict=False)
    frame = frame.with_columns(whole.alias("_whole"))
    if frame["_whole"].null_count():
        number = pl.col(fields.TIME_FIELD).cast(pl.Float64, strict=False)
        frame = frame.with_columns(number.alias("_number"))
        fraction = _by_magnitude(pl.col("_number")).round(0).cast(pl.Int64, strict=False)
        us = pl.coalesce(_by_magnitude(pl.col("_whole")), fraction)
        heartbeat = pl.coalesce("_whole", pl.col("_number").floor().cast(pl.Int64, strict=False))
    else:
        us, heartbeat = _by_magnitude(pl.col("_whole")), pl.col("_whole")
    return frame.with_columns(
        us.cast(pl.Datetime("us", "UTC")).alias("ts"), heartbeat.alias(fields.TIME_FIELD)
    ).drop("_whole", "_number", strict=False)


def _by_magnitude(heartbeat: pl.Expr) -> pl.Expr:
    """Microseconds of a heartbeat in s, ms, µs or ns."""
    (seconds, per_s), (millis, per_ms), (micros, _) = _UNITS
    return (
        pl.when(heartbeat < seconds)
        .then(heartbeat * per_s)
        .when(heartbeat < millis)
        .then(heartbeat * per_ms)
        .when(heartbeat < micros)
        .then(heartbeat)
        .otherwise(heartbeat // 1_000)
    )


def in_window(window_start: int, arrived_at: int) -> pl.Expr:
    """True where ``ts`` can be believed: not before the window, not a day after the arrival."""
    latest = arrived_at + AFTER_ARRIVAL // localtime.MICROSECOND
    return pl.col("ts").to_physical().is_between(window_start * 1_000_000, latest).fill_null(False)


def identity(frame: pl.DataFrame, file: RawFile) -> tuple[pl.DataFrame, list[str]]:
    """The path's device and district rule; a row's own, where it differs, goes to ``_rescued``."""
    flags = []
    for name, value in (("deviceid", file.deviceid), ("dstrct_code", file.district)):
        own = pl.col(name)
        differs = own.is_not_null() & (own != value) & ~own.is_in(SENTINEL_WORDS)
        if frame.select(differs.any()).item():
            flags.append(name)
            frame = _rescue(frame, {name: differs})
        frame = frame.with_columns(pl.lit(value).alias(name))
    return frame, flags


def limits(frame: pl.DataFrame, extra: dict[str, str]) -> pl.DataFrame:
    """Sentinels become NULL; values beyond a field's limits, and error codes, are rescued.

    Only columns whose extremes say that something is to be done are gone through.
    """
    legal = {
        field.name: expression
        for field in fields.FIELDS
        if field.numeric and field.name != fields.TIME_FIELD
        for expression in [_legal(field, frame[field.name])]
        if expression is not None
    }
    for name, kind in extra.items():
        if kind == "DOUBLE" and _spans(frame[name], fields.SENTINEL):
            legal[name] = pl.when(pl.col(name) != fields.SENTINEL).then(pl.col(name)).alias(name)
    texts = [n for n, kind in frame.schema.items() if kind == pl.String and n != "_rescued"]
    found = frame.select(pl.col(texts).is_in(SENTINEL_WORDS).any()).row(0)
    blanks = [
        pl.when(~pl.col(name).is_in(SENTINEL_WORDS)).then(pl.col(name)).alias(name)
        for name, present in zip(texts, found, strict=True)
        if present
    ]
    raw = frame.select(list(legal))
    frame = frame.with_columns(*legal.values(), *blanks)
    sent = raw.select((pl.all() != fields.SENTINEL).sum()).row(0) if legal else ()
    masks = {
        name: raw[name].is_not_null() & (raw[name] != fields.SENTINEL) & frame[name].is_null()
        for name, number in zip(legal, sent, strict=True)
        if number != frame[name].count()
    }
    return _rescue(frame, masks, raw) if masks else frame


def _spans(column: pl.Series, value: float) -> bool:
    low, high = column.min(), column.max()
    if low is None or high is None:
        return False
    return bool(low <= value <= high)  # type: ignore[operator]


def _legal(field: fields.Field, values: pl.Series) -> pl.Expr | None:
    """The field's legal values, the others NULL; None where the extremes say that all are legal.

    Only what the extremes leave open is asked of each value.
    """
    low, high = values.min(), values.max()
    if not isinstance(low, float) or not isinstance(high, float):
        return None  # no value at all
    least, most = cast("float", field.min), cast("float", field.max)
    open_codes = tuple(
        code
        for code in (fields.SENTINEL, *field.null_codes)
        if max(low, least) <= code <= min(high, most)
    )
    below, above = (least if low < least else None), (most if high > most else None)
    if below is None and above is None and not open_codes:
        return None
    return _between(field.name, below, above, open_codes)


@cache  # most files of a fleet leave the same open, and building expressions costs milliseconds
def _between(
    name: str, least: float | None, most: float | None, codes: tuple[float, ...]
) -> pl.Expr:
    column = pl.col(name)
    legal = [] if least is None else [column >= least]
    legal += [] if most is None else [column <= most]
    legal += [column != code for code in codes]
    return pl.when(reduce(and_, legal)).then(column).alias(name)


def _rescue(
    frame: pl.DataFrame,
    masks: dict[str, pl.Expr] | dict[str, pl.Series],
    values: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Add ``field: value`` to ``_rescued`` where a mask is true."""
    source = frame if values is None else values
    names = list(masks)
    parts = source.select(source[name].alias(f"v{i}") for i, name in enumerate(names))
    chosen = frame.select(masks[name].alias(f"m{i}") for i, name in enumerate(names))
    pairs = [
        pl.when(pl.col(f"m{i}")).then(pl.lit(f'"{name}":') + _as_json(parts[f"v{i}"].dtype, i))
        for i, name in enumerate(names)
    ]
    joined = (
        pl.concat([parts, chosen], how="horizontal")
        .select(pl.concat_str(pairs, separator=",", ignore_nulls=True).alias("new"))
        .to_series()
    )
    new = pl.when(joined != "").then("{" + joined + "}")
    frame = frame.with_columns(pl.coalesce(new, "_rescued").alias("_rescued"), _old="_rescued")
    both = pl.col("_old").is_not_null() & (joined != "")
    rows = frame.select(both.arg_true()).to_series()
    if len(rows):
        texts = zip(frame["_old"].gather(rows), frame["_rescued"].gather(rows), strict=True)
        merged = pl.Series([_merged(old, new) for old, new in texts], dtype=pl.String)
        frame = frame.with_columns(frame["_rescued"].scatter(rows, merged))
    return frame.drop("_old")


def _merged(old: str, new: str) -> str:
    """Two JSON objects in one. Of a field that is in both the earlier value is kept as well."""
    kept = json.loads(old)
    for name, value in json.loads(new).items():
        keep_earlier(kept, name, value)
    return json.dumps(kept)


def keep_earlier(rescued: dict[str, Any], name: str, value: Any) -> None:
    """Rescue one more value of a field: one is kept as it is, several as a list."""
    rescued[name] = value if name not in rescued else [rescued[name], value]


def _as_json(dtype: pl.DataType, number: int) -> pl.Expr:
    column = pl.col(f"v{number}")
    if dtype == pl.String:
        return pl.struct(column.alias("v")).struct.json_encode().str.slice(5).str.strip_suffix("}")
    return column.cast(pl.String)


def clean(
    frame: pl.DataFrame, file: RawFile, src: int, zone: str, extra: dict[str, str], start: int
) -> Cleaned:
    """Turn the frame of one object into rows of ``clean``.

    ``frame`` has ``_line`` (1-based) or one row a line in the file's order. Lines whose clock
    cannot be believed are left out and named in ``wrong_clock``.
    """
    if "_line" not in frame.columns:
        frame = frame.with_row_index("_line", offset=1)
    if "_rescued" not in frame.columns:
        frame = frame.with_columns(pl.lit(None, pl.String).alias("_rescued"))
    frame = timestamps(frame)
    believed = frame.select(in_window(start, file.arrived_at)).to_series()
    wrong_clock = frame.filter(~believed)["_line"].to_list()
    frame, flags = identity(frame.filter(believed) if wrong_clock else frame, file)
    whole = frame.height
    if not _increasing(frame["ts"]):
        frame = frame.sort("ts", maintain_order=True).unique("ts", keep="last", maintain_order=True)
    frame = limits(frame, extra)
    if frame.height and _outside_hour(frame, file, zone):
        flags.append("hour")
    frame = frame.with_columns(
        _local_day(frame["ts"], zone).alias("hiveperiod"),
        pl.lit(src, pl.Int64).alias("_src"),
        pl.col("_line").cast(pl.Int32),
    )
    rescued = frame["_rescued"].count()
    return Cleaned(frame, frame.height, whole - frame.height, rescued, flags, wrong_clock)


def _increasing(ts: pl.Series) -> bool:
    """True when every row is later than the one before: there is nothing to sort or to drop."""
    steps = ts.to_physical().diff(null_behavior="drop")
    return not len(steps) or bool(steps.min() > 0)  # type: ignore[operator]


def _local_day(ts: pl.Series, zone: str) -> pl.Expr:
    """The local date of each instant, ISO; of the first and the last alone when they agree."""
    if len(ts):
        ends = {localtime.hiveperiod(end, zone) for end in (ts.min(), ts.max())}  # type: ignore[arg-type]
        if len(ends) == 1:
            return pl.lit(ends.pop())
    return pl.col("ts").dt.convert_time_zone(zone).dt.date().cast(pl.String)


def _outside_hour(frame: pl.DataFrame, file: RawFile, zone: str) -> bool:
    start = localtime.hour_start(file.hour, zone)
    ts = frame["ts"]
    return bool(ts.min() < start or ts.max() >= start + timedelta(hours=1))  # type: ignore[operator]


def to_arrow(frame: pl.DataFrame, schema: pa.Schema) -> pa.Table:
    """The frame's columns in the lake's order and types."""
    present = set(frame.columns)  # once: the list is made anew each time it is asked for
    absent = [
        pl.lit(None, pl.Float64 if pa.types.is_floating(f.type) else pl.String).alias(f.name)
        for f in schema
        if f.name not in present
    ]
    table = frame.with_columns(absent).select(schema.names).to_arrow()
    columns = [
        column if column.type == wanted.type else column.cast(wanted.type)
        for column, wanted in zip(table.columns, schema, strict=True)
    ]
    return pa.Table.from_arrays(columns, schema=schema)
