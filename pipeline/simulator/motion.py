"""How a vehicle runs a leg: the speed the road, the load and the engine allow, over time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .fleet import Model
from .seeds import F64
from .terrain import STEP, Route

ROLLING = 0.025  # rolling resistance of a haul road, share of weight
DRIVELINE = 0.86  # efficiency between engine and wheels
GRAVITY = 9.81
WOBBLE = 0.05  # share by which a driver's pace swings
PERIOD = 53.0  # s of that swing


@dataclass(frozen=True)
class Profile:
    """A leg from standstill to standstill: at time ``t`` s the speed ``v`` m/s at ``s`` m."""

    t: F64
    v: F64
    s: F64

    def seconds(self, pace: float) -> int:
        """Whole seconds that the leg takes at a pace (1 = as planned)."""
        return int(np.ceil(self.t[-1] / pace)) + 4

    def at(self, t: F64, pace: float, phase: float) -> tuple[F64, F64]:
        """(metres run, speed m/s) at times ``t`` since departure, by a driver's uneven pace."""
        turn = 2 * np.pi * t / PERIOD + phase
        swing = WOBBLE * PERIOD / (2 * np.pi)
        warped = pace * (t + swing * (np.sin(turn) - np.sin(phase)))
        rate = pace * (1 + WOBBLE * np.cos(turn))
        inside = (warped >= 0) & (warped <= self.t[-1])
        return np.interp(warped, self.t, self.s), np.interp(warped, self.t, self.v) * rate * inside


def profile(route: Route, model: Model, loaded: bool) -> Profile:
    """Plan a leg. Uphill the engine limits the speed, downhill the retarder, in bends the grip."""
    mass = (model.tare + (model.cargo if loaded else 0)) * 1000
    force = mass * GRAVITY * (ROLLING + route.grade)
    power = model.power * 1000 * DRIVELINE * 0.88
    limit = np.where(force > 0, power / np.maximum(force, 1), np.inf)
    limit = np.minimum(limit, model.loaded if loaded else model.empty)
    steep = 6.5 if loaded else 8.5
    limit = np.where(route.grade < -0.035, np.minimum(limit, steep), limit)
    limit = np.minimum(limit, np.sqrt(1.1 / np.maximum(np.abs(route.curvature), 1e-5)))
    squares = np.maximum(limit, 2.4) ** 2
    squares[0] = squares[-1] = 0
    squares = _ramp(squares, 0.28 if loaded else 0.5)
    v = np.sqrt(_ramp(squares[::-1], 0.6)[::-1])
    mean = np.maximum((v[:-1] + v[1:]) / 2, 0.5)
    return Profile(t=np.concatenate([[0], np.cumsum(STEP / mean)]), v=v, s=route.s)


def _ramp(squares: F64, acceleration: float) -> F64:
    """Squares of speed that never grow faster along the way than ``acceleration`` m/s² allows."""
    growth = 2 * acceleration * STEP * np.arange(len(squares))
    slowest: F64 = np.minimum.accumulate(squares - growth)
    return slowest + growth
