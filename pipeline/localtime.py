"""Local days: the one place where a zone meets a timestamp.

Everything inside is UTC. ``hiveperiod`` is the calendar date in the district's zone, and a path's
``YYYYMMDDHH`` is a local hour there.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

#: A day counts as closed so long after its local end: files of its last hour need time to arrive.
CLOSES_AFTER = timedelta(hours=2)

MICROSECOND = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_us(moment: datetime) -> int:
    """Microseconds since 1970 of an aware datetime, exactly (floats lose the last digits)."""
    return (moment - EPOCH) // MICROSECOND


def from_us(microseconds: int) -> datetime:
    """Aware UTC datetime of microseconds since 1970."""
    return EPOCH + timedelta(microseconds=microseconds)


def hour_start(hour: str, zone: str) -> datetime:
    """UTC start of a local path hour ``YYYYMMDDHH``. Raises ValueError for anything else.

    Where clocks go back the earlier of the two hours is meant; a skipped hour is the next one.
    """
    if len(hour) != 10 or not hour.isdecimal() or not hour.isascii():
        raise ValueError(f"{hour!r} is no hour like 2026013123")
    local = datetime.strptime(hour, "%Y%m%d%H").replace(tzinfo=ZoneInfo(zone))
    return local.astimezone(UTC)


def path_hour(moment: datetime, zone: str) -> str:
    """The local path hour in which a moment lies."""
    return moment.astimezone(ZoneInfo(zone)).strftime("%Y%m%d%H")


def hiveperiod(moment: datetime, zone: str) -> str:
    """Local calendar date of a moment, ISO."""
    return moment.astimezone(ZoneInfo(zone)).date().isoformat()


def day_span(day: str, zone: str) -> tuple[datetime, datetime]:
    """[start, end) in UTC of a local calendar day; 23 or 25 hours where clocks change."""
    first = date.fromisoformat(day)
    at = ZoneInfo(zone)
    start = datetime(first.year, first.month, first.day, tzinfo=at)
    following = first + timedelta(days=1)
    end = datetime(following.year, following.month, following.day, tzinfo=at)
    return start.astimezone(UTC), end.astimezone(UTC)


def is_closed(day: str, zone: str, now: datetime) -> bool:
    """True once no ordinary file of that local day is still to come."""
    return now >= day_span(day, zone)[1] + CLOSES_AFTER


def next_day(day: str, by: int = 1) -> str:
    """The ISO date ``by`` days later (earlier when negative)."""
    return (date.fromisoformat(day) + timedelta(days=by)).isoformat()
