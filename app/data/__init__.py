"""What pages ask for: one function a query, checked for the asker; a module for each page."""

from app.data import (
    audit,
    delivery,
    devices,
    downtime,
    engine,
    fatigue,
    fleet,
    home,
    ladder,
    thresholds,
    users,
)
from app.data.asking import demand, require

__all__ = [
    "audit",
    "delivery",
    "demand",
    "devices",
    "downtime",
    "engine",
    "fatigue",
    "fleet",
    "home",
    "ladder",
    "require",
    "thresholds",
    "users",
]
