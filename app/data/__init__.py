"""What pages ask for: one function a query, checked for the asker; a module for each page."""

from app.data import delivery, engine, fatigue, fleet, home
from app.data.asking import require

__all__ = ["delivery", "engine", "fatigue", "fleet", "home", "require"]
