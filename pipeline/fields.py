"""The field dictionary: one row of ``fields.csv`` a field, and what follows from it.

It is the only source of the schema of ``clean``, of the labels and units on the pages, and of the
table in the documentation. Numeric fields (those with a ``min``, enums included) are float64 in
``clean``: devices send ``-9999``, ``-9999.0`` and ``2.0`` for what the dictionary calls an int.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib import resources

import polars as pl
import pyarrow as pa

#: The parser's, dictionary's and window's version: recorded with every object that was read.
RULES_VERSION = 2

SENTINEL = -9999
TIME_FIELD = "heartbeat"
PATH_FIELDS = ("deviceid", "dstrct_code")


@dataclass(frozen=True)
class Field:
    """One field a device can send. ``min``/``max`` are legal values themselves."""

    name: str
    group: str
    type: str
    unit: str
    min: float | None
    max: float | None
    spn: int | None
    description: str
    null_codes: tuple[float, ...]

    @property
    def numeric(self) -> bool:
        """True for what is float64 in ``clean``."""
        return self.min is not None

    @property
    def values(self) -> tuple[str, ...]:
        """Words an enum of words can take; empty for every other field."""
        is_words = self.type == "enum" and not self.numeric
        return tuple(self.unit.split("|")) if is_words else ()


@dataclass(frozen=True)
class Band:
    """A signal's usual range under a condition; None where no limit is stated."""

    name: str
    typical_low: float | None
    typical_high: float | None
    warn_low: float | None
    warn_high: float | None
    crit_low: float | None
    crit_high: float | None
    cond_signal: str
    cond_op: str
    cond_value: float | None
    cond_hold_s: float
    note: str


def _number(text: str) -> float | None:
    return float(text) if text else None


def _rows(name: str) -> list[dict[str, str]]:
    with resources.files("pipeline").joinpath(name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _field(row: dict[str, str]) -> Field:
    return Field(
        name=row["name"],
        group=row["group"],
        type=row["type"],
        unit=row["unit"],
        min=_number(row["min"]),
        max=_number(row["max"]),
        spn=int(row["spn"]) if row["spn"] else None,
        description=row["description"],
        null_codes=tuple(float(code) for code in row["null_codes"].split("|") if code),
    )


FIELDS: tuple[Field, ...] = tuple(_field(row) for row in _rows("fields.csv"))
BY_NAME: dict[str, Field] = {field.name: field for field in FIELDS}

#: Columns that ingestion adds in front of the device's own.
ADDED: tuple[tuple[str, pa.DataType], ...] = (
    ("ts", pa.timestamp("us", tz="UTC")),
    ("hiveperiod", pa.string()),
    ("_src", pa.int64()),
    ("_line", pa.int32()),
    ("_rescued", pa.string()),
)


@cache
def bands() -> tuple[Band, ...]:
    """Default bands, in the order of the file; a field may have several by condition."""
    words = ("name", "cond_signal", "cond_op", "note")
    return tuple(
        Band(
            **{key: row[key] for key in words},  # type: ignore[arg-type]
            **{  # type: ignore[arg-type]
                key: (_number(value) or (0.0 if key == "cond_hold_s" else _number(value)))
                for key, value in row.items()
                if key not in words
            },
        )
        for row in _rows("fields_typical.csv")
    )


def json_schema(extra: dict[str, str] | None = None) -> dict[str, pl.DataType]:
    """Polars schema of a raw line. ``extra`` maps fields found later to DOUBLE or VARCHAR."""
    schema: dict[str, pl.DataType] = {
        field.name: pl.Float64() if field.numeric else pl.String() for field in FIELDS
    }
    schema[TIME_FIELD] = pl.Int64()
    for name, kind in (extra or {}).items():
        schema[name] = pl.Float64() if kind == "DOUBLE" else pl.String()
    return schema


def clean_columns(extra: dict[str, str] | None = None) -> list[tuple[int, str, pa.DataType]]:
    """(Parquet field id, name, Arrow type) of every column of ``clean``.

    Ids never change: added columns take 1–99, the dictionary 100 onwards in its file's order, and
    fields found later 10,000 onwards in the order in which the ledger met them.
    """
    columns = [(1 + i, name, kind) for i, (name, kind) in enumerate(ADDED)]
    for i, field in enumerate(FIELDS):
        columns.append((100 + i, field.name, pa.float64() if field.numeric else pa.string()))
    for i, (name, kind) in enumerate((extra or {}).items()):
        columns.append((10_000 + i, name, pa.float64() if kind == "DOUBLE" else pa.string()))
    return [
        (number, name, pa.int64() if name == TIME_FIELD else kind) for number, name, kind in columns
    ]


def arrow_schema(extra: dict[str, str] | None = None) -> pa.Schema:
    """Arrow schema of ``clean`` with Parquet field ids in the fields' metadata."""
    return pa.schema(
        [
            pa.field(name, kind, metadata={"PARQUET:field_id": str(number)})
            for number, name, kind in clean_columns(extra)
        ]
    )


def duckdb_type(kind: pa.DataType) -> str:
    """DuckDB's name of a type that ``clean`` uses."""
    names = {
        pa.float64(): "DOUBLE",
        pa.string(): "VARCHAR",
        pa.int64(): "BIGINT",
        pa.int32(): "INTEGER",
        pa.timestamp("us", tz="UTC"): "TIMESTAMPTZ",
    }
    return names[kind]
