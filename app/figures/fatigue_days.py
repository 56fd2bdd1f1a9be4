"""Cases day by day, and where a series is broken: other thresholds, other firmware.

No Streamlit here.
"""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import polars as pl

from app.text import plain, say, spelled
from pipeline.marts.thresholds import defaults

#: Kinds of cases that are counted day by day.
KINDS = ("microsleep", "drowsy")
#: With fewer hours of eyes seen a day's rate is left out: one case more would double it.
LEAST_EYE_H = 10
#: Firmware that changed on a smaller share of units moves no figure of all of them.
LEAST_CHANGED = 0.05


@dataclass(frozen=True)
class Break:
    """A day from which on a series is another one, and why: *threshold* or *firmware*."""

    day: str
    kind: str
    told: str


def rates(days: pl.DataFrame) -> pl.DataFrame:
    """``day``, ``kind``, cases per 100 hours with the eyes seen as they are ``now`` and as they
    were ``first`` published, and what they rest on.

    ``days``: as of ``fatigue_days.sql``. A rate is absent where it is withheld or rests on little.
    """
    enough = pl.col("eye_h") >= LEAST_EYE_H
    return pl.concat(
        days.select(
            pl.col("hiveperiod").alias("day"),
            pl.lit(kind).alias("kind"),
            pl.when(enough).then(100 * pl.col(kind) / pl.col("eye_h")).alias("now"),
            pl.when(enough).then(100 * pl.col(f"{kind}_first") / pl.col("eye_h")).alias("first"),
            pl.col(kind).alias("cases"),
            pl.col(f"{kind}_first").alias("cases_first"),
            "eye_h",
            "blind_h",
        )
        for kind in KINDS
    )


def breaks(days: pl.DataFrame, thresholds: pl.DataFrame, zone: str) -> list[Break]:
    """Days from which on other thresholds or another firmware are behind the series, in order.

    ``thresholds``: every value that was set, newest first: name, value, set_at (UTC).
    """
    shown = set(days["hiveperiod"])
    found = [
        Break(row["hiveperiod"], "firmware", _firmware(row))
        for row in days.iter_rows(named=True)
        if row["changed"] and row["changed"] >= LEAST_CHANGED * row["units"]
    ]
    values = defaults()
    for row in thresholds.reverse().iter_rows(named=True):
        name, day = row["name"], f"{row['set_at'].astimezone(ZoneInfo(zone)):%Y-%m-%d}"
        before = values.get(name)
        if before is not None and row["value"] != before:
            values[name] = row["value"]
            if day in shown:
                found.append(Break(day, "threshold", _threshold(name, before, row["value"])))
    return sorted(found, key=lambda one: (one.day, one.kind))


def _firmware(row: dict[str, object]) -> str:
    of = {"changed": f"{row['changed']:,}", "units": f"{row['units']:,}"}
    versions = {"old": plain(row["came_from"]), "new": plain(row["came_to"])}
    return say("fatigue.days.firmware", **of, **versions)


def _threshold(name: str, before: float, after: float) -> str:
    values = {"old": spelled(f"{before:g}"), "new": spelled(f"{after:g}")}
    return say("fatigue.days.threshold", name=say(f"threshold.{name}"), **values)
