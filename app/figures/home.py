"""The state of the fleet in a sentence and in tiles. No Streamlit here."""

from __future__ import annotations

import polars as pl

from app import meaning
from app.figures.delivery import delivered, expected
from app.figures.delivery import tiles as delivery
from app.figures.fleet import NEED_A_LOOK, definitions
from app.text import say
from app.tiles import Tile, share


def tiles(units: pl.DataFrame, cases: pl.DataFrame, cells: pl.DataFrame) -> list[Tile]:
    """The most urgent figure of each page."""
    silent = units.filter(pl.col("status").is_in(NEED_A_LOOK)).height
    first, _, missing, *_ = delivery(cells)
    return [
        Tile(
            say("status.reporting"),
            f"{units.filter(pl.col('status') == 'reporting').height:,}",
            say("fleet.of", units=f"{units.height:,}"),
            say("status.reporting.help"),
        ),
        Tile(
            say("home.attention"),
            f"{silent:,}",
            say("fleet.of", units=f"{units.height:,}"),
            definitions(NEED_A_LOOK),
        ),
        Tile(
            say("fatigue.cases"),
            f"{cases.height:,}",
            say("home.cases.of", units=cases["unitno"].n_unique()),
            meaning.of("fatigue.cases"),
        ),
        first,
        missing,
    ]


def sentence(units: pl.DataFrame, cases: pl.DataFrame, cells: pl.DataFrame) -> str:
    """The state of the fleet in a sentence (Markdown; only our own words and numbers)."""
    due = expected(cells)
    missing = due.filter(pl.col("state") == "missing").height
    return say(
        "home.sentence",
        reporting=units.filter(pl.col("status") == "reporting").height,
        registered=units.height,
        cases=f"{cases.height:,}",
        delivery=share(delivered(cells).height, due.height),
        missing=say("home.missing", missing=missing) if missing else "",
    )
