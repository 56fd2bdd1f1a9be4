"""Temperatures: every one follows its cause with a lag of its own."""

from __future__ import annotations

import numpy as np

from .noise import follow
from .powertrain import Power
from .scene import Columns, Scene
from .seeds import F32

#: name: (seconds to follow while running, while off)
LAGS = {
    "EngineCoolantTemp": (260, 5400),
    "EngineOilTemp": (420, 6200),
    "TransmissionOilTemp": (520, 6600),
    "RetarderOilTemp": (150, 3600),
    "ExhaustGasTemp": (9, 900),
    "IntakeManifoldTemp": (25, 2400),
    "FuelTemp": (1500, 5000),
    "DefTankTemp": (2500, 5000),
    "CabTemp": (420, 2400),
    "cputemp": (180, 420),
    "FanSpeed": (4, 3),
    "AirSupplyPressure": (70, 21_600),
    **{f"TireTemp{wheel}": (1400, 4200) for wheel in range(1, 7)},
}


def _targets(scene: Scene, power: Power) -> Columns:
    """What each temperature (°C) would settle at; the engine and the way decide."""
    on, load, air, v = power.running, power.load, scene.air, scene.trace.v
    hot = 20 * scene.defect("coolant")
    coolant = 84 + 9 * load + 0.12 * (air - 25) + hot * (0.35 + 0.65 * load)
    braking = np.minimum(power.brake_kw, 420)
    targets = {
        "EngineCoolantTemp": np.where(on, coolant, air),
        "EngineOilTemp": np.where(on, coolant + 3 + 13 * load, air),
        "TransmissionOilTemp": np.where(on, 68 + 20 * load + 0.3 * (air - 25), air),
        "RetarderOilTemp": np.where(on, 72 + braking * 0.24, air),
        "ExhaustGasTemp": np.where(on, 165 + 365 * load + air * 0.5, air),
        "IntakeManifoldTemp": np.where(on, air + 6 + 22 * load, air + 3),
        "FuelTemp": air + on * (6 + 14 * load),
        "DefTankTemp": air + 4.0 * on,
        "CabTemp": np.where(on & scene.trace.seated, 23.5, air + 2),
        "cputemp": air + 24 + 4 * on + 0 * load,
        "FanSpeed": np.where(on, 620 + 900 * np.clip(load - 0.35, 0, 1) + 14 * hot, 0),
        "AirSupplyPressure": np.where(on, 1010.0, 760.0) + 0 * load,
    }
    roll = np.minimum(v, 14) * (1.25 + 0.9 * scene.trace.cargo)
    soft = scene.defect("tyre")
    for wheel in range(1, 7):
        extra = soft * 2.6 * np.minimum(v, 14) if wheel == 4 else 0.0
        rubs = scene.trait(f"tyre heat {wheel}", 2.5, 6)
        targets[f"TireTemp{wheel}"] = air + rubs + roll * (0.9 if wheel < 3 else 1.0) + extra
    return {name: np.asarray(value, np.float32) for name, value in targets.items()}


def thermal_columns(scene: Scene, power: Power) -> Columns:
    """All lagged signals at once; they start the simulation after a warm stand."""
    targets = _targets(scene, power)
    names = list(LAGS)
    stacked = np.ascontiguousarray(np.stack([targets[name].T for name in names], axis=1))
    lags = np.array([LAGS[name] for name in names], np.float32)
    rate = np.where(power.running.T[:, None, :], 1 / lags[:, :1], 1 / lags[:, 1:])
    start = np.stack([scene.recall(name, _warm(name, targets[name])) for name in names])
    out = follow(stacked, rate.astype(np.float32), start)
    columns: Columns = {}
    for i, name in enumerate(names):
        scene.memory[name] = out[-1, i].copy()
        columns[name] = np.ascontiguousarray(out[:, i].T)
    columns["EngineCoolantTemp"] += 0.3 * scene.noise.white("coolant")
    columns["EngineCoolantPressure"] = np.clip(columns["EngineCoolantTemp"] - 45, 0, 80) * 1.3
    level = scene.trait("coolant level", 84, 97) - 34 * scene.defect("coolant")
    columns["EngineCoolantLevel"] = level + 0.3 * scene.noise.white("coolant level")
    columns["AirInletTemp"] = scene.air + 3 + 0 * power.load
    columns["AmbientTemp"] = scene.air + 0.15 * scene.noise.white("ambient")
    for circuit in (1, 2):
        wander = 9 * scene.noise.white(f"circuit {circuit}")
        columns[f"AirPressureCircuit{circuit}"] = columns["AirSupplyPressure"] - 30 + wander
    return columns


def _warm(name: str, target: F32) -> F32:
    """Where a lag begins: most had been running until the shift change a moment ago."""
    usual = {"EngineCoolantTemp": 62.0, "EngineOilTemp": 64.0, "TransmissionOilTemp": 55.0,
             "RetarderOilTemp": 52.0, "AirSupplyPressure": 905.0}  # fmt: skip
    return np.full(len(target), usual[name], np.float32) if name in usual else target[:, 0]
