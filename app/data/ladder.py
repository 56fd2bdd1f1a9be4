"""The ladder of actions in force, and every one that was ever set."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from app.backend import backend
from app.data.asking import demand, require
from pipeline.storage import ladder
from queries import admin

PAGE = "thresholds"


def in_force(page: str) -> tuple[str, ...]:
    """Its steps, as a page shows them. Raises Refused."""
    require(page)
    with backend().ledger.read() as connection:
        return ladder.in_force(connection)


def history() -> pl.DataFrame:
    """Every ladder that was set, newest first."""
    require(PAGE)
    return admin.ladder_history(backend().ledger)


def change(steps: Sequence[str], reason: str, seen: Sequence[str]) -> None:
    """Put another ladder in force instead of the one that was seen; audited.

    Raises LadderRefused and Refused.
    """
    user = demand("change thresholds")
    ladder.change(backend().ledger, steps, user.username, reason, seen=seen)
