"""Units, their devices and firmware, and the people who drive them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .seeds import stream
from .spec import SimSpec

#: The mix of a mining fleet, repeated every ten units.
PATTERN = ("dump", "dump", "coal", "dump", "coal", "water", "dump", "coal", "bus", "dump")
NUMBERS = {"dump": ("DT", 101), "coal": ("CT", 201), "bus": ("BS", 301), "water": ("WT", 401)}


@dataclass(frozen=True)
class Model:
    """A vehicle type: power kW, masses t, tank L, top speeds m/s loaded and empty."""

    name: str
    power: float
    tare: float
    cargo: float
    tank: float
    loaded: float
    empty: float


MODELS = {
    "dump": Model("Rigid 8x4 R55", 345, 31, 52, 820, 10.5, 12.5),
    "coal": Model("Road train 6x4 H100", 390, 36, 88, 1100, 13.5, 16.5),
    "bus": Model("Crew bus 4x4 B38", 195, 12, 3, 300, 13.5, 13.5),
    "water": Model("Sprayer 6x4 W20", 300, 17, 20, 480, 6.5, 8.0),
}


@dataclass(frozen=True)
class Firmware:
    """A release: ``tick`` heartbeats a second, ``mean`` eye sampling, fields it does not send."""

    version: str
    tick: int
    mean: bool
    lacks: frozenset[str]
    adds: bool = False


_EYES = frozenset({"earmin", "eyeclosedfrac", "eyecloseddur"})
_YOUNG = frozenset({"clockoffset", "storagehealth", "memused", "gpspdop", "netsinr"})
FIRMWARE = (
    Firmware("3.1.0", 1_000, True, frozenset()),
    Firmware("2.4.1", 1, False, _EYES | {"clockoffset"}),
    Firmware("3.0.2", 1_000_000, True, frozenset({"netsinr"})),
    Firmware("2.6.3", 1_000, False, _EYES),
    Firmware("3.1.0", 1_000_000_000, True, frozenset()),
    Firmware("1.9.8", 1, False, _EYES | _YOUNG),
    Firmware("2.7.0", 1_000_000, False, _EYES),
)
#: What a roll-out installs: it sends three fields that nobody announced.
ROLLED_OUT = Firmware("3.2.0", 1_000, True, frozenset(), adds=True)


@dataclass(frozen=True)
class Operator:
    """A driver. ``open_ear`` ratio, ``noise`` its spread, ``rho`` its memory from s to s."""

    operatorid: str
    open_ear: float
    noise: float
    rho: float
    blink_share: float
    blink_length: float  # s
    glances: float  # per hour
    eyewear: str
    pace: float


@dataclass(frozen=True)
class Unit:
    """A vehicle and its device."""

    index: int
    deviceid: str
    unitno: str
    unittype: str
    district: str
    firmware: int
    pit: str
    model: Model
    crews: tuple[Operator, Operator, Operator]
    power: float
    defect: str  # a mechanical fault that develops, or ""
    can_sleeps: bool  # the bus falls silent with the ignition
    stays_on: bool  # the device is wired past the master switch
    by_gps: bool  # the device trusts GPS for speed


def districts(spec: SimSpec) -> tuple[str, ...]:
    """Those of the spec; else one invented for a small fleet, two from 8 units, three from 30."""
    found = 1 if spec.units < 8 else 2 if spec.units < 30 else 3
    return spec.districts or ("MLKB", "TRGA", "SBRN")[:found]


def _operators(spec: SimSpec, count: int) -> list[Operator]:
    """Open EAR is stratified, so that 15 % lie below 0.24 in a fleet of any size."""
    rng = stream(spec.seed, "operators")
    rank = (rng.permutation(count) + 0.5) / count
    ear = np.where(rank < 0.15, 0.20 + 0.04 * rank / 0.15, 0.24 + 0.14 * (rank - 0.15) / 0.85)
    wear = rng.permutation((np.arange(count) + 0.5) / count)
    return [
        Operator(
            operatorid=f"OP{1001 + i}",
            open_ear=round(float(ear[i]), 4),
            noise=float(rng.uniform(0.018, 0.03)),
            rho=float(rng.uniform(0.2, 0.9)),
            blink_share=float(rng.uniform(0.031, 0.058)),
            blink_length=float(rng.uniform(0.16, 0.26)),
            glances=float(rng.uniform(30, 50)),
            eyewear="sun" if wear[i] < 0.10 else "clear" if wear[i] < 0.35 else "none",
            pace=float(rng.uniform(0.92, 1.03)),
        )
        for i in range(count)
    ]


def build(spec: SimSpec) -> list[Unit]:
    """The fleet, in a fixed order. A unit's three crews never drive another unit."""
    codes = districts(spec)
    people = _operators(spec, 3 * spec.units)
    seen = dict.fromkeys(NUMBERS, 0)
    fleet = []
    for i in range(spec.units):
        rng = stream(spec.seed, "unit", i)
        kind = PATTERN[i % len(PATTERN)]
        prefix, first = NUMBERS[kind]
        defect = str(rng.choice(["coolant", "tyre", "boost", "filter", "charge", "oil"]))
        fleet.append(
            Unit(
                index=i,
                deviceid=f"HW-{101 + 3 * i:06d}",
                unitno=f"{prefix}{first + seen[kind]}",
                unittype=kind,
                district=codes[(i + i // len(PATTERN)) % len(codes)],
                firmware=i % len(FIRMWARE),
                pit="pit-a" if rng.random() < 0.5 else "pit-b",
                model=MODELS[kind],
                crews=(people[3 * i], people[3 * i + 1], people[3 * i + 2]),
                power=MODELS[kind].power * float(rng.uniform(0.96, 1.03)),
                # One unit in six, so that the smallest demo has something to find.
                defect=defect if i % 6 == 3 else "",
                can_sleeps=bool(rng.random() < 0.5),
                stays_on=bool(rng.random() < 0.35),
                by_gps=bool(rng.random() < 0.04),
            )
        )
        seen[kind] += 1
    return fleet


def register(fleet: list[Unit], valid_from: str) -> str:
    """The device register as CSV. ``valid_from`` is an ISO date; nothing has ended yet."""
    lines = ["deviceid,unitno,unittype,dstrct_code,model,valid_from,valid_to"]
    lines += [
        f"{u.deviceid},{u.unitno},{u.unittype},{u.district},{u.model.name},{valid_from},"
        for u in fleet
    ]
    return "\n".join(lines) + "\n"
