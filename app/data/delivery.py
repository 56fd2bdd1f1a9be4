"""Device-hours and what became of them, what lies behind one, and reading it again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import streamlit as st

from app import access, state
from app.backend import backend
from app.data.asking import ask, require, tick
from app.filters import Filters
from pipeline import reread
from pipeline.localtime import next_day
from pipeline.reingest import ReingestPlan, Selection, plan
from pipeline.storage import people, requests
from pipeline.storage.ledger import data_version
from pipeline.storage.objects import open_store
from queries import ingestion
from queries.ingestion import Availability
from queries.scope import Scope

PAGE = "data_delivery"
#: A device's word on its backlog counts for so long.
WORD_COUNTS = timedelta(hours=24)
#: Bad lines shown at a time.
LINES = 50


def devices(page: str, scope: Scope) -> pl.DataFrame:
    """What became of the hours of each device: one row a device and state."""
    return ask(page, "delivery_devices", scope, clocked=True, days=tuple(scope.days or ()))


def cells(filters: Filters, drawn: Iterable[tuple[str, str]]) -> pl.DataFrame:
    """Device-hours that need a look, and every one of the (district, device)s that are drawn."""
    return _cells(filters.scope, tuple(sorted({device for _, device in drawn})))


def cell(
    filters: Filters, cells: pl.DataFrame, district: str, deviceid: str, hour: str
) -> dict[str, Any] | None:
    """A device-hour of what the filters choose, be it one of these ``cells`` or not."""
    require(PAGE)
    day = f"{hour[:4]}-{hour[4:6]}-{hour[6:8]}"
    found = cells.filter(district=district, deviceid=deviceid, hour=hour)
    if found.is_empty() and day in (filters.scope.days or ()):
        found = _cells(Scope(day, day, filters.districts), (deviceid,))
        found = found.filter(district=district, deviceid=deviceid, hour=hour)
    return found.row(0, named=True) if found.height else None


def _cells(scope: Scope, names: tuple[str, ...]) -> pl.DataFrame:
    days = tuple(scope.days or ())
    return ask(PAGE, "delivery_cells", scope, clocked=True, days=days, devices=names)


def backlog(page: str = PAGE) -> pl.DataFrame:
    """One row a device heard of in the last day: files that wait on it."""
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    today = now.date().isoformat()
    scope = Scope(next_day(today, -2), next_day(today, 1), start=now - WORD_COUNTS)
    return ask(page, "upload_backlog", scope)


def coverage(filters: Filters) -> pl.DataFrame:
    """One row a cell of the ground: share of time without connection, signal."""
    return ask(PAGE, "coverage", filters.scope)


def availability(filters: Filters) -> Availability:
    """Hours of the span in which ingestion was current."""
    user = require(PAGE)
    districts = access.allowed_districts(user.districts, filters.districts)
    return _availability(data_version(backend().ledger), tick(), *filters.bounds, districts)


@st.cache_data(max_entries=50, show_spinner=False)
def _availability(
    version: int, clock: int, start: datetime, end: datetime, districts: tuple[str, ...]
) -> Availability:
    del version, clock  # parts of the key only
    return ingestion.availability(backend().ledger, start, end, districts)


def ages(page: str) -> pl.DataFrame:
    """Age of the longest waiting file over the last day, as of the last half minute."""
    require(page)
    return _ages(data_version(backend().ledger), tick())


@st.cache_data(max_entries=2, show_spinner=False)
def _ages(version: int, clock: int) -> pl.DataFrame:
    del version, clock  # parts of the key only
    return ingestion.oldest_waiting(backend().ledger)


def versions(district: str, deviceid: str, hour: str) -> pl.DataFrame:
    """Every version of a device-hour's files; nothing of a district that is not the asker's."""
    user = require(PAGE)
    if user.districts and district not in user.districts:
        raise access.Refused
    return ingestion.versions(backend().ledger, district, deviceid, hour)


def may_run() -> bool:
    """Whether the signed-in user may have files read again."""
    return access.may(require(PAGE), "run work")


def may_see_lines() -> bool:
    """Whether the signed-in user may see raw lines."""
    return access.may(require(PAGE), "see raw lines")


def bad_lines(
    page: str, filters: Filters, key: str = "", device: str = "", reason: str = "", skip: int = 0
) -> pl.DataFrame:
    """A page of bad lines; that somebody looked is recorded, for they may name a person.

    Raises Refused for who may not see raw lines.
    """
    user = require(page)
    if not access.may(user, "see raw lines"):
        raise access.Refused
    found = ask(
        page,
        "quarantine_lines",
        filters.scope,
        key=key,
        device=device,
        reason=reason,
        skip=skip,
        most=LINES,
    )
    looked = key or ", ".join(filter(None, (device, reason))) or "all"
    seen = st.session_state.setdefault(state.LINES_SEEN, set())
    if looked not in seen and not found.is_empty():
        seen.add(looked)
        with backend().ledger.write() as connection:
            people.audit(connection, user.username, "raw lines seen", looked)
    return found


def bad_reasons(page: str, filters: Filters) -> pl.DataFrame:
    """Bad lines by reason and device."""
    return ask(page, "quarantine_reasons", filters.scope)


def reread_plan(page: str, chosen: Selection) -> ReingestPlan:
    """What reading files again would touch; nothing changes. Raises Refused and UsageError."""
    _check(page, chosen)
    house = backend()
    return plan(house.ledger, house.settings, open_store(house.settings), chosen)


def read_again(page: str, chosen: Selection, planned: ReingestPlan) -> int:
    """Ask the worker to read files again; audited. Returns the request's id. Raises Refused."""
    return reread.ask(backend().ledger, chosen, planned, _check(page, chosen))


def cancel(page: str, request: int) -> bool:
    """End a request; False when it was too late. Raises Refused.

    Also for who is bound to districts: a number does not say whose files a request is about.
    """
    user = require(page)
    if user.districts or not access.may(user, "run work"):
        raise access.Refused
    return requests.cancel(backend().ledger, request, user.username)


def _check(page: str, chosen: Selection) -> str:
    """Name of the asker, who may start work on all that is chosen. Raises Refused."""
    user = require(page)
    place = chosen.key.partition("/")[0] if chosen.key else chosen.district
    mine = not user.districts or place in user.districts
    if not (mine and access.may(user, "run work")):
        raise access.Refused
    return user.username
