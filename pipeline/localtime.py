"""Local days: the one place where a zone meets a timestamp.

Everything inside is UTC. ``hiveperiod`` is the calendar date in the district's zone, and a path's
``YYYYMMDDHH`` is a local hour there.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

#: A day counts as closed so long after its local end: files of its last hour need time to arrive.
CLOSES_AFTER = timedelta(hours=2)

#: When shift 1 begins, if a district does not say otherwise.
SHIFT_START = "06:00"

MICROSECOND = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_us(moment: datetime) -> int:
    """Microseconds since 1970 of an aware datetime, exactly (floats lose the last digits)."""
    return (moment - EPOCH) // MICROSECOND


def from_us(microseconds: int) -> datetime:
    """Aware UTC datetime of microseconds since 1970."""
    return EPOCH + timedelta(microseconds=microseconds)


def from_wall(clock: datetime, zone: str) -> datetime:
    """UTC moment at which the clocks on the wall showed a naive local time.

    Raises ValueError where they never did, or did twice: clocks went forward, or back.
    """
    at = ZoneInfo(zone)
    first, second = (clock.replace(tzinfo=at, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first.astimezone(at).replace(tzinfo=None) != clock:
        raise ValueError(f"does not exist in {zone}: clocks go forward")
    if first != second:
        raise ValueError(f"exists twice in {zone}: clocks go back")
    return first


def on_wall(moment: datetime, zone: str) -> str:
    """What clocks on the wall show, to the minute, with its offset: 2026-01-31T06:30+08:00."""
    return moment.astimezone(ZoneInfo(zone)).isoformat(timespec="minutes")


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


def shifts(day: str, zone: str, start: str | None = None) -> tuple[datetime, datetime, datetime]:
    """UTC start of shift 1, of shift 2 and of the next production day, by the clock on the wall.

    A production day begins at ``start`` (06:00 unless the district says otherwise) and is 23 or 25
    hours long where clocks change in it.
    """
    hour, minute = map(int, (start or SHIFT_START).split(":"))
    first = datetime.fromisoformat(day).replace(hour=hour, minute=minute)
    at = ZoneInfo(zone)
    edges = [first + timedelta(hours=hours) for hours in (0, 12, 24)]
    begin, middle, end = (edge.replace(tzinfo=at).astimezone(UTC) for edge in edges)
    return begin, middle, end
