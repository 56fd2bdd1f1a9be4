"""A figure as people read it: value, what it is a part of, its definition; and its spelling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.text import plain, say

HOUR = 3600
NOTHING = "–"
#: Names that are told one by one.
NAMED = 5


@dataclass(frozen=True)
class Tile:
    """A figure: its name, value, what it is a part of, and its definition.

    ``change``: how it compares with before. ``page`` and ``params``: the view that tells more.
    """

    label: str
    value: str
    note: str = ""
    help: str = ""
    change: str = ""
    page: str = ""
    params: tuple[tuple[str, str], ...] = ()


def share(part: float, whole: float) -> str:
    """A percentage, or a dash where there is nothing to be a part of; never rounded up to 100."""
    if whole <= 0:
        return NOTHING
    percent = 100 * part / whole
    if 99.95 <= percent < 100:
        percent = 99.9
    return f"{percent:.0f} %" if percent in (0, 100) else f"{percent:.1f} %"


def signed(number: float, digits: int = 0) -> str:
    """A difference with its sign; none of "-0"."""
    rounded = round(number, digits)
    return f"{rounded:+,.{digits}f}" if rounded else "±0"


def hours(seconds: float) -> str:
    """Seconds as hours with a decimal."""
    return f"{seconds / HOUR:,.1f}"


def span(seconds: float) -> str:
    """A length of time as people say it."""
    for size, unit in ((86_400, "d"), (HOUR, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def few(names: Sequence[str]) -> str:
    """The first of some names from outside, for Markdown; the others are counted."""
    told = ", ".join(plain(name, 30) for name in names[:NAMED])
    return say("few.more", names=told, n=len(names) - NAMED) if len(names) > NAMED else told
