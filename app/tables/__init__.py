"""Frames as people read them: local times, names of columns, units. No Streamlit here."""

from app.tables import administration, delivery, engine, fatigue, fleet, ingestion

__all__ = ["administration", "delivery", "engine", "fatigue", "fleet", "ingestion"]
