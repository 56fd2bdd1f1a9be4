"""Choices inside a page; a module for each page."""

from app.pickers import engine, fleet, ingestion

__all__ = ["engine", "fleet", "ingestion"]
