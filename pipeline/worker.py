"""The worker: the same steps over and over, with time as an argument.

``step(now)`` does what is due and returns; ``loop`` calls it until it is told to stop. Every
worker takes in files; of several, the one that holds the *scheduler* lease also compacts, builds
and collects garbage. The order matters more than the clock: a request of a person first, then new
files (for a bounded time), then marts, then the housekeeping. What arrives while marts are built
and days are merged is taken in beside that.
"""

from __future__ import annotations

import os
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select
from sqlalchemy.exc import SQLAlchemyError

from pipeline import notify, reread
from pipeline.errors import BuildFailed, HaulwatchError
from pipeline.flow import Flow
from pipeline.recovery import copies
from pipeline.settings import Settings
from pipeline.storage import claims, devices, requests
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger
from pipeline.storage.sql import clock, upsert

if TYPE_CHECKING:
    from pipeline.ingest.run import IngestResult
    from pipeline.marts.build import BuildResult

#: Seconds between signs of life; a worker unseen for six of them is taken for dead.
PULSE = 5.0
#: An ingest pass hands over after so long, so that marts stay fresh during a long backlog.
PASS_SECONDS = 20.0
#: Marts are not rebuilt more often than this while files keep coming.
BUILD_EVERY = timedelta(seconds=45)
#: Once it is told to stop, a worker ends what it is at within so long, or gives it back.
GRACE = 6.0
#: What only the worker does that holds the lease.
LEADERS = {"build", "compact"}
FULL_LISTING_EVERY = timedelta(hours=1)
GC_EVERY = timedelta(days=1)
#: Whether a copy of the ledger is due is asked so often: they are a day apart.
COPY_EVERY = timedelta(hours=1)

Log = Callable[[str], None]


class Worker:
    """One worker process: what it did when, and its sign of life."""

    def __init__(self, settings: Settings, ledger: Ledger, log: Log = print) -> None:
        self.settings, self.ledger, self.log = settings, ledger, log
        self.flow = Flow(settings, ledger)
        self.notifier = notify.Notifier(settings, ledger, log)
        self.stopping = threading.Event()
        self._asked = threading.Event()
        self._state = "starting"
        self._done: dict[str, datetime] = {}
        #: What went wrong in this step, by kind of work.
        self._trouble: dict[str, str] = {}
        #: Whether files came in beside a build or a merge: marts are behind again.
        self.overtaken = False

    @property
    def name(self) -> str:
        """Name under which the ledger knows this worker."""
        return self.flow.worker

    def loop(self) -> None:
        """Work until ``stopping`` is set. Trouble is logged and tried again; nothing ends it.

        Ends the process when the work in hand outlasts ``GRACE`` after that.
        """
        pulse, ended = threading.Thread(target=self._pulse, daemon=True), threading.Event()
        pulse.start()
        threading.Thread(target=self._give_up, args=(ended,), daemon=True).start()
        try:
            while not self.stopping.is_set():
                again = self._guarded_step(datetime.now(UTC))
                self._state = "idle"
                self._rest(0 if again else self.settings.poll_seconds)
        finally:
            self.stopping.set()
            pulse.join(PULSE)
            self.notifier.close(PULSE)
            self.flow.close()
            self._leave()
            ended.set()

    def _give_up(self, ended: threading.Event) -> None:
        """Give back what is held by work that will not end in time; its processes end with ours.

        A build or a merge of a large day takes a minute: too long for whoever waits for us.
        """
        self.stopping.wait()
        if ended.wait(GRACE):
            return
        self.log(f"{self._state}: told to stop; given back, to be done again")
        with suppress(SQLAlchemyError):  # what is held then expires by itself
            claims.let_go(self.ledger, self.name)
        self._leave()
        os._exit(0)

    def _rest(self, seconds: float) -> None:
        """Wait for the next step, but let nobody wait who asks for something."""
        ends = time.monotonic() + seconds
        while not self._asked.is_set() and (left := ends - time.monotonic()) > 0:
            if self.stopping.wait(min(left, 1.0)):
                return
        self._asked.clear()

    def _guarded_step(self, now: datetime) -> bool:
        try:
            return self.step(now)
        except (HaulwatchError, SQLAlchemyError, OSError) as error:
            self.log(f"{self._state}: {type(error).__name__}: {error}")
        except BrokenProcessPool:
            self.log(f"{self._state}: a child process died; its files are tried one at a time")
            self.flow.close()
        except Exception:
            self.log(traceback.format_exc())
        finally:
            self.notifier.step(now)  # also when nothing else works: silence is news too
        return False

    def step(self, now: datetime) -> bool:
        """Do what is due at ``now``; True when there is more to do at once."""
        leads = self._lead()
        with self._requests({"ingest"} | (LEADERS if leads else set())) as asked:
            rereading = leads and reread.advance(self.ledger, self.settings, self.name)
            return self._step(now, asked, rereading) or rereading

    def _step(self, now: datetime, asked: set[str], rereading: bool) -> bool:
        full = "ingest" in asked or self._due("listing", now, FULL_LISTING_EVERY)
        self._state = "taking in files"
        backlog = self._take_in(full).backlog
        if full:
            self._done["listing"] = now
        if self.stopping.is_set() or not self._lead():
            return backlog > 0
        devices.close_hours(self.ledger, self.settings, now)
        settled = backlog == 0 and not rereading
        self.overtaken = False
        if settled or "build" in asked or self._due("build", now, BUILD_EVERY):
            backlog = self._build(now, backlog)
        if self.stopping.is_set():
            return backlog > 0
        if settled or "compact" in asked:
            backlog = self._compact(now, backlog)
        if self._due("gc", now, GC_EVERY):
            self._state = "collecting garbage"
            self.flow.gc(now=now)
            self._done["gc"] = now
        self._keep_copy(now)
        return backlog > 0

    def _take_in(self, full: bool) -> IngestResult:
        result = self.flow.ingest(
            full=full, budget_seconds=PASS_SECONDS, enough=self.stopping.is_set
        )
        for key, reason in result.failed.items():
            self.log(f"failed: {key}: {reason}")
        if result.errors:
            self._trouble["ingest"] = result.errors[0]
        return result

    def _keep_copy(self, now: datetime) -> None:
        """The day's copy of the ledger. Should there be no room for it, the work goes on."""
        if not self._due("copy", now, COPY_EVERY):
            return
        self._state = "copying the ledger"
        self._done["copy"] = now
        try:
            copies.keep(self.ledger, self.settings, now)
        except (HaulwatchError, SQLAlchemyError, OSError) as error:
            self.log(f"{self._state}: {type(error).__name__}: {error}")

    def _beside(self, work: Future[Any], backlog: int) -> int:
        """Until ``work`` has ended take in what arrives; how many files wait then.

        The marts of a large fleet take a minute, a merge of its day three: longer than a file may
        stay unseen.
        """
        try:
            while wait([work], self.settings.poll_seconds).not_done:
                if not self.stopping.is_set():
                    self._lead()
                    came = self._take_in(full=False)
                    self.overtaken |= came.files.total() > came.files["ignored"]
                    backlog = came.backlog
        finally:
            wait([work])
        return backlog

    def _compact(self, now: datetime, backlog: int) -> int:
        self._state = "compacting"
        with ThreadPoolExecutor(1) as aside:
            merging = aside.submit(self.flow.compact, now=now)
            backlog = self._beside(merging, backlog)
        for day, reason in merging.result().failed.items():
            self.log(f"failed: {day}: {reason}")
            self._trouble["compact"] = f"{day}: {reason}"
        return backlog

    def _build(self, now: datetime, backlog: int) -> int:
        self._state = "building marts"
        building = self.flow.begin_build(now=now)
        try:
            return self._beside(building, backlog)
        finally:
            self._note_build(building)

    def _note_build(self, building: Future[BuildResult]) -> None:
        """One that fails its tests must not keep days from being compacted."""
        failures: list[str] | None = None
        try:
            if building.result().partitions:
                failures = []
        except BuildFailed as error:
            self.log(f"marts: {error}")
            failures = error.failures
            self._trouble["build"] = str(error)
        except BrokenProcessPool:
            raise
        except Exception as error:  # no memory, no room: what is due after it may do it good
            self._trouble["build"] = f"{type(error).__name__}: {error}"
            self.log(f"marts: {self._trouble['build']}")
        if failures is not None:
            notify.safely(self.ledger, partial(notify.tests_failed, failures=failures))
        self._done["build"] = datetime.now(UTC)

    def _due(self, what: str, now: datetime, every: timedelta) -> bool:
        last = self._done.get(what)
        return last is None or now - last >= every

    def _lead(self) -> bool:
        return claims.lease(
            self.ledger, "scheduler", self.name, max(PULSE * 6, self.settings.lease_seconds)
        )

    @contextmanager
    def _requests(self, kinds: set[str]) -> Iterator[set[str]]:
        """Of these kinds of work those that people asked for: done when the block ends well."""
        self._trouble.clear()
        with self.ledger.write() as connection:
            taken = requests.take(connection, kinds, self.name)
        try:
            yield {request.kind for request in taken}
        except BaseException as error:
            self._trouble |= dict.fromkeys(kinds, f"{type(error).__name__}: {error}")
            raise
        finally:
            if taken:
                with self.ledger.write() as connection:
                    for request in taken:
                        requests.end(connection, [request.id], self._trouble.get(request.kind))

    def _pulse(self) -> None:
        started: int | None = None
        while True:
            with suppress(SQLAlchemyError), self.ledger.write() as connection:
                now = clock(connection)
                started = started or now
                row = {"id": self.name, "started_at": started, "seen_at": now}
                upsert(connection, t.workers, [{**row, "state": self._state}])
                if requests.waiting(connection):
                    self._asked.set()
            if self.stopping.wait(PULSE):
                return

    def _leave(self) -> None:
        with suppress(SQLAlchemyError):
            claims.give_back(self.ledger, "scheduler", self.name)
            with self.ledger.write() as connection:
                connection.execute(delete(t.workers).where(t.workers.c.id == self.name))


def request(ledger: Ledger, kind: str, who: str) -> None:
    """Ask the worker for a step now (``ingest``, ``build``, ``compact``); it is audited."""
    with ledger.write() as connection:
        requests.ask(connection, kind, who)


def once(settings: Settings, ledger: Ledger, log: Log = print) -> int:
    """Everything that is due now, to the end, then stop. Returns how many files are set aside."""
    worker = Worker(settings, ledger, log)
    try:
        with suppress(KeyboardInterrupt):
            while worker.step(datetime.now(UTC)) or worker.overtaken:
                pass
    finally:
        worker.notifier.finish(datetime.now(UTC))
        worker.flow.close()
        worker._leave()
    with ledger.read() as connection:
        k = t.raw_keys.c
        failed = connection.execute(select(k.key).where(k.state == "failed")).all()
    return len(failed)
