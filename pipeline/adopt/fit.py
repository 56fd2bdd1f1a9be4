"""Columns of whatever type → the frame that ``clean`` expects: one rule for each kind of field.

Types of a lake drift from file to file: a word in one row made the column text in that file, a
missing value made it float. So text that is a number is one here, unlike in a raw file, where the
device chose to send text. What does not fit its field goes to the row's ``_rescued``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection
from typing import Any

import polars as pl
import pyarrow as pa

from pipeline import fields

#: A timestamp as heartbeat lies after 2001, or its microseconds would be taken for milliseconds.
_FIRST_US = 10**15

_LONG = 1e15


def fit(table: pa.Table, schema: dict[str, pl.DataType], beside: Collection[str]) -> pl.DataFrame:
    """The table's columns by the schema, heartbeat as text, ``_rescued``, in the rows' order.

    ``schema`` is ``fields.json_schema``; columns that it lacks go to ``_rescued``, but for those
    named ``beside`` (case-folded), which belong to the lake and not to the device.
    """
    folded = {name.casefold(): name for name in schema}
    rescued: dict[int, dict[str, Any]] = {}
    columns: dict[str, pl.Series] = {}
    for position, spelt in enumerate(table.column_names):
        if spelt.casefold() in beside:
            continue
        values = series(table.column(position))
        name = folded.get(spelt.casefold())
        if name is None:
            _keep(rescued, spelt, values, values.is_not_null() & ~_is_nan(values))
            continue
        if name == fields.TIME_FIELD:
            fitted = heartbeat(values)
        elif schema[name] == pl.Float64():
            fitted = numbers(values)
        else:
            fitted = texts(values)
        if name != fields.TIME_FIELD:
            _keep(rescued, name, values, _misfits(values, fitted))
        if name in columns:  # the same name in another case: the last that says something wins
            both = columns[name].is_not_null() & fitted.is_not_null()
            _keep(rescued, spelt, columns[name], both)
            fitted = fitted.zip_with(fitted.is_not_null(), columns[name])
        columns[name] = fitted
    wanted = {**schema, fields.TIME_FIELD: pl.String()}
    absent = {name: pl.Series(name, [], kind) for name, kind in wanted.items()}
    data = [
        columns[name].alias(name)
        if name in columns
        else absent[name].extend_constant(None, table.num_rows)
        for name in wanted
    ]
    kept: list[str | None] = [None] * table.num_rows
    for row, values_kept in rescued.items():
        kept[row] = json.dumps(values_kept)
    return pl.DataFrame([*data, pl.Series("_rescued", kept, pl.String)])


def series(column: pa.ChunkedArray) -> pl.Series:
    """A column of a Parquet file as Polars knows it: no dictionaries, no types of their own."""
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        column, kind = column.cast(kind.storage_type), kind.storage_type
    if pa.types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if pa.types.is_decimal(kind) or pa.types.is_float16(kind):
        column = column.cast(pa.float64() if pa.types.is_decimal(kind) else pa.float32())
    if pa.types.is_fixed_size_binary(kind):
        column = column.cast(pa.binary())
    found = pl.Series(values=column)
    if found.dtype == pl.Binary:  # text without its mark, as older writers leave it
        try:
            return found.cast(pl.String)
        except pl.exceptions.ComputeError:  # bytes they are
            return found
    return found.cast(pl.String) if found.dtype in (pl.Categorical, pl.Enum) else found


def numbers(values: pl.Series) -> pl.Series:
    """Numbers, and text of one; NULL for the rest. NaN is how some writers say *no value*."""
    if values.dtype == pl.String:
        bare = values.str.strip_chars().str.strip_chars('"')
        values = bare.cast(pl.Float64, strict=False)
    if values.dtype == pl.Null or not values.dtype.is_numeric():
        return pl.Series([], dtype=pl.Float64).extend_constant(None, len(values))
    found = values.cast(pl.Float64)
    if found.is_finite().all():
        return found
    return found.zip_with(found.is_finite().fill_null(False), found.clear(len(found)))


def texts(values: pl.Series) -> pl.Series:
    """Text, and numbers and times written as text; NULL for the rest."""
    kind = values.dtype
    if kind == pl.String:
        nul = values.str.contains("\x00", literal=True)
        if nul.any():
            return values.zip_with(~nul.fill_null(False), values.clear(len(values)))
        return values
    if kind.is_integer() or isinstance(kind, pl.Datetime | pl.Date | pl.Time):
        return values.cast(pl.String)
    if kind.is_float():
        wide = values.cast(pl.Float64).fill_nan(None)
        return pl.Series([_number_as_text(value) for value in wide], dtype=pl.String)
    return pl.Series([], dtype=pl.String).extend_constant(None, len(values))


def _number_as_text(value: float | None) -> str | None:
    if value is None:
        return None
    return str(int(value)) if value.is_integer() and abs(value) < _LONG else repr(value)


def heartbeat(values: pl.Series) -> pl.Series:
    """The heartbeat as text of a number; NULL where it is none or means *no value*."""
    kind = values.dtype
    if kind == pl.Date:
        values, kind = values.cast(pl.Datetime("us")), pl.Datetime("us")
    if isinstance(kind, pl.Datetime):
        us = values.dt.epoch("us")  # without a zone: UTC, as the heartbeat is
        text = pl.select(pl.when(us >= _FIRST_US).then(us).otherwise(us * 0)).to_series()
        text = text.cast(pl.String)
    elif kind == pl.String:
        text = values.str.strip_chars('"')
    elif kind.is_float():
        whole = values.cast(pl.Int64, strict=False)
        exact = (whole == values).fill_null(False)
        text = whole.cast(pl.String).zip_with(exact, values.cast(pl.String))
    elif kind.is_integer():
        text = values.cast(pl.String)
    else:
        return pl.Series([], dtype=pl.String).extend_constant(None, len(values))
    number = text.cast(pl.Float64, strict=False)
    usable = number.is_finite().fill_null(False) & (number != fields.SENTINEL).fill_null(False)
    return text.zip_with(usable, text.clear(len(text)))


def _misfits(values: pl.Series, fitted: pl.Series) -> pl.Series:
    """Where a value was and none is left. A null of JSON in a column of text is no value."""
    lost = values.is_not_null() & fitted.is_null() & ~_is_nan(values)
    if values.dtype == pl.String and fitted.dtype == pl.Float64 and lost.any():
        lost &= values.str.strip_chars() != "null"
    return lost


def _is_nan(values: pl.Series) -> pl.Series:
    if not values.dtype.is_float():
        return pl.Series([], dtype=pl.Boolean).extend_constant(False, len(values))
    return values.is_nan().fill_null(False)


def _keep(
    rescued: dict[int, dict[str, Any]], name: str, values: pl.Series, rows: pl.Series
) -> None:
    """Add some rows' values to what is rescued of them; of several of one name all are kept."""
    if not rows.any():
        return
    for row, value in zip(rows.arg_true().to_list(), values.filter(rows).to_list(), strict=True):
        kept = rescued.setdefault(row, {})
        kept[name] = plain(value) if name not in kept else [kept[name], plain(value)]


def plain(value: Any) -> Any:
    """A value of any type as JSON can say it, flat: what is nested becomes text."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict | list):
        return json.dumps(value, default=str)
    return str(value)
