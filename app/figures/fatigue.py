"""Figures of fatigue: cases and what people said of them beside what was not seen.

No Streamlit here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl

from app import meaning
from app.daylight import in_ramadan
from app.text import known, plain, say, spelled
from app.tiles import HOUR, NOTHING, Tile, hours, share, span
from pipeline.fields import bands
from pipeline.localtime import next_day
from pipeline.storage.reviews import FALSE_ALARM, NEW, VERDICTS

ON_SHIFT, SHIFT_ENDED, FOR_RECORD = "on_shift", "shift_ended", "for_record"
GROUPS = (ON_SHIFT, SHIFT_ENDED, FOR_RECORD)

#: What is found of a driver: cases by their strongest evidence, and what never is a case.
KINDS = ("microsleep", "drowsy", "yawning", "device_alarm", "distraction", "not_tracked")

EVERY_DAY, RAMADAN, OTHER_DAYS = "every_day", "ramadan", "other_days"

#: Production day and number of a shift.
Shift = tuple[str, int]

#: An operator comes back so long after a shift: until then a case of it is to be followed up.
NEXT_SHIFT = timedelta(hours=12)
#: The first minute of an operator's shift may lie so far behind the start of the unit's drive.
SEAT_SLACK = timedelta(minutes=5)


def waits(now: datetime) -> pl.Expr:
    """Whether a case, with its ``state`` and ``until_at`` of its shift, waits for contact.

    Nobody took it on, and the next shift of its operator is still to come: else it is for the
    record.
    """
    due = pl.col("until_at") + NEXT_SHIFT > now
    return ((pl.col("state") == NEW) & due).fill_null(False).alias("waiting")


def queue(cases: pl.DataFrame, shifts: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Cases with ``group``, ``waiting`` (to be contacted, and nobody did) and ``clock_s``.

    *on_shift*: the same operator is still at work on that unit in the newest data, and the shift of
    the case is not over. *shift_ended*: the next shift of that operator is still to come. The rest,
    and what has a verdict, is *for_record*. ``clock_s`` runs from the arrival of the data until
    somebody took the case on. Most urgent first.
    """
    due = ~pl.col("state").is_in(VERDICTS)
    until = pl.col("until_at")
    group = (
        pl.when(due & pl.col("same_operator") & (until > now))
        .then(pl.lit(ON_SHIFT))
        .when(due & (until + NEXT_SHIFT > now))
        .then(pl.lit(SHIFT_ENDED))
        .otherwise(pl.lit(FOR_RECORD))
    )
    keys = ["hiveperiod", "dstrct_code", "shift"]
    placed = cases.join(shifts, on=keys, how="left").with_columns(group.alias("group"))
    return placed.with_columns(
        waits(now),
        (pl.col("acknowledged_at").fill_null(now) - pl.col("arrived_at"))
        .dt.total_seconds()
        .clip(lower_bound=0)
        .alias("clock_s"),
    ).sort(
        pl.col("group").replace_strict(GROUPS, range(len(GROUPS)), return_dtype=pl.Int64),
        ~pl.col("waiting"),
        -pl.col("severity").fill_null(1),
        -pl.col("metres_closed").fill_null(0),
        "started_at",
        "case_id",
    )


def of_shift(queued: pl.DataFrame, shift: Shift) -> pl.DataFrame:
    """Cases of one shift, in the order given."""
    return queued.filter(hiveperiod=shift[0], shift=shift[1])


def of_kinds(found: pl.DataFrame, kinds: Sequence[str]) -> pl.DataFrame:
    """Cases or spells of some kinds; of all where none is named."""
    return found.filter(pl.col("kind").is_in(list(kinds))) if kinds else found


def seasons(days: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Days by season: all of them, and, where there are both, those in and outside of Ramadan."""
    fasting = in_ramadan(days)
    found = {EVERY_DAY: tuple(days)}
    if fasting and len(fasting) < len(days):
        other = tuple(day for day in days if day not in fasting)
        found |= {RAMADAN: fasting, OTHER_DAYS: other}
    return found


def shift_span(times: pl.DataFrame, shift: Shift) -> tuple[datetime, datetime]:
    """Begin and end of a shift, of all districts together (UTC)."""
    own = of_shift(times, shift)
    begin, end = own["from_at"].to_list(), own["until_at"].to_list()
    return min(begin), max(end)


def spot(
    seconds: pl.DataFrame, track: pl.DataFrame, case: Mapping[str, Any]
) -> tuple[float, float] | None:
    """(lat, lon) of a case: of its seconds, else of its minute; None where neither has one."""
    at = case["started_at"]
    for frame, column, near in (
        (seconds, "ts", timedelta(seconds=30)),
        (track, "minute", timedelta(minutes=2)),
    ):
        close = frame.drop_nulls(["lat", "lon"]).filter((pl.col(column) - at).abs() <= near)
        if close.height:
            first = close.sort((pl.col(column) - at).abs()).row(0, named=True)
            return first["lat"], first["lon"]
    return None


def clock(seconds: float) -> str:
    """A contact clock, to the minute: 1 h 05."""
    minutes = max(int(seconds // 60), 0)
    return f"{minutes // 60:,} h {minutes % 60:02}" if minutes >= 60 else f"{minutes} min"


def waited(arrived: datetime, until: datetime) -> str:
    """The contact clock: how long data of a case had been there."""
    return clock((until - arrived).total_seconds())


def counts(queued: pl.DataFrame) -> dict[str, int]:
    """How many cases stand in each group."""
    return {group: queued.filter(group=group).height for group in GROUPS}


def tiles(queued: pl.DataFrame, exposure: Mapping[str, float]) -> list[Tile]:
    """Who waits, what became of the rest, and what was not seen."""
    waiting = queued.filter("waiting")
    judged = queued.filter(pl.col("state").is_in(VERDICTS))
    wrong = judged.filter(state=FALSE_ALARM)
    numbers = {group: waiting.filter(group=group).height for group in GROUPS}
    moving, blind = exposure["moving_s"], exposure["blind_moving_s"]
    no_data, day = exposure["no_data_s"], exposure["day_s"]
    km = spelled(f"{exposure['unobserved_km']:,.1f}")
    worked = spelled(f"{exposure['unobserved_h']:,.1f}")
    return [
        Tile(
            say("fatigue.waiting"),
            f"{waiting.height:,}" if exposure["units"] else NOTHING,
            say("fatigue.waiting.of", all=f"{queued.height:,}", **numbers),
            meaning.of("fatigue.waiting", say("fatigue.waiting.help")),
        ),
        Tile(
            say("fatigue.reviewed"),
            f"{judged.height:,}" if queued.height else NOTHING,
            say("fatigue.reviewed.of", all=f"{queued.height:,}"),
            say("fatigue.reviewed.help"),
        ),
        Tile(
            say("fatigue.false"),
            share(wrong.height, judged.height),
            say("fatigue.false.of", wrong=f"{wrong.height:,}", judged=f"{judged.height:,}"),
            say("fatigue.false.help"),
        ),
        Tile(
            say("fatigue.blind"),
            share(blind, moving),
            say("fatigue.blind.of", blind=hours(blind), moving=hours(moving)),
            meaning.of("fatigue.blind", say("fatigue.blind.help")),
        ),
        Tile(
            say("fatigue.no_data"),
            share(no_data, day),
            say("fatigue.no_data.of", hours=hours(no_data), day=hours(day), km=km, worked=worked),
            meaning.of("fatigue.no_data", say("fatigue.no_data.help")),
        ),
    ]


def watched(exposure: Mapping[str, float]) -> dict[str, str]:
    """Hours seen, blind and without data, for a sentence."""
    seen = exposure["moving_s"] - exposure["blind_moving_s"]
    return {
        "seen": spelled(hours(seen)),
        "blind": spelled(hours(exposure["blind_moving_s"])),
        "none": spelled(hours(exposure["no_data_s"])),
    }


def facts(
    case: Mapping[str, Any],
    roster: pl.DataFrame,
    seat: Mapping[str, Any] | None,
    ladder: Sequence[str],
) -> list[tuple[str, str]]:
    """(what, value) of an opened case, in the order in which people ask. Values are Markdown."""
    return [
        (say("fatigue.fact.closed"), _closed(case)),
        (say("fatigue.fact.share"), _share(case)),
        (say("fatigue.fact.evidence"), _evidence(case)),
        (say("fatigue.fact.seat"), _seat(case, seat, took_over(roster))),
        (say("fatigue.fact.row"), _row(roster)),
        (say("fatigue.fact.nth"), _nth(roster, ladder)),
    ]


def _closed(case: Mapping[str, Any]) -> str:
    metres, speed, closure = (case[key] for key in ("metres_closed", "speed_kmh", "closure_s"))
    return " · ".join(
        [
            NOTHING if metres is None else f"**{metres:,.0f} m**",
            NOTHING if closure is None else say("fatigue.fact.longest", seconds=f"{closure:.1f}"),
            NOTHING if speed is None else f"{speed:.0f} km/h",
        ]
    )


def _share(case: Mapping[str, Any]) -> str:
    """The closed share with its lower limit beside what is usual; only the lower one is kept."""
    if case["closed_share"] is None:
        return NOTHING
    shown = {
        name: NOTHING if case[key] is None else f"{100 * case[key]:.1f} %"
        for name, key in (("low", "closed_share_low"), ("usual", "usual_share"))
    }
    return say("fatigue.fact.share.of", share=f"{100 * case['closed_share']:.1f} %", **shown)


def _evidence(case: Mapping[str, Any]) -> str:
    source = plain(known(f"evidence.{case['evidence']}", str(case["evidence"])))
    if case["evidence"] == "device":
        return f"{source} · {say('fatigue.fact.device_alone')}"
    agrees = "fatigue.fact.agrees" if case["device_agrees"] else "fatigue.fact.silent"
    return f"{source} · {say(agrees)}"


def took_over(roster: pl.DataFrame) -> datetime | None:
    """When the operator was first seen on the unit of the case in its shift, where that was not
    so already in the shift before; None where nothing tells."""
    own = roster.filter("own")
    if own.is_empty():
        return None
    day, shift = own["hiveperiod"][0], int(own["shift"][0])
    before = (day, 1) if shift == 2 else (next_day(day, -1), 2)
    stayed = roster.filter(
        pl.col("first_minute").is_not_null(), hiveperiod=before[0], shift=before[1]
    )
    first: datetime | None = own["first_minute"][0]
    return first if stayed.is_empty() else None


def _seat(case: Mapping[str, Any], seat: Mapping[str, Any] | None, began: datetime | None) -> str:
    if seat is None:
        return NOTHING
    # The unit may have gone on with another operator: a change takes less than ten minutes.
    if began is not None and began - seat["since"] >= SEAT_SLACK:
        long = span((case["started_at"] - began).total_seconds())
        return say("fatigue.fact.seat.change", long=long)
    long = span((case["started_at"] - seat["since"]).total_seconds())
    text = say("fatigue.fact.seat.of" if seat["found"] else "fatigue.fact.seat.least", long=long)
    unknown = say("fatigue.fact.seat.unknown", long=span(seat["unknown_s"]))
    return f"{text} · {unknown}" if seat["unknown_s"] >= 60 else text


def in_a_row(roster: pl.DataFrame) -> tuple[int, int] | None:
    """(shift, how many days in a row it was worked up to the case); None without an operator."""
    own = roster.filter("own")
    if own.is_empty():
        return None
    shift, last = int(own["shift"][0]), date.fromisoformat(own["hiveperiod"][0])
    worked = {date.fromisoformat(day) for day in roster.filter(shift=shift)["hiveperiod"]}
    number = 1
    while last - timedelta(days=number) in worked:
        number += 1
    return shift, number


def nth_case(roster: pl.DataFrame) -> int | None:
    """The how-many-eth case of the operator in this shift; None without an operator."""
    own = roster.filter("own")
    return None if own.is_empty() or own["cases"][0] is None else int(own["cases"][0])


def suggested(roster: pl.DataFrame, ladder: Sequence[str]) -> str:
    """The step of the ladder for this case: the first time the first one, and so on."""
    return ladder[min(nth_case(roster) or 1, len(ladder)) - 1]


def step(action: str) -> str:
    """A step of the ladder in the reader's language, or as it was set."""
    return known(f"action.{action}", action)


def _row(roster: pl.DataFrame) -> str:
    found = in_a_row(roster)
    if found is None:
        return NOTHING
    shift, number = found
    return say(f"fatigue.fact.row.{'night' if shift == 2 else 'day'}", nth=number)


def _nth(roster: pl.DataFrame, ladder: Sequence[str]) -> str:
    number = nth_case(roster)
    if number is None:
        return NOTHING
    return say("fatigue.fact.nth.of", nth=number, action=plain(step(suggested(roster, ladder))))


def rates(
    units: pl.DataFrame, shifts: Mapping[str, Any], driven: pl.DataFrame
) -> list[tuple[str, str, str]]:
    """(rate, value, denominator); what fewer than five operators make up is withheld.

    ``driven``: as of ``data.fatigue.driving``.
    """
    total = units.sum()
    km, eye_h = float(total["eye_km"][0]), float(total["eye_h"][0])
    confirmed, judged, cases = (int(total[key][0]) for key in ("confirmed", "judged", "cases"))
    standing = int(total["standing"][0])
    of = say("fatigue.rate.judged", judged=f"{judged:,}", all=f"{cases:,}")
    seen, with_confirmed = shifts["observed"] or 0, shifts["with_confirmed"] or 0
    withheld = say("fatigue.withheld") if shifts["withheld"] and cases else NOTHING
    few = bool(shifts["withheld"])
    alike, alone = int(total["alike"][0]), int(total["device_alone"][0])
    return [
        (
            say("fatigue.rate.km"),
            f"{1000 * confirmed / km:.2f}" if km >= 1 and judged and not few else withheld,
            say("fatigue.rate.km.of", n=f"{confirmed:,}", km=f"{km:,.0f}", of=of),
        ),
        (
            say("fatigue.rate.shifts"),
            f"{100 * with_confirmed / seen:.1f}" if seen and judged else withheld,
            say("fatigue.rate.shifts.of", n=f"{with_confirmed:,}", seen=f"{seen:,}", of=of),
        ),
        (
            say("fatigue.rate.standing"),
            f"{100 * standing / eye_h:.1f}" if eye_h >= 1 and not few else withheld,
            say("fatigue.rate.standing.of", n=f"{standing:,}", hours=f"{eye_h:,.1f}"),
        ),
        (
            say("fatigue.rate.agree"),
            share(alike, cases),
            say(
                "fatigue.rate.agree.of",
                both=f"{alike:,}",
                all=f"{cases:,}",
                device=f"{alone:,}",
                ours=f"{cases - alike - alone:,}",
            ),
        ),
        (
            say("fatigue.rate.unseen"),
            share(total["blind_moving_s"][0], total["moving_s"][0]),
            say(
                "fatigue.rate.unseen.of",
                blind=hours(total["blind_moving_s"][0]),
                moving=hours(total["moving_s"][0]),
                none=hours(total["no_data_s"][0]),
                km=f"{total['unobserved_km'][0]:,.0f}",
            ),
        ),
        *_driving(driven.sum().row(0, named=True)),
    ]


def _driving(total: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Too fast, belt open, turned away, not tracked, of all units together."""
    moving = total["moving_s"]
    warn, crit = speed_limits()
    of = {"moving": hours(moving)}

    def per_100_h(number: int) -> str:
        return f"{100 * HOUR * number / moving:.1f}" if moving >= HOUR else NOTHING

    return [
        (
            say("fatigue.rate.over", limit=f"{warn:g}"),
            share(total["over_s"], moving),
            say(
                "fatigue.rate.over.of",
                hours=hours(total["over_s"]),
                n=f"{total['over'] or 0:,}",
                crit=f"{total['over_crit'] or 0:,}",
                limit=f"{crit:g}",
                **of,
            ),
        ),
        (
            say("fatigue.rate.belt"),
            share(total["unbelted_s"], moving),
            say("fatigue.rate.belt.of", hours=hours(total["unbelted_s"]), **of),
        ),
        *(
            (
                say(f"fatigue.rate.{kind}"),
                per_100_h(total[number]),
                say(
                    f"fatigue.rate.{kind}.of",
                    n=f"{total[number]:,}",
                    blind=hours(total["blind_moving_s"]),
                    **of,
                ),
            )
            for kind, number in (("distraction", "distractions"), ("not_tracked", "untracked"))
        ),
    ]


def speed_limits() -> tuple[float, float]:
    """(warn, crit) of the dictionary for the speed, km/h."""
    band = next(band for band in bands() if band.name == "VehicleSpeed")
    return band.warn_high or math.inf, band.crit_high or math.inf


def ranked(units: pl.DataFrame) -> pl.DataFrame:
    """Units by their shrunk rate of cases per 100 hours with the eyes seen; none that saw nothing.

    Empirical Bayes with a Gamma prior by the method of moments (R. J. Marshall, "Mapping disease
    and mortality rates using empirical Bayes estimators", Applied Statistics 40, 1991): with m the
    rate of all units together and A the variance of true rates, a unit of e hours and n cases gets
    m + (n/e - m) * A / (A + m/e). Few hours draw it to the mean; ``weight`` is what it keeps of its
    own rate.
    """
    seen = units.filter(pl.col("eye_h") > 0)
    if seen.is_empty():
        none = pl.lit(None, pl.Float64)
        return seen.with_columns(none.alias(name) for name in ("rate", "shrunk", "weight"))
    all_h = float(seen["eye_h"].sum())
    mean = float(seen["standing"].sum()) / all_h
    rate, e = pl.col("standing") / pl.col("eye_h"), pl.col("eye_h")
    scatter = float(seen.select((e * (rate - mean) ** 2).sum()).item()) / all_h
    between = max(scatter - mean * seen.height / all_h, 0.0)
    weight = between / (between + mean / e) if mean > 0 else pl.lit(0.0)
    return seen.with_columns(
        (100 * rate).alias("rate"),
        (100 * (mean + (rate - mean) * weight)).alias("shrunk"),
        weight.cast(pl.Float64).alias("weight"),
    ).sort("shrunk", "rate", "unitno", descending=[True, True, False])


def changes(tried: pl.DataFrame) -> dict[str, int]:
    """How many cases other thresholds keep, lose and add; of the lost, what people had said."""
    gone = tried.filter(change="gone")
    return {
        "kept": tried.filter(change="kept").height,
        "gone": gone.height,
        "new": tried.filter(change="new").height,
        "wrong": gone.filter(state=FALSE_ALARM).height,
        "right": gone.filter(state="confirmed").height,
        "unjudged": gone.filter(~pl.col("state").is_in(VERDICTS)).height,
    }
