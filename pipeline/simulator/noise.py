"""White and slowly wandering noise, by unit and hour, and first-order lags over time."""

from __future__ import annotations

import zlib

import numpy as np

from .seeds import F32, AnyArray, stream
from .spec import SECONDS

LANES = 24  # independent white sequences a unit; a signal takes one of them, shifted in time


def follow(target: F32, rate: F32, start: F32) -> F32:
    """First-order lags side by side: y += rate · (target − y), second by second.

    ``target`` is (3600, …), ``rate`` the same or one entry a lag, ``start`` the value before.
    The only loop over time: the recursion cannot be written as one array operation.
    """
    out = np.empty_like(target)
    y = start.astype(np.float32).copy()
    steady = rate.ndim == start.ndim
    gap = np.empty_like(y)
    for second in range(len(target)):
        np.subtract(target[second], y, out=gap)
        np.multiply(gap, rate if steady else rate[second], out=gap)
        np.add(y, gap, out=y)
        out[second] = y
    return out


class Noise:
    """Noise of one chunk-hour; everything it returns has shape (units, 3600) and spread 1."""

    def __init__(self, seed: int, units: list[int], hour: int, memory: dict[str, AnyArray]) -> None:
        self._white = np.stack(
            [
                stream(seed, "noise", unit, hour).standard_normal((LANES, SECONDS), np.float32)
                for unit in units
            ],
            axis=1,
        )
        self._memory = memory

    def white(self, name: str) -> F32:
        """Independent from second to second."""
        word = zlib.crc32(name.encode())
        return np.roll(self._white[word % LANES], word >> 8 & 2047, axis=1)

    def wander(self, rho: dict[str, float | F32]) -> dict[str, F32]:
        """Noise that remembers: correlation ``rho`` from second to second, by name (or by unit)."""
        units = self._white.shape[1]
        memory = np.stack([np.broadcast_to(np.asarray(r, np.float32), units) for r in rho.values()])
        rate = 1 - memory
        gain = np.sqrt((1 + memory) / rate)
        drive = np.stack([self.white("wander " + name).T for name in rho], axis=1) * gain
        start = np.stack(
            [self._memory.get("wander " + name, np.zeros(units, np.float32)) for name in rho]
        )
        out = follow(np.ascontiguousarray(drive), rate, start)
        for i, name in enumerate(rho):
            self._memory["wander " + name] = out[-1, i].copy()
        return {name: np.ascontiguousarray(out[:, i].T) for i, name in enumerate(rho)}
