"""When files arrive, in which order, and what an interruption leaves."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from pipeline.simulator import DEFAULT_START, SimSpec, Simulation, simulate
from tests.simulator.conftest import Made
from tests.simulator.recount import recount

ROOT = Path(__file__).parents[2]
SPEC = SimSpec(units=3, hours=3, start=DEFAULT_START, seed=11, faults="storm")


def tree(out: Path) -> dict[str, tuple[str, int]]:
    """Content and modification time of every raw file."""
    raw = out / "raw"
    return {
        str(path.relative_to(raw)): (
            hashlib.sha256(path.read_bytes()).hexdigest(),
            int(path.stat().st_mtime),
        )
        for path in sorted(raw.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("whole")
    simulate(SPEC, out, processes=1)
    return out


def test_bytes_depend_on_neither_processes_nor_hours(whole: Path, tmp_path: Path) -> None:
    simulation = Simulation(replace(SPEC, hours=1), tmp_path, processes=2)
    simulation.deliver()
    again = Simulation(replace(SPEC, hours=2), tmp_path, processes=2)
    told = again.deliver(hours=3)
    assert tree(tmp_path) == tree(whole)
    assert (tmp_path / "truth.json").read_text() == (whole / "truth.json").read_text()
    assert told["hours"] == 3


def test_another_seed_gives_other_bytes(whole: Path, tmp_path: Path) -> None:
    simulate(replace(SPEC, seed=12, hours=1), tmp_path, processes=1)
    assert not set(tree(tmp_path).values()) & set(tree(whole).values())


def test_a_folder_keeps_one_simulation(whole: Path) -> None:
    with pytest.raises(ValueError, match="another simulation"):
        Simulation(replace(SPEC, seed=99), whole)


def test_files_come_in_the_order_of_their_arrival(whole: Path, tmp_path: Path) -> None:
    simulation = Simulation(SPEC, tmp_path, processes=1)
    seen = 0
    for minutes in (10, 61, 62, 190, 1500):
        until = DEFAULT_START + timedelta(minutes=minutes)
        told = simulation.deliver(until)
        now = tree(tmp_path)
        assert all(moment <= until.timestamp() for _, moment in now.values())
        assert len(now) == told["files_delivered"] >= seen
        if minutes in (62, 190):
            found = recount(tmp_path / "raw")
            assert (found.lines, len(found.seconds)) == (told["lines"], told["distinct_rows"])
        seen = len(now)
    simulation.deliver()
    assert tree(tmp_path) == tree(whole)


def test_arrivals_are_soon_but_in_an_outage(storm: Made) -> None:
    hours = storm.table("device_hours").filter("delivered")
    delay = (pl.col("arrived_at") - pl.col("hour_start")).dt.total_seconds() - 3600
    timed = hours.with_columns(delay.alias("delay"))
    assert (timed["delay"] >= 20).all()
    waits = timed.filter(pl.col("cause").is_in(["no_coverage", "stuck_backlog"]))
    assert waits.height > 0
    assert (timed.filter(pl.col("delay") > 150)["cause"] != "").all()
    mtimes = {
        (path.parts[-3], path.parts[-2]): int(path.stat().st_mtime)
        for path in (storm.out / "raw").rglob("*.gz")
    }
    columns = ("deviceid", "hour", "last_arrived_at")
    for device, hour, last in hours.select(columns).iter_rows():
        assert mtimes[device, hour] == int(last.timestamp())


def test_a_killed_run_goes_on_where_it_stopped(whole: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from pipeline.simulator import DEFAULT_START, SimSpec, simulate\n"
        "spec = SimSpec(units=3, hours=3, start=DEFAULT_START, seed=11, faults='storm')\n"
        "simulate(spec, Path(sys.argv[1]), processes=2)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], start_new_session=True, cwd=ROOT
    )
    end = time.monotonic() + 120
    first = tmp_path / ".simulator" / "hours" / "uploads-0.parquet"
    while child.poll() is None and not first.exists() and time.monotonic() < end:
        time.sleep(0.002)
    os.kill(child.pid, signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    end = time.monotonic() + 120
    while _members(child.pid) and time.monotonic() < end:
        time.sleep(0.05)
    assert _members(child.pid) == []
    told = Simulation(SPEC, tmp_path, processes=1).deliver()
    assert tree(tmp_path) == tree(whole)
    assert (tmp_path / "truth.json").read_text() == (whole / "truth.json").read_text()
    assert recount(tmp_path / "raw").lines == told["lines"]


def _members(group: int) -> list[int]:
    """Processes of a process group that still run."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[2]) == group and fields[0] != "Z":
            found.append(int(path.parent.name))
    return found
