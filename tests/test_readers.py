"""Readers that never stop, while the day they read is taken in, replaced, merged and cleaned up."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipeline.flow import Flow
from pipeline.reingest import Selection, ask, plan
from pipeline.settings import Settings
from pipeline.storage.ledger import Ledger
from pipeline.storage.objects import open_store
from pipeline.verify import verify
from queries.connect import Reader, open_reader
from queries.scope import Scope
from tests.conftest import Children
from tests.make import deliver, rows

DAY = "2026-01-31"
LATER = datetime(2026, 2, 3, tzinfo=UTC)
SECONDS = 60
COUNT = (
    "SELECT count(*) AS rows, count(DISTINCT (deviceid, ts)) AS seconds,"
    " count(DISTINCT hiveperiod) AS days FROM telemetry"
)


class Watch:
    """Threads that count a day's rows; each count must be one that was true meanwhile."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.allowed: set[int] = {0}
        self.seen = 0
        self.wrong: list[Any] = []
        self._over = threading.Event()

    @contextmanager
    def reading(self, threads: int) -> Iterator[None]:
        running = [threading.Thread(target=self._read) for _ in range(threads)]
        for thread in running:
            thread.start()
        try:
            yield
        finally:
            self._over.set()
            for thread in running:
                thread.join()

    @contextmanager
    def change(self, rows: int) -> Iterator[None]:
        """Within, the count may be what it was or what it becomes."""
        self.allowed = self.allowed | {rows}
        yield
        # Who began before the change may still be counting what was there then.
        seen = self.seen
        while self.seen < seen + 16 and not self.wrong:
            time.sleep(0.01)
        self.allowed = {rows}

    def _read(self) -> None:
        while not self._over.is_set() and not self.wrong:
            try:
                allowed = self.allowed
                row = self.reader.retrying(self._count).row(0)
                allowed = allowed | self.allowed
            except Exception as error:
                self.wrong.append(error)
                return
            if row[0] not in allowed or row[0] != row[1] or row[2] > 1:
                self.wrong.append((row, allowed))
            self.seen += 1

    def _count(self) -> pl.DataFrame:
        with self.reader.cursor(["telemetry"], Scope(DAY, DAY)) as cursor:
            frame: pl.DataFrame = cursor.sql(COUNT).pl()
            return frame


def under_way(
    settings: Settings, ledger: Ledger, children: Children, *, rounds: int, threads: int
) -> Watch:
    """Rounds of everything that happens to a day, under the eyes of the readers."""
    chance = random.Random(7)
    # Files go early, and a machine under load still answers within the limit of a query.
    settings = settings.model_copy(update={"gc_grace_seconds": 25.0, "query_seconds": 12.0})
    raw, total, deleted = settings.raw_root, 0, 0
    hours = [f"20260131{hour:02}" for hour in range(1, 24)]
    with Flow(settings, ledger) as flow, open_reader(settings, ledger) as reader:
        children.lend(flow)
        watch = Watch(reader)
        with watch.reading(threads):
            for number in range(rounds):
                hour, device = chance.choice(hours), f"HW-{number}"
                key = deliver(raw, hour, rows(hour, SECONDS, device), device=device)
                total += SECONDS
                with watch.change(total):
                    assert flow.ingest().files["ok"] == 1
                later = 1_800_000_000 + number
                again = rows(hour, SECONDS, device, VehicleSpeed=1.0)
                deliver(raw, hour, again, device=device, arrived=later)
                with watch.change(total):
                    assert flow.ingest().files["ok"] == 1
                with watch.change(total):
                    flow.compact(now=LATER)
                chosen = Selection(key=key)
                found = plan(ledger, settings, open_store(settings), chosen)
                with watch.change(total):
                    ask(ledger, settings, chosen, found, "tester")
                    assert flow.ingest().files["ok"] == 1
                with watch.change(total):
                    deleted += flow.gc().files
                assert watch.wrong == []
        children.take_back(flow)
    assert watch.wrong == []
    assert verify(ledger, settings, deep=True).ok
    assert deleted or rounds < 10  # and some went, under the readers
    return watch


def test_readers_see_every_change_whole(
    raw: Path, settings: Settings, ledger: Ledger, children: Children
) -> None:
    assert under_way(settings, ledger, children, rounds=4, threads=4).seen > 100


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_fifty_rounds_under_eight_readers(
    raw: Path, settings: Settings, ledger: Ledger, children: Children
) -> None:
    assert under_way(settings, ledger, children, rounds=50, threads=8).seen > 2_000
