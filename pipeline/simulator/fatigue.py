"""When operators tire: spells by the body clock, hours at the wheel and nights in a row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .fleet import Operator
from .seeds import F64, Bool

#: Spells per hour at the wheel before the factors below, which average to about 1.
BASE = 0.25 / 100
#: Factor of the local hour of day; 60 % falls between 18:00 and 06:00, most from 03 to 06.
CLOCK = np.interp(
    np.arange(24),
    [0, 2, 3, 5, 6, 8, 12, 14, 16, 18, 21, 23],
    [1.0, 1.5, 2.1, 2.3, 1.5, 0.75, 0.8, 1.25, 0.95, 0.6, 0.7, 0.85],
)
#: Mean of all factors over shifts of 12 h and four in a row, so that ``BASE`` stays the base rate.
MEAN = 1.522


@dataclass
class Spell:
    """Something true about a person between two moments (epoch s, fractions kept).

    The sums grow hour by hour while the spell lasts.
    """

    kind: str  # microsleep | drowsy | yawning | distraction
    start: float
    end: float
    share: float = 0.0  # drowsy: share of time with the eyes closed
    nod: float = 0.0  # degrees by which the head drops
    crew: int = -1
    seconds: float = 0.0
    seen: float = 0.0  # s of them recoverable with the eyes visible
    metres: float = 0.0


def rate(clock: int, hours_on_seat: float, night: int) -> float:
    """Fatigue spells per hour, from the local hour of day, hours since sign-on, nth shift."""
    tired = 0.7 + 0.075 * min(hours_on_seat, 12)
    return float(BASE * CLOCK[clock % 24] * tired * (0.8 + 0.14 * night) / MEAN)


def spells(
    rng: np.random.Generator, start: int, at_wheel: Bool, moving: Bool, per_hour: float
) -> list[Spell]:
    """New spells of one unit that begin in the hour from ``start`` (epoch s).

    ``per_hour`` already holds the scale. A drowsy spell brings its own microsleeps.
    """
    found: list[Spell] = []
    seats = np.flatnonzero(at_wheel)
    if not len(seats):
        return found
    for _ in range(int(rng.poisson(per_hour * len(seats) / 3600))):
        seconds = seats[rng.integers(len(seats), size=4)]
        driving = seconds[moving[seconds]]  # nodding off is noticed, and told, on the move
        begin = start + float(driving[0] if len(driving) else seconds[0]) + float(rng.random())
        kind = rng.random()
        if kind < 0.5:
            found.append(_microsleep(rng, begin))
        elif kind < 0.8:
            found += _drowsy(rng, begin)
        else:
            end = begin + float(rng.uniform(240, 600))
            found.append(Spell("yawning", begin, end))
    for _ in range(int(rng.poisson(0.12 * len(seats) / 3600))):
        begin = start + float(seats[rng.integers(len(seats))])
        found.append(Spell("distraction", begin, begin + float(rng.uniform(4.2, 9))))
    return found


def _microsleep(rng: np.random.Generator, begin: float) -> Spell:
    length = float(np.clip(rng.lognormal(np.log(2.9), 0.65), 1.2, 12))
    nod = float(rng.uniform(2, 8) if rng.random() < 0.97 else rng.uniform(12, 25))
    return Spell("microsleep", begin, begin + length, nod=nod)


def _drowsy(rng: np.random.Generator, begin: float) -> list[Spell]:
    length = float(rng.uniform(10, 25) * 60)
    own = [
        _microsleep(rng, begin + float(rng.uniform(0.1, 0.95)) * length)
        for _ in range(int(rng.poisson(1.5)))
    ]
    share = float(rng.uniform(0.13, 0.20))
    return [Spell("drowsy", begin, begin + length, share=share), *own]


def settle(found: list[Spell]) -> list[Spell]:
    """Drop what contradicts: two drowsy spells at once, closures within 5 s of each other."""
    kept: list[Spell] = []
    for spell in sorted(found, key=lambda s: (s.start, s.kind)):
        gap = 5.0 if spell.kind in ("microsleep", "distraction") else 0.0
        rivals = {"microsleep": ("microsleep", "distraction"),
                  "distraction": ("microsleep", "distraction")}  # fmt: skip
        against = rivals.get(spell.kind, (spell.kind,))
        if not any(k.kind in against and spell.start < k.end + gap for k in kept):
            kept.append(spell)
    return kept


def blink_times(
    rng: np.random.Generator, person: Operator, begin: float, end: float, share: float | None
) -> tuple[F64, F64]:
    """(start, length) in s of blinks in [begin, end); ``share`` set: heavy, slow lids."""
    if share is None:
        mean, low, high, target = person.blink_length, 0.1, 0.4, person.blink_share
        spread = 0.28
    else:
        mean, low, high, target, spread = 0.5, 0.25, 1.1, share, 0.35
    pause = mean / target - mean
    count = int((end - begin) / (mean / target) * 1.3) + 8
    length = np.clip(rng.lognormal(np.log(mean) - spread**2 / 2, spread, count), low, high)
    gap = 0.3 * pause + rng.exponential(0.7 * pause, count)
    start = begin + np.cumsum(gap + length) - length
    fits = start + length < end
    return start[fits], length[fits]
