"""Moving, idle, off, unknown: the seconds that the marts count against what the unit did.

Only seconds with a visible row are compared. Unknown is what the signals that came cannot tell:
an engine while the bus is silent; every other second that the marts call unknown is an error.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np
import polars as pl

from tests.accuracy.truth import NAMES, Bool, Truth

#: state → seconds
Seconds = dict[str, int]


def true_minutes(truth: Truth, visible: dict[str, Bool]) -> dict[tuple[str, int], Seconds]:
    """(unit, minute in epoch s) → seconds by state, of the seconds with a row."""
    found: dict[tuple[str, int], Seconds] = {}
    for device, state in truth.signalled.items():
        index = np.flatnonzero(visible[device])
        minute, code = (index + truth.spec.epoch) // 60 * 60, state[index]
        pairs, counts = np.unique(np.stack([minute, code]), axis=1, return_counts=True)
        for (start, number), n in zip(pairs.T.tolist(), counts.tolist(), strict=True):
            own = found.setdefault((truth.unitno[device], start), dict.fromkeys(NAMES, 0))
            own[NAMES[number]] += n
    return found


def told_minutes(minutes: pl.DataFrame) -> dict[tuple[str, int], Seconds]:
    """The same as the marts tell it."""
    columns = ["unitno", "start", *(f"{name}_s" for name in NAMES)]
    rows = minutes.select(columns).rows()
    return {
        (unit, start): dict(zip(NAMES, map(int, seconds), strict=True))
        for unit, start, *seconds in rows
    }


class Compared:
    """Sums over minutes. ``misplaced``: seconds that stand in a wrong state or minute."""

    def __init__(self) -> None:
        self.true: Counter[str] = Counter()
        self.told: Counter[str] = Counter()
        self.misplaced = 0.0

    def add(
        self, true: dict[tuple[str, int], Seconds], told: dict[tuple[str, int], Seconds]
    ) -> Compared:
        """Count these minutes too."""
        nothing = dict.fromkeys(NAMES, 0)
        for key in true.keys() | told.keys():
            one, other = true.get(key, nothing), told.get(key, nothing)
            self.true.update(one)
            self.told.update(other)
            self.misplaced += sum(abs(one[name] - other[name]) for name in NAMES) / 2
        return self

    def merge(self, other: Compared) -> None:
        """Count another run's too."""
        self.true.update(other.true)
        self.told.update(other.told)
        self.misplaced += other.misplaced

    @property
    def seconds(self) -> int:
        """All seconds with a row."""
        return sum(self.true.values())

    def error_pct(self) -> float | None:
        """The worst state's difference, in per cent of all seconds."""
        if not self.seconds:
            return None
        return max(abs(self.told[name] - self.true[name]) for name in NAMES) / self.seconds * 100

    def rows(self) -> Iterable[tuple[str, ...]]:
        """For a table."""
        for name in NAMES:
            off = (self.told[name] - self.true[name]) / max(1, self.seconds) * 100
            yield name, f"{self.true[name]:,}", f"{self.told[name]:,}", f"{off:+.4f}"
