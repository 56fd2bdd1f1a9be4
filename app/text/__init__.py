"""Every sentence a person sees, by key, in each language; a module for each page.

Values are put in by ``say``; what comes from devices goes through ``plain`` first wherever the
text is read as Markdown.
"""

from __future__ import annotations

import re

from app.text import admin, columns, delivery, engine, fatigue, fleet, home, ingestion, shell

LANGUAGE = "en"

_MODULES = (shell, home, fatigue, fleet, engine, delivery, ingestion, columns, admin)

EN: dict[str, str] = {key: text for module in _MODULES for key, text in module.EN.items()}
ID: dict[str, str] = {key: text for module in _MODULES for key, text in module.ID.items()}

TABLES: dict[str, dict[str, str]] = {"en": EN, "id": ID}


def say(key: str, **values: object) -> str:
    """The sentence of a key, its values put in; English where a language lacks it."""
    return TABLES[LANGUAGE].get(key, EN[key]).format(**values)


def known(key: str, otherwise: str) -> str:
    """The sentence of a key that devices may extend; their own word where there is none."""
    return TABLES[LANGUAGE].get(key, EN.get(key, otherwise))


def plain(text: object, longest: int = 120) -> str:
    """Text from outside, for a place that reads Markdown: shown as it is, short, on one line."""
    line = re.sub(r"\s+", " ", str(text))[:longest]
    return re.sub(r"([\\`*_{}\[\]()<>#+\-.!|~$:&])", r"\\\1", line)


def markless(text: object) -> str:
    """Text from outside, for Plotly, which reads a few HTML tags: they lose their brackets."""
    line = re.sub(r"\s+", " ", str(text))[:60]
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
