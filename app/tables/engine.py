"""Exceedances, fault codes, signals and their trust as people read them."""

from __future__ import annotations

import polars as pl

from app import signals as catalogue
from app.faults import code_name, code_words
from app.tables.columns import clock, hours, named, part, spelled, words
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
            "reason": spelled(ranked, ("faults", "sisters", "sisters_with"), _faults),
            "absent": absent,
            "frozen": "frozen_hours",
            "days": "days",
            "distrusted": "distrusted_days",
            "last_day": "last_distrusted",
        },
    )


def _faults(faults: list[str], sisters: int | None, sisters_with: int | None) -> str:
    """Why a signal is not trusted; of one that is missing, how many of its model have it."""
    told = [say(f"engine.trust.fault.{fault}") for fault in faults]
    if "missing" in faults and sisters_with:
        told.append(say("engine.trust.sisters", sisters_with=sisters_with, sisters=sisters))
    return ", ".join(told)


def unjudged(frame: pl.DataFrame) -> pl.DataFrame:
    """Signals of which nothing is said on any of the days: by unit, model and reason."""
    rows = (
        frame.filter(pl.col("judged_days") == 0)
        .group_by("unitno", "model", "unjudged", "sisters")
        .agg(pl.col("signal").sort(), pl.len().alias("signals"))
        .sort("unitno", "signals", pl.col("signal").list.join(","), descending=[False, True, False])
    )
    return named(
        rows,
        {
            "unit": "unitno",
            "unit_model": "model",
            "reason": spelled(rows, ("unjudged", "sisters"), _unjudged),
            "signals": pl.col("signal").list.join(", "),
        },
    )


def _unjudged(reasons: list[str], sisters: int | None) -> str:
    return ", ".join(say(f"engine.unjudged.{one}", sisters=sisters or 0) for one in reasons)


def rows(frame: pl.DataFrame) -> pl.DataFrame:
    """What the rows of each unit and its clock are worth."""
    off = frame.with_columns((pl.col("clock_s") - pl.col("clock_well_s")).alias("clock_off_s"))
    return named(
        off,
        {
            "unit": "unitno",
            "lines": "lines",
            "duplicate": "duplicate",
            "duplicate_part": part("duplicate", "lines"),
            "quarantined": "quarantined",
            "clock_off": hours("clock_off_s"),
            "clock_off_part": part("clock_off_s", "clock_s"),
        },
    )


def gaps(frame: pl.DataFrame) -> pl.DataFrame:
    """How far the two speeds of each unit lie apart, and which is not trusted for that."""
    rows = (
        frame.filter(pl.col("signal").is_in(["VehicleSpeed", "gpsspeed"]))
        .group_by("unitno")
        .agg(
            pl.col("gap_kmh", "gap_s", "gap_satellites").first(),
            pl.col("signal").filter(pl.col("gap_days") > 0).sort().alias("wide"),
            (pl.col("distrusted_days") > pl.col("gap_days")).any().alias("otherwise"),
        )
        .sort(pl.col("gap_kmh"), "unitno", descending=[True, False], nulls_last=True)
    )
    return named(
        rows,
        {
            "unit": "unitno",
            "gap": pl.col("gap_kmh").round(1),
            "gap_of": (pl.col("gap_s") / 60).round(1),
            "satellites": pl.col("gap_satellites").round(1),
            "verdict": spelled(rows, ("gap_kmh", "wide", "otherwise"), _verdict),
        },
    )


def _verdict(gap: float | None, wide: list[str], otherwise: bool) -> str:
    """Of one that is wrong for another reason nobody asks how far it lies from the other."""
    if otherwise:
        return say("engine.gap.distrusted")
    if gap is None:
        return say("engine.gap.untold")
    return say("engine.gap.wide", signals=", ".join(wide)) if wide else say("engine.gap.close")


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
