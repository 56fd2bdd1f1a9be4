"""Headline figures of the administration. No Streamlit here."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import polars as pl

from app.text import TABLES, say
from app.tiles import Tile, hours
from pipeline.storage.ladder import USUAL


def devices(register: pl.DataFrame, unregistered: int, zone: str) -> list[Tile]:
    """Devices expected today, of all in the register; what delivers without being in it."""
    today = datetime.now(UTC).astimezone(ZoneInfo(zone)).date().isoformat()
    open_now = register.filter(
        pl.col("valid_from") <= today,
        pl.col("valid_to").is_null() | (pl.col("valid_to") >= today),
    )
    every = register["deviceid"].n_unique()
    return [
        Tile(
            say("devices.valid"),
            f"{open_now['deviceid'].n_unique():,}",
            say("devices.valid.of", devices=f"{every:,}"),
        ),
        Tile(say("devices.units"), f"{open_now['unitno'].n_unique():,}", say("devices.units.of")),
        Tile(say("devices.unregistered"), f"{unregistered:,}", say("devices.unregistered.of")),
    ]


def downtime(log: pl.DataFrame, covered: pl.DataFrame) -> list[Tile]:
    """Rows and hours of the log in the span; how much time it covers at all."""
    stood = (log["end_ts"] - log["start_ts"]).dt.total_seconds().sum() if log.height else 0
    length = (covered["to_ts"] - covered["from_ts"]).dt.total_seconds().sum() if len(covered) else 0
    return [
        Tile(say("downtime.rows"), f"{log.height:,}", say("downtime.rows.of")),
        Tile(say("downtime.stood"), hours(float(stood)), say("downtime.stood.of")),
        Tile(
            say("downtime.covered"),
            f"{float(length) / 86_400:,.1f}",
            say("downtime.covered.of", districts=covered["dstrct_code"].n_unique()),
        ),
    ]


def thresholds(in_force: pl.DataFrame, history: pl.DataFrame) -> list[Tile]:
    """How many differ from their default."""
    moved = in_force.filter(pl.col("value") != pl.col("default")).height
    return [
        Tile(
            say("thresholds.moved"),
            f"{moved:,}",
            say("thresholds.moved.of", every=in_force.height),
        ),
        Tile(say("thresholds.changes"), f"{history.height:,}", say("thresholds.changes.of")),
    ]


def users(people: pl.DataFrame) -> list[Tile]:
    """Who may sign in."""
    able = people.filter(~pl.col("disabled"))
    bound = able.filter(pl.col("districts") != "").height
    return [
        Tile(say("users.able"), f"{able.height:,}", say("users.able.of", every=people.height)),
        Tile(say("users.bound"), f"{bound:,}", say("users.bound.of", able=able.height)),
    ]


def audit(shown: int, matching: int) -> list[Tile]:
    """How many entries there are."""
    return [Tile(say("audit.entries"), f"{matching:,}", say("audit.entries.of", shown=shown))]


def steps(text: str) -> list[str]:
    """Lines that were typed as steps of a ladder: those that the languages know by their names."""
    own = {words[f"action.{name}"].casefold(): name for words in TABLES.values() for name in USUAL}
    lines = [" ".join(line.split()) for line in text.splitlines()]
    return [own.get(line.casefold(), line) for line in lines if line]
