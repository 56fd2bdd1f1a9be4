"""All signals of one chunk-hour: the plan laid out, the models run, the faults applied."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.fields import BY_NAME

from . import drivers, faults, fuel, network, powertrain, system, thermal, vehicle
from .fleet import ROLLED_OUT, Firmware, Unit
from .noise import Noise
from .scene import Columns, Scene
from .seeds import F32, I64, Bool
from .signals import CAB, NO_VALUE, Table, add_words, rounded, table
from .spec import SECONDS
from .state import ChunkState, World
from .trace import lay_out, states
from .weather import air

#: Seconds that a device is away while it updates.
REBOOT = 30


@dataclass
class Release:
    """Each unit's firmware before and after an update; where it is done; heartbeats a second."""

    firmware: list[tuple[Firmware, Firmware]]
    done: Bool
    rebooting: Bool
    ticks: I64


@dataclass
class Rows:
    """The chunk-hour before it becomes files; arrays of shape (units, 3600)."""

    out: Table
    scene: Scene
    mask: faults.Mask
    kept: Bool  # seconds whose row the device stored
    state: npt.NDArray[np.uint8]
    eyes: Bool  # the camera sees a person's eyes
    release: Release


def signals(world: World, units: list[Unit], hour: int, state: ChunkState) -> Rows:
    """Simulate the hour of these units; ``state`` is brought forward in place."""
    spec = world.spec
    scene = _scene(world, units, hour, state)
    state.faults = [
        faults.strike(spec.seed, u, s, spec.severity, f)
        for u, s, f in zip(units, scene.starts, state.faults, strict=True)
    ]
    mask = faults.Mask.of(state.faults, scene.starts)
    release = _update(world, scene, state)
    alive = scene.trace.powered & ~mask["device_off"] & ~release.rebooting
    columns, speed = _columns(scene, state, alive, spec.severity)
    eyes = _cab(world, scene, state, columns, release)
    eyes &= faults.blind(columns, mask, scene)
    out = table(scene, columns, release.ticks)
    versions = [f.version for pair in release.firmware for f in pair]
    add_words(out, scene, columns, columns["up"] > 0, versions, release.done)
    faults.leak(out, mask, spec.seed, scene)
    code = states(speed, scene.trace.engine, scene.recall("state", 0.0).astype(np.uint8))
    scene.memory["state"] = code[:, -1].astype(np.float32)
    return Rows(out, scene, mask, alive & ~mask["card_gap"], code, eyes, release)


def _scene(world: World, units: list[Unit], hour: int, state: ChunkState) -> Scene:
    """Plan the hour and lay it out; refuelling is decided by the tank at the hour's start."""
    spec = world.spec
    starts = [world.hour_start(u.district, hour) for u in units]
    offsets = [world.local_offset(u.district, s) for u, s in zip(units, starts, strict=True)]
    tanks = state.memory.get("tank")
    for i, diary in enumerate(state.diaries):
        diary.offset = offsets[i]
        ahead = any(s.activity == "refuel" and s.start >= starts[i] for s in diary.segments)
        diary.low_fuel = tanks is not None and float(tanks[i]) < 27 and not ahead
        diary.plan(world.grounds[units[i].district], starts[i], starts[i] + SECONDS)
    local = [s + o for s, o in zip(starts, offsets, strict=True)]
    weather = [air(spec.seed, u.district, t) for u, t in zip(units, local, strict=True)]
    return Scene(
        seed=spec.seed,
        units=units,
        starts=starts,
        local=local,
        elapsed=float(hour),
        trace=lay_out(state.diaries, world.grounds, starts),
        noise=Noise(spec.seed, [u.index for u in units], hour, state.memory),
        memory=state.memory,
        air=np.stack([degrees for degrees, _ in weather]),
        rain=np.stack([rain for _, rain in weather]),
        terrains={code: ground.terrain for code, ground in world.grounds.items()},
    )


def _update(world: World, scene: Scene, state: ChunkState) -> Release:
    """Firmware roll-out: at some second of the campaign the device restarts as a new release."""
    done = np.zeros((len(scene.units), SECONDS), np.bool_)
    rebooting = done.copy()
    pairs = []
    for i, unit in enumerate(scene.units):
        old = state.firmware[i]
        moment = faults.rollout(world.spec.seed, unit, world.spec.severity, world.spec.epoch)
        second = moment - scene.starts[i]
        if moment and second < SECONDS and old != ROLLED_OUT:
            done[i, max(0, second) :] = True
            rebooting[i, max(0, second - REBOOT) : max(0, second)] = True
            state.firmware[i] = ROLLED_OUT
        pairs.append((old, state.firmware[i]))
    old_tick, new_tick = (np.array([[pair[k].tick] for pair in pairs]) for k in (0, 1))
    return Release(pairs, done, rebooting, np.where(done, new_tick, old_tick).astype(np.int64))


def _columns(scene: Scene, state: ChunkState, alive: Bool, severity: float) -> tuple[Columns, F32]:
    """(all numbers but the cab's, wheel speed in km/h as the bus resolves it)."""
    power = powertrain.demand(scene)
    columns: Columns = powertrain.engine_columns(scene, power)
    columns |= powertrain.gearbox_columns(scene, power)
    columns |= fuel.fuel_columns(scene, power) | fuel.distance_columns(scene, power)
    columns |= thermal.thermal_columns(scene, power)
    columns |= vehicle.tyre_columns(scene, columns) | vehicle.dynamics_columns(scene, power)
    columns |= vehicle.payload_columns(scene) | vehicle.electric_columns(scene, power)
    columns |= vehicle.gps_columns(scene) | vehicle.fault_code_columns(scene, power.running)
    columns |= {
        "DefTankLevel": np.mod(columns["TotalFuelUsed"] * -0.055, 85) + 14,
        "DpfSootLoad": np.mod(columns["TotalFuelUsed"] * 0.11, 78) + 12,
    }
    net, up, _ = network.network_columns(scene, severity)
    columns |= net | {"up": up.astype(np.float32)}
    columns |= system.power_columns(scene, alive)
    columns |= system.system_columns(scene, up, state.waiting, state.last_upload)
    speed = rounded(BY_NAME["VehicleSpeed"], scene.trace.v * 3.6)
    columns["VehicleSpeed"] = speed
    return columns, speed


def _cab(world: World, scene: Scene, state: ChunkState, columns: Columns, release: Release) -> Bool:
    """Add the cab camera's columns; returns where a person's eyes can be seen."""
    shape = scene.air.shape
    empty = {"faceconf": 0.0, "driverpresent": 0.0, "eyewear": 0.0, "distraction": 0.0,
             "fatiguelevel": 0.0, "dmsalarm": 0.0, "alarmtype": 0.0, "clip": 0.0}  # fmt: skip
    for name in CAB:
        columns[name] = np.full(shape, NO_VALUE, np.float32)
    for name, value in empty.items():
        columns[name] = np.full(shape, value, np.float64 if name == "clip" else np.float32)
    rho = np.array([u.crews[max(0, p.crew)].rho for u, p in
                    zip(scene.units, state.people, strict=True)], np.float32)  # fmt: skip
    moods = scene.noise.wander({"ear": rho, "yaw": 0.8, "pitch": 0.8, "roll": 0.9, "talk": 0.97})
    usable = np.zeros(shape, np.bool_)
    for i, unit in enumerate(scene.units):
        mean = np.where(release.done[i], release.firmware[i][1].mean, release.firmware[i][0].mean)
        view = drivers.View(
            seed=world.spec.seed, unit=unit, start=scene.starts[i], local=scene.local[i],
            crew=scene.trace.crew[i], at_wheel=scene.trace.seated[i] & scene.trace.engine[i],
            v=scene.trace.v[i], mean_eyes=mean, moods={k: m[i] for k, m in moods.items()},
            grain=scene.noise.white("grain")[i], fps=20.0,
        )  # fmt: skip
        drivers.tire(view, state.people[i], world.spec.fatigue_scale)
        made, usable[i] = drivers.watch(view, state.people[i])
        for name, values in made.items():
            columns[name][i] = np.where(view.at_wheel, values, columns[name][i])
    return usable
