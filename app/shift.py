"""The shift that runs now, and the same stretch of the one before it. No Streamlit here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pipeline.localtime import hiveperiod, next_day, shifts


@dataclass(frozen=True)
class Shift:
    """``[start, now)`` of a shift, and ``[before, before_now)`` of the one before. All UTC."""

    day: str
    number: int
    start: datetime
    now: datetime
    before: datetime

    @property
    def before_now(self) -> datetime:
        """As far into the shift before as the shift is now."""
        return self.before + (self.now - self.start)

    @property
    def previous(self) -> tuple[str, int]:
        """Production day and number of the shift before."""
        return (self.day, 1) if self.number == 2 else (next_day(self.day, -1), 2)


def shift_at(now: datetime, zone: str, start: str | None = None) -> Shift:
    """The shift in which a moment lies; ``start``: when shift 1 begins there (06:00)."""
    day = hiveperiod(now, zone)
    if now < shifts(day, zone, start)[0]:
        day = next_day(day, -1)
    begin, middle, _ = shifts(day, zone, start)
    if now >= middle:
        return Shift(day, 2, middle, now, begin)
    return Shift(day, 1, begin, now, shifts(next_day(day, -1), zone, start)[1])
