"""A worker that can be killed, and the home it works on.

``python -m tests.crash.machine`` is a *starter*: it has loaded all there is to load and forks a
worker for each order, so that a kill costs a tenth of a second and not the seconds of a start.
Such a worker forks its children, too; they end by their pipe, as in service. With an order as its
argument the module is the worker itself, with the processes of the product.
"""

from __future__ import annotations

import gc
import hashlib
import importlib
import json
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Self

import duckdb
import pyarrow.parquet as pq
from sqlalchemy import func, select, update

from pipeline import pool, steps
from pipeline.flow import Flow
from pipeline.gc import collect, orphans
from pipeline.marts import dbt_runner
from pipeline.marts.catalogue import MARTS
from pipeline.reingest import Selection, ask, plan
from pipeline.settings import Settings, load
from pipeline.storage import manifest
from pipeline.storage import tables as t
from pipeline.storage.ledger import open_ledger
from pipeline.storage.objects import open_store
from pipeline.storage.records import WORN_OUT
from pipeline.storage.visible import telemetry_sql
from pipeline.verify import verify
from tests import make
from tests.crash.recount import Row, Second, Version, expected, from_folder, version_of

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 2, 4, tzinfo=UTC)
#: What a starter loads besides, when its workers are to build marts.
BUILDS = ("pipeline.marts.build", "dbt.cli.main", "dbt.adapters.duckdb")
#: Who works when root must not: root may read and write everything.
NOBODY = 65_534


@dataclass(frozen=True)
class Order:
    """What a worker is to do: ``steps`` one after the other, each of them also after a failure.

    ``settings`` are taken as they are, beyond what a site may set. ``kill_at``: see
    ``pipeline.steps``. ``largest``: its children may write no larger files.
    """

    home: str
    steps: tuple[str, ...]
    settings: dict[str, Any] = field(default_factory=dict)
    kill_at: str = ""
    uid: int = 0
    largest: int = 0
    again: int = 1


class ForkedPool(ProcessPoolExecutor):
    """``pipeline.pool.Pool`` with forked children. All are started at once, here."""

    def __init__(self, processes: int, largest: int = 0) -> None:
        context = multiprocessing.get_context("fork")
        watch, self._held = context.Pipe(duplex=False)
        super().__init__(processes, context, _start_forked, (watch, self._held, largest))
        self.submit(int).result()


def _start_forked(watch: Connection, held: Connection, largest: int) -> None:
    held.close()  # a fork inherits both ends
    if largest:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
    pool._start_child(watch, 1)


def settings_of(order: Order) -> Settings:
    """The settings of a worker, and of whoever looks at its home."""
    settings = load(home=order.home, threads=2, batch_files=3, lease_seconds=2, gc_grace_seconds=1)
    return settings.model_copy(update=order.settings)


def work(order: Order, flow: Flow) -> int:
    """Do what is ordered; a line of JSON for each step says how it went."""
    failed = 0
    for name in order.steps * order.again:
        line: dict[str, Any] = {"step": name}
        try:
            if name == "ingest":
                line |= flow.ingest().as_json()
            elif name == "compact":
                line |= flow.compact(now=NOW).as_json()
            elif name == "build":
                line["partitions"] = flow.build(now=NOW).partitions
            else:
                line |= flow.gc().as_json()
        except Exception as error:
            failed = 1
            line["error"] = f"{type(error).__name__}: {error}"
        print(json.dumps(line), flush=True)
    return failed


def _forked(order: Order) -> int:
    """A worker's life in a fork of the starter."""
    with open(f"{order.home}.log", "w") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    os.environ[steps.VARIABLE] = order.kill_at
    importlib.reload(steps)
    if order.uid:
        os.chdir(order.home)  # where we are may be closed to others
        os.setgroups([])
        os.setgid(order.uid)
        os.setuid(order.uid)
    settings = settings_of(order)
    # Before SQLite is opened: it must not be forked.
    readers = ForkedPool(settings.threads, order.largest)
    builder = ForkedPool(1) if "build" in order.steps else None
    ledger = open_ledger(settings)
    flow = Flow(settings, ledger)
    flow._readers = flow._mergers = readers  # type: ignore[assignment]
    flow._builder = builder  # type: ignore[assignment]
    with flow:
        return work(order, flow)


def _serve() -> None:
    """Fork a worker for each order on standard input; say its pid, then how it ended."""
    gc.freeze()
    for line in sys.stdin:
        order = Order(**json.loads(line))
        pid = os.fork()
        if pid == 0:
            code = 70
            try:
                code = _forked(order)
            except BaseException as error:
                print(json.dumps({"step": "start", "error": f"{type(error).__name__}: {error}"}))
            finally:
                sys.stdout.flush()
                os._exit(code)
        print(pid, flush=True)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


@dataclass
class Ended:
    """How a worker ended: its exit code (-9: killed) and what it said of each step."""

    code: int
    lines: list[dict[str, Any]]

    @property
    def killed(self) -> bool:
        return self.code == -signal.SIGKILL

    def errors(self) -> dict[str, str]:
        return {line["step"]: line["error"] for line in self.lines if "error" in line}


class Machine:
    """Runs workers, one at a time. A context manager."""

    def __init__(self, *preload: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.machine", "--serve", *preload],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._answer()
        self.log = Path()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate()

    def _answer(self) -> int:
        assert self.process.stdout
        return int(self.process.stdout.readline())

    def start(self, order: Order) -> int:
        """Start a worker and return its pid."""
        assert self.process.stdin
        self.log = Path(f"{order.home}.log")
        self.log.write_text("")
        self.process.stdin.write(json.dumps(order.__dict__, default=str) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def wait(self) -> Ended:
        """Wait until the worker is gone."""
        return Ended(self._answer(), _lines(self.log.read_text()))

    def run(self, order: Order) -> Ended:
        """Start a worker and wait for it."""
        self.start(order)
        return self.wait()


def run_alone(order: Order) -> Ended:
    """The same work by a process of its own, whose children are spawned as in service."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.crash.machine", json.dumps(order.__dict__)],
        cwd=ROOT,
        env={**os.environ, steps.VARIABLE: order.kill_at},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    return Ended(done.returncode, _lines(done.stdout))


def _lines(text: str) -> list[dict[str, Any]]:
    """What a worker said; the last line of a killed one may be torn."""
    found = []
    for line in text.splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            if not line.startswith("{"):
                found.append({"step": "said", "text": line})
    return found


class Home:
    """A home under fire: what was delivered to it, and what can be seen in it."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.folder, self.own = folder, settings
        self.settings = settings_of(self.order())
        self.raw = self.settings.raw_root
        self.raw.mkdir(parents=True, exist_ok=True)
        self.ledger = open_ledger(self.settings)
        self.delivered: dict[tuple[str, str], Version] = {}
        self.before: dict[Second, Row] = {}

    def close(self) -> None:
        self.ledger.close()

    def order(self, *steps: str, **rest: Any) -> Order:
        """An order to work here."""
        settings = {**self.own, **rest.pop("settings", {})}
        return Order(str(self.folder), steps, settings, **rest)

    def deliver(self, hour: str, content: bytes | list[dict[str, Any]], **rest: Any) -> str:
        """A raw file, there all at once as from a careful uploader; see ``tests.make.deliver``."""
        staging = self.folder / "staging"
        key = make.deliver(staging, hour, content, **rest)
        self._note(version_of(staging, key))
        final = self.raw / key
        final.parent.mkdir(parents=True, exist_ok=True)
        os.replace(staging / key, final)
        return key

    def recall(self) -> None:
        """Take what lies in raw for delivered: the home was copied."""
        for version in from_folder(self.raw):
            self._note(version)

    def _note(self, version: Version) -> None:
        self.delivered[version.key, hashlib.sha256(version.packed).hexdigest()] = version

    def look(self) -> dict[Second, Row]:
        """The visible rows, after checks that hold at every instant.

        Each second once; what was visible is still visible, in no older version; and it is all of
        the committed objects and nothing else.
        """
        o = t.raw_objects.c
        with self.ledger.read() as connection:
            source = telemetry_sql(connection, self.settings.lake_root, manifest.live(connection))
            query = select(o.id, o.key, o.sha256).where(o.dead_at.is_(None), o.status != "failed")
            objects = {row.id: (row.key, row.sha256) for row in connection.execute(query)}
        with duckdb.connect() as duck:
            found = duck.execute(
                f"SELECT deviceid, epoch_us(ts), _src, _line, VehicleSpeed FROM ({source})"
            ).fetchall()
        seen = {
            (device, us): Row(objects[src][0], line, speed)
            for device, us, src, line, speed in found
        }
        assert len(seen) == len(found), "a second is visible twice"
        assert self.before.keys() <= seen.keys(), "what was visible is gone"
        wanted = expected(self.delivered[of] for of in objects.values())
        assert seen == wanted, sorted(seen.items() ^ wanted.items(), key=repr)[:4]
        self.before = seen
        return seen

    def keys(self) -> dict[str, Any]:
        """Rows of ``raw_keys``."""
        with self.ledger.read() as connection:
            return {row.key: row for row in connection.execute(select(t.raw_keys))}

    def open_claims(self, pid: int | None = None) -> list[str]:
        """Kinds of claims that are held, or that this process held."""
        c = t.claims.c
        with self.ledger.read() as connection:
            rows = connection.execute(select(c.kind, c.worker).where(c.outcome.is_(None))).all()
        return [row.kind for row in rows if pid is None or f"-{pid}-" in row.worker]

    def unfinished(self) -> tuple[int, int]:
        """Raw files that wait, and days that wait for compaction."""
        k = t.raw_keys.c
        with self.ledger.read() as connection:
            waiting = select(func.count()).where(k.state == "pending")
            dirty = manifest.dirty(connection, t.partitions.c.compacted_version)
            return int(connection.execute(waiting).scalar_one()), len(dirty)

    def ask_again(self) -> None:
        """As a person would for files that were set aside: too many workers died over them."""
        for key, row in self.keys().items():
            if row.state == "failed" and (row.error or "").startswith(WORN_OUT):
                chosen = Selection(key=key)
                planned = plan(self.ledger, self.settings, open_store(self.settings), chosen)
                ask(self.ledger, self.settings, chosen, planned, "tester")

    def bury(self) -> None:
        """As if the leases of the dead had run out meanwhile; nobody may be at work."""
        with self.ledger.write() as connection:
            held = update(t.claims).where(t.claims.c.outcome.is_(None))
            connection.execute(held.values(expires_at=0))
            connection.execute(update(t.leases).values(expires_at=0))

    def finish(self, machine: Machine) -> None:
        """Restart until nothing is left to do."""
        deadline = time.monotonic() + 120
        while True:
            self.bury()
            ended = machine.run(self.order("ingest", "compact"))
            assert ended.code == 0, ended
            self.ask_again()
            if self.unfinished() == (0, 0):
                return
            assert time.monotonic() < deadline, self.unfinished()
            time.sleep(0.2)

    def settle(self) -> None:
        """The last word: verify finds nothing, raw says the same, and no waste stays behind."""
        checked = verify(self.ledger, self.settings, deep=True)
        assert checked.ok, checked.breaches
        assert self.open_claims() == []
        wanted = expected(from_folder(self.raw))
        assert self.look() == wanted
        collect(self.ledger, self.settings.model_copy(update={"gc_grace_seconds": -1.0}))
        assert orphans(self.ledger, self.settings) == []
        assert self.temporary() == []
        assert self.look() == wanted
        checked = verify(self.ledger, self.settings)
        assert checked.ok, checked.breaches
        assert checked.rows == len(wanted)

    def marts(self) -> set[str]:
        """Published files of all marts; every one is there and as long as it was."""
        found = set()
        with self.ledger.read() as connection:
            for name in MARTS:
                for file in manifest.live(connection, name):
                    assert (self.settings.lake_root / file.path).stat().st_size == file.bytes
                    found.add(file.path)
        return found

    def mart_rows(self) -> dict[str, list[str]]:
        """Every row of every mart, as text and in order."""
        found = dict[str, list[str]]()
        for path in self.marts():
            rows = pq.read_table(self.settings.lake_root / path, partitioning=None).to_pylist()
            found.setdefault(path.split("/")[1], []).extend(map(repr, rows))
        return {name: sorted(rows) for name, rows in found.items()}

    def temporary(self) -> list[str]:
        """Half-written files in the lake."""
        return [str(path) for path in self.settings.lake_root.rglob(".*.tmp")]

    def files(self) -> set[str]:
        """Everything in the lake that could be data."""
        root = self.settings.lake_root
        return {
            str(path.relative_to(root))
            for layer in ("clean", "analytics", "quarantine")
            for path in (root / layer).rglob("*")
            if path.is_file()
        }


def main() -> None:
    """Be a starter, or one worker."""
    if sys.argv[1] == "--serve":
        for name in (
            "pipeline.ingest.run",
            "pipeline.ingest.convert",
            "pipeline.storage.weigh",
            "pipeline.compact.run",
            "pipeline.storage.migrate",
            "alembic.command",
            "sqlite3",
            "pyarrow.dataset",
            "pyarrow.acero",
            "_strptime",  # as somebody else, a worker may not be able to load anything more
            *sys.argv[2:],
        ):
            importlib.import_module(name)
        if BUILDS[0] in sys.argv:
            dbt_runner.parsed()  # seconds that every worker would need again
        print(0, flush=True)
        _serve()
        os._exit(0)  # DuckDB complains of what is still loaded when an interpreter ends
    order = Order(**json.loads(sys.argv[1]))
    settings = settings_of(order)
    ledger = open_ledger(settings)
    with Flow(settings, ledger) as flow:
        code = work(order, flow)
    ledger.close()
    sys.exit(code)


if __name__ == "__main__":
    main()
