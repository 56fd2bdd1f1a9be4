"""Device-hours with what became of them."""

from __future__ import annotations

import polars as pl

from app.data.asking import ask
from app.filters import Filters


def cells(page: str, filters: Filters) -> pl.DataFrame:
    """One row per device and local hour with its state."""
    scope = filters.scope
    return ask(page, "delivery", scope, clocked=True, days=tuple(scope.days or ()))
