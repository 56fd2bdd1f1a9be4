"""The demo: an invented fleet, simulated into a home of its own, taken in and served.

The home remembers the demo in ``demo.json``: a second run resumes, and no other home is touched.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from app.serve import check_port
from pipeline import localtime
from pipeline.errors import HaulwatchError, HomeError, UsageError
from pipeline.settings import Settings, ready_home
from pipeline.simulator import DEFAULT_START, SimSpec, Simulation
from pipeline.simulator import simulate as write_fleet
from pipeline.storage import devices, people
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger, open_ledger
from pipeline.storage.sql import count_by

NOTE = "demo.json"
FAULTS = ("none", "typical", "storm")
USERS = (
    ("supervisor", "Demo supervisor", "supervisor"),
    ("manager", "Demo fleet manager", "fleet_manager"),
    ("admin", "Demo admin", "admin"),
)
#: Seconds until the server answers or the demo gives up.
PATIENCE = 60

console = Console(stderr=True)


@dataclass(frozen=True)
class Note:
    """What a demo home holds."""

    units: int
    hours: int
    start: str
    seed: int
    faults: str


class Demo:
    """One demo in one home. Raises UsageError before anything is written to a foreign home."""

    def __init__(self, settings: Settings, *, units: int, hours: int | None) -> None:
        for value, name in ((settings.raw, "HAULWATCH_RAW"), (settings.lake, "HAULWATCH_LAKE")):
            if value:
                raise UsageError(f"{name} is set: the demo keeps everything in its own home")
        self.settings = settings
        self.home = ready_home(settings)
        self.note = self._note(units, hours)
        spec = SimSpec(
            units=self.note.units,
            hours=self.note.hours,
            start=datetime.fromisoformat(self.note.start),
            seed=self.note.seed,
            faults=self.note.faults,
            zones=settings.zones,
            zone=settings.zone,
        )
        self.simulation = Simulation(spec, self.home, processes=settings.threads)

    def _note(self, units: int, hours: int | None) -> Note:
        """The note of an earlier run in this home, or of a new one in an empty home."""
        path = self.home / NOTE
        if path.is_file():
            kept = json.loads(path.read_text())
            kept.pop("files_expected", None)
            note = Note(**kept)
            if note.units != units:
                raise HomeError(
                    self.home,
                    f"holds a demo of {note.units} units; go on with --units {note.units}, "
                    "or choose an empty home",
                )
            return note
        for name in ("raw", "ledger.db"):
            if (self.home / name).exists():
                raise HomeError(
                    self.home, f"holds a {name} that is not the demo's; choose an empty home"
                )
        now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        start, _ = localtime.day_span(
            localtime.next_day(localtime.hiveperiod(now, self.settings.zone), -1),
            self.settings.zone,
        )
        if hours is not None:
            start = now - timedelta(hours=hours)
        length = int((now - start) / timedelta(hours=1))
        return Note(units, length, start.isoformat(), seed=1, faults="typical")

    def _keep_note(self, **more: int) -> None:
        """Write the note, whole or not at all; ``files_expected`` is for the pages' progress."""
        temporary = self.home / f".{NOTE}.tmp"
        temporary.write_text(json.dumps({**asdict(self.note), **more}, indent=1))
        os.replace(temporary, self.home / NOTE)

    def run(self, *, serve: bool, port: int | None, as_json: bool) -> int:
        """Prepare the home, then serve while it fills, or fill it and end."""
        if serve:
            check_port(self.settings.host, port or self.settings.port)
        ledger = open_ledger(self.settings)
        self._keep_note()
        passwords = demo_users(ledger)
        try:
            if serve:
                return self._serve(ledger, port or self.settings.port, passwords, as_json)
            return self._fill(ledger, passwords, as_json)
        finally:
            ledger.close()

    def _fill(self, ledger: Ledger, passwords: Mapping[str, str], as_json: bool) -> int:
        """Simulate, ingest, compact, build, in turn."""
        from pipeline.flow import Flow

        started = time.monotonic()
        truth = self._simulate("simulating")
        devices.import_csv(ledger, self.home / "register.csv")
        with Flow(self.settings, ledger) as flow:
            with _Bar("taking in") as progress:
                taken = flow.ingest(progress=progress)
            devices.close_hours(ledger, self.settings)
            merged = flow.compact()
            built = flow.build()
        shown = {
            "home": str(self.home),
            "users": dict(passwords),
            "truth": truth,
            "ingest": taken.as_json(),
            "compact": merged.as_json(),
            "build": asdict(built),
            "seconds": round(time.monotonic() - started, 1),
        }
        if as_json:
            print(json.dumps(shown, default=str))
        else:
            lines = taken.lines["accepted"]
            print(f"{lines:,} rows of {self.note.units} units are in {self.home}")
            print("look at them: haulwatch serve   (or: haulwatch demo)")
            _print_users(passwords)
        return 1 if taken.files["failed"] else 0

    def _simulate(self, label: str) -> dict[str, Any]:
        with _Bar(label) as progress:
            return self.simulation.deliver(datetime.now(UTC), progress=progress)

    def _serve(self, ledger: Ledger, port: int, passwords: Mapping[str, str], as_json: bool) -> int:
        """Start the server with its worker, then deliver files while it takes them in."""
        server = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "serve", "--port", str(port)],
            stdout=subprocess.DEVNULL,
        )
        # `kill` on the demo must not leave the server behind.
        signal.signal(signal.SIGTERM, _interrupt)
        try:
            url = f"http://{self.settings.host}:{port}"
            _wait_for(server, url)
            if as_json:
                print(json.dumps({"url": url, "users": dict(passwords)}), flush=True)
            else:
                print(f"\nHaulwatch is at {url}")
                _print_users(passwords)
                sys.stdout.flush()
            self._deliver_forever(ledger, server)
        except KeyboardInterrupt:
            console.print("stopping …")
        finally:
            server.terminate()
            with suppress(subprocess.TimeoutExpired):
                server.wait(20)
            server.kill()
        return 0

    def _deliver_forever(self, ledger: Ledger, server: subprocess.Popen[bytes]) -> None:
        """The backlog first, with a bar for each end of the pipe; then each hour as it closes."""
        hours, first = self.note.hours, True
        start = datetime.fromisoformat(self.note.start)
        while server.poll() is None:
            now = datetime.now(UTC)
            hours = max(hours, int((now - start) / timedelta(hours=1)))
            if first:
                self._first_delivery(ledger)
                first = False
            else:
                self.simulation.deliver(now, hours=hours)
            time.sleep(20)
        raise HaulwatchError(f"the server ended with exit code {server.returncode}")

    def _first_delivery(self, ledger: Ledger) -> None:
        columns = (
            TextColumn("{task.description:12}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("files"),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
            sent = bars.add_task("simulated", total=None)
            taken = bars.add_task("taken in", total=None)
            imported = False

            def progress(done: int, total: int) -> None:
                nonlocal imported
                if not imported and (self.home / "register.csv").is_file():
                    devices.import_csv(ledger, self.home / "register.csv")
                    imported = True
                self._keep_note(files_expected=total)
                bars.update(sent, completed=done, total=total)
                bars.update(taken, completed=_done(ledger), total=total)

            self.simulation.deliver(datetime.now(UTC), progress=progress)
            while (done := _done(ledger)) < (total := _delivered(self.home)):
                bars.update(taken, completed=done, total=total)
                time.sleep(1)
            bars.update(taken, completed=done, total=total)
        console.print("everything is in; each further hour is delivered as it closes")


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _done(ledger: Ledger) -> int:
    with ledger.read() as connection:
        states = count_by(connection, t.raw_keys.c.state)
    return states.get("done", 0) + states.get("failed", 0)


def _delivered(home: Path) -> int:
    return int(json.loads((home / "truth.json").read_text())["files_delivered"])


def _wait_for(server: subprocess.Popen[bytes], url: str) -> None:
    from urllib.error import URLError
    from urllib.request import urlopen

    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise HaulwatchError(f"the server ended with exit code {server.returncode}")
        with (
            suppress(URLError, OSError),
            urlopen(  # noqa: S310 — our own server
                f"{url}/healthz", timeout=2
            ) as answer,
        ):
            if answer.status == 200:
                return
        time.sleep(0.3)
    raise HaulwatchError(f"the server did not answer within {PATIENCE} s")


def demo_users(ledger: Ledger) -> dict[str, str]:
    """The demo's three people, each with a new random password: user name → password."""
    passwords = {}
    existing = {user.username for user in people.list_users(ledger)}
    for username, name, role in USERS:
        password = secrets.token_urlsafe(9)
        if username in existing:
            people.set_password(ledger, username, password)
        else:
            people.add_user(ledger, username, name, role, password)
        passwords[username] = password
    return passwords


def _print_users(passwords: Mapping[str, str]) -> None:
    print("sign in as:")
    for username, password in passwords.items():
        print(f"  {username:12} {password}")


class _Bar:
    """A progress bar as a context manager that yields ``progress(done, total)``."""

    def __init__(self, label: str) -> None:
        self.bar = Progress(console=console, transient=True, disable=not console.is_terminal)
        self.task = self.bar.add_task(label, total=None)

    def __enter__(self) -> Callable[[int, int], None]:
        self.bar.start()
        return lambda done, total: self.bar.update(self.task, completed=done, total=total)

    def __exit__(self, *_: object) -> None:
        self.bar.stop()


def simulate_into(
    settings: Settings,
    out: Path,
    *,
    units: int,
    hours: int,
    start: str | None,
    seed: int,
    faults: str,
    progress: Callable[[int, int], None],
) -> dict[str, Any]:
    """Write a fleet's raw files and the truth about them. Raises UsageError for wrong options."""
    if faults not in FAULTS:
        raise UsageError(f"--faults {faults!r} is none of {', '.join(FAULTS)}")
    first = DEFAULT_START if start is None else _start(start, settings.zone)
    if (out / "raw").exists() and not (out / "truth.json").is_file():
        raise UsageError(f"--out {out}: holds a raw folder that is not the simulator's")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--out {out}: {error.strerror}") from error
    spec = SimSpec(
        units=units,
        hours=hours,
        start=first,
        seed=seed,
        faults=faults,
        zones=settings.zones,
        zone=settings.zone,
    )
    return write_fleet(spec, out, progress=progress, processes=settings.threads)


def _start(text: str, zone: str) -> datetime:
    from zoneinfo import ZoneInfo

    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--start {text!r} is no time like 2026-01-31T06:00+08:00") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(zone))
    moment = moment.astimezone(UTC)
    if moment.minute or moment.second or moment.microsecond:
        raise UsageError(f"--start {text!r} is not on the hour")
    return moment
