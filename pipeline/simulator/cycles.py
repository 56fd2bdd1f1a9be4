"""What each unit does: a diary of segments, planned as the shift goes on.

A diary is carried from hour to hour and draws from its own generator, so it does not matter how
many hours are asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from .fleet import Model, Unit
from .motion import Profile, profile
from .terrain import Terrain

SHIFT = 12 * 3600
SHIFT_START = 6 * 3600  # local s of day at which the day shift begins

#: What a segment can be; a vehicle drives in those that have a leg.
ACTIVITIES = (
    "parked", "change", "prestart", "travel", "queue", "load", "haul", "dump", "return",
    "refuel", "break", "fill", "spray", "board", "repair",
)  # fmt: skip
CODE = {name: code for code, name in enumerate(ACTIVITIES)}


@dataclass(frozen=True)
class Segment:
    """One thing done from ``start`` (epoch s) for ``seconds``; ``crew`` -1: nobody signed on."""

    activity: str
    start: int
    seconds: int
    place: str
    leg: tuple[str, str, bool] | None = None
    engine: bool = True
    powered: bool = True
    crew: int = -1
    seated: bool = False
    cargo: float = 0.0  # share of capacity: at the end of loading, else throughout
    pace: float = 1.0
    phase: float = 0.0


@dataclass
class Ground:
    """Terrain with its planned legs, shared by the diaries of a district."""

    terrain: Terrain
    _profiles: dict[tuple[str, str, str, bool], Profile] = field(default_factory=dict)

    def profile(self, model: Model, leg: tuple[str, str, bool]) -> Profile:
        """The speed plan of a model on a leg (origin, target, loaded)."""
        key = (model.name, *leg)
        if key not in self._profiles:
            self._profiles[key] = profile(self.terrain.route(leg[0], leg[1]), model, leg[2])
        return self._profiles[key]


def shift_of(local: int) -> int:
    """Number of the shift at a local epoch second: even by day, odd at night."""
    return (local - SHIFT_START) // SHIFT


def on_duty(shift: int, turn: int = 0) -> tuple[int, int]:
    """(crew, nth shift in a row): four days, four nights, four off, three crews in turn."""
    day, night = divmod(shift, 2)
    for crew in range(3):
        position = (day + 4 * crew + turn) % 12
        if position // 4 == night:
            return crew, position % 4 + 1
    raise AssertionError("one of three crews is always on duty")


@dataclass
class Diary:
    """A unit's plan. ``low_fuel`` is told from outside at the start of each hour."""

    unit: Unit
    t: int
    rng: np.random.Generator
    offset: int = 0  # s of local time ahead of UTC
    low_fuel: bool = False
    place: str = "park"
    cargo: float = 0.0
    crew: int = -1
    had_break: int = -1  # shift in which the break was taken
    served: int = -1  # last shift that was begun
    segments: list[Segment] = field(default_factory=list)

    def plan(self, ground: Ground, since: int, until: int) -> None:
        """Forget what ended before ``since`` and write up to ``until`` (epoch s) at least."""
        self.segments = [s for s in self.segments if s.start + s.seconds > since]
        while self.t < until:
            if self.crew < 0:
                self._begin_shift()
            elif self.unit.unittype == "bus":
                self._ride(ground)
            else:
                self._work(ground)

    # -- writing -------------------------------------------------------------------------------

    def _stay(
        self, activity: str, seconds: float, *, engine: bool = True, seated: bool = True,
        powered: bool = True,
    ) -> None:  # fmt: skip
        span = max(1, int(seconds))
        seated = seated and self.crew >= 0
        segment = Segment(activity, self.t, span, self.place, None, engine, powered, self.crew)
        self.segments.append(replace(segment, seated=seated, cargo=self.cargo))
        self.t += span

    def _drive(self, ground: Ground, target: str, activity: str) -> None:
        if target == self.place:
            return
        leg = (self.place, target, self.cargo > 0.05)
        pace = self.unit.crews[self.crew].pace * float(self.rng.uniform(0.93, 1.03))
        seconds = ground.profile(self.unit.model, leg).seconds(pace)
        phase = float(self.rng.uniform(0, 6.28))
        segment = Segment(activity, self.t, seconds, target, leg, crew=self.crew, seated=True)
        self.segments.append(replace(segment, cargo=self.cargo, pace=pace, phase=phase))
        self.t += seconds
        self.place = target

    def _park(self, seconds: float) -> None:
        """Stand with the engine off; the master switch cuts power unless it is a short stop."""
        holds = float(self.rng.uniform(90, 600))
        if self.unit.stays_on or seconds < holds + 1200:
            self._stay("parked", seconds, engine=False, seated=False)
            return
        wakes = float(self.rng.uniform(40, 150))
        self._stay("parked", holds, engine=False, seated=False)
        self._stay("parked", seconds - holds - wakes, engine=False, seated=False, powered=False)
        self._stay("parked", wakes, engine=False, seated=False)

    # -- deciding ------------------------------------------------------------------------------

    def _times(self) -> tuple[int, int, int]:
        """(shift, its start, its end), the latter two in epoch seconds."""
        shift = shift_of(self.t + self.offset)
        start = shift * SHIFT + SHIFT_START - self.offset
        return shift, start, start + SHIFT

    def _begin_shift(self) -> None:
        shift, start, end = self._times()
        home = "camp" if self.unit.unittype == "bus" else "park"
        if self.place != home:
            self.place = home  # only at the very beginning
        if self.served != shift and self.t - start < 3600:
            self._stay("change", self.rng.uniform(120, 660), engine=False, seated=False)
            if self.rng.random() < 0.12 and self.unit.unittype != "bus":
                self._park(self.rng.uniform(3600, 6 * 3600))
        elif end - self.t < 3600:
            self._park(end - self.t)
            return
        else:
            self._stay("change", self.rng.uniform(20, 400), engine=False, seated=False)
        self.served = shift
        self.crew = on_duty(shift)[0]
        self._stay("prestart", self.rng.uniform(30, 90), engine=False)
        self._stay("prestart", self.rng.uniform(180, 420))

    def _end_shift(self, ground: Ground, end: int) -> None:
        self._drive(ground, "camp" if self.unit.unittype == "bus" else "park", "travel")
        if self.rng.random() < 0.5:
            self._stay("change", max(30, min(420, end - self.t)), seated=True)
        self.crew = -1
        self._stay("change", max(60, end - self.t), engine=False, seated=False)

    def _work(self, ground: Ground) -> None:
        """One step of a haul or water truck."""
        shift, start, end = self._times()
        loaded = self.cargo > 0.05 and self.unit.unittype != "water"
        if loaded:
            self._deliver(ground)
        elif end - self.t < 1100 or (shift != self.served):
            self._end_shift(ground, end if shift == self.served else self.t + 200)
        elif self.low_fuel:
            self._drive(ground, "fuel", "travel")
            self._stay("queue", self.rng.uniform(5, 240))
            self._stay("refuel", self.rng.uniform(420, 660), engine=False)
            self.low_fuel = False
        elif self.had_break != shift and self.t - start > SHIFT / 2 + (self.unit.index % 5) * 540:
            self.had_break = shift
            self._drive(ground, "park", "travel")
            idles = bool(self.rng.random() < 0.35)
            self._stay("break", self.rng.uniform(1800, 2700), engine=idles, seated=False)
        elif self.rng.random() < 0.0035:
            self._repair(ground)
        elif self.unit.unittype == "water":
            self._spray(ground)
        else:
            self._load(ground)

    def _repair(self, ground: Ground) -> None:
        self._drive(ground, "workshop", "travel")
        self.crew = -1
        self._stay("repair", self.rng.uniform(120, 300), engine=False, seated=False)
        self._park(self.rng.uniform(2400, 5 * 3600))
        if self.place == "workshop":
            self.crew = on_duty(shift_of(self.t + self.offset))[0]
            self.served = shift_of(self.t + self.offset)
            self._stay("prestart", self.rng.uniform(120, 300))
            self._drive(ground, "park", "travel")

    def _load(self, ground: Ground) -> None:
        self._drive(ground, self.unit.pit, "return")
        self._stay("queue", self.rng.gamma(1.6, 110) + 15)
        self.cargo = float(np.clip(self.rng.normal(0.97, 0.05), 0.75, 1.12))
        self._stay("load", self.rng.uniform(170, 290))

    def _deliver(self, ground: Ground) -> None:
        coal = self.unit.unittype == "coal"
        target = "rom" if coal else "dump-a" if self.rng.random() < 0.5 else "dump-b"
        self._drive(ground, target, "haul")
        self._stay("queue", self.rng.gamma(1.3, 45) + 8)
        self._stay("dump", self.rng.uniform(70, 110))
        self.cargo = 0.0

    def _spray(self, ground: Ground) -> None:
        self._drive(ground, "pond", "travel")
        self.cargo = 1.0
        self._stay("fill", self.rng.uniform(420, 660))
        target = str(self.rng.choice(["pit-a", "pit-b", "dump-a", "dump-b", "rom"]))
        self._drive(ground, target, "spray")
        self._stay("queue", self.rng.uniform(30, 200))
        self._drive(ground, "pond", "spray")
        self.cargo = 0.0

    def _ride(self, ground: Ground) -> None:
        """One step of a bus: crews to and from the pits around each change of shift."""
        shift, start, end = self._times()
        since, left = self.t - start, end - self.t
        if shift != self.served:
            self.served, self.crew = shift, on_duty(shift)[0]
        if self.low_fuel and self.place == "camp":
            self._drive(ground, "fuel", "travel")
            self._stay("refuel", self.rng.uniform(240, 420), engine=False)
            self.low_fuel = False
        elif since < 4000 or left < 4500 or 20_000 < since < 25_500:
            target = "park" if self.place == "camp" else "camp"
            self._stay("board", self.rng.uniform(120, 420))
            self._drive(ground, target, "travel")
        else:
            self._drive(ground, "camp", "travel")
            self.crew = -1
            wait = 20_000 - since if since < 20_000 else left - 4400
            self._park(max(600.0, wait - self.rng.uniform(0, 300)))
            self.crew = on_duty(shift_of(self.t + self.offset))[0]
            self._stay("prestart", self.rng.uniform(90, 240))
