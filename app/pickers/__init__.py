"""Choices inside a page; a module for each page."""

from app.pickers import audit, engine, ingestion

__all__ = ["audit", "engine", "ingestion"]
