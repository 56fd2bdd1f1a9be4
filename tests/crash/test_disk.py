"""No room and no rights: the machine's troubles are no file's fault, and end when they end."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.gc import orphans
from tests.crash.machine import BUILDS, NOBODY, Ended, Home, Machine
from tests.crash.test_steps import (
    ARRIVED,
    EARLY,
    NEXT_DAY,
    QUICK,
    first_batch,
    lines,
    second_batch,
)
from tests.make import text

NO_ROOM = ("No space left", "File too large")


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    with Machine(*BUILDS) as started:
        yield started


class Room:
    """Takes away the room of a home's lake, and gives it back."""

    def __init__(self, home: Home, lake: Path) -> None:
        self.home, self.lake = home, lake
        self.filler = lake / "filler"

    def take(self, leave: int = 0) -> None:
        with self.filler.open("wb", buffering=0) as file:
            try:
                while file.write(b"x" * 65_536):
                    pass
            except OSError:
                pass
            file.truncate(max(0, file.tell() - leave))

    def give(self) -> None:
        self.filler.unlink()

    def free(self) -> int:
        found = os.statvfs(self.lake)
        return found.f_bavail * found.f_frsize


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    """A small disk."""
    folder = tmp_path / "small"
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", str(folder)]
    if (
        shutil.which("mount") is None
        or subprocess.run(words, capture_output=True, check=False).returncode
    ):
        pytest.skip("only root can mount a small disk; the tests with a size limit remain")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def room(tmp_path: Path, mounted: Path) -> Iterator[Room]:
    # One child: what a second one finishes after the failure of the first is left to gc.
    home = Home(tmp_path / "home", lake=str(mounted), threads=1, **QUICK)
    yield Room(home, mounted)
    home.close()


def blameless(home: Home) -> None:
    """No file has failed, is suspected, or has an attempt to its name; no claim is open."""
    for key, row in home.keys().items():
        assert (row.state, row.suspect, row.attempts, row.claim_id) in (
            ("pending", False, 0, None),
            ("done", False, 0, None),
        ), key
    assert home.open_claims() == []


def refused(ended: Ended, step: str) -> None:
    """The step ended with a sentence that names the trouble."""
    assert ended.code == 1
    assert any(words in ended.errors()[step] for words in NO_ROOM), ended


def test_no_room_for_new_files(room: Room, machine: Machine) -> None:
    home = room.home
    first_batch(home)
    for leave in (0, 0, 40_000, 60_000):
        room.take(leave)
        before, known = room.free(), home.files()
        refused(machine.run(home.order("ingest")), "ingest")
        home.look()
        blameless(home)
        assert orphans(home.ledger, home.settings) == []
        assert room.free() == before or home.files() > known
    room.give()
    home.finish(machine)
    second_batch(home)
    room.take(10_000)
    refused(machine.run(home.order("ingest")), "ingest")
    home.look()
    blameless(home)
    room.give()
    home.finish(machine)
    home.settle()


def test_no_room_for_a_suspect(room: Room, machine: Machine) -> None:
    """A file that died with its worker once is not set aside because the disk is full."""
    home = room.home
    home.deliver(EARLY, lines(EARLY, 0, 40), arrived=ARRIVED)
    assert machine.run(home.order("ingest", kill_at="ingest.spooled")).killed
    room.take()
    for _ in range(6):
        refused(machine.run(home.order("ingest")), "ingest")
    (row,) = home.keys().values()
    assert (row.state, row.attempts, row.claim_id) == ("pending", 0, None)
    room.give()
    assert machine.run(home.order("ingest", kill_at="ingest.written")).killed
    home.finish(machine)
    home.settle()


def test_no_room_for_a_merged_day(room: Room, machine: Machine) -> None:
    home = room.home
    first_batch(home)
    second_batch(home)
    assert machine.run(home.order("ingest")).code == 0
    for leave in (0, 30_000):
        room.take(leave)
        before, files = room.free(), home.files()
        refused(machine.run(home.order("compact", again=2)), "compact")
        home.look()
        assert home.open_claims() == []
        assert orphans(home.ledger, home.settings) == []
        assert room.free() == before or home.files() > files
    room.give()
    home.finish(machine)
    home.settle()


def test_no_room_for_marts(room: Room, machine: Machine) -> None:
    """For dbt's scratch, for dbt itself, and for the marts: what was published stays."""
    home = room.home
    first_batch(home, moved=False)
    assert machine.run(home.order("ingest", "build")).code == 0
    published = home.marts()
    second_batch(home)
    assert machine.run(home.order("ingest")).code == 0
    for leave in (0, 1_000_000, 4_000_000):
        room.take(leave)
        before = room.free()
        refused(machine.run(home.order("build")), "build")
        assert home.marts() == published
        assert home.open_claims() == []
        assert room.free() == before
        home.look()
    room.give()
    ended = machine.run(home.order("build"))
    assert (ended.code, home.marts() == published) == (0, False)
    home.finish(machine)
    home.settle()


def test_the_whole_home_on_a_full_disk(mounted: Path, machine: Machine) -> None:
    """The ledger cannot be written either: the worker fails, and goes on when there is room."""
    home = Home(mounted, **QUICK)
    first_batch(home)
    room = Room(home, mounted)
    for leave in (0, 20_000, 60_000, 100_000, 200_000, 300_000):
        room.take(leave)
        ended = machine.run(home.order("ingest", "compact", "gc"))
        error = ended.errors()["ingest"]  # the ledger's words, or those of a file's writer
        assert "full" in error or "No space left" in error
        home.look()
    room.give()
    home.finish(machine)
    home.settle()
    home.close()


def test_files_beyond_the_limit_of_size(tmp_path: Path, machine: Machine) -> None:
    """Where nothing can be mounted: a write fails in the middle of a file all the same."""
    home = Home(tmp_path / "home", **QUICK)
    first_batch(home)
    home.finish(machine)
    noisy = lines("2026013110", 0, 2500, VehicleSpeed=5.0)
    for row in noisy:
        row["cpuserial"] = os.urandom(200).hex()
    home.deliver("2026013110", noisy, device="HW-7", arrived=ARRIVED)
    for step in ("ingest", "compact"):
        files = home.files()
        refused(machine.run(home.order(step, largest=300_000)), step)
        home.look()
        blameless(home)
        assert home.temporary() == []
        assert home.files() == files
        assert machine.run(home.order(step)).code == 0
    home.finish(machine)
    home.settle()
    home.close()


def blocked(home: Home, place: str) -> Path:
    """A file where a folder would have to be; it stops root, too."""
    path = home.settings.lake_root / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("not a folder")
    return path


@pytest.mark.parametrize(
    "place",
    [
        "clean/telemetry/hiveperiod=2026-02-01",
        "quarantine/quarantine/hiveperiod=2026-02-01",
    ],
)
def test_a_claim_that_fails_half_way_leaves_nothing(
    place: str, tmp_path: Path, machine: Machine
) -> None:
    """The disk may be full: what was finished before the failure must not keep it so."""
    home = Home(tmp_path / "home", batch_files=10, threads=1, **QUICK)
    first_batch(home, moved=False)
    body = text(lines(NEXT_DAY, 0, 10)) + b"{broken\n"
    home.deliver(NEXT_DAY, body, device="HW-3", arrived=ARRIVED)
    path = blocked(home, place)
    known = home.files()
    assert "ingest" in machine.run(home.order("ingest")).errors()
    blameless(home)
    assert home.files() == known
    path.unlink()
    home.finish(machine)
    home.settle()
    home.close()


def test_a_build_that_fails_half_way_leaves_nothing(tmp_path: Path, machine: Machine) -> None:
    home = Home(tmp_path / "home", **QUICK)
    first_batch(home, moved=False)
    assert machine.run(home.order("ingest", "compact")).code == 0
    path = blocked(home, "analytics/unit_day")
    known = home.files()
    assert "build" in machine.run(home.order("build")).errors()
    assert home.files() == known
    assert not home.marts()
    path.unlink()
    assert machine.run(home.order("build")).code == 0
    home.settle()
    home.close()


# Rights. Root has them all, so the worker is somebody else then.


@pytest.fixture
def yard() -> Iterator[Home]:
    """A home that belongs to whoever works, outside the folders that are the tester's alone."""
    folder = Path(tempfile.mkdtemp(prefix="haulwatch-crash-"))
    folder.chmod(0o755)
    home = Home(folder / "home", **QUICK)
    yield home
    home.close()
    shutil.rmtree(folder)


def as_somebody(home: Home, machine: Machine, *steps: str) -> Ended:
    """A worker without root's rights; everything in the home belongs to it."""
    if os.geteuid():
        return machine.run(home.order(*steps))
    for path in [home.folder, *home.folder.rglob("*")]:
        os.chown(path, NOBODY, NOBODY)
    return machine.run(home.order(*steps, uid=NOBODY))


def test_a_lake_that_must_not_be_written(yard: Home, machine: Machine) -> None:
    first_batch(yard)
    assert as_somebody(yard, machine, "ingest").code == 0
    second_batch(yard)
    clean = yard.settings.lake_root / "clean/telemetry/hiveperiod=2026-01-31/dstrct_code=MLKB"
    clean.chmod(0o555)
    for step in ("ingest", "compact"):
        ended = as_somebody(yard, machine, step)
        assert "Permission denied" in ended.errors()[step]
        yard.look()
        blameless(yard)
    clean.chmod(0o755)
    assert as_somebody(yard, machine, "ingest", "compact").code == 0
    assert yard.unfinished() == (0, 0)
    yard.settle()


def test_a_raw_file_that_must_not_be_read(yard: Home, machine: Machine) -> None:
    """The others come in; it is told of, and read at a full pass once that is allowed."""
    first_batch(yard)
    key = yard.deliver("2026013109", lines("2026013109", 0, 15), arrived=ARRIVED)
    (yard.raw / key).chmod(0)
    ended = as_somebody(yard, machine, "ingest")
    assert ended.code == 0
    assert "Permission denied" in ended.lines[0]["failed"][key]
    assert ended.lines[0]["files"]["ok"] > 5
    before = yard.look()
    (yard.raw / key).chmod(0o644)
    ended = as_somebody(yard, machine, "ingest")
    assert ended.lines[0]["files"]["ok"] == 1
    assert len(yard.look()) == len(before) + 15
    assert as_somebody(yard, machine, "compact").code == 0
    yard.settle()


@pytest.mark.parametrize(
    ("place", "mode"),
    [
        pytest.param("MLKB/HW-3", 0o000, id="device not listed"),
        pytest.param("MLKB/HW-3", 0o444, id="device listed only"),
        pytest.param(f"MLKB/HW-3/{EARLY}", 0o444, id="hour listed only"),
    ],
)
def test_a_raw_folder_that_must_not_be_entered(
    place: str, mode: int, yard: Home, machine: Machine
) -> None:
    first_batch(yard)
    folder = yard.raw / place
    folder.chmod(mode)
    ended = as_somebody(yard, machine, "ingest")
    folder.chmod(0o755)
    assert ended.code == 0, ended
    assert len(yard.look()) > 100
    assert as_somebody(yard, machine, "ingest", "compact").code == 0
    yard.settle()
