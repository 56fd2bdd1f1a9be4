"""Radio coverage, area outages, and when an hour's file arrives."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from .fleet import Unit
from .scene import Columns, Scene
from .seeds import F64, Bool, stream

DAY = 86_400
WEAKEST = -121.0  # dBm below which the modem loses the cell
PITS = ("pit-a", "pit-b")


@dataclass(frozen=True)
class Outage:
    """No coverage for units of ``area`` ('' = the whole district) in [start, end) epoch s."""

    district: str
    area: str
    start: int
    end: int

    def hits(self, unit: Unit) -> bool:
        """Whether the unit works in the area."""
        return unit.district == self.district and self.area in ("", unit.pit)


@cache
def outages(seed: int, severity: float, district: str, day: int) -> tuple[Outage, ...]:
    """Outages that begin on a UTC day (number since 1970)."""
    if not severity:
        return ()
    rng = stream(seed, "outages", district, day)
    found = []
    for _ in range(int(rng.poisson(0.8 if severity <= 1 else 2.2))):
        start = day * DAY + int(rng.integers(DAY))
        whole = rng.random() < 0.35
        length = int(np.clip(rng.lognormal(np.log(2.6), 0.6), 0.4, 11) * 3600)
        area = "" if whole else PITS[int(rng.integers(2))]
        found.append(Outage(district, area, start, start + length))
    return tuple(found)


def near(seed: int, severity: float, unit: Unit, moment: int) -> list[Outage]:
    """Outages of a unit's area that may matter around a moment."""
    days = range(moment // DAY - 2, moment // DAY + 3)
    every = [o for day in days for o in outages(seed, severity, unit.district, day)]
    return sorted((o for o in every if o.hits(unit)), key=lambda o: o.start)


def arrival(
    seed: int, severity: float, unit: Unit, closed: int, stuck: tuple[int, int] | None
) -> tuple[int, str]:
    """(epoch s, cause of delay) at which the file that closed at ``closed`` is in the store.

    ``stuck`` is a spell (start, end) in which the device's uploader hangs. After any wait the
    backlog goes out oldest first, 20 s a file, so order never changes.
    """
    moment = closed + 20 + int(stream(seed, "delay", unit.index, closed).gamma(2.2, 14))
    moment = min(moment, closed + 150)
    cause = ""
    since = closed
    if stuck and stuck[0] <= closed < stuck[1]:
        since, cause = stuck[0], "stuck_backlog"
        moment = stuck[1] + 40 + 20 * ((closed - since) // 3600)
    for outage in near(seed, severity, unit, moment):
        if outage.start <= moment < outage.end:
            since, cause = min(outage.start, since), cause or "no_coverage"
            moment = outage.end + 45 + 20 * ((closed - since) // 3600 + 1)
    return moment, cause


def network_columns(scene: Scene, severity: float) -> tuple[Columns, Bool, Bool]:
    """(columns, data connection up, in an outage); the signal falls off with distance."""
    noise = scene.noise
    fading = noise.wander({"fading": 0.985})["fading"]
    distance = np.full(fading.shape, 1e9)
    out = np.zeros(fading.shape, np.bool_)
    fade_in = np.zeros(fading.shape)
    for i, unit in enumerate(scene.units):
        t = scene.starts[i] + np.arange(3600)
        for tower in scene.terrains[unit.district].towers:
            away = np.hypot(scene.trace.x[i] - tower[0], scene.trace.y[i] - tower[1])
            distance[i] = np.minimum(distance[i], away)
        for outage in near(scene.seed, severity, unit, scene.starts[i]):
            out[i] |= (t >= outage.start) & (t < outage.end)
            before = np.clip((t - outage.start + 600) / 600, 0, 1) * (t < outage.start)
            after = np.clip((outage.end + 300 - t) / 300, 0, 1) * (t >= outage.end)
            fade_in[i] = np.maximum(fade_in[i], np.maximum(before, after))
    power = -68 - 31 * np.log10(np.maximum(distance, 120) / 120) + 5 * fading - 16 * fade_in
    up = (power > WEAKEST) & ~out
    sinr = np.clip((power + 112) * 0.6 + 2 * noise.white("sinr"), -15, 30)
    latency = np.where(up, 55 + np.exp(np.clip(-(power + 95) / 6, -3, 6)) * 6, -9999)
    latency = np.where(up, latency + 8 * np.abs(noise.white("latency")), latency)
    columns = {
        "netrssi": np.where(up, np.clip(power + 27, -113, -35), -9999),
        "netrsrp": np.where(out, -9999, np.clip(power, -138, -60)),
        "netsinr": np.where(up, sinr, -9999),
        "netlatency": latency,
    }
    return columns, up, out


def backlog(scene: Scene, waiting: list[list[int]], last: list[int]) -> tuple[F64, F64]:
    """(files waiting, last acknowledged upload) by second, from arrivals of earlier hours."""
    files = np.zeros((len(waiting), 3600))
    acknowledged = np.empty((len(waiting), 3600))
    for i, arrivals in enumerate(waiting):
        t = scene.starts[i] + np.arange(3600)
        acknowledged[i] = last[i]
        for moment in sorted(arrivals):
            files[i] += t < moment
            acknowledged[i] = np.where(t >= moment, moment, acknowledged[i])
    return files, acknowledged
