"""Cases, units and their changes as people read them."""

from __future__ import annotations

import polars as pl

from app import figures
from app.tables.columns import clock, hours, named, part, spelled, words
from app.text import say

SEVERITY = {1: "●○○", 2: "●●○", 3: "●●●"}


def contacts(queued: pl.DataFrame, zone: str) -> pl.DataFrame:
    """The contact list, in the order given; a clock in brackets has stopped."""
    return named(
        queued,
        {
            "clock": spelled(queued, ("clock_s", "waiting", "acknowledged_at"), _clock),
            "unit": "unitno",
            "kind": words("kind", "kind"),
            "severity": pl.col("severity").replace_strict(
                SEVERITY, default=None, return_dtype=pl.String
            ),
            "review": words("state", "case_state"),
            "action": words("action", "action"),
            "started": clock("started_at", zone, "%d %b %H:%M:%S"),
            "metres": pl.col("metres_closed").round(0),
            "closure": pl.col("closure_s").round(1),
            "share": (100 * pl.col("closed_share")).round(1),
            "speed": pl.col("speed_kmh").round(0),
            "evidence": words("evidence", "evidence"),
            "agrees": "device_agrees",
            "arrived": clock("arrived_at", zone, "%d %b %H:%M"),
            "case": "case_id",
            "district": "dstrct_code",
        },
    )


def _clock(seconds: object, waiting: object, acknowledged_at: object) -> str:
    """How long it waits, or waited; nothing where nobody is to be called any more."""
    if not isinstance(seconds, int | float):
        return ""
    if waiting:
        return figures.fatigue.clock(seconds)
    return f"({figures.fatigue.clock(seconds)})" if acknowledged_at is not None else ""


def units(ranked: pl.DataFrame) -> pl.DataFrame:
    """Units by their shrunk rate, beside what it rests on."""
    return named(
        ranked,
        {
            "unit": "unitno",
            "shrunk": pl.col("shrunk").round(1),
            "rate": pl.col("rate").round(1),
            "weight": (100 * pl.col("weight")).round(0),
            "standing": "standing",
            "confirmed": "confirmed",
            "false_alarms": "false_alarm",
            "judged": "judged",
            "eye_h": pl.col("eye_h").round(1),
            "eye_km": pl.col("eye_km").round(0),
            "blind": part("blind_moving_s", "moving_s"),
            "no_data": part("no_data_s", "day_s"),
            "unbelted": hours("unbelted_s"),
            "district": "dstrct_code",
        },
    )


def driving(driven: pl.DataFrame) -> pl.DataFrame:
    """Units by shift: most time too fast on top, beside what it is divided by."""
    return named(
        driven,
        {
            "unit": "unitno",
            "shift": "shift",
            "moving": hours("moving_s"),
            "over": (pl.col("over_s") / 60).round(1),
            "over_share": part("over_s", "moving_s"),
            "over_spells": "over",
            "over_crit": "over_crit",
            "worst_kmh": pl.col("worst_kmh").round(0),
            "unbelted": hours("unbelted_s"),
            "unbelted_share": part("unbelted_s", "moving_s"),
            "distractions": "distractions",
            "untracked": "untracked",
            "untracked_min": (pl.col("untracked_s") / 60).round(1),
            "blind": part("blind_moving_s", "moving_s"),
            "district": "dstrct_code",
        },
    )


def changes(tried: pl.DataFrame, zone: str) -> pl.DataFrame:
    """Cases that other thresholds lose or add, with what people had said."""
    return named(
        tried.filter(pl.col("change") != "kept"),
        {
            "change": pl.col("change").replace_strict(
                {name: say(f"change.{name}") for name in ("gone", "new")}, return_dtype=pl.String
            ),
            "case": "case_id",
            "unit": "unitno",
            "kind": words("kind", "kind"),
            "started": clock("started_at", zone),
            "review": words("state", "case_state"),
            "metres": pl.col("metres_closed").round(0),
        },
    )
