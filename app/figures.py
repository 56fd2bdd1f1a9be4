"""Headline figures: frames → tiles, each with its denominator. No Streamlit here."""

from __future__ import annotations

import math
from collections.abc import Sequence

import polars as pl

from app import meaning
from app.text import say
from app.tiles import HOUR, NOTHING, Tile, hours, share, span
from queries.operations import Progress, Vitals

#: States in which a device-hour counts as delivered.
DELIVERED = ("complete", "partial", "corrupt")
NOT_EXPECTED = ("pending", "not_registered")
STATUSES = ("reporting", "late", "silent", "parked", "never_seen")
NEED_A_LOOK = ("silent", "never_seen", "late")
NOT_REPORTING = ("late", "silent", "parked", "never_seen")


def fatigue(cases: pl.DataFrame, exposure: dict[str, float]) -> list[Tile]:
    """Cases beside what was not seen."""
    moving, blind = exposure["moving_s"], exposure["blind_moving_s"]
    return [
        Tile(
            say("fatigue.cases"),
            f"{cases.height:,}" if exposure["units"] else NOTHING,
            say("fatigue.cases.of"),
            meaning.of("fatigue.cases"),
        ),
        Tile(
            say("fatigue.units"),
            f"{cases['unitno'].n_unique():,}" if exposure["units"] else NOTHING,
            say("fatigue.units.of", units=f"{exposure['units']:,}"),
            meaning.of("fatigue.units"),
        ),
        Tile(
            say("fatigue.blind"),
            share(blind, moving),
            say("fatigue.blind.of", blind=hours(blind), moving=hours(moving)),
            meaning.of("fatigue.blind", say("fatigue.blind.help")),
        ),
        Tile(
            say("fatigue.no_data"),
            share(exposure["no_data_s"], exposure["day_s"]),
            say(
                "fatigue.no_data.of",
                hours=hours(exposure["no_data_s"]),
                day=hours(exposure["day_s"]),
            ),
            meaning.of(
                "fatigue.no_data",
                say("fatigue.no_data.help", km=f"{exposure['unobserved_km']:,.1f}"),
            ),
        ),
    ]


def watched(exposure: dict[str, float]) -> dict[str, str]:
    """Hours seen, blind and without data, for a sentence."""
    seen = exposure["moving_s"] - exposure["blind_moving_s"]
    return {
        "seen": hours(seen),
        "blind": hours(exposure["blind_moving_s"]),
        "none": hours(exposure["no_data_s"]),
    }


def overview(units: pl.DataFrame, cases: pl.DataFrame, cells: pl.DataFrame) -> list[Tile]:
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


def statuses(units: pl.DataFrame) -> list[Tile]:
    """Registered units by their status now."""
    counts = dict(units["status"].value_counts().iter_rows())
    return [
        Tile(
            say(f"status.{status}"),
            f"{counts.get(status, 0):,}",
            say("fleet.of", units=f"{units.height:,}"),
            say(f"status.{status}.help"),
        )
        for status in STATUSES
    ]


def definitions(statuses: Sequence[str]) -> str:
    """What some statuses mean, in a line."""
    said = (f"{say(f'status.{name}')}: {say(f'status.{name}.help')}" for name in statuses)
    return " ".join(said)


def doing(units: pl.DataFrame) -> pl.DataFrame:
    """Units with what each does now: its last state while it reports, else its status."""
    state = pl.col("last_state").fill_null("unknown")
    return units.with_columns(
        pl.when(pl.col("status") == "reporting").then(state).otherwise("status").alias("doing")
    )


def expected(cells: pl.DataFrame) -> pl.DataFrame:
    """Device-hours of registered devices whose hour and grace are over, or that came earlier."""
    return cells.filter(~pl.col("state").is_in(NOT_EXPECTED))


def delivered(cells: pl.DataFrame) -> pl.DataFrame:
    """Expected device-hours whose file came."""
    return cells.filter(pl.col("state").is_in(DELIVERED))


def delivery(cells: pl.DataFrame) -> list[Tile]:
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


def engine(minutes: pl.DataFrame, exceeded: pl.DataFrame, span_h: float) -> list[Tile]:
    """Observed time, exceedances and the speed gap of one unit."""
    gaps = minutes["speed_gap_mean"].drop_nulls().to_list()
    peaks = minutes["speed_gap_max"].drop_nulls().to_list()
    return [
        Tile(
            say("engine.observed"),
            f"{float(minutes['seconds'].sum()) / HOUR:,.1f} h",
            say("engine.observed.of", span=f"{span_h:,.0f}"),
            meaning.of("engine.observed"),
        ),
        Tile(
            say("engine.exceedances"),
            f"{exceeded.height:,}",
            say("engine.exceeded.of", crit=exceeded.filter(pl.col("level") == "crit").height),
            meaning.of("engine.exceedances"),
        ),
        Tile(
            say("engine.gap"),
            f"{sum(gaps) / len(gaps):.1f} km/h" if gaps else NOTHING,
            say("engine.gap.of", largest=f"{max(peaks):.1f}") if peaks else NOTHING,
            meaning.of("engine.gap", say("engine.gap.help")),
        ),
    ]


def ingestion(now: Vitals, lines: dict[str, int]) -> list[Tile]:
    """Worker, backlog, set aside, accepted."""
    progress = now.progress
    return [
        _worker(now),
        Tile(
            say("ingestion.files_in"),
            f"{progress.done:,}",
            say("ingestion.backlog.of", total=progress.total),
        ),
        Tile(
            say("ingestion.backlog"),
            f"{progress.pending:,}",
            _oldest(progress),
        ),
        Tile(
            say("ingestion.failed"),
            f"{progress.failed:,}",
            say("ingestion.failed.of", total=progress.total),
        ),
        Tile(
            say("ingestion.accepted"),
            share(lines["accepted"], lines["lines"]),
            say("ingestion.accepted.of", accepted=lines["accepted"], lines=lines["lines"]),
            meaning.of("ingestion.accepted"),
        ),
    ]


def _worker(now: Vitals) -> Tile:
    label = say("ingestion.worker")
    if now.worker_seen_s is None:
        return Tile(label, say("ingestion.worker.gone"), say("ingestion.worker.none"))
    key = "ingestion.worker.alive" if now.worker_alive else "ingestion.worker.dead"
    state = (now.worker_state or NOTHING) if now.worker_alive else say("ingestion.worker.gone")
    return Tile(label, state.capitalize(), say(key, seconds=f"{now.worker_seen_s:.0f}"))


def _oldest(progress: Progress) -> str:
    if progress.oldest_s is None:
        return say("ingestion.oldest.none")
    return f"{say('ingestion.oldest')}: {span(progress.oldest_s)}"


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
