"""One run's spells, cases and observed hours, made of the truth and of the marts' frames."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import polars as pl

from pipeline.simulator.spec import SECONDS
from tests.accuracy.fatigue import MERGED, Case, Spell, Watched
from tests.accuracy.marts import EYES
from tests.accuracy.truth import MIXED, MOVING, Bool, Truth

#: A drowsy spell can be told from some stretch so long with so many seconds moving, s.
STRETCH, JUDGED = 300, 240


def spells(truth: Truth, visible: dict[str, Bool], run: str) -> list[Spell]:
    """Closures and drowsy spells, with whether each could have been found."""
    sampling = truth.sampling()
    found = []
    for row in truth.episodes.filter(pl.col("kind").is_in(EYES)).to_dicts():
        device = row["deviceid"]
        first = truth.second(row["start"])
        moving = (truth.state[device] == MOVING) & visible[device]
        firmware = sampling.get((device, first // SECONDS), MIXED)
        seen = row["observed"] and row["finished"] and firmware != MIXED
        part = moving[max(0, first) : truth.second(math.ceil(row["end"]))]
        found.append(
            Spell(
                device=f"{run} {device}",
                operator=f"{truth.spec.seed} {row['operatorid']}",
                kind=row["kind"],
                start=row["start"],
                end=row["end"],
                share=row["closed_share"],
                sampling=firmware,
                counts=bool(seen and (judgeable(part) if row["kind"] == "drowsy" else part.all())),
            )
        )
    return alone(found)


def judgeable(moving: Bool) -> bool:
    """Whether some five minutes hold four in which the unit moved."""
    sums = np.concatenate([[0], np.cumsum(moving)])
    return bool((sums[STRETCH:] - sums[:-STRETCH] >= JUDGED).any())


def alone(spells: Iterable[Spell]) -> list[Spell]:
    """The same spells in order, those marked that no case of another could have covered."""
    ordered = sorted(spells, key=lambda spell: (spell.device, spell.start))
    latest: dict[str, float] = {}
    following = dict(pairwise(ordered))
    found = []
    for spell in ordered:
        after = following.get(spell)
        crowded = spell.start - latest.get(spell.device, -math.inf) <= MERGED or (
            after is not None and after.device == spell.device and after.start - spell.end <= MERGED
        )
        found.append(replace(spell, alone=not crowded))
        latest[spell.device] = max(spell.end, latest.get(spell.device, -math.inf))
    return found


def cases(truth: Truth, told: pl.DataFrame, run: str) -> list[Case]:
    """The marts' cases, with the sampling of the firmware in the hour of their start."""
    sampling = truth.sampling()
    return [
        Case(
            device=f"{run} {row['deviceid']}",
            operator=f"{truth.spec.seed} {row['operatorid']}",
            kind=row["kind"],
            evidence=row["evidence"],
            start=row["started"],
            end=row["ended"],
            share=row["share"],
            sampling=sampling.get(
                (row["deviceid"], truth.second(row["started"]) // SECONDS), MIXED
            ),
        )
        for row in told.to_dicts()
    ]


def blind_starts(own: pl.DataFrame) -> int:
    """Episodes from eyes that begin in a second in which nobody's eyes could be seen."""
    return int((~own["row_seen"].fill_null(value=False)).sum())


def troubled(truth: Truth) -> set[tuple[str, int]]:
    """(device, minute in epoch s) that a closure or a drowsy spell touches."""
    found = set()
    own = truth.episodes.filter(pl.col("kind").is_in(EYES))
    for device, start, end in own.select("deviceid", "start", "end").iter_rows():
        found |= {(device, minute) for minute in range(int(start) // 60 * 60, int(end) + 1, 60)}
    return found


def hours(
    truth: Truth, minutes: pl.DataFrame, crews: pl.DataFrame
) -> tuple[dict[str, float], dict[str, float]]:
    """Hours moving with the eyes seen and nothing wrong, by sampling and by operator.

    Minutes of true spells are left out: no false case can be told there, and in a fleet made
    tired for the sake of counting they are many.
    """
    tired = troubled(truth)
    sampling, device_of = truth.sampling(), {unit: d for d, unit in truth.unitno.items()}
    by_sampling: defaultdict[str, float] = defaultdict(float)
    by_operator: defaultdict[str, float] = defaultdict(float)
    rows = minutes.join(crews, on=["unitno", "start"], how="left").with_columns(
        ((pl.col("moving_s") - pl.col("blind_moving_s")) / SECONDS).alias("hours")
    )
    for unit, start, operator, seen in rows.select(
        "unitno", "start", "operatorid", "hours"
    ).iter_rows():
        if (device_of[unit], start) in tired:
            continue
        hour = truth.second(start) // SECONDS
        by_sampling[sampling.get((device_of[unit], hour), MIXED)] += seen
        by_operator[f"{truth.spec.seed} {operator}"] += seen
    return by_sampling, by_operator


def watched(
    truth: Truth,
    visible: dict[str, Bool],
    told: pl.DataFrame,
    own: pl.DataFrame,
    minutes: pl.DataFrame,
    crews: pl.DataFrame,
    run: str,
) -> Watched:
    """All of it."""
    by_sampling, by_operator = hours(truth, minutes, crews)
    return Watched(
        spells(truth, visible, run),
        cases(truth, told, run),
        by_sampling,
        by_operator,
        blind_starts(own),
    )
