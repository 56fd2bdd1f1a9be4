"""How deep somebody looks: fleet, district, unit, day. All of it stands in the address."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl
import streamlit as st

from app import filters, panels, state
from app.figures.fleet import STATUSES
from app.filters import Filters
from app.text import plain, say
from app.tiles import Tile

VIEWS = ("now", "hours", "work", "service", "devices")
FIND, MAP = "find_unit", "fleet_map"


def unit(known: Mapping[str, str], chosen: Filters) -> str | None:
    """The scope line: where we are, the way back, and a search for a unit; the unit chosen.

    ``known``: unit → its district.
    """
    wanted = st.query_params.get(state.UNIT)
    found = wanted if wanted in known else None
    line = st.container(horizontal=True, vertical_alignment="center", key="scope_line")
    district = known[found] if found else None
    steps = _steps(district, found, chosen)
    with line:
        for place, (name, way) in enumerate(steps):
            if place:
                st.markdown("›", width="content")
            if place == len(steps) - 1:
                st.markdown(f"**{plain(name)}**", width="content")
            else:
                st.button(plain(name), key=f"scope_{place}", type="tertiary", **way)
        st.session_state[FIND] = found
        st.selectbox(
            say("fleet.find"),
            list(known),
            key=FIND,
            index=None,
            placeholder=say("fleet.find"),
            label_visibility="collapsed",
            on_change=_find,
            width=200,
        )
    return found


def _steps(
    district: str | None, unit: str | None, chosen: Filters
) -> list[tuple[str, dict[str, Any]]]:
    """From the fleet down to where we are: a name, and what going back there does."""
    steps: list[tuple[str, dict[str, Any]]] = []
    if state.DISTRICT in st.session_state or not chosen.districts:  # there is a choice of them
        steps.append((say("filter.all_districts"), {"on_click": _up, "args": (None,)}))
    if chosen.districts or district is not None:
        names = district or ", ".join(chosen.districts)
        steps.append((names, {"on_click": _up, "args": (district,)}))
    if unit is not None:
        steps.append((unit, {"on_click": filters.usual_days}))
        if chosen.first == chosen.last:
            steps.append((chosen.first, {}))
    return steps


def status(items: Sequence[Tile]) -> str | None:
    """Tiles of the statuses; a click narrows the page to one, another takes that back."""
    chosen = st.query_params.get(state.STATUS)
    for place, name, item in zip(st.columns(len(items), gap="small"), STATUSES, items, strict=True):
        on = name == chosen
        with place.container(key=f"tile_{name}{'_on' if on else ''}"):
            panels.tile(item)
            text = say("fleet.all") if on else say("fleet.only", status=item.label)
            st.button(
                text,
                key=f"only_{name}",
                width="stretch",
                on_click=_narrow,
                args=(None if on else name,),
            )
    return chosen if chosen in STATUSES else None


def view() -> str:
    """Which of the page's views."""
    asked = st.query_params.get(state.VIEW)
    if st.session_state.get(state.VIEW) not in VIEWS:  # another page's views have the same place
        st.session_state[state.VIEW] = asked if asked in VIEWS else VIEWS[0]
    found = st.segmented_control(
        say("fleet.view"),
        VIEWS,
        format_func=lambda name: say(f"fleet.view.{name}"),
        key=state.VIEW,
        required=True,
        label_visibility="collapsed",
    )
    name = str(found or VIEWS[0])
    if name == VIEWS[0]:
        st.query_params.pop(state.VIEW, None)
    else:
        st.query_params[state.VIEW] = name
    return name


def units(title: str, shown: pl.DataFrame, *said: str, **options: Any) -> None:
    """A heading over a table with a unit a row and its download: selecting a row opens the unit.

    ``said``: sentences (Markdown of our own) between the two.
    """
    panels.section(title, f"{title}.help")
    for sentence in said:
        st.markdown(sentence)
    if shown.is_empty():
        st.caption(say(f"{title}.none"))  # no tick: nothing seen is not nothing wrong
        return
    key = title.partition(".")[2]
    tall = {"height": panels.LONG_TABLE, **options} if shown.height > panels.LONG_ROWS else {}
    _rows(shown, key, shown[say("column.unit")].to_list(), _go, **tall)
    panels.download(shown, f"fleet_{key}")


def districts(title: str, shown: pl.DataFrame) -> None:
    """Of several districts a table; selecting one narrows every page to it."""
    if shown.height > 1:
        panels.section(title, f"{title}.help")
        names = shown[say("column.district")].to_list()
        _rows(shown, "districts", names, filters.choose_district)


def days(shown: pl.DataFrame, key: str) -> None:
    """A table with a production day a row: selecting one shows that day alone."""
    names = shown[say("column.day")].to_list()
    _rows(shown, key, names, lambda day: filters.choose_days(day, day))


def _rows(
    shown: pl.DataFrame, key: str, names: list[str], then: Callable[[str], None], **options: Any
) -> None:
    def selected() -> None:
        rows = st.session_state[key]["selection"]["rows"]
        if rows and rows[0] < len(names):
            then(names[rows[0]])

    panels.table(shown, key, on_select=selected, selection_mode="single-row", **options)


def _from_map() -> None:
    points = st.session_state[MAP]["selection"]["points"]
    if points and points[0].get("customdata"):
        data = points[0]["customdata"]
        _go(str(data[0] if isinstance(data, list) else data))


#: Options of the map: a click on a unit opens it.
ON_MAP: dict[str, Any] = {
    "on_select": _from_map,
    "selection_mode": "points",
    "otherwise": "fleet.map.none",
}


def _go(unit: str | None) -> None:
    if unit is None:
        st.query_params.pop(state.UNIT, None)
    else:
        st.query_params[state.UNIT] = unit


def _find() -> None:
    _go(st.session_state[FIND])


def _narrow(name: str | None) -> None:
    if name is None:
        st.query_params.pop(state.STATUS, None)
    else:
        st.query_params[state.STATUS] = name


def _up(district: str | None) -> None:
    """Leave the unit, for a district or for all of them."""
    _go(None)
    filters.choose_district(district)
