"""A fleet simulated, taken in and built as in service, then compared with its truth.

Each run looks twice: while the most files are still on their way, and a while after the last one
came. Files of the past are never opened again in between: late ones dirty their days.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from pipeline.flow import Flow
from pipeline.marts.build import build
from pipeline.settings import Settings, load
from pipeline.simulator import DEFAULT_START, SimSpec, Simulation, network
from pipeline.simulator.spec import SECONDS
from pipeline.simulator.state import world
from pipeline.storage import devices
from pipeline.storage.ledger import Ledger, open_ledger
from queries.connect import open_reader
from tests.accuracy import delivery, marts, states, truth, watched
from tests.accuracy.fatigue import Watched
from tests.bench.fleet import remove
from tests.bench.measure import say

#: After the last arrival, so that nothing is pending any more.
AFTERWARDS = 4 * SECONDS


#: What is added to a seed, by faults.
OTHERS = {"none": 0, "typical": 0, "storm": 1_000_000}


@dataclass
class Outcome:
    """What one run gave: at both looks every device-hour, at the last one everything else."""

    spec: SimSpec
    hours: list[delivery.Hour] = field(default_factory=list)
    compared: states.Compared = field(default_factory=states.Compared)
    watched: Watched = field(default_factory=Watched)
    ear: dict[str, float] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)  # by step
    rows: int = 0

    @property
    def name(self) -> str:
        """Which run this was."""
        return f"{self.spec.seed} {self.spec.faults}"


class Run:
    """A home of its own for one simulation."""

    def __init__(self, spec: SimSpec, home: Path, threads: int) -> None:
        self.spec, self.home = spec, home
        self.settings: Settings = load(
            home=home, threads=threads, query_seconds=600, lease_seconds=86_400
        )
        self.simulation = Simulation(spec, home, processes=threads)
        self.outcome = Outcome(spec)

    def go(self) -> Outcome:
        """Simulate, take in, build, compare: at the first look and at the last."""
        ledger = open_ledger(self.settings)
        try:
            look = busiest(self.spec)
            self._timed("simulate", lambda: self.simulation.deliver(_moment(look)))
            devices.import_csv(ledger, self.home / "register.csv")
            self._settle(ledger, look)
            self._timed("simulate", self.simulation.deliver)
            latest = truth.hours(self.home, self.spec)["last_arrived_at"].dt.epoch("s").max()
            end = self.spec.epoch + self.spec.hours * SECONDS
            now = max(end, int(str(latest or 0))) + AFTERWARDS
            real, visible = self._settle(ledger, now)
            self._timed("compare", lambda: self._compare(ledger, real, visible))
        finally:
            ledger.close()
        return self.outcome

    def _settle(self, ledger: Ledger, now: int) -> tuple[truth.Truth, dict[str, truth.Bool]]:
        """Bring the marts up to date as of ``now`` (epoch s) and compare the device-hours."""
        with Flow(self.settings, ledger) as flow:
            self._timed("ingest", flow.ingest)
        devices.close_hours(ledger, self.settings, _moment(now))  # as the worker does before it
        self._timed("build", lambda: build(ledger, self.settings, "accuracy", now=_moment(now)))
        real = truth.read(self.home, self.spec)
        with open_reader(self.settings, ledger) as reader:
            told, seen = marts.hours(reader), marts.seconds(reader)
        self.outcome.rows = seen.height
        found = delivery.hours(real, real.hours, told, seen, now)
        self.outcome.hours += found
        return real, delivery.by_device(real, seen)

    def _compare(self, ledger: Ledger, real: truth.Truth, visible: dict[str, truth.Bool]) -> None:
        with open_reader(self.settings, ledger) as reader:
            minutes, told, own, crews = (
                ask(reader) for ask in (marts.minutes, marts.cases, marts.episodes, marts.crews)
            )
        told_seconds = states.told_minutes(minutes)
        self.outcome.compared.add(states.true_minutes(real, visible), told_seconds)
        self.outcome.watched = watched.watched(
            real, visible, told, own, minutes, crews, self.outcome.name
        )
        self.outcome.ear = {
            f"{self.spec.seed} {name}": ear for name, ear in truth.open_ear(self.spec).items()
        }

    def _timed(self, step: str, work: Callable[[], object]) -> None:
        began = time.monotonic()
        work()
        spent = self.outcome.seconds.get(step, 0.0) + time.monotonic() - began
        self.outcome.seconds[step] = spent


def spec(seed: int, faults: str, units: int, hours: int, fatigue_scale: float) -> SimSpec:
    """The simulation of one run.

    People and their spells follow from the seed alone: runs with other faults get other people,
    or the same closures would be counted twice.
    """
    return SimSpec(
        units=units, hours=hours, start=DEFAULT_START, seed=seed + OTHERS[faults], faults=faults,
        fatigue_scale=fatigue_scale,
    )  # fmt: skip


def busiest(spec: SimSpec) -> int:
    """The full hour (epoch s), in the last two thirds, at which most old files are on their way."""
    ends = [spec.epoch + hour * SECONDS for hour in range(1, spec.hours + 1)]
    arrivals = [
        (end, network.arrival(spec.seed, spec.severity, unit, end, None)[0])
        for unit in world(spec).units
        for end in ends
    ]

    def waiting(look: int) -> int:
        return sum(end + 2 * SECONDS <= look < arrived for end, arrived in arrivals)

    return max(ends[spec.hours // 3 :], key=waiting)


def _moment(epoch: int) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)


def timed(wanted: SimSpec, home: Path, threads: int) -> tuple[Outcome, float]:
    """One run, of which nothing is left behind, and the seconds that it took."""
    began = time.monotonic()
    done = Run(wanted, home, threads).go()
    remove([home])
    steps = ", ".join(f"{step} {s:.0f} s" for step, s in done.seconds.items())
    say(f"{done.name}: {done.rows:,} rows; {steps}")
    return done, time.monotonic() - began
