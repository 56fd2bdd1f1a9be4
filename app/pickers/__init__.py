"""Choices inside a page; a module for each page."""

from app.pickers import audit, delivery, engine, fatigue, fleet, ingestion, rereading

__all__ = ["audit", "delivery", "engine", "fatigue", "fleet", "ingestion", "rereading"]
