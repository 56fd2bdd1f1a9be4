"""Pieces of the page of fatigue events."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from app import meaning
from app.filters import Filters
from app.text import known, plain, say


def case(found: dict[str, Any], operator: str | None, filters: Filters) -> None:
    """The head of an opened case, the only place where an operator is named."""
    zone = ZoneInfo(filters.zone)
    st.subheader(
        say(
            "fatigue.case",
            kind=plain(known(f"kind.{found['kind']}", found["kind"])),
            unit=plain(found["unitno"]),
            time=found["started_at"].astimezone(zone).strftime("%H:%M:%S"),
            zone=filters.zone_name,
        ),
        anchor=False,
        help=meaning.of("fatigue.trace"),
    )
    who = plain(operator) if operator else say("fatigue.operator.none")
    st.markdown(f"{say('fatigue.operator')}: **{who}**")
