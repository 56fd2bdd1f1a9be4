"""Exceedances, fault codes, signals and their trust as people read them."""

from __future__ import annotations

import polars as pl

from app import signals as catalogue
from app.faults import code_name, code_words
from app.tables.columns import clock, named, spelled, words
from app.text import say

CODE = ("spn", "fmi", "source")


def exceedances(frame: pl.DataFrame, zone: str) -> pl.DataFrame:
    """Exceedances, in the order given."""
    parts = [f"dtc_{part}" for part in CODE]
    fault = spelled(frame, parts, lambda *code: code_name(*code) or None)
    return named(
        frame,
        {
            "unit": "unitno",
            "started": clock("started_at", zone),
            "signal": "signal",
            "level": words("level", "level"),
            "limit": "limit_value",
            "worst": pl.col("worst").round(1),
            "duration": pl.col("duration_s").round(0),
            "beyond": "beyond_s",
            "condition": pl.col("condition").str.replace(" for 0 s", "", literal=True),
            "fault": fault,
        },
    )


def repeats(frame: pl.DataFrame, zone: str) -> pl.DataFrame:
    """Ranked fault codes."""
    return named(
        frame,
        {
            "unit": "unitno",
            "fault": spelled(frame, CODE, code_name),
            "meaning": spelled(frame, CODE, code_words),
            "times": "times",
            "active": (pl.col("active_s") / 60).round(1),
            "first_at": clock("first_at", zone),
            "last_at": clock("last_at", zone),
            "occurrence": pl.col("occurrence").cast(pl.Int64, strict=False),
            "exceedances": "exceedances",
        },
    )


def dictionary(frame: pl.DataFrame, chosen: tuple[str, ...]) -> pl.DataFrame:
    """Entries of the dictionary, with whether each is shown and where it can be."""
    return named(
        frame,
        {
            "shown": pl.col("name").is_in(list(chosen)),
            "signal": "name",
            "measure": "unit",
            "group": "group",
            "typical": "typical",
            "where": spelled(frame, ("where",), lambda where: say(f"engine.where.{where}")),
            "description": "description",
        },
    )


def trust(frame: pl.DataFrame) -> pl.DataFrame:
    """Distrusted signals and why."""
    absent = (100 * pl.col("absent_minutes") / pl.col("minutes")).round(1)
    ranked = frame.sort("distrusted_days", "unitno", "signal", descending=[True, False, False])
    return named(
        ranked,
        {
            "unit": "unitno",
            "signal": "signal",
            "reason": spelled(ranked, ("frozen_hours", "absent_minutes", "minutes"), _reason),
            "absent": absent,
            "frozen": "frozen_hours",
            "days": "days",
            "distrusted": "distrusted_days",
            "last_day": "last_distrusted",
        },
    )


def _reason(frozen_hours: int | None, absent_minutes: int | None, minutes: int | None) -> str:
    parts = []
    if frozen_hours:
        parts.append(say("engine.trust.frozen"))
    if 2 * (absent_minutes or 0) >= (minutes or 0):
        parts.append(say("engine.trust.absent"))
    return ", ".join(parts) or say("engine.trust.some_days")


def shown(frame: pl.DataFrame, names: tuple[str, ...], zone: str) -> pl.DataFrame:
    """What the charts show, for a download: buckets with their mean, lowest and highest value."""
    columns = [f"{name}_{kind}" for name in names for kind in ("mean", "min", "max")]
    return frame.select(
        pl.col("unitno"),
        clock("at", zone, "%Y-%m-%dT%H:%M:%S%:z").alias("time"),
        pl.col("seconds").cast(pl.Int64),
        *(pl.col(column) for column in columns if column in frame.columns),
    )


def entry(frame: pl.DataFrame, row: int) -> str | None:
    """The signal of a row of the dictionary, if it can be drawn."""
    name = str(frame["name"][row])
    return name if name in catalogue.shown() else None
