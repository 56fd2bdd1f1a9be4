"""What a chunk of units carries from hour to hour, and the world that never changes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np

from . import fleet, terrain
from .cycles import Diary, Ground
from .drivers import Person
from .faults import Spells
from .seeds import AnyArray, stream
from .spec import SECONDS, SimSpec

LARGEST_CHUNK = 32


@dataclass(frozen=True)
class World:
    """Everything that follows from the spec alone."""

    spec: SimSpec
    units: list[fleet.Unit]
    grounds: dict[str, Ground]

    def zone(self, district: str) -> str:
        """IANA name of a district's zone."""
        return self.spec.zones.get(district, self.spec.zone)

    def local_offset(self, district: str, moment: int) -> int:
        """Seconds by which local time is ahead of UTC at an epoch second."""
        aware = datetime.fromtimestamp(moment, ZoneInfo(self.zone(district)))
        return int((aware.utcoffset() or timedelta()).total_seconds())

    def hour_start(self, district: str, hour: int) -> int:
        """Epoch s of the hour's start: a full hour of *local* time, up to 59 min after UTC's."""
        moment = self.spec.epoch + hour * SECONDS
        return moment + (-self.local_offset(district, moment)) % SECONDS

    def path_hour(self, district: str, start: int) -> str:
        """The local hour YYYYMMDDHH that names the file."""
        return datetime.fromtimestamp(start, ZoneInfo(self.zone(district))).strftime("%Y%m%d%H")

    def chunks(self) -> list[list[int]]:
        """Units that are simulated together; never depends on the number of processes."""
        count = len(self.units)
        parts = max(min(2, count), -(-count // LARGEST_CHUNK))
        return [list(map(int, part)) for part in np.array_split(np.arange(count), parts)]


@cache
def _world(identity: str) -> World:
    known = json.loads(identity)
    spec = SimSpec(
        units=known["units"],
        hours=0,
        start=datetime.fromisoformat(known["start"]),
        seed=known["seed"],
        faults=known["faults"],
        zones=known["zones"],
        zone=known["zone"],
        fatigue_scale=known["fatigue_scale"],
        districts=tuple(known.get("districts", ())),
    )
    units = fleet.build(spec)
    codes = fleet.districts(spec)
    return World(spec, units, {c: Ground(terrain.build(spec.seed, c)) for c in codes})


def world(spec: SimSpec) -> World:
    """The world of a spec, built once a process."""
    return _world(json.dumps(spec.identity(), sort_keys=True))


@dataclass
class ChunkState:
    """Memory of a chunk at the end of an hour; arrays are by unit."""

    diaries: list[Diary]
    people: list[Person]
    firmware: list[fleet.Firmware]
    faults: list[Spells]
    memory: dict[str, AnyArray] = field(default_factory=dict)
    waiting: list[list[int]] = field(default_factory=list)  # arrivals of earlier hours, epoch s
    last_upload: list[int] = field(default_factory=list)
    tails: dict[int, list[bytes]] = field(default_factory=dict)  # last lines, where needed next
    folded: dict[int, bytes] = field(default_factory=dict)  # text of an hour that comes twice


def begin(world: World, units: list[int]) -> ChunkState:
    """The state before the first hour: everyone at the park, at the change of shift."""
    spec = world.spec
    own = [world.units[i] for i in units]
    return ChunkState(
        diaries=[
            Diary(u, world.hour_start(u.district, 0), stream(spec.seed, "diary", u.index))
            for u in own
        ],
        people=[Person.new() for _ in own],
        firmware=[fleet.FIRMWARE[u.firmware] for u in own],
        faults=[{} for _ in own],
        waiting=[[] for _ in own],
        last_upload=[
            spec.epoch - int(stream(spec.seed, "ok", u.index).integers(60, 900)) for u in own
        ],
    )
