"""A stretch of time that a page is zoomed to, and the ways to move it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

#: Closer than this there is nothing more to see.
SHORTEST = timedelta(seconds=30)

_FORM = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class Span:
    """[start, end) in UTC, whole seconds."""

    start: datetime
    end: datetime

    @property
    def seconds(self) -> float:
        """Its length."""
        return (self.end - self.start).total_seconds()

    @property
    def address(self) -> tuple[str, str]:
        """Start and end as an address has them."""
        return self.start.strftime(_FORM), self.end.strftime(_FORM)

    def within(self, whole: Span) -> Span | None:
        """The part of it that lies in another, at least the shortest long; None where none does."""
        if self.end <= whole.start or self.start >= whole.end or self.start >= self.end:
            return None
        start, end = max(self.start, whole.start), min(self.end, whole.end)
        start = max(min(start, whole.end - SHORTEST), whole.start)
        return Span(start, min(max(end, start + SHORTEST), whole.end))

    def zoomed(self, factor: float) -> Span:
        """The same middle, so many times as long."""
        middle = self.start + (self.end - self.start) / 2
        return _whole(middle, timedelta(seconds=self.seconds * factor) / 2)

    def moved(self, share: float) -> Span:
        """Later by that share of its length; earlier when negative."""
        by = timedelta(seconds=round(self.seconds * share))
        return Span(self.start + by, self.end + by)


def _whole(middle: datetime, half: timedelta) -> Span:
    start = (middle - half).replace(microsecond=0)
    return Span(start, start + timedelta(seconds=round((2 * half).total_seconds())))


def around(start: datetime, end: datetime) -> Span:
    """What happened from start to end, with as much again before and after: 2 min at least."""
    margin = max(end - start, timedelta(minutes=2))
    return Span((start - margin).replace(microsecond=0), (end + margin).replace(microsecond=0))


def read(start: str, end: str) -> Span | None:
    """A span of an address; None for anything else."""
    try:
        first, last = (datetime.strptime(text, _FORM).replace(tzinfo=UTC) for text in (start, end))
    except ValueError:
        return None
    return Span(first, last) if first < last else None


def boxed(box: list[object], zone: str) -> Span | None:
    """The span of a box that was drawn over a chart in local time; None where there is none."""
    try:
        times = sorted(datetime.fromisoformat(str(x).replace(" ", "T")) for x in box)
        first, last = (
            time.replace(microsecond=0, tzinfo=ZoneInfo(zone)).astimezone(UTC)
            for time in (times[0], times[-1])
        )
    except (ValueError, IndexError, TypeError):
        return None
    return Span(first, max(last, first + SHORTEST))
