"""Killed at random instants: after every kill all is as it should be, and in the end all is in.

``CRASH_SEED`` repeats the deliveries and the instants of a run; what the machine does in between
is its own.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from pipeline.reingest import Selection, ask, plan
from pipeline.storage.objects import open_store
from tests.crash.machine import BUILDS, ROOT, Home, Machine, Order
from tests.crash.test_steps import QUICK, torn
from tests.make import deliver, epoch, rows

HOURS = ("2026013106", "2026013107", "2026013123", "2026020100", "2026020106")
DEVICES = 12
STEPS = ("ingest", "compact", "gc")
#: Who works beside others needs time to finish before gc takes away what it reads.
SHARED = {**QUICK, "gc_grace_seconds": 30.0}


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    with Machine() as started:
        yield started


class Uploads:
    """An endless stream of small files: new, late, overlapping, damaged, and again but longer."""

    def __init__(self, home: Home, chance: random.Random) -> None:
        self.home, self.chance = home, chance
        self.clock = epoch("2026020107")
        #: (device, hour) → where its rows begin, and how many there are
        self.sent: dict[tuple[str, str], tuple[int, int]] = {}

    def some(self, number: int) -> None:
        """Deliver so many files, each of its own device-hour."""
        wanted = [(f"HW-{i}", hour) for i in range(DEVICES) for hour in HOURS]
        for device, hour in self.chance.sample(wanted, number):
            self._one(device, hour)

    def _one(self, device: str, hour: str) -> None:
        chance, again = self.chance, (device, hour) in self.sent
        self.clock += chance.choice((0, 1, 10))
        begin, length = self.sent.get((device, hour), (chance.randint(-30, 3590), 0))
        length += chance.randint(1, 12)
        self.sent[device, hour] = begin, length
        values: dict[str, Any] = {"VehicleSpeed": float(chance.randint(0, 60))}
        if chance.random() < 0.05:
            values[f"Novelty{chance.randint(1, 9)}"] = 1
        lines = [
            {**row, "heartbeat": row["heartbeat"] + begin, "cpuserial": f"{chance.random()}"}
            for row in rows(hour, length, device, **values)
        ]
        lines.append(dict(lines[0]))  # a second twice in one file
        # What comes again comes whole: a damaged file may follow nothing.
        damaged = not again and chance.random() < 0.15
        body = torn(lines) if damaged else lines
        self.home.deliver(hour, body, device=device, arrived=self.clock, packed=not damaged)


def bombard(
    home: Home,
    machine: Machine,
    hits: int,
    steps: tuple[str, ...] = STEPS,
    beside: Machine | None = None,
) -> Counter[str]:
    """Kill workers until so many kills have hit claimed work; return what was hit.

    With ``beside`` a second worker lives on next to each that is killed, and finishes its pass.
    """
    seed = os.environ.get("CRASH_SEED") or str(time.time_ns())
    print(f"CRASH_SEED={seed}")
    chance = random.Random(seed)
    uploads = Uploads(home, chance)
    uploads.some(8)
    started = time.monotonic()
    assert machine.run(home.order(*steps)).code == 0
    lasts = time.monotonic() - started
    found, rounds = Counter[str](), 0
    while found.total() < hits:
        rounds += 1
        assert rounds < hits * 60, f"only {found} of {rounds} kills hit claimed work"
        uploads.some(chance.randint(1, 6))
        pid = machine.start(home.order(*steps, again=10_000))
        if beside:
            beside.start(home.order(*steps))
        time.sleep(chance.uniform(0, lasts))
        if chance.random() < 0.3:
            uploads.some(2)
        os.kill(pid, signal.SIGKILL)
        assert machine.wait().killed
        claims = home.open_claims(pid)
        if claims:
            found[" + ".join(sorted(set(claims)))] += 1
        home.look()
        if beside:
            ended = beside.wait()
            assert ended.code == 0, ended
            home.look()
    print(f"{rounds} kills, {found.total()} hit claimed work: {dict(found)}")
    return found


def readmit(home: Home) -> list[str]:
    """A file that five deaths met alone is set aside, rightly: a person asks for it again."""
    keys = [key for key, row in home.keys().items() if "5 times" in (row.error or "")]
    for key in keys:
        chosen = Selection(key=key)
        planned = plan(home.ledger, home.settings, open_store(home.settings), chosen)
        ask(home.ledger, home.settings, chosen, planned, "tester")
    return keys


def survive(home: Home, machine: Machine, hits: int, **rest: Any) -> None:
    bombard(home, machine, hits, **rest)
    home.finish(machine)
    if readmit(home):
        home.finish(machine)
    home.settle()
    home.close()


def test_ten_kills(tmp_path: Path, machine: Machine) -> None:
    survive(Home(tmp_path / "home", **QUICK), machine, 10)


def test_one_of_two_workers(tmp_path: Path, machine: Machine) -> None:
    with Machine() as beside:
        survive(Home(tmp_path / "home", **SHARED), machine, 4, beside=beside)


def test_born_under_fire(tmp_path: Path, machine: Machine) -> None:
    """Killed while the ledger is made."""
    folder = tmp_path / "first"
    started = time.monotonic()
    machine.run(Order(str(folder), ()))
    lasts = time.monotonic() - started
    killed = number = 0
    while number < 10 or killed < 3:
        assert number < 100, f"only {killed} of {number} were killed"
        number += 1
        order = Order(str(tmp_path / f"home-{number}"), ("ingest",))
        deliver(Path(order.home) / "raw", HOURS[0], rows(HOURS[0], 5))
        pid = machine.start(order)
        time.sleep(random.uniform(0, lasts))
        with suppress(ProcessLookupError):  # it was done before that
            os.kill(pid, signal.SIGKILL)
        hit = machine.wait().killed
        killed += hit
        lasts *= 1 if hit else 0.8  # the first life may have been a slow one
        ended = machine.run(order)
        assert (ended.code, ended.lines[0]["backlog"]) == (0, 0)
        home = Home(Path(order.home))
        home.recall()
        assert len(home.look()) == 5
        home.close()


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_a_thousand_kills(tmp_path: Path, machine: Machine) -> None:
    """In twenty homes, so that the deep end is looked into more than once."""
    with Machine() as beside:
        for number in range(20):
            folder = tmp_path / f"home-{number}"
            if number % 4:
                survive(Home(folder, **QUICK), machine, 50)
            else:
                survive(Home(folder, **SHARED), machine, 50, beside=beside)


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_marts_under_fire(tmp_path: Path) -> None:
    home = Home(tmp_path / "home", **QUICK)
    with Machine(*BUILDS) as machine:
        found = bombard(home, machine, 30, steps=(*STEPS, "build"))
        assert found["build"] > 10
        home.finish(machine)
        time.sleep(1.1)  # the lease of the last dead builder
        assert machine.run(home.order("build")).code == 0
        assert machine.run(home.order("build")).lines[0]["partitions"] == 0
    assert home.marts()
    home.settle()
    home.close()


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_the_command_under_fire(tmp_path: Path, machine: Machine) -> None:
    """``haulwatch worker`` as it runs in service, with the processes it starts."""
    home = Home(tmp_path / "home", lease_seconds=2.0)
    seed = os.environ.get("CRASH_SEED") or str(time.time_ns())
    print(f"CRASH_SEED={seed}")
    chance = random.Random(seed)
    uploads = Uploads(home, chance)
    settings = {"HOME": str(home.folder), "POLL_SECONDS": "0.2", "LEASE_SECONDS": "2"}
    settings |= {"THREADS": "2", "GC_GRACE_SECONDS": "1"}
    environment = {**os.environ, **{f"HAULWATCH_{name}": text for name, text in settings.items()}}
    hits = 0
    for _ in range(25):
        uploads.some(6)
        worker = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "worker"],
            cwd=ROOT,
            env=environment,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(chance.randint(1, 6)):
            time.sleep(chance.uniform(0.5, 1.5))
            uploads.some(2)
        worker.kill()
        worker.wait()
        hits += bool(home.open_claims(worker.pid))
        home.look()
    print(f"25 kills, {hits} hit claimed work")
    assert hits > 5
    home.finish(machine)
    if readmit(home):
        home.finish(machine)
    home.settle()
    home.close()
