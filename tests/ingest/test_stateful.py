"""Random histories: whatever is delivered, however it is worked on, the invariants hold."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import select

from pipeline.flow import Flow
from pipeline.gc import collect, orphans
from pipeline.ingest.convert import convert
from pipeline.ingest.discover import discover
from pipeline.ingest.run import Ingest
from pipeline.reingest import Selection, ask, plan
from pipeline.settings import load
from pipeline.storage import claims, manifest
from pipeline.storage import tables as t
from pipeline.storage.ledger import open_ledger
from pipeline.storage.objects import open_store
from pipeline.verify import verify
from tests.ingest.model import Model
from tests.ingest.test_run import visible
from tests.make import epoch
from tests.threads import together

HOURS = ("2026013122", "2026013123", "2026020100")
DEVICES = ("HW-1", "HW-2")
NOW = datetime(2026, 2, 3, tzinfo=UTC)


class Inline:
    """A pool that works at once and in the caller's thread: thousands of steps a minute."""

    _broken = False

    def submit(self, call: Callable[..., Any], *args: Any, **words: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(call(*args, **words))
        except Exception as error:
            future.set_exception(error)
        return future

    def shutdown(self, **_: Any) -> None:
        pass


class Histories(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.home = Path(tempfile.mkdtemp())
        self.settings = load(home=self.home, threads=1, lease_seconds=60, batch_files=2)
        self.settings.raw_root.mkdir(parents=True)
        self.ledger = open_ledger(self.settings)
        self.model = Model(self.settings.raw_root)
        self.speeds = itertools.count(1)
        self.builds = 0

    def teardown(self) -> None:
        self.ledger.close()
        shutil.rmtree(self.home)

    def flow(self) -> Flow:
        flow = Flow(self.settings, self.ledger)
        flow._readers = flow._mergers = Inline()  # type: ignore[assignment]
        return flow

    @rule(
        hour=st.sampled_from(HOURS),
        device=st.sampled_from(DEVICES),
        start=st.integers(-8, 8),
        length=st.integers(1, 8),
        step=st.sampled_from([1, 1, 2]),
        damage=st.sampled_from(["", "", "", "line", "torn", "crc", "rubbish"]),
    )
    def deliver(
        self, hour: str, device: str, start: int, length: int, step: int, damage: str
    ) -> None:
        """New, late, again, overlapping (starts move by seconds), damaged, across midnight."""
        speed = float(next(self.speeds) % 200)
        first = epoch(hour) + start
        lines = [
            {"heartbeat": first + i * step, "unitno": "DT1", "VehicleSpeed": speed}
            for i in range(length)
        ]
        self.model.deliver(hour, device, lines, damage)

    @rule(workers=st.integers(1, 4))
    def ingest(self, workers: int) -> None:
        def work() -> None:
            assert self.flow().ingest().errors == []

        together(*[work] * workers)
        self.model.take_in()

    @rule()
    def crash_before_the_commit(self) -> None:
        """A worker converts what it claimed and dies; its files are suspects."""
        discover(self.ledger, open_store(self.settings), full=True)
        claim = claims.take(self.ledger, "w", 2, 60)
        if claim is None:
            return
        step = Ingest(self.ledger, self.settings, "w", Inline())  # type: ignore[arg-type]
        convert(step._job(claim))
        with self.ledger.write() as connection:  # one death must not count against a file for ever
            connection.execute(t.raw_keys.update().values(attempts=0))
        claims.abandon(self.ledger, claim.id)

    @rule()
    def compact(self) -> None:
        self.flow().compact(now=NOW)

    @rule()
    def collect_garbage(self) -> None:
        soon = self.settings.model_copy(update={"gc_grace_seconds": -1.0})
        collect(self.ledger, soon)
        assert orphans(self.ledger, self.settings) == []

    @precondition(lambda self: self.model.live and not self.model.waiting)
    @rule(device=st.sampled_from(DEVICES))
    def read_again(self, device: str) -> None:
        """All that is still in the store as it was taken in: nothing may change."""
        if not any(f"/{device}/" in key for key in self.model.live):
            return
        chosen = Selection(device=device)
        planned = plan(self.ledger, self.settings, open_store(self.settings), chosen)
        ask(self.ledger, self.settings, chosen, planned, "tester")
        self.flow().ingest()

    @precondition(lambda self: self.builds == 0 and len(self.model.live) > 1)
    @rule()
    def build(self) -> None:
        from pipeline.marts.build import build, is_due

        self.builds += 1
        build(self.ledger, self.settings, "w", now=NOW)
        assert not is_due(self.ledger)

    @invariant()
    def exactly_what_was_delivered_is_visible(self) -> None:
        found = visible(self.settings, self.ledger, "deviceid, epoch(ts), VehicleSpeed")
        seen = {(device, int(at)): speed for device, at, speed in found}
        assert len(seen) == len(found)
        assert seen == self.model.visible()
        o = t.raw_objects.c
        with self.ledger.read() as connection:
            live = connection.execute(
                select(o.accepted, o.overlapped).where(o.dead_at.is_(None))
            ).all()
            files = manifest.live(connection)
        assert sum(row.accepted - row.overlapped for row in live) == len(found)
        assert all((self.settings.lake_root / file.path).exists() for file in files)

    @invariant()
    def verify_agrees(self) -> None:
        checked = verify(self.ledger, self.settings)
        assert checked.ok, checked.breaches


def run(examples: int, steps: int) -> None:
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(
        Histories,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_random_histories() -> None:
    run(examples=16, steps=12)


@pytest.mark.long
@pytest.mark.timeout(3000)
def test_many_long_random_histories() -> None:
    run(examples=120, steps=40)
