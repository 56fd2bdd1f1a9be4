"""What an orchestrator starts: the steps of ``flow`` as functions that stand alone.

Each opens the ledger by the settings of its own process (``HAULWATCH_*``), finds out what is to be
done, and returns what can be kept as JSON. Done twice, or beside a worker, each does the work once:
claims and leases see to that. A file that failed is no failed task; the machine's trouble is.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from types import ModuleType
from typing import Any

from pipeline import notify
from pipeline.errors import BuildFailed
from pipeline.flow import Flow
from pipeline.settings import load
from pipeline.storage import claims, devices
from pipeline.storage.ledger import Ledger, open_ledger

#: A district's task hands over after so long; what is left is the next run's.
PASS = timedelta(minutes=10)
#: As the worker does it: polls in between, the whole store once an hour, garbage once a day.
FULL_LISTING_EVERY = timedelta(hours=1)
GC_EVERY = timedelta(days=1)

_log = logging.getLogger(__name__)


def arrived() -> list[str]:
    """List the raw files once, for all; return the districts that have files to be taken in."""
    from pipeline.ingest.discover import discover
    from pipeline.storage.objects import open_store

    with _flow() as flow:
        with _turn(flow.ledger, "listing", FULL_LISTING_EVERY) as full:
            found = discover(flow.ledger, open_store(flow.settings), full=full)
        for key in found.ignored:
            _log.warning("ignored: %s is no district/device/hour/hour.txt.gz", key)
        with flow.ledger.read() as connection:
            return claims.districts(connection)


def ingest(district: str) -> dict[str, Any]:
    """Take in the files of a district, for a bounded time; return what ``ingest --json`` prints."""
    with _flow() as flow:
        result = flow.ingest(district=district, budget_seconds=PASS.total_seconds())
    for key, reason in result.failed.items():
        _log.warning("failed: %s: %s", key, reason)
    for error in result.errors:
        _log.error("tried again later, one at a time: %s", error)
    return result.as_json()


def unmerged() -> list[str]:
    """Districts with days to be merged. Rows may name another district than their file's path, and
    days close without a file: so this is asked after ingestion, not derived from it.
    """
    from pipeline.compact.run import Compact

    with _flow() as flow:
        plan = Compact(flow.ledger, flow.settings, flow.worker, flow.readers).plan()
    return sorted({merge.partition.dstrct_code for merge in plan})


def compact(district: str) -> dict[str, Any]:
    """Merge the days of a district; return what ``compact --json`` prints."""
    with _flow() as flow:
        result = flow.compact(district=district)
    for day, reason in result.failed.items():
        _log.error("not merged: %s: %s", day, reason)
    return result.as_json()


def build() -> int:
    """Build and publish the marts of every day that changed; return how many. Raises BuildFailed,
    its failures noted.
    """
    with _flow() as flow:
        devices.close_hours(flow.ledger, flow.settings)
        try:
            built = flow.build().partitions
        except BuildFailed as error:
            notify.safely(flow.ledger, partial(notify.tests_failed, failures=error.failures))
            raise
        if built:
            notify.safely(flow.ledger, partial(notify.tests_failed, failures=[]))
        return built


def tidy() -> None:
    """Once a day collect garbage; tell people what waits to be told, silence included."""
    with _flow() as flow:
        try:
            with _turn(flow.ledger, "gc", GC_EVERY) as due:
                if due:
                    flow.gc()
        finally:
            _tell(flow)


def failed(task: str, error: BaseException | None) -> None:
    """Leave word of a task that failed, and send it. Tests of marts speak for themselves."""
    with _flow() as flow:
        if not isinstance(error, BuildFailed):
            reason = f"{type(error).__name__}: {error}" if error else "its process died"
            notify.safely(flow.ledger, partial(notify.task_failed, task=task, reason=reason))
        _tell(flow)


def well(task: str) -> None:
    """Take back what was said of a task that works again."""
    with _flow() as flow:
        notify.safely(flow.ledger, partial(notify.task_well, task=task))


def _tell(flow: Flow) -> None:
    notify.Notifier(flow.settings, flow.ledger, _log.warning).finish(datetime.now(UTC))


@contextmanager
def _flow() -> Iterator[Flow]:
    """The steps over the ledger that the settings of this process name."""
    settings = load()
    ledger = open_ledger(settings)
    try:
        with _nameless_main(), Flow(settings, ledger) as flow:
            yield flow
    finally:
        ledger.close()


@contextmanager
def _nameless_main() -> Iterator[None]:
    """Keep our child processes from importing the program that started us.

    A spawned child does so on its own accord. It needs nothing of it, and an orchestrator may
    refuse: Airflow hides its database from tasks, and cannot be imported without.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextmanager
def _turn(ledger: Ledger, name: str, every: timedelta) -> Iterator[bool]:
    """True for one of all who ask within ``every``; a turn that fails is free again.

    A lease that is not given back. Its holder is no process, so it does not end with ours.
    """
    holder = claims.new_id()
    mine = claims.lease(ledger, name, holder, every.total_seconds())
    try:
        yield mine
    except BaseException:
        claims.give_back(ledger, name, holder)
        raise
