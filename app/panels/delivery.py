"""Pieces of the page of data delivery: what lies behind a device-hour."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
import streamlit as st

from app import data, pickers, state, tables
from app.figures.delivery import SHOWN, cell_words
from app.filters import Filters
from app.panels.pieces import LONG_ROWS, LONG_TABLE, download, note, table, table_or
from app.text import known, plain, say

PAGE = "data_delivery"


def left_out(devices: int) -> None:
    """How many devices the grid does not draw, where that is so."""
    if devices > SHOWN:
        st.caption(say("delivery.grid.rest", shown=SHOWN, devices=devices))


def cells(shown: pl.DataFrame, chosen: Callable[[], None]) -> None:
    """The table of all that needs a look; a row of it can be opened."""
    if shown.is_empty():
        note("delivery.table.none")
        return
    options = {"on_select": chosen, "selection_mode": "single-row"}
    height = {"height": LONG_TABLE} if shown.height > LONG_ROWS else {}
    table(shown, state.CELL_TABLE, **options, **height)
    download(shown, "data_delivery")


def opened(cell: dict[str, Any], filters: Filters) -> None:
    """The raw files behind a device-hour, their bad lines, and the way to read them again."""
    named = {name: plain(value) for name, value in cell_words(cell).items()}
    st.subheader(say("delivery.cell", **named), anchor=False)
    _why(cell)
    found = data.delivery.versions(cell["district"], cell["deviceid"], cell["hour"])
    if found.is_empty():
        st.info(say("delivery.cell.nothing"), icon=":material/help_center:")
        return
    table(tables.delivery.versions(found, filters.zone), "versions")
    if data.delivery.may_see_lines():
        for key in _with_bad_lines(found):
            _bad_lines(key, cell, filters)
    if data.delivery.may_run():
        for key in found["key"].unique(maintain_order=True):
            pickers.rereading.one_file(PAGE, key)


def _why(cell: dict[str, Any]) -> None:
    """Cause of a missing hour with its evidence and how sure it is."""
    if not cell["cause"]:
        return
    sure, told = cell["cause_confidence"], cell["cause_evidence"]
    evidence = known(f"evidence.{told}", told) if told else ""
    key = "delivery.why" if sure and evidence else "delivery.why.unsure"
    st.markdown(
        say(
            key,
            cause=say(f"cause.{cell['cause']}"),
            evidence=plain(evidence or say("delivery.why.nothing")),
            sure=f"{sure or 0:.0%}",
        )
    )


def _with_bad_lines(found: pl.DataFrame) -> list[str]:
    return found.filter(pl.col("quarantined") > 0)["key"].unique(maintain_order=True).to_list()


def _bad_lines(key: str, cell: dict[str, Any], filters: Filters) -> None:
    hour = cell["hour"]
    day = f"{hour[:4]}-{hour[4:6]}-{hour[6:8]}"
    own = Filters((cell["district"],), day, day, filters.zone)
    lines = data.delivery.bad_lines(PAGE, own, key=key)
    total = 0 if lines.is_empty() else lines["total"][0]
    st.caption(say("delivery.lines", shown=lines.height, total=total))
    table_or(tables.delivery.lines(lines), f"lines-{key}", "delivery.lines.none")
