"""Headline figures of fatigue: cases beside what was not seen. No Streamlit here."""

from __future__ import annotations

import polars as pl

from app import meaning
from app.text import say
from app.tiles import NOTHING, Tile, hours, share


def tiles(cases: pl.DataFrame, exposure: dict[str, float]) -> list[Tile]:
    """Cases beside what was not seen."""
    moving, blind = exposure["moving_s"], exposure["blind_moving_s"]
    return [
        Tile(
            say("fatigue.cases"),
            f"{cases.height:,}" if exposure["units"] else NOTHING,
            say("fatigue.cases.of"),
            meaning.of("fatigue.cases"),
        ),
        Tile(
            say("fatigue.units"),
            f"{cases['unitno'].n_unique():,}" if exposure["units"] else NOTHING,
            say("fatigue.units.of", units=f"{exposure['units']:,}"),
            meaning.of("fatigue.units"),
        ),
        Tile(
            say("fatigue.blind"),
            share(blind, moving),
            say("fatigue.blind.of", blind=hours(blind), moving=hours(moving)),
            meaning.of("fatigue.blind", say("fatigue.blind.help")),
        ),
        Tile(
            say("fatigue.no_data"),
            share(exposure["no_data_s"], exposure["day_s"]),
            say(
                "fatigue.no_data.of",
                hours=hours(exposure["no_data_s"]),
                day=hours(exposure["day_s"]),
            ),
            meaning.of(
                "fatigue.no_data",
                say("fatigue.no_data.help", km=f"{exposure['unobserved_km']:,.1f}"),
            ),
        ),
    ]


def watched(exposure: dict[str, float]) -> dict[str, str]:
    """Hours seen, blind and without data, for a sentence."""
    seen = exposure["moving_s"] - exposure["blind_moving_s"]
    return {
        "seen": hours(seen),
        "blind": hours(exposure["blind_moving_s"]),
        "none": hours(exposure["no_data_s"]),
    }
