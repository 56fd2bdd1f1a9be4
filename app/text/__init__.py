"""Every sentence a person sees, by key, in each language; a module for each page.

Values are put in by ``say``; what comes from devices goes through ``plain`` first wherever the
text is read as Markdown.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextvars import ContextVar

from app.text import admin, columns, delivery, engine, fatigue, fleet, home, ingestion, shell

_MODULES = (shell, home, fatigue, fleet, engine, delivery, ingestion, columns, admin)

EN: dict[str, str] = {key: text for module in _MODULES for key, text in module.EN.items()}
ID: dict[str, str] = {key: text for module in _MODULES for key, text in module.ID.items()}

TABLES: dict[str, dict[str, str]] = {"en": EN, "id": ID}

#: What each language calls itself: in every language the same.
LANGUAGES = {"en": "English", "id": "Bahasa Indonesia"}
USUAL = "en"

# Of one thread: each session's run has one of its own, so nobody changes another's language.
_spoken: ContextVar[str | None] = ContextVar("spoken", default=None)

_of_session: Callable[[], str] | None = None


def speak(language: str) -> None:
    """What is said from here on in this thread is said in that language."""
    _spoken.set(language if language in TABLES else USUAL)


def language_from(session: Callable[[], str]) -> None:
    """Where a thread that nobody told asks for its language; called once, by the app."""
    global _of_session  # noqa: PLW0603 — how to find out is the same for every session
    _of_session = session


def language() -> str:
    """The language of this thread: "en" or "id"."""
    found = _spoken.get()
    if found is None:
        found = USUAL if _of_session is None else _of_session()
        speak(found)
    return found


def say(key: str, **values: object) -> str:
    """The sentence of a key, its values put in; English where a language lacks it."""
    return TABLES[language()].get(key, EN[key]).format(**values)


def spoken(key: str) -> str:
    """The sentence of a key as it stands, nothing put in; English where a language lacks it."""
    return TABLES[language()].get(key, EN[key])


def known(key: str, otherwise: str) -> str:
    """The sentence of a key that devices may extend; their own word where there is none."""
    return TABLES[language()].get(key, EN.get(key, otherwise))


#: 1,234 or 1,234.5 or 0.6, but no part of a version or an address
_NUMBER = re.compile(r"(?<![\w.,])(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.\d+)(?![.,]?\d)")
_SWAPPED = str.maketrans(".,", ",.")


def spelled(text: str) -> str:
    """Numbers in a text of ours as the language writes them: 1,234.5 is 1.234,5 in Indonesian."""
    if language() != "id":
        return text
    return _NUMBER.sub(lambda found: found[0].translate(_SWAPPED), text)


def marks() -> str:
    """Plotly's ``separators``: the language's decimal mark, then that of thousands."""
    return ",." if language() == "id" else ".,"


def plain(text: object, longest: int = 120) -> str:
    """Text from outside, for a place that reads Markdown: shown as it is, short, on one line."""
    line = re.sub(r"\s+", " ", str(text))[:longest]
    return re.sub(r"([\\`*_{}\[\]()<>#+\-.!|~$:&])", r"\\\1", line)


def markless(text: object) -> str:
    """Text from outside, for Plotly, which reads a few HTML tags: they lose their brackets."""
    line = re.sub(r"\s+", " ", str(text))[:60]
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
