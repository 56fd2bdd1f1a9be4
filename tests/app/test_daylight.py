"""When it is dark, against almanacs, and when Ramadan is, against the months that were kept."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from app.daylight import Span, nights, ramadan_day

GREENWICH = 51.48, 0.0


def at(day: str, clock: str) -> datetime:
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=UTC)


def near(found: list[Span], expected: list[tuple[datetime, datetime]]) -> bool:
    pairs = zip(sum(found, ()), sum(expected, ()), strict=True)
    return all(abs(a - b) <= timedelta(minutes=2) for a, b in pairs)


@pytest.mark.parametrize(
    ("day", "rise", "fall"),
    [("2026-06-21", "03:43", "20:21"), ("2026-12-21", "08:03", "15:53")],
)
def test_sunrise_and_sunset_are_those_of_the_almanac(day: str, rise: str, fall: str) -> None:
    whole = at(day, "00:00"), at(day, "23:59")
    dark = [(whole[0], at(day, rise)), (at(day, fall), whole[1])]
    assert near(nights(whole, *GREENWICH), dark)


def test_a_shift_between_two_days_and_far_from_greenwich() -> None:
    """Jakarta, 31 January: the sun is up from 05:55 to 18:17 (UTC+7)."""
    jakarta = -6.2, 106.8
    night = at("2026-01-31", "11:00"), at("2026-01-31", "23:30")
    dark = [(at("2026-01-31", "11:17"), at("2026-01-31", "22:55"))]
    assert near(nights(night, *jakarta), dark)
    assert nights((at("2026-01-31", "00:00"), at("2026-01-31", "08:00")), *jakarta) == []


def test_where_the_sun_does_not_rise_or_does_not_set() -> None:
    june, december = (
        (at(f"2026-{month}-21", "03:00"), at(f"2026-{month}-21", "15:00")) for month in ("06", "12")
    )
    assert nights(june, 80, 20) == []
    found = nights(december, 80, 20)
    assert sum((b - a for a, b in found), timedelta()) == timedelta(hours=12)


@pytest.mark.parametrize(
    "kept",
    [
        *("2019-05-06", "2020-04-24", "2021-04-13", "2022-04-03", "2023-03-23", "2024-03-12"),
        *("2025-03-01", "2026-02-19"),
    ],
)
def test_the_first_of_ramadan_as_it_was_kept_in_indonesia_or_a_day_from_it(kept: str) -> None:
    days = [date.fromisoformat(kept) + timedelta(days=by) for by in range(-10, 40)]
    found = [day for day in days if ramadan_day(day.isoformat()) is not None]
    assert abs((found[0] - days[10]).days) <= 1
    assert [ramadan_day(day.isoformat()) for day in found] == list(range(1, 31))
    assert (found[-1] - found[0]).days == 29


def test_years_are_those_of_the_cycle_of_thirty() -> None:
    """From 19 July 622 (Gregorian) on, eleven years of each thirty are a day longer."""
    longer = {2, 5, 7, 10, 13, 16, 18, 21, 24, 26, 29}
    begin = date(622, 7, 19)
    for year in range(1, 1480):
        if year in (1, 2, 3, *range(1430, 1480)):
            # four months of 30 days and four of 29 go before
            first = begin + timedelta(days=4 * 59)
            assert ramadan_day(first.isoformat()) == 1
            assert ramadan_day((first - timedelta(days=1)).isoformat()) is None
        begin += timedelta(days=355 if year % 30 in longer else 354)
