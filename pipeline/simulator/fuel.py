"""Fuel, distance and hour counters: sums over every second, rows or not."""

from __future__ import annotations

import numpy as np

from .powertrain import LITRES_PER_KWH, Power
from .scene import Columns, Scene
from .seeds import F32, F64

SERVICE_EVERY = 15_000.0  # km


def _counter(scene: Scene, name: str, steps: F64, low: float, high: float) -> F64:
    """A life counter that goes on from the hour before; double precision in memory."""
    key = "counter " + name
    if key not in scene.memory:
        scene.memory[key] = scene.trait(name, low, high)[:, 0].astype(np.float64)
    out = scene.memory[key][:, None] + np.cumsum(steps, axis=1)
    scene.memory[key] = out[:, -1].copy()
    return np.asarray(out, np.float64)


def fuel_columns(scene: Scene, power: Power) -> Columns:
    """Rates, totals and the tank, filled up at the fuel station."""
    noise, on = scene.noise, power.running
    rate = np.where(on, np.maximum(power.engine_kw * LITRES_PER_KWH, 1.9), 0)
    rate = rate * (1 + 0.015 * noise.white("fuel rate"))
    burned = rate.astype(np.float64) / 3600
    standing = scene.trace.v == 0
    kmh = scene.trace.v * 3.6
    total = _counter(scene, "fuel", burned, 150_000, 600_000)
    columns: Columns = {
        "FuelRate": rate.astype(np.float32),
        "InstantFuelEconomy": np.where(rate > 0, np.minimum(kmh / np.maximum(rate, 0.5), 125), 0),
        "AverageFuelEconomy": scene.trait("economy", 0.45, 0.75) + 0 * rate,
        "WaterInFuel": np.zeros_like(rate),
        "FuelLevel": _tank(scene, burned),
    }
    columns["TotalFuelUsed"] = total
    columns["TripFuelUsed"] = _counter(scene, "trip fuel", burned, 40, 900)
    idle = _counter(scene, "idle fuel", burned * standing, 9_000, 40_000)
    columns["IdleFuelUsed"] = idle
    return columns


def _tank(scene: Scene, burned: F64) -> F32:
    """Level in %: falls as fuel burns, rises while refuelling, and sloshes a little on the way."""
    size = scene.per_unit("tank")
    level = scene.recall("tank", scene.trait("tank", 38, 96))[:, None]
    fills = scene.trace.doing("refuel") * 0.22  # % a second, until the nozzle stops
    out = level + np.cumsum(fills - burned / size * 100, axis=1)
    highest = np.maximum.accumulate(out, axis=1)
    spilled = np.maximum.accumulate(np.maximum(highest - 97, 0) * (fills > 0), axis=1)
    out = np.clip(out - spilled, 1, 100)
    scene.memory["tank"] = out[:, -1].astype(np.float32)
    slosh = 0.35 * scene.noise.white("slosh") * (scene.trace.v > 1)
    return np.asarray(np.clip(out + slosh, 0, 100), np.float32)


def distance_columns(scene: Scene, power: Power) -> Columns:
    """Odometers and hour meters."""
    km = scene.trace.v.astype(np.float64) / 1000
    hours = power.running / 3600.0
    odometer = _counter(scene, "distance", km, 60_000, 260_000)
    run = _counter(scene, "engine hours", hours, 4_000, 17_000)
    idle = _counter(scene, "idle hours", hours * (scene.trace.v == 0), 900, 3_900)
    gps = _counter(scene, "gps distance", km * 1.004, 9_000, 58_000)
    columns: dict[str, F64] = {
        "TotalDistance": odometer,
        "HighResTotalDistance": odometer,
        "EngineHours": run,
        "EngineIdleHours": idle,
        "gpsodometer": gps,
        "ServiceDistance": SERVICE_EVERY * 0.97 - np.mod(odometer, SERVICE_EVERY),
    }
    return columns
