"""Observed time, exceedances, speed gap and distrusted signals. No Streamlit here."""

from __future__ import annotations

import polars as pl

from app import meaning
from app.text import say
from app.tiles import HOUR, NOTHING, Tile

SPEEDS = {"VehicleSpeed", "gpsspeed"}


def tiles(
    devices: pl.DataFrame, exceeded: pl.DataFrame, trust: pl.DataFrame, span_s: float, units: int
) -> list[Tile]:
    """Of the units and the span that are shown."""
    doubted = trust.filter(pl.col("distrusted_days") > 0)
    judged = trust.filter(pl.col("judged_days") > 0)
    return [
        Tile(
            say("engine.observed"),
            f"{float(devices['seconds'].sum()) / HOUR:,.1f} h",
            say("engine.observed.of", span=f"{span_s * units / HOUR:,.1f}"),
            meaning.of("engine.observed"),
        ),
        Tile(
            say("engine.exceedances"),
            f"{exceeded.height:,}",
            say("engine.exceeded.of", crit=exceeded.filter(pl.col("level") == "crit").height),
            meaning.of("engine.exceedances"),
        ),
        _gap(devices, doubted),
        Tile(
            say("engine.distrusted"),
            f"{doubted['signal'].n_unique():,}" if judged.height else NOTHING,
            say("engine.distrusted.of", signals=judged["signal"].n_unique()),
            meaning.of("engine.distrusted"),
        ),
    ]


def _gap(devices: pl.DataFrame, doubted: pl.DataFrame) -> Tile:
    """The speed gap, unless a speed is distrusted for more than that: then it says so instead."""
    doubted = doubted.filter(pl.col("distrusted_days") > pl.col("gap_days"))
    known = devices.filter(pl.col("gap_mean").is_not_null())
    seconds = float(known["seconds"].sum())
    unbelieved = not SPEEDS.isdisjoint(doubted["signal"])
    value, note = NOTHING, NOTHING
    if unbelieved:
        note = say("engine.gap.distrusted")
    elif seconds:
        mean = float((known["gap_mean"] * known["seconds"]).sum()) / seconds
        value = f"{mean:.1f} km/h"
        largest = max(known["gap_max"].drop_nulls().to_list(), default=mean)
        note = say("engine.gap.of", largest=f"{largest:.1f}")
    return Tile(say("engine.gap"), value, note, meaning.of("engine.gap", say("engine.gap.help")))


def distrusted(trust: pl.DataFrame) -> frozenset[tuple[str, str]]:
    """Pairs of unit and signal that cannot be believed on a day or more."""
    doubted = trust.filter(pl.col("distrusted_days") > 0)
    return frozenset(doubted.select("unitno", "signal").iter_rows())
