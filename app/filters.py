"""The shared filters: one frozen value, drawn in the sidebar, kept in the address."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import streamlit as st

from app import state
from app.access import allowed_districts
from app.backend import Backend
from app.text import say
from pipeline.localtime import day_span, hiveperiod, next_day
from pipeline.storage.people import User
from queries import operations
from queries.scope import Scope

LONGEST_DAYS = 31
#: Days shown unless others are asked for: the newest and the one before it.
USUAL_DAYS = 2


@dataclass(frozen=True)
class Filters:
    """What a page is about: districts (empty: all), local days ``[first, last]``, their zone."""

    districts: tuple[str, ...]
    first: str
    last: str
    zone: str
    #: True while nobody chose other days than the newest.
    usual: bool = True

    @property
    def address(self) -> tuple[tuple[str, str], ...]:
        """What was chosen, as it stands in the address: a link with these shows the same."""
        chosen = [(state.DISTRICT, self.districts[0])] if len(self.districts) == 1 else []
        days = [] if self.usual else [(state.FIRST, self.first), (state.LAST, self.last)]
        return (*chosen, *days)

    @property
    def scope(self) -> Scope:
        """The same for queries."""
        return Scope(first=self.first, last=self.last, districts=self.districts)

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        """[start, end) in UTC."""
        return day_span(self.first, self.zone)[0], day_span(self.last, self.zone)[1]

    @property
    def span_h(self) -> float:
        """Hours from the start to the end, or to now where the end is still to come."""
        start, end = self.bounds
        return max((min(end, datetime.now(UTC)) - start).total_seconds() / 3600, 0.0)

    @property
    def zone_name(self) -> str:
        """What people call the zone: WITA."""
        return datetime.now(ZoneInfo(self.zone)).tzname() or self.zone


def sidebar(backend: Backend, user: User) -> Filters:
    """Draw the filters and return what is chosen; what the user may not see cannot be chosen."""
    known = operations.districts(backend.ledger)
    choice = [name for name in known if not user.districts or name in user.districts]
    chosen = _district(choice)
    districts = allowed_districts(user.districts, (chosen,) if chosen else ())
    zone = backend.settings.zone_of(chosen or (choice[0] if choice else ""))
    newest = operations.newest_day(backend.ledger, districts)
    newest = newest or hiveperiod(datetime.now(UTC), zone)
    first, last = _days(newest)
    kept = st.session_state[state.FILTERS]
    usual = kept.get(state.FIRST) is None and kept.get(state.LAST) is None
    return Filters(districts, first, last, zone, usual)


def own(backend: Backend, user: User) -> Filters:
    """No filter but the person's own districts, for pages about more than a span of days."""
    return Filters(user.districts, "", "", backend.settings.zone)


def choose_district(name: str | None) -> None:
    """Choose a district, None for all, in place of the person; only before the sidebar is drawn."""
    st.session_state[state.DISTRICT] = name or say("filter.all_districts")


def choose_days(first: str, last: str) -> None:
    """Choose the days in place of the person; only before the sidebar is drawn."""
    st.session_state[state.FIRST] = date.fromisoformat(first)
    st.session_state[state.LAST] = date.fromisoformat(last)


def usual_days() -> None:
    """Take a choice of days back; only before the sidebar is drawn."""
    for key in (state.FIRST, state.LAST):
        st.session_state.pop(key, None)
        st.session_state[state.FILTERS][key] = None


def everything(backend: Backend) -> Filters:
    """No filter at all, for pages about the system itself; times in the site's own zone."""
    return Filters((), "", "", backend.settings.zone)


def _district(choice: list[str]) -> str | None:
    if len(choice) < 2:
        return choice[0] if choice else None
    every = say("filter.all_districts")
    # A name in the address that is not among the person's own choice says nothing, also to them.
    _recall(state.DISTRICT, every, lambda text: text if text in choice else None)
    if st.session_state[state.DISTRICT] not in choice:
        st.session_state[state.DISTRICT] = every
    name = str(st.sidebar.selectbox(say("filter.district"), [every, *choice], key=state.DISTRICT))
    _remember(state.DISTRICT, name, every)
    return None if name == every else name


def _days(newest: str) -> tuple[str, str]:
    latest = date.fromisoformat(newest)
    usual = {state.FIRST: latest - timedelta(days=USUAL_DAYS - 1), state.LAST: latest}
    labels = {state.FIRST: say("filter.first"), state.LAST: say("filter.last")}
    chosen = []
    for key, default in usual.items():
        _recall(key, default, _day)
        value = st.sidebar.date_input(labels[key], key=key, format="YYYY-MM-DD")
        _remember(key, value, default)
        chosen.append(value.isoformat())
    first, last = sorted(chosen)
    earliest = next_day(last, 1 - LONGEST_DAYS)
    if first < earliest:
        st.sidebar.caption(say("filter.too_long", days=LONGEST_DAYS))
        first = earliest
    return first, last


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _recall(key: str, default: object, parse: Callable[[str], object | None]) -> None:
    """Give a widget its value before it is drawn: what a link says that was followed, else what was
    chosen on the page before, else the default, which moves on as new days come.

    Streamlit forgets a widget's value, and the address, when the page changes.
    """
    kept = st.session_state.setdefault(state.FILTERS, {})
    address = st.query_params.get(key)
    if address is not None and address != kept.get((key, "address")):
        kept[key] = parse(address)
        st.session_state.pop(key, None)
    untouched = st.session_state.get(key) == kept.get((key, "default"))
    if key not in st.session_state or (untouched and kept.get(key) is None):
        st.session_state[key] = kept.get(key) or default
    kept[key, "default"] = default


def _remember(key: str, value: object, default: object) -> None:
    """Keep a choice for the next page and in the address; the default is no choice."""
    kept = st.session_state[state.FILTERS]
    kept[key] = None if value == default else value
    kept[key, "address"] = None if value == default else str(value)
    if value != default:
        st.query_params[key] = str(value)
    elif key in st.query_params:
        del st.query_params[key]
