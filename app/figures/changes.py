"""What changed since somebody looked last. No Streamlit here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from app.figures.delivery import DELIVERED
from app.figures.home import HOUR, critical, fell_silent
from app.text import say
from app.tiles import few
from pipeline.localtime import CLOSES_AFTER


@dataclass(frozen=True)
class Changes:
    """New cases (how many critical), hours lost and found, units lost and found."""

    cases: int
    critical: int
    missing: int
    came: int
    silent: tuple[str, ...]
    back: tuple[str, ...]


def changes(
    units: pl.DataFrame, cells: pl.DataFrame, cases: pl.DataFrame, since: datetime
) -> Changes:
    """What is so now and was not at ``since``; ``cells`` reach back 4 h before that at least."""
    new = cases.filter(pl.col("arrived_at") > since)
    closed = pl.col("hour_start") + HOUR + CLOSES_AFTER
    came = pl.col("state").is_in(DELIVERED) & (pl.col("arrived_at") > since)
    return Changes(
        new.height,
        critical(new).height,
        cells.filter(pl.col("state") == "missing", closed > since).height,
        cells.filter(came, closed <= since).height,
        tuple(fell_silent(units, since)["unitno"].sort()),
        tuple(heard_again(units, cells, since)["unitno"].sort()),
    )


def heard_again(units: pl.DataFrame, cells: pl.DataFrame, since: datetime) -> pl.DataFrame:
    """Units that report now, and of which nothing newer than the grace had come at a moment."""
    then = cells.filter(pl.col("arrived_at") <= since, pl.col("state").is_in(DELIVERED))
    if then.is_empty():  # nothing is known of the moment itself
        return units.clear()
    fresh = then.filter(pl.col("hour_start") + HOUR > since - HOUR - CLOSES_AFTER)
    reporting = units.filter(pl.col("status") == "reporting")
    return reporting.join(fresh, on="deviceid", how="anti")


def lines(found: Changes) -> list[str]:
    """A sentence a change (Markdown); none for what did not change."""
    said = (
        (found.cases, say("home.changes.cases", n=found.cases, critical=found.critical)),
        (found.missing, say("home.changes.missing", n=found.missing)),
        (found.came, say("home.changes.came", n=found.came)),
        (len(found.silent), _units("home.changes.silent", found.silent)),
        (len(found.back), _units("home.changes.back", found.back)),
    )
    return [sentence for number, sentence in said if number]


def _units(key: str, units: tuple[str, ...]) -> str:
    return say(key, n=len(units), names=few(units))
