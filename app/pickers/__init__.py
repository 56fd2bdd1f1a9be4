"""Choices inside a page; a module for each page."""

from app.pickers import engine, ingestion

__all__ = ["engine", "ingestion"]
