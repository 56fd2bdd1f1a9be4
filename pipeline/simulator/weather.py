"""Air temperature and rain of a district, by the time of day."""

from __future__ import annotations

import numpy as np

from .seeds import F32, Bool, stream
from .spec import SECONDS

DAY = 86_400


def air(seed: int, district: str, local: int) -> tuple[F32, Bool]:
    """(temperature in °C, raining) over the hour that begins at a local epoch second."""
    t = local + np.arange(SECONDS)
    clock = (t % DAY) / DAY
    rains = np.zeros(SECONDS, np.bool_)
    chill = np.zeros(SECONDS)
    for day in (local // DAY - 1, local // DAY):
        rng = stream(seed, "weather", district, int(day))
        for _ in range(int(rng.poisson(0.7))):
            begin = day * DAY + int(rng.normal(16 * 3600, 4 * 3600))
            length = int(rng.uniform(1200, 7200))
            rains |= (t >= begin) & (t < begin + length)
            cools = np.clip((t - begin) / 1800, 0, 1)
            warms = np.clip((begin + length + 5400 - t) / 5400, 0, 1)
            chill = np.maximum(chill, 3.5 * cools * warms)
    warm = stream(seed, "weather level", district, int(local // DAY)).normal(0, 0.2)
    temperature = 27.2 + 4.3 * np.cos(2 * np.pi * (clock - 14 / 24)) + warm - chill
    return temperature.astype(np.float32), rains
