"""All that the signal models of one chunk-hour share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from .fleet import Unit
from .noise import Noise
from .seeds import F32, F64, AnyArray, Bool, stream
from .terrain import Terrain
from .trace import Trace

#: Columns under construction: field name → (units, 3600).
Columns = dict[str, AnyArray]


@dataclass
class Scene:
    """A chunk-hour: who, when, and what the vehicles do. Columns of units are (units, 1)."""

    seed: int
    units: list[Unit]
    starts: list[int]  # epoch s, by unit: districts begin their hours at their own full hour
    local: list[int]  # the same in local time
    elapsed: float  # h since the simulation's start
    trace: Trace
    noise: Noise
    memory: dict[str, AnyArray]
    air: F32
    rain: Bool
    terrains: dict[str, Terrain]

    def per_unit(self, name: str) -> F32:
        """An attribute of each unit's model as a column."""
        return np.array([[getattr(unit.model, name)] for unit in self.units], np.float32)

    def is_type(self, *kinds: str) -> Bool:
        """Units of these types, as a column."""
        return np.array([[unit.unittype in kinds] for unit in self.units])

    def trait(self, name: str, low: float, high: float) -> F32:
        """A constant by unit, uniform between two bounds, as a column."""
        return np.array(
            [[_trait(self.seed, name, u.index, low, high)] for u in self.units], np.float32
        )

    def defect(self, name: str) -> F32:
        """How far a mechanical fault has developed: 0 sound, 1 beyond its limits; a column."""
        grown = self.elapsed / 60 + self.trait("defect", 0.25, 1.0)
        # Half of them are found out already when the simulation begins.
        known = np.array([[unit.index % 12 == 3] for unit in self.units])
        grown = np.where(known, np.maximum(grown, 0.78 + self.elapsed / 60), grown)
        has = np.array([[unit.defect == name] for unit in self.units])
        return np.where(has, np.minimum(grown, 1.25), 0).astype(np.float32)

    def recall(self, name: str, default: F32 | float) -> AnyArray:
        """A state at the end of the hour before, by unit."""
        if name not in self.memory:
            shape = len(self.units)
            flat = np.asarray(default, np.float32).reshape(-1)
            self.memory[name] = np.broadcast_to(flat, shape).astype(np.float32)
        return self.memory[name]


@cache
def _trait(seed: int, name: str, unit: int, low: float, high: float) -> float:
    return float(stream(seed, "trait", name, unit).uniform(low, high))


def since_start(flags: Bool, before: F64) -> F64:
    """Seconds for which a flag has held, by second; ``before`` is the run's length so far."""
    t = flags.shape[1]
    index = np.arange(1, t + 1)
    last_off = np.maximum.accumulate(np.where(flags, 0, index), axis=1)
    run = index - last_off
    return np.where(flags, run + np.where(last_off == 0, before[:, None], 0), 0).astype(np.float64)
