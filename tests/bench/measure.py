"""What every benchmark needs: runs in fresh processes, their memory, the table, the last line.

Memory is the sum of PSS over the whole process tree: shared pages count once, so several children
that map the same libraries are not charged for them several times. Only Linux tells it.
"""

from __future__ import annotations

import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import IO, Any, NoReturn, Self

ROOT = Path(__file__).parent.parent.parent
SAMPLE_SECONDS = 0.05
GB = 1e9


class RunFailed(RuntimeError):
    """A command of the benchmark ended with an error; its last words are the message."""


@dataclass(frozen=True)
class Run:
    """One command in a process of its own: wall seconds, peak bytes of its tree, its answer.

    ``seconds`` includes the interpreter's start, for rivals too. ``answer`` is the JSON object on
    the last line of its standard output. ``peak`` is None where memory cannot be told.
    """

    seconds: float
    peak: int | None
    answer: dict[str, Any]


@dataclass(frozen=True)
class Goal:
    """A figure's limit; one of the two is given."""

    least: float | None = None
    most: float | None = None

    def met(self, value: float | None) -> bool:
        """A figure that was not measured has not met its goal."""
        if value is None:
            return False
        if self.least is not None:
            return value >= self.least
        return self.most is None or value <= self.most

    def __str__(self) -> str:
        return f"≥ {self.least:g}" if self.least is not None else f"≤ {self.most:g}"


@dataclass
class Report:
    """Figures by name (None: not measured, a note says why) and the goals among them."""

    goals: Mapping[str, Goal]
    figures: dict[str, float | None] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)

    def put(self, name: str, value: float | None, why_not: str = "") -> None:
        """Note a figure; ``why_not`` explains one that could not be measured."""
        self.figures[name] = None if value is None else float(f"{value:.4g}")
        if value is None and why_not:
            self.notes[name] = why_not

    def table(self) -> str:
        """Every figure with its goal and whether that was met."""
        rows = []
        for name, value in self.figures.items():
            goal = self.goals.get(name)
            verdict = "" if goal is None else "met" if goal.met(value) else "MISSED"
            shown = "—" if value is None else f"{value:,.6g}"
            said = [verdict, self.notes.get(name, "")]
            rows.append((name, shown, str(goal or ""), ": ".join(filter(None, said))))
        return table(("figure", "value", "goal", ""), rows)

    def last_line(self, **versions: str) -> str:
        """The JSON object that ends the output of every benchmark."""
        met = all(goal.met(self.figures.get(name)) for name, goal in self.goals.items())
        about = {
            "figures": self.figures,
            "goals": list(self.goals),
            "goals_met": met,
            "limits": {name: str(goal) for name, goal in self.goals.items()},
            "notes": self.notes,
            "machine": {**machine(), "versions": versions},
        }
        return json.dumps(about, ensure_ascii=False)


def run(command: Sequence[str], env: Mapping[str, str], cwd: Path) -> Run:
    """Run a command, watch its memory, and read its answer. Raises RunFailed."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        os.sync()  # nobody waits for what the run before left to be written
        started = time.perf_counter()
        process = subprocess.Popen(
            command, env=dict(env), cwd=cwd, stdout=out, stderr=err, start_new_session=True
        )
        try:
            with Watch(process.pid) as watch:
                code = process.wait()
                seconds = time.perf_counter() - started
        finally:
            if process.poll() is None:  # we were interrupted: nothing of ours stays behind
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if code != 0:
            last = _read(err).strip().splitlines()[-8:]
            raise RunFailed(f"{' '.join(command[1:5])} … ended with {code}:\n" + "\n".join(last))
        lines = _read(out).strip().splitlines()
        return Run(seconds, watch.peak or None, json.loads(lines[-1]) if lines else {})


def in_scratch(bench: Callable[[Path], None]) -> int:
    """Run a benchmark in a folder that is removed however it ends; returns its exit code."""

    def stop(*_: object) -> NoReturn:
        raise SystemExit(143)  # so that the scratch folder is removed

    signal.signal(signal.SIGTERM, stop)
    with tempfile.TemporaryDirectory(prefix="haulwatch-bench-") as scratch:
        try:
            bench(Path(scratch))
        except RunFailed as error:
            say(str(error))
            return 1
    return 0


def _read(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")


def in_turn(
    ways: Mapping[str, Callable[[], Run]], rounds: int, told: Callable[[str, int, Run], None]
) -> dict[str, list[Run]]:
    """A B C A B C …: whatever the machine does meanwhile happens to all of them."""
    runs: dict[str, list[Run]] = {name: [] for name in ways}
    for number in range(1, rounds + 1):
        for name, way in ways.items():
            runs[name].append(way())
            told(name, number, runs[name][-1])
    return runs


def seconds(runs: Iterable[Run]) -> float:
    """Median wall seconds."""
    return statistics.median(run.seconds for run in runs)


def peak_gb(runs: Iterable[Run]) -> float | None:
    """Highest peak, in GB; None where memory cannot be told."""
    peaks = [run.peak for run in runs if run.peak is not None]
    return max(peaks) / GB if peaks else None


def ratio(a: float | None, b: float | None) -> float | None:
    """``a / b``; None when one of them is missing."""
    return a / b if a is not None and b else None


def environment(scratch: Path, **more: str) -> dict[str, str]:
    """The environment of a run: no setting of this machine's, bytecode kept in the scratch folder.

    Compiling bytecode costs seconds where it may not be written beside the sources; a first, small
    run of each way fills the folder.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("HAULWATCH_", "POLARS_", "PYTHON"))
    }
    kept |= {"PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": str(scratch / "bytecode")}
    return kept | more


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Plain text in columns; what looks like a number stands on the right."""
    lines = [list(head), *map(list, rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]

    def cell(text: str, width: int) -> str:
        number = text[:1].isdigit() or text == "—"
        return text.rjust(width) if number else text.ljust(width)

    shown = ["  ".join(map(cell, line, widths)).rstrip() for line in lines]
    return "\n".join([shown[0], "  ".join("─" * width for width in widths), *shown[1:]])


def machine() -> dict[str, Any]:
    """What the figures depend on; no names or paths of the machine."""
    affinity = getattr(os, "sched_getaffinity", None)
    total = _first("/proc/meminfo", "MemTotal")
    return {
        "cores": len(affinity(0)) if affinity else os.cpu_count(),
        "memory_gb": round(int(total.split()[0]) * 1024 / GB, 1) if total else None,
        "cpu": _first("/proc/cpuinfo", "model name") or platform.machine(),
        "python": platform.python_version(),
        "system": platform.system(),
    }


def versions(*packages: str) -> dict[str, str]:
    """Installed versions of the packages that are measured."""
    return {name: metadata.version(name) for name in packages}


def say(text: str) -> None:
    """Progress, on standard error: standard output is for the tables and the last line."""
    print(text, file=sys.stderr, flush=True)


class Sampler:
    """Looks at something over and over, in a thread, until the block ends."""

    def __init__(self, seconds: float) -> None:
        self._every, self._over = seconds, threading.Event()
        self._thread = threading.Thread(target=self._loop, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _loop(self) -> None:
        while not self._over.wait(self._every):
            self.look()

    def look(self) -> None:
        """What is done each time."""
        raise NotImplementedError


class Watch(Sampler):
    """Samples the memory of a process tree."""

    def __init__(self, pid: int) -> None:
        super().__init__(SAMPLE_SECONDS)
        self.pid, self.peak = pid, 0

    def look(self) -> None:
        """Keep the largest."""
        pids = tree(self.pid)
        # PSS is never above RSS, but walking the pages for it slows the process down: it is only
        # asked for when it could be a new peak.
        if sum(map(_rss, pids)) > self.peak:
            self.peak = max(self.peak, sum(map(pss, pids)))


def tree(pid: int) -> list[int]:
    """A process and its descendants; those that end meanwhile are left out."""
    found, todo = [], [pid]
    while todo:
        found.append(todo.pop())
        for task in Path(f"/proc/{found[-1]}/task").glob("*/children"):
            todo += map(int, (_text(task) or "").split())
    return found


def _rss(pid: int) -> int:
    words = (_text(Path(f"/proc/{pid}/statm")) or "").split()
    return int(words[1]) * os.sysconf("SC_PAGE_SIZE") if words else 0


def pss(pid: int) -> int:
    """Bytes of memory of a process, what it shares divided by those who share it."""
    shown = _first(f"/proc/{pid}/smaps_rollup", "Pss")
    return int(shown.split()[0]) * 1024 if shown else 0


def _first(path: str, name: str) -> str | None:
    """Value of the first ``name: value`` line of a file of /proc."""
    for line in (_text(Path(path)) or "").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return None


def _text(path: Path) -> str | None:
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
