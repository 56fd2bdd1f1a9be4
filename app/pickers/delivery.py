"""Which device-hour is opened: by a bar of the grid, a row of the table, or the address."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
import streamlit as st

from app import data, state
from app.filters import Filters
from app.text import say


def from_grid() -> None:
    """A bar of the grid was chosen."""
    points = st.session_state[state.GRID_CHART].selection.points
    if points and points[0].get("customdata"):
        _open(str(points[0]["customdata"][0]))


def from_table(cells: pl.DataFrame) -> Callable[[], None]:
    """What is to happen when a row of the table is chosen; ``cells`` in the order of its rows."""
    places = cells.select("district", "deviceid", "hour").rows()

    def chosen() -> None:
        rows = st.session_state[state.CELL_TABLE].selection.rows
        if rows and rows[0] < len(places):
            _open("/".join(places[rows[0]]))

    return chosen


def opened(cells: pl.DataFrame, chosen: Filters) -> dict[str, Any] | None:
    """The device-hour that is open, if the filters choose it, and the way to close it.

    It need not be one of the ``cells`` that are drawn or listed: a link may name any.
    """
    place = str(st.session_state.get(state.CELL) or st.query_params.get(state.CELL, ""))
    district, _, rest = place.partition("/")
    deviceid, _, hour = rest.rpartition("/")
    found = data.delivery.cell(chosen, cells, district, deviceid, hour) if place else None
    if found is None:
        return None
    if st.query_params.get(state.CELL) != place:  # a link shows the same
        st.query_params[state.CELL] = place
    st.button(say("delivery.close"), icon=":material/close:", type="tertiary", on_click=_close)
    return found


def _open(place: str) -> None:
    st.session_state[state.CELL] = place
    st.session_state.pop(state.REREAD_PLAN, None)


def _close() -> None:
    st.session_state.pop(state.CELL, None)
    st.session_state.pop(state.REREAD_PLAN, None)
    if state.CELL in st.query_params:
        del st.query_params[state.CELL]
