"""Pieces of the page of fleet health: sentences beside its figures."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import polars as pl
import streamlit as st

from app.figures import fleet as figures
from app.filters import Filters
from app.panels.pieces import empty, link, section, table_or
from app.tables import fleet as tables
from app.text import plain, say, spelled


def status(now: pl.DataFrame, filters: Filters) -> None:
    """What the registered unit does now, in a line."""
    for row in now.head(1).to_dicts():
        seen = row["last_seen"]
        told = seen.astimezone(ZoneInfo(filters.zone)).strftime("%Y-%m-%d %H:%M") if seen else "–"
        st.markdown(
            say(
                "fleet.status",
                status=say(f"status.{row['status']}"),
                seen=told,
                zone=filters.zone_name,
                did=say(f"state.{row['last_state'] or 'none'}"),
            ),
            help=say(f"status.{row['status']}.help"),
        )


def unplaced(now: pl.DataFrame) -> None:
    """Units that cannot be on the map."""
    missing = now.filter(pl.col("lat").is_null())["unitno"].sort().to_list()
    if missing:
        names = ", ".join(map(plain, missing[:12])) + (" …" if len(missing) > 12 else "")
        st.caption(say("fleet.map.without", number=len(missing), units=names))


def began(ready: pl.DataFrame, filters: Filters) -> list[str]:
    """What was ready as the latest shift began: a sentence (Markdown) a district."""
    return [
        say(
            "fleet.began",
            **{**values, "district": plain(values["district"]), "zone": filters.zone_name},
        )
        for values in figures.began(ready, filters.zone)
    ]


def without_log(units: pl.DataFrame) -> None:
    """What the figures of availability need, where the downtime log does not cover every day."""
    covered, days = int(units["log_days"].sum()), int(units["days"].sum())
    if not covered:
        st.info(say("fleet.log.none"), icon=":material/edit_note:")
    elif covered < days:
        st.caption(spelled(say("fleet.log.part", covered=f"{covered:,}", days=f"{days:,}")))


def parts(found: pl.DataFrame, zone: str) -> None:
    """Parts of devices at fault and what to do, or that there are none."""
    section("fleet.parts")
    if found.is_empty():
        empty("empty.no_data")
        return
    table_or(tables.parts(found, zone), "parts", "fleet.health.none")


def seconds(unit: str, filters: Filters) -> None:
    """The way down to the unit's seconds, for those who may look at them."""
    span = {"from": filters.first, "to": filters.last}
    label = say("fleet.seconds", unit=plain(unit))
    link("engine_telemetry", label, ":material/monitor_heart:", unit=unit, **span)


def drawn(shown: int, every: int) -> None:
    """How many of all units a chart draws, unless it draws all."""
    if shown < every:
        st.caption(say("fleet.more", shown=shown, all=every))
