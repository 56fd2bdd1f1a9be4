"""Killed at every named step: nothing is lost, nothing is seen twice, and the restart ends it."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from pipeline import steps
from pipeline.storage import tables as t
from pipeline.verify import verify
from tests.crash.machine import BUILDS, Home, Machine, run_alone
from tests.make import epoch, rows, text

EARLY, LATE, NEXT_DAY = "2026013107", "2026013123", "2026020106"
ARRIVED = epoch(LATE) + 4000

#: Leases of the dead are waited for: shorter than a site may set them.
QUICK = {"lease_seconds": 1.0}

#: Steps that one pass meets several times are also met for the second time.
CHILD = ["ingest.spooled", "ingest.writing", "ingest.writing:2", "ingest.written"]
PARENT = ["ingest.discovered", "ingest.claimed", "ingest.claimed:2", "ingest.fields"]
PARENT += ["ingest.committing", "ingest.committing:2", "ingest.committed", "ingest.committed:2"]
COMPACT = ["compact.claimed", "compact.writing", "compact.writing:2", "compact.written"]
COMPACT += ["compact.swapping", "compact.swapping:2", "compact.swapped", "compact.swapped:2"]
GC = ["gc.listed", "gc.forgetting", "gc.deleting", "gc.deleting:2", "gc.deleted"]
EXPIRE = ["gc.expiring", "gc.expiring:2", "gc.expired", "gc.expired:4"]
BUILD = ["build.claimed", "build.filled", "build.tested", "build.writing:3"]
BUILD += ["build.publishing", "build.published"]


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    with Machine() as started:
        yield started


@pytest.fixture(scope="module")
def seasoned(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which the first batch has been taken in and merged."""
    home = Home(tmp_path_factory.mktemp("crash") / "home", **QUICK)
    first_batch(home)
    home.finish(machine)
    assert len(home.look()) > 150
    home.close()
    return home.folder


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    opened = Home(tmp_path / "home", **QUICK)
    yield opened
    opened.close()


def lines(hour: str, by: int, seconds: int, **values: Any) -> list[dict[str, Any]]:
    """Rows whose text does not pack too well, so that a torn file keeps some."""
    found = rows(hour, seconds, **values)
    for i, row in enumerate(found):
        row |= {"heartbeat": row["heartbeat"] + by, "cpuserial": f"{(i + by) * 7919 % 104729:06x}"}
    return found


def torn(content: list[dict[str, Any]]) -> bytes:
    packed = gzip.compress(text(content), mtime=0)
    return packed[: len(packed) * 2 // 3]


def first_batch(home: Home, *, moved: bool = True) -> None:
    """Two days, three devices, one of which ``moved`` between districts; damage of every kind."""
    home.deliver(EARLY, lines(EARLY, 0, 40), arrived=ARRIVED)
    home.deliver(LATE, lines(LATE, 3580, 40), arrived=ARRIVED + 1)  # on into the next day
    home.deliver(NEXT_DAY, lines(NEXT_DAY, 0, 20), arrived=ARRIVED + 2)
    two: dict[str, Any] = {"device": "HW-2"}
    home.deliver(EARLY, torn(lines(EARLY, 0, 60)), arrived=ARRIVED, packed=False, **two)
    again = [*lines(LATE, 0, 10), *lines(LATE, 5, 10, VehicleSpeed=7.0)]
    bad = text(again) + b'{broken\n\xff\n\n{"heartbeat": "soon"}\n{"heartbeat": NaN}\n'
    home.deliver(LATE, bad, arrived=ARRIVED + 1, **two)
    wrong = gzip.compress(text(lines(NEXT_DAY, 0, 10)), mtime=0)
    wrong = wrong[:-8] + bytes([wrong[-8] ^ 1]) + wrong[-7:]
    home.deliver(NEXT_DAY, wrong, arrived=ARRIVED + 2, packed=False, **two)
    home.deliver(EARLY, b"\x1f\x8bnonsense", device="HW-3", arrived=ARRIVED, packed=False)
    home.deliver(LATE, lines(LATE, 0, 20), device="HW-3", arrived=ARRIVED)
    if moved:
        body = lines(LATE, 10, 20)
        home.deliver(LATE, body, device="HW-3", district="BRTB", arrived=ARRIVED - 9)


def second_batch(home: Home) -> None:
    """Overlaps on both sides, whole files for torn ones, more of the same hour, a new field."""
    over = {"VehicleSpeed": 99.0}
    home.deliver("2026013108", lines(EARLY, 30, 30, **over), arrived=ARRIVED + 50)
    home.deliver("2026013106", lines(EARLY, -10, 20, **over), arrived=ARRIVED - 50)
    home.deliver(EARLY, lines(EARLY, 0, 60), device="HW-2", arrived=ARRIVED + 60)
    home.deliver(LATE, lines(LATE, 3570, 60, **over), arrived=ARRIVED + 70)
    home.deliver("2026020107", lines("2026020107", 0, 9, Novelty=1.5), arrived=ARRIVED + 80)
    home.deliver("2026013122", lines(LATE, -30, 60, Other="x"), device="HW-3", arrived=ARRIVED + 90)
    home.deliver(EARLY, b"", device="HW-4", arrived=ARRIVED)


def test_every_step_has_its_kill() -> None:
    killed = {name.split(":")[0] for name in CHILD + PARENT + COMPACT + EXPIRE + GC + BUILD}
    adopting = {name for name in steps.STEPS if name.startswith("adopt.")}  # tests/test_adopt.py
    assert killed == set(steps.STEPS) - adopting


@pytest.mark.parametrize("step", CHILD + PARENT + COMPACT + GC)
def test_killed_at(step: str, seasoned: Path, tmp_path: Path, machine: Machine) -> None:
    shutil.copytree(seasoned, tmp_path / "home")
    home = Home(tmp_path / "home", **QUICK)
    home.recall()
    home.look()
    second_batch(home)
    order = home.order("ingest", "compact", "gc", kill_at=step, settings={"gc_grace_seconds": -1})
    assert machine.run(order).killed, "the step was not reached"
    home.look()
    home.finish(machine)
    home.settle()
    home.close()


@pytest.mark.parametrize("step", EXPIRE)
def test_killed_while_days_expire(
    step: str, seasoned: Path, tmp_path: Path, machine: Machine
) -> None:
    """Days of rows and of bad lines go one by one; each is gone in whole or not at all."""
    shutil.copytree(seasoned, tmp_path / "home")
    home = Home(tmp_path / "home", **QUICK)
    home.recall()
    before = home.look()
    with home.ledger.write() as connection:
        p = t.partitions.c
        connection.execute(update(t.partitions).values(built_version=p.data_version + 99))
    keep = {"keep_clean_days": 7, "keep_quarantine_days": 7}
    assert machine.run(home.order("gc", kill_at=step, settings=keep)).killed
    checked = verify(home.ledger, home.settings, deep=True)
    assert checked.ok, checked.breaches
    assert (checked.rows < len(before)) == (step != "gc.expiring")
    (ended,) = machine.run(home.order("gc", settings=keep)).lines
    assert ended["expired"]["clean"] or step == "gc.expired:4"
    checked = verify(home.ledger, home.settings, deep=True)
    assert checked.ok, checked.breaches
    assert checked.rows == 0
    assert home.open_claims() == []
    home.close()


@pytest.mark.parametrize("step", ["ingest.writing", "compact.swapping"])
def test_killed_in_service(step: str, home: Home, machine: Machine) -> None:
    """The same with the processes that the product starts: a child at work, and the parent."""
    first_batch(home)
    second_batch(home)
    assert run_alone(home.order("ingest", "compact", kill_at=step)).killed
    home.look()
    home.finish(machine)
    home.settle()


def test_killed_over_and_over(home: Home, machine: Machine) -> None:
    """One life after the other ends, at a later step each time."""
    first_batch(home)
    for number, step in enumerate(CHILD + PARENT + COMPACT + GC):
        if number == 5:
            second_batch(home)
        machine.run(home.order("ingest", "compact", "gc", kill_at=step))
        home.look()
    home.finish(machine)
    home.settle()


@pytest.fixture(scope="module")
def builder() -> Iterator[Machine]:
    with Machine(*BUILDS) as started:
        yield started


def test_killed_while_building(tmp_path: Path, home: Home, builder: Machine) -> None:
    """Marts of all days change together or not at all, and end as if nothing had happened."""
    first_batch(home, moved=False)
    assert builder.run(home.order("ingest", "build")).code == 0
    published = home.marts()
    assert published
    second_batch(home)
    assert builder.run(home.order("ingest")).code == 0
    for step in BUILD:
        home.bury()
        assert builder.run(home.order("build", kill_at=step)).killed, f"{step} was not reached"
        assert (home.marts() == published) == (step != "build.published")
        home.look()
    home.finish(builder)
    ended = builder.run(home.order("build"))
    assert (ended.code, ended.lines[0]["partitions"]) == (0, 0)
    calm = Home(tmp_path / "calm")
    first_batch(calm, moved=False)
    second_batch(calm)
    assert builder.run(calm.order("ingest", "build")).code == 0
    assert home.mart_rows() == calm.mart_rows()
    calm.close()
    home.settle()
    assert not list(home.settings.lake_root.glob("tmp/build-*"))
