"""Fulfilment, what is missing and why, how late the rest came. No Streamlit here."""

from __future__ import annotations

import math
from datetime import datetime

import polars as pl

from app import meaning
from app.text import say
from app.tiles import HOUR, NOTHING, Tile, share, span
from queries.ingestion import Availability

#: States in which a device-hour counts as delivered.
DELIVERED = ("complete", "partial", "corrupt")

NOT_EXPECTED = ("pending", "not_registered")

#: Why an hour is missing, in the order in which they are told.
CAUSES = (
    "no_coverage",
    "lost_on_device",
    "stuck_backlog",
    "device_off",
    "parked",
    "our_failure",
    "unknown",
)


def expected(cells: pl.DataFrame) -> pl.DataFrame:
    """Device-hours of registered devices whose hour and grace are over, or that came earlier."""
    return cells.filter(~pl.col("state").is_in(NOT_EXPECTED))


def delivered(cells: pl.DataFrame) -> pl.DataFrame:
    """Expected device-hours whose file came."""
    return cells.filter(pl.col("state").is_in(DELIVERED))


def tiles(cells: pl.DataFrame) -> list[Tile]:
    """Fulfilment by files and by rows, with and without proven off; missing, late, delay."""
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
            meaning.of("delivery.fulfilment", say("delivery.fulfilment.help")),
        ),
        Tile(
            say("delivery.rows"),
            share(rows, due.height * HOUR),
            say("delivery.rows.of", rows=rows, expected=due.height * HOUR),
            meaning.of("delivery.rows", say("delivery.rows.help")),
        ),
        Tile(
            say("delivery.without"),
            share(came.height, on.height),
            say(
                "delivery.without.of",
                expected=on.height,
                off=due.height - on.height,
                rows=share(rows, on.height * HOUR),
            ),
            meaning.of("delivery.without", say("delivery.without.help")),
        ),
        Tile(
            say("delivery.missing"),
            f"{missing:,}",
            say("delivery.missing.of", expected=due.height, pending=pending),
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


def keeping_up(cells: pl.DataFrame, backlog: pl.DataFrame, current: Availability) -> list[Tile]:
    """What is still to come from the devices, and whether ingestion kept pace."""
    said = backlog.height
    devices = cells.select("district", "deviceid").n_unique()
    waiting = backlog.filter(pl.col("files") > 0)
    return [
        Tile(
            say("delivery.backlog"),
            f"{int(waiting['files'].sum()):,}" if said else NOTHING,
            say("delivery.backlog.of", waiting=waiting.height, said=said, devices=devices),
            meaning.of("delivery.backlog", say("delivery.backlog.help")),
        ),
        Tile(
            say("delivery.availability"),
            share(current.current, current.of),
            say("delivery.availability.of", current=current.current, hours=current.of)
            if current.of
            else say("delivery.availability.none"),
            say("delivery.availability.help"),
        ),
    ]


def delay(due: pl.DataFrame, quantile: float) -> str:
    """A quantile of the arrival delay; what has not come is later than all that has."""
    # Hours proven off were never going to come: they are no delay.
    judged = due.filter(pl.col("state") != "proven_off")
    if judged.is_empty():
        return NOTHING
    values = judged["delay_s"].fill_null(math.inf).sort()
    value = float(values[min(math.ceil(quantile * len(values)), len(values)) - 1])
    if not math.isinf(value):
        return span(max(value, 0.0))
    known = values.filter(values.is_finite())
    if known.is_empty():
        return say("delivery.never")
    return say("delivery.beyond", longest=span(float(known[-1])))


def causes(cells: pl.DataFrame) -> pl.DataFrame:
    """One row a cause that occurs: cause, hours, devices, confidence (None: not calibrated)."""
    found = cells.filter(pl.col("cause").is_not_null(), pl.col("state") != "not_registered")
    rank = pl.col("cause").replace_strict(
        {name: i for i, name in enumerate(CAUSES)}, default=len(CAUSES), return_dtype=pl.Int64
    )
    return (
        found.group_by("cause")
        .agg(
            pl.len().alias("hours"),
            pl.struct("district", "deviceid").n_unique().alias("devices"),
            pl.col("cause_confidence").mean().alias("confidence"),
        )
        .sort(rank)
    )


def outages(cells: pl.DataFrame) -> pl.DataFrame:
    """One row a device, longest outage first: district, deviceid, unitno, longest, out, …

    ``longest``: the most hours in a row that are missing or corrupt; ``out``: all of them.
    """
    device = ["district", "deviceid"]
    ordered = cells.sort("hour_start").with_columns(
        pl.col("state").is_in(["missing", "corrupt"]).alias("bad")
    )
    runs = ordered.with_columns(pl.col("bad").rle_id().over(device).alias("run"))
    longest = (
        runs.filter("bad").group_by(*device, "run").len().group_by(device).agg(pl.col("len").max())
    )
    summed = ordered.group_by(device).agg(
        pl.col("unitno").drop_nulls().last(),
        pl.col("bad").sum().alias("out"),
        (pl.col("state") == "partial").sum().alias("partial"),
        pl.col("late").sum(),
    )
    ranked = summed.join(longest.rename({"len": "longest"}), on=device, how="left")
    keys = ["longest", "out", "partial", "late", *device]
    return ranked.with_columns(pl.col("longest").fill_null(0)).sort(
        keys, descending=[True] * 4 + [False] * 2
    )


def cell_words(cell: dict[str, object]) -> dict[str, object]:
    """What an opened device-hour is called: unit, device, local time, state in words."""
    hour = datetime.strptime(str(cell["hour"]), "%Y%m%d%H")
    return {
        "unit": cell["unitno"] or cell["deviceid"],
        "device": cell["deviceid"],
        "time": f"{hour:%Y-%m-%d %H:00}",
        "state": say(f"cell.{cell['state']}"),
    }
