"""Choices inside a page; a module for each page."""

from app.pickers import audit, engine, fatigue, fleet, ingestion

__all__ = ["audit", "engine", "fatigue", "fleet", "ingestion"]
