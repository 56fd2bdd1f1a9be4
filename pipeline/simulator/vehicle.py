"""Chassis, tyres, load, electrics, receiver and fault codes."""

from __future__ import annotations

import numpy as np

from .powertrain import Power
from .scene import Columns, Scene
from .seeds import AnyArray, Bool

#: defect: (how far it must be for a code, SPN, FMI, source address)
CODES = {
    "coolant": (0.62, 110, 16, 0),
    "tyre": (0.55, 241, 18, 51),
    "boost": (0.60, 102, 18, 0),
    "filter": (0.65, 107, 16, 0),
    "charge": (0.60, 168, 18, 39),
    "oil": (0.70, 100, 18, 0),
}


def tyre_columns(scene: Scene, columns: Columns) -> Columns:
    """Pressures rise with temperature; a leaking tyre loses its pressure over days."""
    out: Columns = {}
    for wheel in range(1, 7):
        cold = scene.trait(f"tyre {wheel}", 745, 800)
        leak = 330 * scene.defect("tyre") if wheel == 4 else 0.0
        warm = 1.9 * (columns[f"TireTemp{wheel}"] - 30)
        out[f"TirePressure{wheel}"] = cold - leak + warm + 1.2 * scene.noise.white(f"tyre {wheel}")
    for side in ("Left", "Right"):
        used = scene.trait("lining" + side, 25, 92) - scene.elapsed * 0.004
        out[f"BrakeLiningFront{side}"] = np.maximum(used, 4) + 0 * out["TirePressure1"]
    return out


def dynamics_columns(scene: Scene, power: Power) -> Columns:
    """Turning, leaning and shaking; the device's own sensor sees the same with more noise."""
    trace, noise = scene.trace, scene.noise
    v, rolling = trace.v, trace.v > 0.1
    yaw = np.clip(trace.curvature * v, -0.35, 0.35)
    side = v * yaw
    pitch = np.degrees(np.arctan(trace.grade)) * rolling + 0.4 * noise.white("pitch")
    rough = (0.012 + 0.012 * np.minimum(v, 12) / 12 * rolling + 0.02 * trace.doing("load")).astype(
        np.float32
    )
    lean = np.degrees(side / 9.81) * 0.6 + 0.7 * trace.bodyup + 0.5 * noise.white("roll")
    return {
        "SteeringWheelAngle": -np.clip(trace.curvature * 110, -9, 9) + 0.01 * noise.white("steer"),
        "YawRate": -yaw + 0.002 * noise.white("yaw") * rolling,
        "LateralAcceleration": -side + 0.02 * noise.white("lateral") * rolling,
        "LongitudinalAcceleration": power.acceleration + 0.03 * noise.white("along") * rolling,
        "imuaccx": power.acceleration / 9.81 + rough * noise.white("ax"),
        "imuaccy": -side / 9.81 + rough * noise.white("ay"),
        "imuaccz": 1 + 1.6 * rough * noise.white("az"),
        "imugyrox": 30 * rough * noise.white("gx"),
        "imugyroy": 30 * rough * noise.white("gy"),
        "imugyroz": -np.degrees(yaw) + 12 * rough * noise.white("gz"),
        "imupitch": pitch,
        "imuroll": lean,
    }


def payload_columns(scene: Scene) -> Columns:
    """Weights in kg and t. Buses weigh nobody, water trucks have a level instead of a load."""
    trace, noise = scene.trace, scene.noise
    tonnes = scene.per_unit("cargo") * trace.cargo
    weighs = scene.is_type("dump", "coal")
    standing = (tonnes + 0.12 * noise.white("weigh") * (trace.cargo > 0.02)).clip(0)
    gross = (scene.per_unit("tare") + tonnes) * 1000
    starts = ((np.asarray(scene.local)[:, None] + np.arange(3600) - 21_600) % 43_200) == 0
    tipped = np.diff(trace.bodyup.astype(np.int8), axis=1, prepend=_was_up(scene)) == -1
    before = scene.recall("loads", 0.0)[:, None]
    total = before + np.cumsum(tipped, axis=1)
    at_start = np.maximum.accumulate(np.where(starts, total, -1), axis=1)
    loads = np.where(at_start >= 0, total - at_start, total)
    scene.memory["loads"] = loads[:, -1].astype(np.float32)
    water = scene.is_type("water")
    return {
        "AxleWeight": np.minimum(gross * 0.24, 32_000),
        "CargoWeight": np.where(weighs, standing * 1000, -9999),
        "GrossCombinationWeight": gross,
        "payload": np.where(weighs, standing, -9999),
        "bodyup": trace.bodyup * 1.0,
        "loadcount": np.where(weighs, loads, -9999),
        "watertanklevel": np.where(water, trace.cargo * 100, -9999),
    }


def _was_up(scene: Scene) -> AnyArray:
    was = scene.recall("body", 0.0)[:, None].astype(np.int8)
    scene.memory["body"] = scene.trace.bodyup[:, -1].astype(np.float32)
    return was


def electric_columns(scene: Scene, power: Power) -> Columns:
    """24 V system: 28 V while charging, about 25 at rest; a bad alternator sags."""
    on, noise = power.running, scene.noise
    weak = 3.1 * scene.defect("charge")
    rest = scene.trait("battery", 24.9, 25.6) - 0.02 * noise.white("rest")
    charge = 28.2 - weak + 0.05 * noise.white("charge")
    ignition = on | scene.trace.doing("prestart", "refuel")
    battery = np.where(on, charge - 0.1, rest)
    return {
        "BatteryVoltage": battery,
        "KeyswitchVoltage": np.where(ignition, battery - 0.15, 0),
        "AlternatorVoltage": np.where(on, charge, rest - 0.1),
        "AlternatorCurrent": np.where(on, 38 + 5 * noise.white("amps"), 0).clip(0),
        "ignition": ignition * 1.0,
        "devicevoltage": battery - 0.3 + 0.03 * noise.white("device"),
        "SeatBelt": (scene.trace.seated & (scene.trace.v > 0.3)) * 1.0,
        "WiperSwitch": (scene.rain & on) * (1.0 + (noise.white("wiper") > 1.5)),
        "BarometricPressure": 101.1 - (scene.trace.z + 160) * 0.0117 + 0 * battery,
    }


def gps_columns(scene: Scene) -> Columns:
    """The receiver: a wandering error of a metre or two, more under the pit wall."""
    trace, noise = scene.trace, scene.noise
    error = noise.wander({"gps x": 0.97, "gps y": 0.97, "gps z": 0.98})
    deep = np.clip(-trace.z / 150, 0, 1)
    spread = 1.1 + 1.6 * deep
    n = len(scene.units)
    lat, lon = np.empty((n, 3600)), np.empty((n, 3600))
    altitude = np.empty((n, 1), np.float32)
    for i, unit in enumerate(scene.units):
        terrain = scene.terrains[unit.district]
        lane = 4.0 * (unit.index % 7 - 3) / 3
        x = trace.x[i].astype(np.float64) + spread[i] * error["gps x"][i] + lane
        y = trace.y[i].astype(np.float64) + spread[i] * error["gps y"][i] + lane
        lat[i], lon[i] = terrain.degrees(x, y)
        altitude[i] = terrain.altitude
    satellites = np.clip(14.5 - 5 * deep + 1.1 * noise.white("satellites"), 7, 22)
    hdop = np.clip(0.75 + 3.2 / satellites + 0.05 * noise.white("hdop"), 0.6, 9)
    rolling = trace.v > 0.3
    speed = np.clip(trace.v * 3.6 + 0.25 * noise.white("gps speed"), 0, None)
    course = np.degrees(trace.heading) + np.where(rolling, 1.2, 35) * noise.white("course")
    columns: Columns = {
        "gpsspeed": np.where(rolling, speed, np.abs(0.1 * noise.white("creep"))),
        "gpsnumsat": satellites,
        "gpsaltitude": trace.z + altitude + 2.2 * spread * error["gps z"],
        "gpsheading": np.mod(course, 360),
        "gpshdop": hdop,
        "gpspdop": hdop * 1.55,
        "gpsfixtype": np.full_like(hdop, 3),
        "gpsfixage": np.where(noise.white("fix age") > 2.3, 1.0, 0.2),
    }
    columns["gpslat"], columns["gpslong"] = lat, lon
    return columns


def fault_code_columns(scene: Scene, running: Bool) -> Columns:
    """What the controllers report: the unit's developing defect, once it is far enough."""
    none = np.full(running.shape, -9999, np.float32)
    columns = {n: none.copy() for n in ("DtcSource", "DtcSpn", "DtcFmi", "DtcOccurrence")}
    count = np.zeros_like(none)
    severe = np.zeros_like(none)
    for name, (limit, spn, fmi, source) in CODES.items():
        grown = scene.defect(name)
        active = running & (grown > limit)
        values = {"DtcSource": source, "DtcSpn": spn, "DtcFmi": fmi}
        for field, value in values.items():
            columns[field][active] = value
        again = np.broadcast_to(1 + np.floor((grown - limit) * 30), active.shape)
        columns["DtcOccurrence"][active] = again[active]
        count += active
        severe += active & (grown > limit + 0.35)
    return {
        **columns,
        "DtcCount": count,
        "RedStopLamp": (severe > 0) * 1.0,
        "AmberWarningLamp": (count > 0) * 1.0,
        "MalfunctionLamp": np.zeros_like(count),
    }
