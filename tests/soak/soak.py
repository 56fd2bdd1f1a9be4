"""The product as it runs in service, for a while: ``haulwatch serve`` with its worker, a fleet that
delivers at storm faults, people who open pages. What it did is measured from outside.

``python -m tests.soak.soak --seconds 600 --units 100`` prints what came of it as JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from sqlalchemy import select

from app.backend import cookie_key
from pipeline.settings import Settings, load
from pipeline.simulator import SimSpec, simulate
from pipeline.storage import devices, people
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger, open_ledger
from tests.bench.measure import Sampler, pss, tree
from tests.bench.page_sessions import cookie
from tests.servers import alive, free_port

ROOT = Path(__file__).parent.parent.parent
#: A fleet of 500 units delivers a closed device-hour every 7.2 s.
EVERY_S = 7.0
SESSIONS, THINK_S = 20, 5.0
#: Delivered together just before the end, so that the worker is stopped in the middle of work.
LAST = 6
SAMPLE_S = 2.0
#: Within so long the worker is at rest for a moment.
WINDOW_S = 180.0
#: What is not in the marts after so long is late.
LONGEST_S = 180
MB = 1e6


@dataclass(frozen=True)
class Plan:
    """How long, how large a fleet, and how many of its files are there before it begins."""

    seconds: float
    units: int
    before: int
    every: float = EVERY_S
    sessions: int = SESSIONS

    @property
    def files(self) -> int:
        """Files that are wanted in all."""
        return self.before + int(self.seconds / self.every) + 2 + LAST


@dataclass(frozen=True)
class Sample:
    """What one look found: seconds since the start, bytes and CPU seconds of app and worker."""

    at: float
    app: int
    worker: int
    app_cpu: float
    worker_cpu: float


@dataclass
class Figures:
    """What came of it; seconds, MB and MB/h where the name says nothing else."""

    delivered: int = 0
    prepared_s: float = 0.0
    sessions: dict[str, Any] = field(default_factory=dict)
    seen: list[float] = field(default_factory=list)
    in_marts: list[float] = field(default_factory=list)
    not_in_marts: int = 0
    samples: list[Sample] = field(default_factory=list)
    stopped_s: float = 0.0
    left: list[str] = field(default_factory=list)
    #: What ``ingest`` and ``verify`` say after the stop.
    after: dict[str, Any] = field(default_factory=dict)
    log: str = ""

    def slope(self, who: str) -> float:
        """Growth of the memory that is kept over the second half, MB an hour, by least squares.

        What work in hand takes for a while says nothing of a leak: of each ``WINDOW_S`` the sample
        with the least counts.
        """
        half = [x for x in self.samples if x.at >= self.samples[-1].at / 2]
        windows = groupby(half, key=lambda x: x.at // WINDOW_S)
        kept = [min(some, key=lambda x: getattr(x, who)) for _, some in windows]
        times = [x.at for x in kept]
        sizes = [getattr(x, who) / MB for x in kept]
        middle, level = sum(times) / len(times), sum(sizes) / len(sizes)
        spread = sum((at - middle) ** 2 for at in times)
        rise = sum((at - middle) * (y - level) for at, y in zip(times, sizes, strict=True))
        return 3600 * rise / spread if spread else 0.0

    def peak(self, who: str) -> float:
        """The most memory, MB."""
        return max(float(getattr(x, who)) for x in self.samples) / MB

    def cpu(self, who: str) -> float:
        """Cores that were busy, on average."""
        first, last = self.samples[0], self.samples[-1]
        name = f"{who}_cpu"
        return float(getattr(last, name) - getattr(first, name)) / (last.at - first.at)

    def summary(self) -> dict[str, Any]:
        """What is reported."""
        clicks = [s for some in self.sessions["clicks"].values() for s in some]
        return {
            "files": self.delivered,
            "seen_p50_s": quantile(self.seen, 0.5),
            "seen_p95_s": quantile(self.seen, 0.95),
            "marts_p50_s": quantile(self.in_marts, 0.5),
            "marts_p95_s": quantile(self.in_marts, 0.95),
            "marts_files": len(self.in_marts),
            "not_in_marts": self.not_in_marts,
            "clicks": len(clicks),
            "late_clicks": self.sessions["late"],
            "click_p50_s": quantile(clicks, 0.5),
            "click_p95_s": quantile(clicks, 0.95),
            "by_page_p95_s": {
                name: quantile(some, 0.95) for name, some in sorted(self.sessions["clicks"].items())
            },
            "ping_max_s": max(self.sessions["pings"], default=0.0),
            "session_errors": self.sessions["errors"],
            "app_mb": self.peak("app"),
            "worker_mb": self.peak("worker"),
            "app_mb_an_hour": self.slope("app"),
            "worker_mb_an_hour": self.slope("worker"),
            "app_cores": self.cpu("app"),
            "worker_cores": self.cpu("worker"),
            "stopped_s": self.stopped_s,
            "prepared_s": self.prepared_s,
            "left": self.left,
        }


def quantile(values: Sequence[float], share: float) -> float:
    """The value that so many lie below; none: 0."""
    return sorted(values)[min(int(share * len(values)), len(values) - 1)] if values else 0.0


class Pool:
    """Raw files simulated beforehand, in the order of their arrival; ``land`` delivers the next."""

    def __init__(self, folder: Path, raw: Path, plan: Plan) -> None:
        self.folder, self.raw = folder, raw
        self.landed: dict[str, float] = {}
        # Storms keep a good part of the files back: more hours than are asked for.
        hours = max(2, -(-plan.files * 8 // (5 * plan.units)))
        now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        while True:
            start = now - timedelta(hours=hours)
            out = folder / str(hours)
            spec = SimSpec(plan.units, hours, start, seed=7, faults="storm", fatigue_scale=200)
            simulate(spec, out)
            files = sorted((out / "raw").rglob("*.txt.gz"), key=lambda path: path.stat().st_mtime)
            self.register = out / "register.csv"
            if len(files) >= plan.files:
                break
            hours *= 2
        # The latest: what is delivered counts as of now.
        self._files: Iterator[Path] = iter(files[-plan.files :])

    def land(self) -> str:
        """The next file arrives now."""
        path = next(self._files)
        key = str(Path(*path.parts[-4:]))
        target = self.raw / key
        target.parent.mkdir(parents=True, exist_ok=True)
        os.utime(path)
        os.replace(path, target)
        self.landed[key] = time.time()
        return key


class Site:
    """A home, its server with the worker, and who they are."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.plan, self.home = plan, folder / "home"
        self.settings: Settings = load(home=self.home)
        self.ledger: Ledger = open_ledger(self.settings)
        for role in people.ROLES:
            people.add_user(self.ledger, f"the-{role}", role, role, "a right passphrase")
        self.pool = Pool(folder / "pool", self.settings.raw_root, plan)
        devices.import_csv(self.ledger, self.pool.register)
        self.log = folder / "serve.log"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def environment(self) -> dict[str, str]:
        """Settings as usual, and no others."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith("HAULWATCH_")}
        return {**kept, "HAULWATCH_HOME": str(self.home), "PYTHONFAULTHANDLER": "1"}

    def command(self, *words: str) -> dict[str, Any]:
        """What a command of the product answers."""
        done = subprocess.run(
            [sys.executable, "-m", "app.cli", *words, "--json"],
            env=self.environment(),
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def start(self) -> None:
        """Until the worker lives and what was there before is in the marts."""
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "app.cli", "serve", "--port", str(self.port)],
                env=self.environment(),
                cwd=ROOT,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + 900
        while not self._ready():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.5)

    def _ready(self) -> bool:
        try:
            with urlopen(self.url + "/readyz", timeout=5) as reply:
                ready = json.load(reply)
        except (URLError, OSError):
            return False
        if not ready["ready"] or not self.plan.before:
            return bool(ready["ready"])
        p = t.partitions.c
        with self.ledger.read() as connection:
            waits = connection.execute(select(p.hiveperiod).where(p.built_version < p.data_version))
            built = connection.execute(select(p.hiveperiod)).first() and not waits.first()
        return bool(built and not ready["freshness"]["pending_files"])

    def stop(self) -> float:
        """SIGTERM; seconds until nothing of it is left."""
        assert self.process
        pids = tree(self.process.pid)
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        while time.monotonic() - began < 60:
            if self.process.poll() is not None and not any(map(alive, pids)):
                return time.monotonic() - began
            time.sleep(0.05)
        left = {pid: Path(f"/proc/{pid}/cmdline").read_text() for pid in pids if alive(pid)}
        for pid in left:  # each says where it stands
            os.kill(pid, signal.SIGABRT)
        time.sleep(1)
        raise AssertionError(f"still there after a minute: {left}\n{self.log.read_text()[-9000:]}")

    def kill(self) -> None:
        """Whatever happened, nothing is left behind."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.ledger.close()

    def claims(self) -> list[str]:
        """Claims and leases that somebody still holds."""
        c, leases = t.claims.c, t.leases.c
        with self.ledger.read() as connection:
            held = connection.execute(select(c.kind, c.worker).where(c.outcome.is_(None))).all()
            held += connection.execute(select(leases.name, leases.holder)).all()
        return [f"{name} of {worker}" for name, worker in held]


class Watch(Sampler):
    """Looks at memory, CPU and how far the marts are."""

    def __init__(self, site: Site) -> None:
        super().__init__(SAMPLE_S)
        assert site.process
        self.site, self.app, self.began = site, site.process.pid, time.monotonic()
        self.samples: list[Sample] = []
        #: (day, district) → (version that the marts stand at, since when)
        self.built: dict[tuple[str, str], list[tuple[int, float]]] = {}

    def look(self) -> None:
        """One sample, and the versions at which the marts stand."""
        others = tree(self.app)[1:]
        self.samples.append(
            Sample(
                time.monotonic() - self.began,
                pss(self.app),
                sum(map(pss, others)),
                _cpu(self.app, own=True),
                sum(_cpu(pid, own=pid != others[0]) for pid in others) if others else 0.0,
            )
        )
        p = t.partitions.c
        with self.site.ledger.read() as connection:
            query = select(p.hiveperiod, p.dstrct_code, p.built_version, p.built_at)
            for day, district, version, at in connection.execute(query):
                known = self.built.setdefault((day, district), [])
                if at and (not known or known[-1][0] != version):
                    known.append((version, at / 1e6))


def run(folder: Path, plan: Plan) -> Figures:
    """All of it: service, the stop, and who comes after it."""
    began = time.monotonic()
    site, found = Site(folder, plan), Figures()
    try:
        for _ in range(plan.before):
            site.pool.land()
        site.start()
        before = set(site.pool.landed)
        found.prepared_s = time.monotonic() - began
        with Watch(site) as watch, _sessions(site) as people_there:
            began = time.monotonic()
            while (left := plan.seconds - (time.monotonic() - began)) > 0:
                site.pool.land()
                time.sleep(min(plan.every, left))
            found.sessions = people_there()
        fresh = {key: at for key, at in site.pool.landed.items() if key not in before}
        found.delivered, found.samples = len(fresh), watch.samples
        _latencies(site, fresh, watch, found)
        for _ in range(LAST):
            site.pool.land()
        _until_at_work(site)
        found.stopped_s = site.stop()
        found.left = site.claims()
        found.log = site.log.read_text()
        found.after = {name: site.command(name) for name in ("ingest", "verify")}
    finally:
        site.kill()
    return found


def _until_at_work(site: Site) -> None:
    """Wait until the worker holds what came last, or is building with it."""
    deadline = time.monotonic() + site.settings.poll_seconds + 120
    while time.monotonic() < deadline:
        if any(not held.startswith("scheduler") for held in site.claims()):
            return
        time.sleep(0.05)
    raise AssertionError("the worker took nothing of what came last")


@contextmanager
def _sessions(site: Site) -> Iterator[Any]:
    """People at the pages; what is yielded ends them and says what they saw."""
    key = cookie_key(site.settings)
    names = [f"the-{role}" for role in people.ROLES]
    tokens = [cookie(key, names[i % len(names)]) for i in range(site.plan.sessions)]
    words = json.dumps({"url": site.url, "tokens": tokens, "think_s": THINK_S})
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.soak.sessions", words],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )

    def end() -> dict[str, Any]:
        told, _ = process.communicate(timeout=240)
        assert process.returncode == 0
        found: dict[str, Any] = json.loads(told)
        return found

    try:
        yield end
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _latencies(site: Site, fresh: dict[str, float], watch: Watch, found: Figures) -> None:
    """From each landing to its commit, and to the first marts that have its rows."""
    o, f, s = t.raw_objects.c, t.data_files.c, t.file_sources.c
    query = (
        select(o.key, o.committed_at, f.hiveperiod, f.dstrct_code, f.version)
        .select_from(
            t.raw_objects.outerjoin(t.file_sources, s.src == o.id).outerjoin(
                t.data_files, (f.id == s.file_id) & (f.layer == "clean") & ~f.compacted
            )
        )
        .where(o.key.in_(fresh))
    )
    with site.ledger.read() as connection:
        rows = connection.execute(query).all()
    committed: dict[str, float] = {}
    marts: dict[str, list[float | None]] = {}
    for key, at, day, district, version in rows:
        committed[key] = at / 1e6 - fresh[key]
        if day is not None:
            since = (b for v, b in watch.built.get((day, district), []) if v >= version)
            built = next(since, None)
            marts.setdefault(key, []).append(None if built is None else built - fresh[key])
    waited = time.time()
    found.seen = [committed.get(key, waited - at) for key, at in fresh.items()]
    for key, spans in marts.items():
        known = [span for span in spans if span is not None]
        if len(known) == len(spans):
            found.in_marts.append(max(known))
        else:
            found.not_in_marts += 1
            if waited - fresh[key] > LONGEST_S:  # at least so long; others may still be in time
                found.in_marts.append(waited - fresh[key])


def _cpu(pid: int, *, own: bool) -> float:
    """CPU seconds of a process; else with those of its children that have ended."""
    with suppress(OSError):
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, words[11 : 13 if own else 15])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def main() -> None:
    """Run it with options and print the summary."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--units", type=int, default=24)
    parser.add_argument("--before", type=int, default=48)
    parser.add_argument("--sessions", type=int, default=SESSIONS)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="haulwatch-soak-") as folder:
        plan = Plan(asked.seconds, asked.units, asked.before, sessions=asked.sessions)
        found = run(Path(folder), plan)
        print(json.dumps(found.summary(), indent=1))
        print(found.log[-3000:], file=sys.stderr)


if __name__ == "__main__":
    main()
