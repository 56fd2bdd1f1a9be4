"""Fulfilment, what is missing and why, how late the rest came. No Streamlit here."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

import polars as pl

from app import meaning
from app.text import say
from app.tiles import HOUR, NOTHING, Tile, share, span
from queries.ingestion import Availability

#: States in which a device-hour counts as delivered.
DELIVERED = ("complete", "partial", "corrupt")

#: Devices drawn, a row each; the table below the grid has them all.
SHOWN = 32

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


def expected(states: pl.DataFrame) -> pl.DataFrame:
    """Device-hours of registered devices whose hour and grace are over.

    What came within the grace is left out as well: counted alone, without what may still come, it
    would make every shift begin at 100 %.
    """
    return states.filter(pl.col("due"), ~pl.col("state").is_in(NOT_EXPECTED))


def delivered(states: pl.DataFrame) -> pl.DataFrame:
    """Expected device-hours whose file came."""
    return expected(states).filter(pl.col("state").is_in(DELIVERED))


def counted(states: pl.DataFrame, *names: str) -> int:
    """How many device-hours are in some states; in all of them where none is named."""
    return int(states.filter(pl.col("state").is_in(names) | (not names))["hours"].sum())


def tiles(states: pl.DataFrame) -> list[Tile]:
    """Fulfilment by files and by rows, with and without proven off; missing, late, delay.

    ``states``: one row a device, state and ``due``, with ``hours``; see ``delivery_devices.sql``.
    """
    due, came = counted(expected(states)), counted(delivered(states))
    off = counted(states, "proven_off")
    rows, late = (int(delivered(states)[name].sum()) for name in ("rows", "late"))
    on = due - off
    middle, p95 = delay(states, 0.5), delay(states, 0.95)
    return [
        Tile(
            say("delivery.fulfilment"),
            share(came, due),
            say(
                "delivery.fulfilment.of",
                delivered=came,
                expected=due,
                first=share(came - late, due),
            ),
            meaning.of("delivery.fulfilment", say("delivery.fulfilment.help")),
        ),
        Tile(
            say("delivery.rows"),
            share(rows, due * HOUR),
            say("delivery.rows.of", rows=rows, expected=due * HOUR),
            meaning.of("delivery.rows", say("delivery.rows.help")),
        ),
        Tile(
            say("delivery.without"),
            share(came, on),
            say("delivery.without.of", expected=on, off=off, rows=share(rows, on * HOUR)),
            meaning.of("delivery.without", say("delivery.without.help")),
        ),
        Tile(
            say("delivery.missing"),
            f"{counted(states, 'missing'):,}",
            say("delivery.missing.of", expected=due, pending=counted(states, "pending")),
            meaning.of("delivery.missing"),
        ),
        Tile(
            say("delivery.late"),
            f"{late:,}",
            say("delivery.late.of", delivered=came),
            meaning.of("delivery.late"),
        ),
        Tile(
            say("delivery.delay"),
            middle,
            say("delivery.delay.of", p95=p95),
            meaning.of("delivery.delay", say("delivery.delay.help")),
        ),
    ]


def keeping_up(states: pl.DataFrame, backlog: pl.DataFrame, current: Availability) -> list[Tile]:
    """What is still to come from the devices, what never will, whether ingestion kept pace."""
    said = backlog.height
    devices = devices_of(states)
    waiting = backlog.filter(pl.col("files") > 0)
    return [
        Tile(
            say("delivery.backlog"),
            f"{int(waiting['files'].sum()):,}" if said else NOTHING,
            say("delivery.backlog.of", waiting=waiting.height, said=said, devices=devices),
            meaning.of("delivery.backlog", say("delivery.backlog.help")),
        ),
        _lost(states),
        Tile(
            say("delivery.availability"),
            share(current.current, current.of),
            say("delivery.availability.of", current=current.current, hours=current.of)
            if current.of
            else say("delivery.availability.none"),
            say("delivery.availability.help"),
        ),
    ]


def _lost(states: pl.DataFrame) -> Tile:
    """Rows that the devices themselves lost, of the hours that are built."""
    due = expected(states)
    built, lost, seen = (int(due[name].sum()) for name in ("built", "lost", "counted"))
    said = {"share": share(lost, seen), "counted": seen, "built": built}
    return Tile(
        say("delivery.lost"),
        f"{lost:,}" if built else NOTHING,
        say("delivery.lost.of", **said, expected=counted(due)),
        meaning.of("delivery.lost", say("delivery.lost.help")),
    )


def devices_of(states: pl.DataFrame) -> int:
    """How many devices there are."""
    return states.select("district", "deviceid").n_unique()


def judged(states: pl.DataFrame) -> pl.DataFrame:
    """What has a delay: hours proven off were never going to come."""
    return expected(states).filter(pl.col("state") != "proven_off")


def delay(states: pl.DataFrame, quantile: float) -> str:
    """A quantile of the arrival delay; what has not come is later than all that has."""
    values = judged(states)["delays"].explode().fill_null(math.inf).sort()
    if values.is_empty():
        return NOTHING
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


def outages(states: pl.DataFrame) -> pl.DataFrame:
    """One row a device, longest outage first: district, deviceid, longest, hours_out, …

    ``longest``: the most hours in a row that are missing or corrupt; ``hours_out``: all of them.
    """
    device = ["district", "deviceid"]
    begins = states.select(*device, "out").explode("out").drop_nulls("out").sort(*device, "out")
    apart = (pl.col("out").diff() > timedelta(hours=1)).fill_null(True)
    runs = begins.with_columns(apart.cum_sum().over(device).alias("run"))
    longest = (
        runs.group_by(*device, "run").len("longest").group_by(device).agg(pl.col("longest").max())
    )
    summed = states.group_by(device).agg(
        pl.col("out").list.len().sum().alias("hours_out"),
        pl.col("hours").filter(pl.col("state") == "partial").sum().alias("partial"),
        pl.col("late").sum(),
    )
    ranked = summed.join(longest, on=device, how="left")
    keys = ["longest", "hours_out", "partial", "late", *device]
    return ranked.with_columns(pl.col("longest").fill_null(0)).sort(
        keys, descending=[True] * 4 + [False] * 2
    )


def drawn(states: pl.DataFrame) -> list[tuple[str, str]]:
    """(district, device) from top to bottom: the longest outages, kept together by district.

    The district that is worst off stands on top.
    """
    worst = outages(states).select("district", "deviceid").head(SHOWN).rows()
    districts = list(dict.fromkeys(district for district, _ in worst))
    return sorted(worst, key=lambda row: districts.index(row[0]))


def cell_words(cell: dict[str, object]) -> dict[str, object]:
    """What an opened device-hour is called: unit, device, local time, state in words."""
    hour = datetime.strptime(str(cell["hour"]), "%Y%m%d%H")
    return {
        "unit": cell["unitno"] or cell["deviceid"],
        "device": cell["deviceid"],
        "time": f"{hour:%Y-%m-%d %H:00}",
        "state": say(f"cell.{cell['state']}"),
    }
