"""Runs, files, fields, notices and tests as people read them."""

from __future__ import annotations

from typing import Any

import polars as pl

from app.tables.columns import clock, named, spelled, words
from app.text import say
from queries.operations import detail_of


def runs(frame: pl.DataFrame, zone: str) -> pl.DataFrame:
    """Runs with what they recorded, in words."""
    seconds = (pl.col("ended_at") - pl.col("started_at")).dt.total_milliseconds() / 1000
    detail = spelled(frame, ("detail",), _summary)
    return named(
        frame,
        {
            "started": clock("started_at", zone),
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
    return named(
        frame,
        {
            "key": "key",
            "status": "status",
            "arrived": clock("arrived_at", zone),
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
    return named(frame, {"name": "name", "type": "type", "first_key": "first_key"})


def notices(frame: pl.DataFrame, zone: str) -> pl.DataFrame:
    """Trouble that was noted, and when somebody was told."""
    return named(
        frame,
        {
            "noted": clock("last_at", zone),
            "notice": "title",
            "detail": "body",
            "times": "times",
            "told": clock("sent_at", zone),
            "error": "error",
        },
    )


def failed_tests(frame: pl.DataFrame) -> pl.DataFrame:
    """Tests that did not pass."""
    names = {"model": "model", "test": "test", "status": "status", "failures": "failures"}
    return named(frame, names | {"error": "message"})


def workers(frame: pl.DataFrame, leader: str | None, zone: str) -> pl.DataFrame:
    """Workers that live, and which of them builds, compacts and reads again."""
    role = pl.when(pl.col("id") == (leader or "")).then(pl.lit(say("ingestion.workers.leads")))
    return named(
        frame,
        {
            "worker": "id",
            "doing": "state",
            "role": role.otherwise(pl.lit(say("ingestion.workers.follows"))),
            "started": clock("started_at", zone),
            "last_seen": clock("seen_at", zone),
        },
    )


def requests(frame: pl.DataFrame, zone: str) -> pl.DataFrame:
    """What people asked for, how far it is and what came of it."""
    detail = spelled(frame, ("detail",), _scope)
    return named(
        frame,
        {
            "number": "id",
            "asked": clock("asked_at", zone),
            "who": "who",
            "request": words("kind", "request"),
            "about": detail,
            "status": words("state", "request_state"),
            "files_read": "done",
            "files": "files",
            "failed_files": "failed",
            "gone": "gone",
            "ended": clock("ended_at", zone),
            "error": "error",
        },
    )


def _scope(text: str) -> str:
    """What a request is about, without the numbers of its dry run."""
    found = {name: value for name, value in detail_of(text).items() if name != "planned"}
    return ", ".join(f"{name} {value}" for name, value in found.items())
