"""What goes wrong in the vehicle and the device: spells that begin by chance and last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .fleet import Unit
from .scene import Columns, Scene
from .seeds import AnyArray, Bool, stream
from .signals import BUS, CAB, NO_VALUE, Table
from .spec import SECONDS

#: kind: (starts per device-hour in a typical week, shortest s, longest s)
SPELLS = {
    "cab_down": (0.004, 600, 4 * 3600),
    "cab_blocked": (0.004, 600, 2 * 3600),
    "front_down": (0.004, 600, 4 * 3600),
    "gps_loss": (0.010, 60, 2400),
    "bus_down": (0.003, 60, 1500),
    "bus_leak": (0.020, 300, 3600),
    "switch_error": (0.010, 300, 3600),
    "stuck": (0.003, 2 * 3600, 8 * 3600),
    "device_off": (0.0025, 3600, 4 * 3600),
    "card_gap": (0.006, 60, 1500),
}
GPS = ("gpsspeed", "gpslat", "gpslong", "gpsaltitude", "gpsheading", "gpshdop", "gpspdop")
SWITCHES = ("BrakeSwitch", "ParkingBrake", "SeatBelt", "WaterInFuel", "AmberWarningLamp")

Spells = dict[str, tuple[int, int]]


def strike(seed: int, unit: Unit, start: int, severity: float, active: Spells) -> Spells:
    """Spells (start, end) epoch s that touch the hour from ``start``; one of a kind at a time."""
    going = {kind: span for kind, span in active.items() if span[1] > start}
    if severity:
        rng = stream(seed, "faults", unit.index, start)
        for kind, (rate, shortest, longest) in SPELLS.items():
            chance, at, share = rng.random(3)
            if chance < min(0.3, rate * severity) and kind not in going:
                begin = start + int(at * SECONDS)
                length = shortest * (longest / shortest) ** share
                going[kind] = (begin, begin + int(length))
    return going


def rollout(seed: int, unit: Unit, severity: float, first: int) -> int:
    """Epoch s at which the unit gets new firmware; 0: not in this campaign."""
    if not severity:
        return 0
    rng = stream(seed, "rollout", unit.index)
    chosen = rng.random() < (0.3 if severity <= 1 else 0.5)
    return first + int(rng.uniform(0.2, 30) * 3600) if chosen else 0


@dataclass
class Mask:
    """Where each kind of fault is active in this hour; (units, 3600) by kind."""

    by_kind: dict[str, Bool]

    @staticmethod
    def of(spells: list[Spells], starts: list[int]) -> Mask:
        """From each unit's spells, in the hour from each unit's start (epoch s)."""
        masks = {kind: np.zeros((len(spells), SECONDS), np.bool_) for kind in SPELLS}
        for row, own in enumerate(spells):
            t = starts[row] + np.arange(SECONDS)
            for kind, (begin, end) in own.items():
                masks[kind][row] = (t >= begin) & (t < end)
        return Mask(masks)

    def __getitem__(self, kind: str) -> Bool:
        return self.by_kind[kind]


def blind(columns: Columns, mask: Mask, scene: Scene) -> Bool:
    """Cameras, receiver and bus that fail; returns where the cab camera still sees eyes."""
    dark = mask["cab_down"] | mask["cab_blocked"]
    for name in (*CAB, "distraction", "eyewear"):
        columns[name] = np.where(dark, NO_VALUE, columns[name])
    columns["driverpresent"] = np.where(dark, 0, columns["driverpresent"])
    columns["faceconf"] = np.where(dark, 0, columns["faceconf"])
    for name in ("fatiguelevel", "dmsalarm", "alarmtype"):
        columns[name] = np.where(dark, 0, columns[name])
    columns["camcabinstatus"] = np.where(mask["cab_down"], 0, columns["camcabinstatus"])
    columns["camcabinfps"] = np.where(mask["cab_down"], 0, columns["camcabinfps"])
    columns["camcabinblocked"] = mask["cab_blocked"] & ~mask["cab_down"]
    columns["camfrontstatus"] = np.where(mask["front_down"], 0, columns["camfrontstatus"])
    columns["camfrontfps"] = np.where(mask["front_down"], 0, columns["camfrontfps"])
    columns["camrecording"] = 1 * ~mask["cab_down"] + 2.0 * ~mask["front_down"]
    lost = mask["gps_loss"]
    for name in GPS:
        columns[name] = np.where(lost, NO_VALUE, columns[name])
    columns["gpsfixtype"] = np.where(lost, 0, columns["gpsfixtype"])
    columns["gpsnumsat"] = np.where(lost, 2, columns["gpsnumsat"])
    run = np.cumsum(lost, axis=1)
    columns["gpsfixage"] = np.where(lost, run, columns["gpsfixage"])
    _quiet(columns, mask["bus_down"] | _asleep(scene, columns))
    return ~dark


def _asleep(scene: Scene, columns: Columns) -> AnyArray:
    """Half of the vehicles switch their bus off 30 s after the ignition."""
    off = columns["ignition"] < 0.5
    held = np.cumsum(off, axis=1)
    reset = np.maximum.accumulate(np.where(off, 0, held), axis=1)
    before = scene.recall("bus off", 0.0)[:, None] * (reset == 0)
    run = np.where(off, held - reset + before, 0)
    scene.memory["bus off"] = np.minimum(run[:, -1], 1e6).astype(np.float32)
    return np.asarray((run > 30) & np.array([[u.can_sleeps] for u in scene.units]))


def _quiet(columns: Columns, silent: AnyArray) -> None:
    if silent.any():
        for name in BUS:
            columns[name] = np.where(silent, NO_VALUE, columns[name])
        columns["canbusload"] = np.where(silent, 0, columns["canbusload"])


def leak(out: Table, mask: Mask, seed: int, scene: Scene) -> None:
    """Codes for error and not available that slip through as if they were values."""
    for row, unit in enumerate(scene.units):
        rng = stream(seed, "leak", unit.index, scene.starts[row])
        if mask["bus_leak"][row].any():
            hit = mask["bus_leak"][row] & (rng.random(SECONDS) < 0.02)
            out.numbers["VehicleSpeed"][row, hit] = 255.996
            hit = mask["bus_leak"][row] & (rng.random(SECONDS) < 0.02)
            out.numbers["EngineCoolantTemp"][row, hit] = 215
        if mask["switch_error"][row].any():
            name = SWITCHES[int(rng.integers(len(SWITCHES)))]
            hit = mask["switch_error"][row] & (rng.random(SECONDS) < 0.3)
            out.numbers[name][row, hit] = int(rng.integers(2, 4))
            out.numbers["WiperSwitch"][row, hit] = int(rng.integers(14, 16))


def new_fields(rows: int, seed: int, unit: Unit, start: int) -> dict[str, Any]:
    """Fields that only the rolled-out firmware sends; no dictionary knows them."""
    rng = stream(seed, "new fields", unit.index, start)
    return {
        "camcabintemp": np.round(38 + rng.standard_normal(rows), 1),
        "gpsjamming": rng.integers(0, 40, rows),
        "dmsmodel": ["eyes-7.1"] * rows,
    }
