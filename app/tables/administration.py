"""Register, downtime log, thresholds, people and audit as administrators read them."""

from __future__ import annotations

import json
from collections.abc import Callable

import polars as pl

from app.tables.columns import clock, named, spelled, words
from app.text import known, say
from pipeline.downtime import BY_CODE, Code

MINUTES = "%Y-%m-%d %H:%M"


def devices(frame: pl.DataFrame) -> pl.DataFrame:
    """The register."""
    return named(
        frame,
        {
            "device": "deviceid",
            "unit": "unitno",
            "type": "unittype",
            "district": "dstrct_code",
            "unit_model": "model",
            "valid_from": "valid_from",
            "valid_to": "valid_to",
        },
    )


def downtime(frame: pl.DataFrame, zone: str) -> pl.DataFrame:
    """Rows of the log in local time."""
    hours = (pl.col("end_ts") - pl.col("start_ts")).dt.total_seconds() / 3600
    return named(
        frame,
        {
            "district": "dstrct_code",
            "unit": "unitno",
            "started": clock("start_ts", zone, MINUTES),
            "ended": clock("end_ts", zone, MINUTES),
            "stood": hours.round(2),
            "code": "code",
            "reason": _reason(lambda code: code.label),
            "counts_as": _reason(lambda code: say(f"downtime.kind.{code.kind}")),
            "note": "note",
            "imported": clock("imported_at", zone, MINUTES),
            "who": "imported_by",
        },
    )


def _reason(words_of: Callable[[Code], str]) -> pl.Expr:
    """Something about a row's code; codes that are none any more stay as they are."""
    return pl.col("code").replace({name: words_of(code) for name, code in BY_CODE.items()})


def covered(frame: pl.DataFrame, zone: str) -> pl.DataFrame:
    """What time the log covers."""
    return named(
        frame,
        {
            "district": "dstrct_code",
            "covered_from": clock("from_ts", zone, MINUTES),
            "covered_to": clock("to_ts", zone, MINUTES),
            "imported": clock("imported_at", zone, MINUTES),
        },
    )


def thresholds(frame: pl.DataFrame) -> pl.DataFrame:
    """Values in force beside their defaults and limits."""
    return named(
        frame,
        {
            "threshold": "name",
            "meaning": spelled(frame, ("name", "description"), _meaning),
            "value": "value",
            "default": "default",
            "lowest": "low",
            "highest": "high",
            "measure": "unit",
        },
    )


def _meaning(name: str, description: str) -> str:
    return known(f"threshold.{name}", description)


def threshold_history(frame: pl.DataFrame, zone: str) -> pl.DataFrame:
    """Every value that was set."""
    return named(
        frame,
        {
            "at": clock("set_at", zone),
            "threshold": "name",
            "value": "value",
            "who": "set_by",
            "reason": "reason",
        },
    )


def ladders(frame: pl.DataFrame, zone: str) -> pl.DataFrame:
    """Every ladder of actions that was set, its steps in their order."""
    return named(
        frame,
        {
            "at": clock("set_at", zone),
            "ladder": spelled(frame, ("steps",), _ladder),
            "who": "set_by",
            "reason": "reason",
        },
    )


def _ladder(steps: str) -> str:
    return " → ".join(known(f"action.{one}", str(one)) for one in json.loads(steps))


def users(frame: pl.DataFrame, zone: str) -> pl.DataFrame:
    """People with their rights."""
    every = pl.lit(say("filter.all_districts"))
    out, able = pl.lit(say("user.disabled")), pl.lit(say("user.enabled"))
    return named(
        frame,
        {
            "user": "username",
            "name": "name",
            "role": words("role", "role"),
            "districts": pl.when(pl.col("districts") == "").then(every).otherwise("districts"),
            "status": pl.when("disabled").then(out).otherwise(able),
            "last_sign_in": clock("seen_at", zone, MINUTES),
            "added": clock("created_at", zone, MINUTES),
        },
    )


def audit(frame: pl.DataFrame, zone: str) -> pl.DataFrame:
    """Who did what."""
    return named(
        frame,
        {
            "at": clock("at", zone),
            "who": "who",
            "what": "what",
            "subject": "subject",
            "before": "before",
            "after": "after",
            "detail": "rest",
        },
    )
