"""Thresholds in force, and every value that was ever set."""

from __future__ import annotations

import polars as pl

from app.backend import backend
from app.data.asking import demand, require
from pipeline.errors import UsageError
from pipeline.marts import thresholds
from queries import admin

PAGE = "thresholds"


def in_force() -> pl.DataFrame:
    """One row a threshold: name, what it means, value, default, limits, unit."""
    require(PAGE)
    with backend().ledger.read() as connection:
        values = thresholds.current(connection)
    rows = [
        {
            "name": item.name,
            "description": item.description,
            "value": float(values[item.name]),
            "default": float(item.default),
            "low": float(item.low),
            "high": float(item.high),
            "unit": item.unit,
        }
        for item in thresholds.THRESHOLDS
    ]
    return pl.DataFrame(rows)


def history() -> pl.DataFrame:
    """Every value that was set, newest first."""
    require(PAGE)
    return admin.threshold_history(backend().ledger)


def change(name: str, value: float, reason: str) -> None:
    """Put another value in force; audited. Raises UsageError, also without a reason; Refused."""
    user = demand("change thresholds")
    if not reason.strip():
        raise UsageError("say why: whoever compares figures later has to know")
    thresholds.change(backend().ledger, name, value, user.username, reason.strip()[:500])
