"""Choices inside a page; a module for each page."""

from app.pickers import engine, fatigue, ingestion

__all__ = ["engine", "fatigue", "ingestion"]
