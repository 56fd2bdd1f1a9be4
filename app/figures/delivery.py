"""Fulfilment, what is missing, how late the rest came. No Streamlit here."""

from __future__ import annotations

import math

import polars as pl

from app import meaning
from app.text import say
from app.tiles import HOUR, NOTHING, Tile, share, span

#: States in which a device-hour counts as delivered.
DELIVERED = ("complete", "partial", "corrupt")

NOT_EXPECTED = ("pending", "not_registered")


def expected(cells: pl.DataFrame) -> pl.DataFrame:
    """Device-hours of registered devices whose hour and grace are over, or that came earlier."""
    return cells.filter(~pl.col("state").is_in(NOT_EXPECTED))


def delivered(cells: pl.DataFrame) -> pl.DataFrame:
    """Expected device-hours whose file came."""
    return cells.filter(pl.col("state").is_in(DELIVERED))


def tiles(cells: pl.DataFrame) -> list[Tile]:
    """Fulfilment by files and by rows, what is missing and how late the rest came."""
    due, came = expected(cells), delivered(cells)
    on = due.filter(pl.col("state") != "proven_off")
    missing = due.filter(pl.col("state") == "missing").height
    pending = cells.filter(pl.col("state") == "pending").height
    rows = int(came["accepted"].sum()) - int(came["overlapped"].sum())  # each second once
    middle, p95 = delay(due, 0.5), delay(due, 0.95)
    return [
        Tile(
            say("delivery.fulfilment"),
            share(came.height, due.height),
            say("delivery.fulfilment.of", delivered=came.height, expected=due.height),
            meaning.of(
                "delivery.fulfilment",
                say("delivery.fulfilment.help", without=share(came.height, on.height)),
            ),
        ),
        Tile(
            say("delivery.rows"),
            share(rows, due.height * HOUR),
            say("delivery.rows.of", rows=rows, expected=due.height * HOUR),
            meaning.of("delivery.rows", say("delivery.rows.help")),
        ),
        Tile(
            say("delivery.missing"),
            f"{missing:,}",
            say("delivery.missing.of", pending=pending),
            meaning.of("delivery.missing"),
        ),
        Tile(
            say("delivery.late"),
            f"{came['late'].sum():,}",
            say("delivery.late.of", delivered=came.height),
            meaning.of("delivery.late"),
        ),
        Tile(
            say("delivery.delay"),
            middle,
            say("delivery.delay.of", p95=p95),
            meaning.of("delivery.delay", say("delivery.delay.help")),
        ),
    ]


def delay(due: pl.DataFrame, quantile: float) -> str:
    """A quantile of the arrival delay; what has not come is later than all that has."""
    # Hours proven off were never going to come: they are no delay.
    judged = due.filter(pl.col("state") != "proven_off")
    if judged.is_empty():
        return NOTHING
    values = sorted(math.inf if v is None else v for v in judged["delay_s"].to_list())
    value = values[min(math.ceil(quantile * len(values)), len(values)) - 1]
    if not math.isinf(value):
        return span(max(value, 0.0))
    known = [v for v in values if not math.isinf(v)]
    if not known:
        return say("delivery.never")
    return say("delivery.beyond", longest=span(max(known)))
