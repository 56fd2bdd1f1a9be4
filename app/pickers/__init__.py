"""Choices inside a page; a module for each page."""

from app.pickers import delivery, engine, ingestion, rereading

__all__ = ["delivery", "engine", "ingestion", "rereading"]
