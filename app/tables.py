"""Frames as people read them: local times, names of columns, units. No Streamlit here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from app.figures import NEED_A_LOOK
from app.text import known, say
from queries.operations import detail_of


def _named(frame: pl.DataFrame, columns: Mapping[str, str | pl.Expr]) -> pl.DataFrame:
    """Columns picked and named by the keys of the text module, in this order."""
    return frame.select(
        (pl.col(source) if isinstance(source, str) else source).alias(say(f"column.{key}"))
        for key, source in columns.items()
    )


def _clock(column: str, zone: str, form: str = "%Y-%m-%d %H:%M:%S") -> pl.Expr:
    return pl.col(column).dt.convert_time_zone(zone).dt.strftime(form)


def _words(column: str, prefix: str) -> pl.Expr:
    return pl.col(column).map_elements(
        lambda word: known(f"{prefix}.{word}", word), return_dtype=pl.String
    )


def _part(column: str, whole: str) -> pl.Expr:
    """A percentage of the whole beside it, None where nothing was observed."""
    return (
        pl.when(pl.col(whole) > 0).then(100 * pl.col(column) / pl.col(whole)).otherwise(None)
    ).round(1)


def _hours(column: str) -> pl.Expr:
    return (pl.col(column) / 3600).round(2)


def cases(frame: pl.DataFrame, zone: str) -> pl.DataFrame:
    """Fatigue cases, in the order given."""
    return _named(
        frame,
        {
            "started": _clock("started_at", zone),
            "unit": "unitno",
            "kind": _words("kind", "kind"),
            "metres": pl.col("metres_closed").round(0),
            "closure": pl.col("closure_s").round(1),
            "speed": pl.col("speed_kmh").round(0),
            "evidence": _words("evidence", "evidence"),
            "agrees": "device_agrees",
            "arrived": _clock("arrived_at", zone, "%H:%M"),
            "district": "dstrct_code",
        },
    )


def units(totals: pl.DataFrame, now: pl.DataFrame, zone: str) -> pl.DataFrame:
    """One row a unit, those that need a look first; registered units without data included."""
    status = now.select("dstrct_code", "unitno", "unittype", "status", "last_seen")
    frame = status.unique(["dstrct_code", "unitno"], keep="first").join(
        totals.drop("unittype"), on=["dstrct_code", "unitno"], how="full", coalesce=True
    )
    order = {name: i for i, name in enumerate((*NEED_A_LOOK, "reporting", "parked"))}
    rank = pl.col("status").replace_strict(order, default=9, return_dtype=pl.Int64)
    return _named(
        frame.sort(rank, "unitno"),
        {
            "unit": "unitno",
            "type": "unittype",
            "status": _words("status", "status"),
            "last_seen": _clock("last_seen", zone, "%Y-%m-%d %H:%M"),
            "observed": _hours("observed_s"),
            "moving": _hours("moving_s"),
            "idle": _hours("idle_s"),
            "unknown": _hours("unknown_s"),
            "km": pl.col("km").round(1),
            "unobserved": pl.col("unobserved_km").round(1),
            "trips": "trips",
            "fuel": pl.col("fuel_l").round(0),
            "fuel_level": pl.col("fuel_pct_last").round(0),
            "hour_meter": pl.col("engine_hours_last").round(1),
            "service": pl.col("service_km_last").round(0),
            "cab_camera": _part("cam_cabin_up_s", "observed_s"),
            "front_camera": _part("cam_front_up_s", "observed_s"),
            "gps": _part("gps_fix_s", "observed_s"),
            "exceedances": "exceedances",
            "district": "dstrct_code",
        },
    )


def attention(now: pl.DataFrame, zone: str) -> pl.DataFrame:
    """Units that are silent, never seen or late, longest first."""
    frame = now.filter(pl.col("status").is_in(NEED_A_LOOK))
    return _named(
        frame.sort("age_s", descending=True, nulls_last=False),
        {
            "unit": "unitno",
            "status": _words("status", "status"),
            "last_seen": _clock("last_seen", zone, "%Y-%m-%d %H:%M"),
            "type": "unittype",
            "district": "dstrct_code",
        },
    )


def exceedances(frame: pl.DataFrame, zone: str) -> pl.DataFrame:
    """Exceedances, in the order given."""
    fault = pl.concat_str(
        pl.lit("SPN "),
        pl.col("dtc_spn").cast(pl.Int64, strict=False),
        pl.lit(" FMI "),
        pl.col("dtc_fmi").cast(pl.Int64, strict=False),
        pl.lit(" from "),
        pl.col("dtc_source").cast(pl.Int64, strict=False),
    )
    return _named(
        frame,
        {
            "started": _clock("started_at", zone),
            "signal": "signal",
            "level": "level",
            "limit": "limit_value",
            "worst": pl.col("worst").round(1),
            "duration": pl.col("duration_s").round(0),
            "condition": "condition",
            "fault": fault,
        },
    )


def cells(frame: pl.DataFrame, zone: str) -> pl.DataFrame:
    """Device-hours that are not complete or came late, newest first."""
    bad = pl.col("late") | ~pl.col("state").is_in(["complete", "pending", "proven_off"])
    return _named(
        frame.filter(bad).sort("hour", "deviceid", descending=[True, False]),
        {
            "hour": _clock("hour_start", zone, "%Y-%m-%d %H:%M"),
            "unit": "unitno",
            "device": "deviceid",
            "status": _words("state", "cell"),
            "arrived": _clock("arrived_at", zone, "%Y-%m-%d %H:%M"),
            "delay": (pl.col("delay_s") / 60).round(0),
            "lines": "lines",
            "accepted": "accepted",
            "quarantined": "quarantined",
            "district": "district",
            "key": "key",
        },
    )


def runs(frame: pl.DataFrame, zone: str) -> pl.DataFrame:
    """Runs with what they recorded, in words."""
    seconds = (pl.col("ended_at") - pl.col("started_at")).dt.total_milliseconds() / 1000
    detail = pl.col("detail").map_elements(_summary, return_dtype=pl.String)
    return _named(
        frame,
        {
            "started": _clock("started_at", zone),
            "run": "kind",
            "status": "status",
            "seconds": seconds.round(1),
            "detail": detail,
            "worker": "worker",
        },
    )


def _summary(text: str) -> str:
    found: dict[str, Any] = detail_of(text)
    parts = []
    for name, recorded in found.items():
        value = recorded
        if isinstance(recorded, dict):
            whole = {n: v for n, v in recorded.items() if isinstance(v, int) and v}
            value = ", ".join(f"{n} {v:,}" for n, v in whole.items())
        elif isinstance(recorded, list):
            value = ", ".join(str(item) for item in recorded)
        if value not in (None, "", [], 0, 0.0):
            parts.append(f"{name}: {value}")
    return "; ".join(parts)[:300]


def objects(frame: pl.DataFrame, zone: str) -> pl.DataFrame:
    """Raw files and what became of them."""
    return _named(
        frame,
        {
            "key": "key",
            "status": "status",
            "arrived": _clock("arrived_at", zone),
            "size": (pl.col("size") / 1000).round(0),
            "lines": "lines",
            "accepted": "accepted",
            "duplicate": "duplicate",
            "quarantined": "quarantined",
            "overlapped": "overlapped",
            "flags": "flags",
            "error": "error",
        },
    )


def new_fields(frame: pl.DataFrame) -> pl.DataFrame:
    """Fields outside the dictionary."""
    return _named(frame, {"name": "name", "type": "type", "first_key": "first_key"})


def notices(frame: pl.DataFrame, zone: str) -> pl.DataFrame:
    """Trouble that was noted, and when somebody was told."""
    return _named(
        frame,
        {
            "noted": _clock("last_at", zone),
            "notice": "title",
            "detail": "body",
            "times": "times",
            "told": _clock("sent_at", zone),
            "error": "error",
        },
    )


def failed_tests(frame: pl.DataFrame) -> pl.DataFrame:
    """Tests that did not pass."""
    names = {"model": "model", "test": "test", "status": "status", "failures": "failures"}
    return _named(frame, names | {"error": "message"})
