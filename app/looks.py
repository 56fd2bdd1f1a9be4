"""What the page of engine telemetry looks at, and what it gets to see. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from queries.envelope import Level

#: How units and days compare: along the clock, or days over each other by time of day.
TIME, DAYS = "time", "days"


@dataclass(frozen=True)
class Look:
    """Units with their districts and types, signals, and how they compare (TIME or DAYS)."""

    units: tuple[str, ...]
    districts: tuple[str, ...]
    types: tuple[str, ...]
    signals: tuple[str, ...]
    compare: str


@dataclass(frozen=True)
class View:
    """An envelope of the signals, where their bands' conditions hold, and how it was made.

    ``unseen``: signals that only seconds hold and that so long a span does not show.
    """

    frame: pl.DataFrame
    level: Level
    unseen: tuple[str, ...]
