"""When the sun is down, to some minutes, and which days lie in Ramadan. No Streamlit here."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

Span = tuple[datetime, datetime]

#: The sun's upper edge touches the horizon, the air bending its light.
ZENITH = math.radians(90.833)

#: Ordinal of 1 Muharram 1, and the days of 30 years, of the tabular Islamic calendar.
HIJRA, CYCLE = 227_015, 10_631
#: Days of a year before Ramadan, and of that itself.
BEFORE_RAMADAN, RAMADAN = 236, 30


def nights(span: Span, lat: float, lon: float) -> list[Span]:
    """Parts of a span (UTC) between sunset and sunrise at a place in degrees."""
    dark, at = [], span[0]
    days = (span[1] - span[0]).days + 3
    for number in range(days):
        rise, fall = _sun(span[0].date() + timedelta(days=number - 1), lat, lon)
        if rise > at:
            dark.append((at, min(rise, span[1])))
        at = max(at, fall)
        if at >= span[1]:
            break
    return [(begin, end) for begin, end in dark if begin < end]


def _sun(day: date, lat: float, lon: float) -> Span:
    """Sunrise and sunset of the noon that is of this date in Greenwich.

    By NOAA's "General Solar Position Calculations" (Global Monitoring Division): right to a minute
    or two below the polar circles. A day without sunrise begins and ends at its noon.
    """
    year = 2 * math.pi / 365 * (day.timetuple().tm_yday - 1)
    (c1, s1), (c2, s2), (c3, s3) = ((math.cos(n * year), math.sin(n * year)) for n in (1, 2, 3))
    late = 0.000075 + 0.001868 * c1 - 0.032077 * s1 - 0.014615 * c2 - 0.040849 * s2
    tilt = 0.006918 - 0.399912 * c1 + 0.070257 * s1 - 0.006758 * c2 + 0.000907 * s2
    tilt += -0.002697 * c3 + 0.00148 * s3
    high = math.radians(lat)
    edge = math.cos(ZENITH) / (math.cos(high) * math.cos(tilt)) - math.tan(high) * math.tan(tilt)
    half = timedelta(minutes=4 * math.degrees(math.acos(min(max(edge, -1), 1))))
    noon = datetime(day.year, day.month, day.day, tzinfo=UTC)
    noon += timedelta(minutes=720 - 4 * lon - 229.18 * late)
    return noon - half, noon + half


def ramadan_day(day: str) -> int | None:
    """The how-many-eth day of Ramadan a date is; None outside of it.

    By the tabular Islamic calendar (thirty years of 10,631 days, eleven of them a day longer; R. H.
    van Gent, "The Arithmetical or Tabular Islamic calendar"). Which evening the moon is seen
    decides: the month that is kept may begin a day earlier or later.
    """
    number = date.fromisoformat(day).toordinal()
    year = (number - HIJRA) * 30 // CYCLE + 1
    first = HIJRA + (year - 1) * 354 + (3 + 11 * year) // 30 + BEFORE_RAMADAN
    return number - first + 1 if first <= number < first + RAMADAN else None


def in_ramadan(days: Iterable[str]) -> tuple[str, ...]:
    """Those of these dates that lie in Ramadan."""
    return tuple(day for day in days if ramadan_day(day) is not None)
