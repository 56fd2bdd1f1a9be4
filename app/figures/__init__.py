"""Headline figures: frames → tiles, each with its denominator; a module for each page."""

from app.figures import (
    administration,
    changes,
    delivery,
    engine,
    fatigue,
    fatigue_days,
    fleet,
    home,
    ingestion,
)

__all__ = [
    "administration",
    "changes",
    "delivery",
    "engine",
    "fatigue",
    "fatigue_days",
    "fleet",
    "home",
    "ingestion",
]
