"""Choices inside a page; a module for each page."""

from app.pickers import audit, engine, fatigue, ingestion

__all__ = ["audit", "engine", "fatigue", "ingestion"]
