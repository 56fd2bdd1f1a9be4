"""The state of the fleet in a sentence and in tiles. No Streamlit here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from app import meaning
from app.figures.delivery import counted, delivered, expected
from app.figures.fleet import NEED_A_LOOK, definitions
from app.shift import Shift
from app.text import say, spelled
from app.tiles import NOTHING, Tile, hours, share, signed
from pipeline.localtime import CLOSES_AFTER

#: A case of this severity is critical: from 50 m driven with eyes closed.
CRITICAL = 3
HOUR = timedelta(hours=1)
#: A unit whose last second is no older counts as reporting: see ``queries/sql/unit_now.sql``.
FRESH = timedelta(minutes=75)
SHIFT_LENGTH = timedelta(hours=12)


@dataclass(frozen=True)
class Now:
    """What the overview is made of.

    ``units``: one row a registered device with its status. ``recent``: what became of the
    device-hours of this shift, or of the days chosen: state, due, hours, and how many of these are
    ``uncovered``. ``cells``: device-hours of this shift and of the one before. ``cases``: severity,
    started_at, arrived_at, waiting. ``watched``: seconds moving and unseen, by shift. ``shift`` is
    None, and there are no ``cells``, where days were chosen: then figures are about them, and
    compared with nothing.
    """

    units: pl.DataFrame
    recent: pl.DataFrame
    cells: pl.DataFrame
    cases: pl.DataFrame
    watched: pl.DataFrame
    shift: Shift | None
    zone: str
    params: tuple[tuple[str, str], ...] = ()

    @property
    def since(self) -> str:
        """What figures are about, for a sentence."""
        if self.shift is None:
            return say("home.since.days")
        start = self.shift.start.astimezone(ZoneInfo(self.zone))
        return say("home.since.shift", clock=start.strftime("%H:%M"), shift=self.shift.number)

    @property
    def nothing(self) -> bool:
        """Whether there is neither a unit nor an hour to tell of."""
        return all(frame.is_empty() for frame in (self.units, self.recent, self.cells))

    @property
    def earlier(self) -> tuple[int, int, int] | None:
        """Delivered, expected and missing by this time of the shift before; None: nothing known."""
        if self.shift is None:
            return None
        found = by_then(self.cells, self.shift.before, self.shift.before_now)
        return found if found[1] else None


def by_state(cells: pl.DataFrame, since: datetime) -> pl.DataFrame:
    """Device-hours from a moment on, summed up: state, due, hours, uncovered (no coverage)."""
    uncovered = (pl.col("cause") == "no_coverage").sum().alias("uncovered")
    recent = cells.filter(pl.col("hour_start") >= since)
    return recent.group_by("state", "due").agg(pl.len().alias("hours"), uncovered)


def by_then(cells: pl.DataFrame, start: datetime, end: datetime) -> tuple[int, int, int]:
    """Delivered, expected and missing device-hours of ``[start, end)`` as known at ``end``.

    Only hours whose grace was over by then.
    """
    part = cells.filter(
        pl.col("hour_start") >= start,
        pl.col("hour_start") + HOUR + CLOSES_AFTER <= end,
        pl.col("state") != "not_registered",
    )
    came = (pl.col("arrived_at") <= end).fill_null(False)
    gone = ~came & (pl.col("state") != "proven_off")
    row = part.select(came.sum(), gone.sum().alias("gone")).row(0)
    return int(row[0]), part.height, int(row[1])


def reporting_at(cells: pl.DataFrame, moment: datetime) -> int | None:
    """Units that reported at an earlier moment; None where nothing is known of it."""
    came = cells.filter(pl.col("arrived_at") <= moment, pl.col("state") != "not_registered")
    if came.is_empty():
        return None
    fresh = came.filter(pl.col("hour_start") + HOUR >= moment - FRESH)
    return fresh["deviceid"].n_unique()


def uncovered(now: Now) -> tuple[int, int]:
    """Missing device-hours, and how many of them for want of coverage."""
    missing = now.recent.filter(pl.col("state") == "missing")
    return counted(missing), int(missing["uncovered"].sum())


def unseen(now: Now, shift: tuple[str, int] | None) -> tuple[float, float]:
    """Seconds moved with the eyes unseen, and seconds moved: of a shift, or of all there is."""
    part = now.watched
    if shift is not None:
        part = part.filter(pl.col("hiveperiod") == shift[0], pl.col("shift") == shift[1])
    return float(part["blind_moving_s"].sum()), float(part["moving_s"].sum())


def critical(cases: pl.DataFrame) -> pl.DataFrame:
    """Cases that cannot wait."""
    return cases.filter(pl.col("severity") >= CRITICAL)


def waiting(cases: pl.DataFrame) -> pl.DataFrame:
    """Cases that are to be contacted, and nobody did: those of the page of fatigue events."""
    return cases.filter("waiting")


def tiles(now: Now) -> list[Tile]:
    """The most urgent figure of each page, with what it is a part of and how it was before."""
    return [_reporting(now), _attention(now), _waiting(now), *_delivery(now), _unseen(now)]


def _reporting(now: Now) -> Tile:
    status = now.units["status"]
    reporting, parked = (int((status == name).sum()) for name in ("reporting", "parked"))
    before = reporting_at(now.cells, now.shift.now - SHIFT_LENGTH) if now.shift else None
    return Tile(
        say("status.reporting"),
        f"{reporting:,}",
        say("home.expected.of", expected=now.units.height - parked, parked=parked),
        say("status.reporting.help"),
        "" if before is None else say("home.change.units", change=signed(reporting - before)),
        "fleet_health",
        now.params,
    )


def _attention(now: Now) -> Tile:
    fell = 0
    if now.shift:
        edge = now.shift.now - SHIFT_LENGTH
        fell = fell_silent(now.units, edge).height
    return Tile(
        say("home.attention"),
        f"{now.units.filter(pl.col('status').is_in(NEED_A_LOOK)).height:,}",
        say("fleet.of", units=f"{now.units.height:,}"),
        definitions(NEED_A_LOOK),
        say("home.change.silent", n=fell) if now.shift else "",
        "fleet_health",
        now.params,
    )


def _waiting(now: Now) -> Tile:
    worst, change = critical(now.cases), ""
    if now.shift:
        shift, began = now.shift, pl.col("started_at")
        change = say(
            "home.change.cases",
            now=worst.filter(began >= shift.start).height,
            before=worst.filter(began >= shift.before, began < shift.before_now).height,
        )
    return Tile(
        say("home.waiting"),
        f"{waiting(worst).height:,}",
        say("home.waiting.of", critical=worst.height, cases=now.cases.height),
        meaning.of("home.waiting", say("fatigue.waiting.help")),
        change,
        "fatigue_events",
        now.params,
    )


def _delivery(now: Now) -> list[Tile]:
    came, due = counted(delivered(now.recent)), counted(expected(now.recent))
    missing, blank = uncovered(now)
    pending = counted(now.recent, "pending")
    points = more = ""
    if now.earlier is not None:
        before, due_before, missing_before = now.earlier
        more = say("home.change.missing", change=signed(missing - missing_before))
        if due:
            difference = 100 * (came / due - before / due_before)
            points = say("home.change.delivered", change=signed(difference, 1))
    of = say("home.delivered.of", delivered=came, expected=due, since=now.since)
    gaps = say("home.missing.of", since=now.since, uncovered=blank, pending=pending)
    return [
        Tile(
            say("delivery.fulfilment"),
            share(came, due),
            of if due else say("home.delivery.none", since=now.since),
            meaning.of("delivery.fulfilment"),
            points,
            "data_delivery",
            now.params,
        ),
        Tile(
            say("delivery.missing"),
            f"{missing:,}",
            gaps,
            meaning.of("delivery.missing"),
            more,
            "data_delivery",
            now.params,
        ),
    ]


def _unseen(now: Now) -> Tile:
    shift = now.shift
    blind, moving = unseen(now, (shift.day, shift.number) if shift else None)
    change = ""
    if shift:
        blind_before, moving_before = unseen(now, shift.previous)
        if moving and moving_before:
            difference = 100 * (blind / moving - blind_before / moving_before)
            change = say("home.change.unseen", change=signed(difference, 1))
    return Tile(
        say("fatigue.blind"),
        share(blind, moving) if moving else NOTHING,
        say("home.unseen.of", blind=hours(blind), moving=hours(moving), since=now.since),
        meaning.of("fatigue.blind", say("fatigue.blind.help")),
        change,
        "fatigue_events",
        now.params,
    )


def fell_silent(units: pl.DataFrame, since: datetime) -> pl.DataFrame:
    """Units that are silent now and were not yet at a moment."""
    edge = pl.col("last_seen") + HOUR + CLOSES_AFTER
    return units.filter(pl.col("status") == "silent", edge > since)


def sentence(now: Now) -> str:
    """The state of the fleet in a sentence (Markdown; only our own words and numbers)."""
    said = say("home.sentence", units=_units(now), cases=_cases(now), delivery=_files(now))
    # A sentence may begin with a number in bold, or with a word.
    return spelled(said[:1].upper() + said[1:])


def _units(now: Now) -> str:
    due = now.units.filter(pl.col("status") != "parked").height
    reporting = now.units.filter(pl.col("status") == "reporting").height
    if not due:
        return say("home.units.none")
    return say("home.units.said", reporting=reporting, expected=due)


def _cases(now: Now) -> str:
    waits = waiting(now.cases)
    worst = critical(waits).height
    if worst:
        return say("home.cases.critical.one" if worst == 1 else "home.cases.critical", n=worst)
    if waits.height:
        return say("home.cases.other", n=waits.height)
    if now.cases.height:
        return say("home.cases.seen", n=now.cases.height)
    blind, moving = unseen(now, None)
    return say("home.cases.none" if moving > blind else "home.cases.unseen")


def _files(now: Now) -> str:
    came, due = counted(delivered(now.recent)), counted(expected(now.recent))
    if not due:
        return say("home.delivery.none", since=now.since)
    missing, blank = uncovered(now)
    said = say("home.delivery.said", share=share(came, due), since=now.since)
    if missing:
        one = "home.delivery.missing.one" if missing == 1 else "home.delivery.missing"
        said += say(one, n=missing)
    return said + (say("home.delivery.uncovered", n=blank) if blank else "")
