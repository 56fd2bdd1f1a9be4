"""Engine, gearbox and fuel: what the motion demands, before temperatures follow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .motion import DRIVELINE, GRAVITY, ROLLING
from .scene import Columns, Scene
from .seeds import F32, Bool

LITRES_PER_KWH = 0.235
IDLE_RPM = 680.0
#: km/h at which the gearbox changes up.
SHIFT_SPEEDS = np.array([0.3, 6, 10, 14.5, 20, 27, 36, 47], np.float32)


@dataclass
class Power:
    """The flows that temperatures and brakes need; (units, 3600)."""

    load: F32  # share of the available torque
    rpm: F32
    engine_kw: F32
    brake_kw: F32  # taken out at the wheels
    acceleration: F32  # m/s²
    gear: F32
    running: Bool


def demand(scene: Scene) -> Power:
    """From speed, grade and mass to power at the engine (positive) and the brakes."""
    trace, noise = scene.trace, scene.noise
    mass = (scene.per_unit("tare") + scene.per_unit("cargo") * trace.cargo) * 1000
    before = np.concatenate([scene.recall("v", 0.0)[:, None], trace.v[:, :-1]], axis=1)
    scene.memory["v"] = trace.v[:, -1].copy()
    acceleration = trace.v - before
    drag = 0.5 * 1.2 * 7.0 * trace.v * trace.v
    force = mass * (GRAVITY * (ROLLING + trace.grade) + acceleration) + drag
    wheel = force * trace.v / 1000
    rated = np.array([[unit.power] for unit in scene.units], np.float32)
    extra = 11.5 + 14 * trace.doing("dump", "load") * 1.0 + 1.5 * noise.white("accessory")
    engine = np.clip(np.maximum(wheel, 0) / DRIVELINE + extra, 7, rated * 0.97)
    running = trace.engine
    kmh = trace.v * 3.6
    gear = np.searchsorted(SHIFT_SPEEDS, kmh).astype(np.float32)
    top = SHIFT_SPEEDS[np.clip(gear.astype(np.int64), 0, 7)]
    rpm = IDLE_RPM + (kmh > 0.3) * (400 + 640 * np.minimum(kmh / top, 1.15))
    rpm = rpm + 180 * trace.bodyup + 260 * np.clip(engine / rated - 0.3, 0, 1) * (kmh > 0.3)
    rpm = np.minimum(rpm, 2080) + 7 * noise.white("rpm")
    available = rated * np.clip(rpm / 1350, 0.32, 1.0)
    load = np.clip(engine / available + 0.02 * noise.white("load"), 0.08, 1.0)
    return Power(
        load=np.where(running, load, 0).astype(np.float32),
        rpm=np.where(running, rpm, 0).astype(np.float32),
        engine_kw=np.where(running, engine, 0).astype(np.float32),
        brake_kw=np.where(wheel < 0, -wheel, 0).astype(np.float32),
        acceleration=acceleration.astype(np.float32),
        gear=np.where(running, gear, 0).astype(np.float32),
        running=running,
    )


def engine_columns(scene: Scene, power: Power) -> Columns:
    """Speed, torque and air side of the engine."""
    noise, on = scene.noise, power.running
    load = power.load
    torque = load * 100 * np.where(on, 1, 0)
    pedal = np.clip(load * 104 - 9, 0, 100) * (scene.trace.v > 0.05)
    worn = 1 - 0.68 * scene.defect("boost")
    boost = np.clip((load * 285 - 18) * worn + 4 * noise.white("boost"), 0, 400) * on
    oil = (190 + 0.17 * (power.rpm - 600) + 6 * noise.white("oil p")) * on
    oil *= 1 - 0.72 * scene.defect("oil")
    dust = scene.trait("dust", 0.8, 2.2) + 5.2 * scene.defect("filter")
    return {
        "EngineSpeed": power.rpm,
        "EngineLoad": load * 100,
        "ActualEngineTorque": torque,
        "DriverDemandTorque": np.clip(torque + 2 * noise.white("demand"), 0, 100) * on,
        "EngineReferenceTorque": 7.1 * scene.per_unit("power") + 0 * load,
        "AcceleratorPedal": pedal,
        "ThrottlePosition": np.where(on, np.clip(pedal * 0.9 + 8, 0, 100), 0),
        "BoostPressure": boost,
        "TurboSpeed": np.where(on, 12_000 + 270 * boost, 0),
        "EngineOilPressure": np.maximum(oil, 0),
        "EngineOilLevel": scene.trait("oil level", 78, 96) + 0.6 * noise.white("oil level"),
        "EngineCrankcasePressure": (0.25 + 0.55 * load + 0.06 * noise.white("crank")) * on,
        "AirFilterDiffPressure": np.clip(dust * (0.25 + boost / 300) * on, 0, 12),
        "EgrValvePosition": np.clip(38 - 34 * load + 2 * noise.white("egr"), 0, 100) * on,
        "FuelDeliveryPressure": np.where(on, 520 + 8 * noise.white("delivery"), 0),
        "NoxOutlet": np.where(on, 70 + 320 * load + 12 * noise.white("nox"), 0),
        "DpfDiffPressure": np.where(on, 0.6 + 6.5 * load * power.rpm / 2000, 0),
        "EngineTorqueMode": np.where(on & (scene.defect("coolant") > 1), 8.0, on * 1.0),
        "PtoState": 5.0 * scene.trace.bodyup,
    }


def gearbox_columns(scene: Scene, power: Power) -> Columns:
    """Gears, retarder and pedals; downhill the retarder holds what the brakes need not."""
    noise, on, v = scene.noise, power.running, scene.trace.v
    rated = np.array([[unit.power] for unit in scene.units], np.float32)
    retarder = np.clip(power.brake_kw / (rated * 1.15) * 100, 0, 92) * (v > 2.0)
    over = np.clip(power.brake_kw / rated - 1.06, 0, 1) * 60
    halting = np.clip(-power.acceleration - 0.25, 0, 1) * 55 + 9 * (v == 0) * on
    pedal = np.clip(over + halting * (scene.trace.seated | (v > 0)), 0, 100)
    wobble = 2 * noise.white("retarder")
    return {
        "CurrentGear": power.gear,
        "SelectedGear": np.maximum(power.gear, np.roll(power.gear, -1, axis=1)),
        "TransmissionOilPressure": np.where(on, 1330 + 240 * power.load, 0),
        "TransmissionOutputSpeed": v * 62 + 0 * wobble,
        "TorqueConverterLockup": (power.gear >= 3) * 1.0,
        "RetarderTorque": -np.where(retarder > 3, np.clip(retarder + wobble, 0, 100), 0),
        "BrakePedal": pedal,
        "BrakeSwitch": (pedal > 2) * 1.0,
        "ParkingBrake": (v == 0) * (~on | scene.trace.doing("change", "break", "prestart")) * 1.0,
    }
