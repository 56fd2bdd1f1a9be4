"""Observed time, exceedances and speed gap of one unit. No Streamlit here."""

from __future__ import annotations

import polars as pl

from app import meaning
from app.text import say
from app.tiles import HOUR, NOTHING, Tile


def tiles(minutes: pl.DataFrame, exceeded: pl.DataFrame, span_h: float) -> list[Tile]:
    """Observed time, exceedances and the speed gap of one unit."""
    gaps = minutes["speed_gap_mean"].drop_nulls().to_list()
    peaks = minutes["speed_gap_max"].drop_nulls().to_list()
    return [
        Tile(
            say("engine.observed"),
            f"{float(minutes['seconds'].sum()) / HOUR:,.1f} h",
            say("engine.observed.of", span=f"{span_h:,.0f}"),
            meaning.of("engine.observed"),
        ),
        Tile(
            say("engine.exceedances"),
            f"{exceeded.height:,}",
            say("engine.exceeded.of", crit=exceeded.filter(pl.col("level") == "crit").height),
            meaning.of("engine.exceedances"),
        ),
        Tile(
            say("engine.gap"),
            f"{sum(gaps) / len(gaps):.1f} km/h" if gaps else NOTHING,
            say("engine.gap.of", largest=f"{max(peaks):.1f}") if peaks else NOTHING,
            meaning.of("engine.gap", say("engine.gap.help")),
        ),
    ]
