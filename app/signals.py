"""Which signals can be shown, where they are kept, and what the dictionary says of them. Pure."""

from __future__ import annotations

from functools import cache

import polars as pl

from pipeline import fields
from queries.connect import mart_columns

#: Eyes, face and who drives belong to fatigue cases alone; names and clocks are no signals.
NOT_HERE = frozenset({"driver", "identity", "time"})

USUAL = ("VehicleSpeed", "EngineSpeed", "EngineCoolantTemp", "EngineOilTemp")

MOST = 8


def label(signal: str) -> str:
    """Name and unit of a signal."""
    field = fields.BY_NAME.get(signal)
    unit = field.unit if field and field.type != "enum" else ""
    return f"{signal} ({unit})" if unit else signal


@cache
def kept() -> frozenset[str]:
    """Signals that the marts keep by minute and by hour."""
    minute, hour = (
        {name.removesuffix("_mean") for name, _ in mart_columns()[mart] if name.endswith("_mean")}
        for mart in ("unit_minute", "unit_hour")
    )
    return frozenset(minute & hour & set(shown()))


@cache
def shown() -> tuple[str, ...]:
    """Every signal that can be drawn, in the dictionary's order."""
    return tuple(
        field.name for field in fields.FIELDS if field.numeric and field.group not in NOT_HERE
    )


@cache
def dictionary() -> pl.DataFrame:
    """All fields: name, group, unit, typical range, description, and where they are seen.

    ``where``: ``long`` (any span), ``short`` (hours), ``driver`` (fatigue cases alone) or ``word``
    (no number to draw).
    """
    return pl.DataFrame(
        [
            {
                "name": field.name,
                "group": field.group,
                "unit": field.unit if field.type != "enum" else "",
                "typical": _typical(field.name),
                "where": _where(field),
                "description": field.description,
            }
            for field in fields.FIELDS
        ]
    )


def found(text: str) -> pl.DataFrame:
    """Entries of the dictionary that have every word of a text somewhere, whatever their case."""
    frame = dictionary()
    told = pl.concat_str(["name", "group", "unit", "description"], separator=" ")
    for word in text.casefold().split():
        frame = frame.filter(told.str.to_lowercase().str.contains(word, literal=True))
    return frame


def _where(field: fields.Field) -> str:
    if field.group in NOT_HERE:
        return "driver" if field.group == "driver" else "word"
    if not field.numeric:
        return "word"
    return "long" if field.name in kept() else "short"


def _typical(name: str) -> str:
    ranges = (
        f"{band.typical_low:g}–{band.typical_high:g}"
        for band in fields.bands()
        if band.name == name and band.typical_low is not None and band.typical_high is not None
    )
    return ", ".join(ranges)
