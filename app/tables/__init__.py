"""Frames as people read them: local times, names of columns, units. No Streamlit here."""

from app.tables import delivery, engine, fatigue, fleet, ingestion

__all__ = ["delivery", "engine", "fatigue", "fleet", "ingestion"]
