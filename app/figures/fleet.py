"""What units do now. No Streamlit here."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from app.text import say
from app.tiles import Tile

STATUSES = ("reporting", "late", "silent", "parked", "never_seen")

NEED_A_LOOK = ("silent", "never_seen", "late")

NOT_REPORTING = ("late", "silent", "parked", "never_seen")


def statuses(units: pl.DataFrame) -> list[Tile]:
    """Registered units by their status now."""
    counts = dict(units["status"].value_counts().iter_rows())
    return [
        Tile(
            say(f"status.{status}"),
            f"{counts.get(status, 0):,}",
            say("fleet.of", units=f"{units.height:,}"),
            say(f"status.{status}.help"),
        )
        for status in STATUSES
    ]


def definitions(statuses: Sequence[str]) -> str:
    """What some statuses mean, in a line."""
    said = (f"{say(f'status.{name}')}: {say(f'status.{name}.help')}" for name in statuses)
    return " ".join(said)


def doing(units: pl.DataFrame) -> pl.DataFrame:
    """Units with what each does now: its last state while it reports, else its status."""
    state = pl.col("last_state").fill_null("unknown")
    return units.with_columns(
        pl.when(pl.col("status") == "reporting").then(state).otherwise("status").alias("doing")
    )
