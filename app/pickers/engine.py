"""Which unit, which signals, how much detail."""

from __future__ import annotations

from datetime import datetime

import polars as pl
import streamlit as st

from app import auth, state
from app.backend import backend
from app.charts.engine import label
from app.data import privacy
from app.text import say

#: Signals that the marts keep by minute, in the order in which they are offered.
SIGNALS = (
    "VehicleSpeed",
    "gpsspeed",
    "EngineSpeed",
    "EngineLoad",
    "FuelRate",
    "EngineCoolantTemp",
    "EngineOilTemp",
    "EngineOilPressure",
    "BoostPressure",
    "ExhaustGasTemp",
    "TransmissionOilTemp",
    "RetarderOilTemp",
    "BatteryVoltage",
    "AirPressureCircuit1",
    "AirPressureCircuit2",
    "FuelLevel",
    "payload",
    *(f"TirePressure{wheel}" for wheel in range(1, 7)),
    *(f"TireTemp{wheel}" for wheel in range(1, 7)),
    "gpsnumsat",
    "gpshdop",
    "cputemp",
)

USUAL = ("VehicleSpeed", "EngineSpeed", "EngineCoolantTemp", "EngineOilTemp")

ALWAYS = ("speed_gap_mean", "speed_gap_max", "gpsnumsat_mean")


def unit_and_signals(units: pl.DataFrame) -> tuple[str, tuple[str, ...]]:
    """The unit to look at (that with most exceedances unless chosen) and its signals."""
    ranked = units.sort("exceedances", "unitno", descending=[True, False], nulls_last=True)
    user = auth.current(backend())
    left, right = st.columns([1, 3])
    unit = left.selectbox(
        say("engine.unit"), ranked["unitno"].to_list(), key=state.UNIT, bind="query-params"
    )
    signals = right.multiselect(
        say("engine.signals"),
        privacy.signals(user, SIGNALS) if user else (),
        default=USUAL,
        format_func=label,
        max_selections=8,
        wrap=True,
        key=state.SIGNALS,
        bind="query-params",
    )
    return str(unit), tuple(signals)


def minute_columns(signals: tuple[str, ...]) -> tuple[str, ...]:
    """Columns of ``unit_minute`` that these signals need."""
    own = (f"{signal}_{kind}" for signal in signals for kind in ("mean", "min", "max"))
    return tuple(dict.fromkeys((*own, *ALWAYS)))


def detail(minutes: pl.DataFrame, zone: str) -> datetime | None:
    """None for the minutes of the whole span, else the start of an hour to see by seconds."""
    hours = minutes["minute"].dt.truncate("1h").unique().sort(descending=True)
    local = hours.dt.convert_time_zone(zone)
    choice: list[datetime | None] = [None, *hours.to_list()]
    names = dict(zip(hours.to_list(), local.dt.strftime("%Y-%m-%d %H:00").to_list(), strict=True))
    found: datetime | None = st.selectbox(
        say("engine.detail"),
        choice,
        format_func=lambda hour: (
            say("engine.detail.minutes")
            if hour is None
            else say("engine.detail.seconds", hour=names[hour])
        ),
        width=320,
    )
    return found
