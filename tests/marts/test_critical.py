"""Critical cases and failed data tests go out to people."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from pipeline.errors import BuildFailed
from pipeline.flow import Flow
from pipeline.marts import critical
from pipeline.marts.build import BuildResult, build
from pipeline.settings import Settings
from pipeline.storage import manifest
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger
from pipeline.worker import Worker
from tests.make import deliver, epoch
from tests.marts.test_marts import eyes
from tests.test_notify import Hook, telling

HOUR = "2026013107"
ENDED = datetime.fromtimestamp(epoch(HOUR), UTC) + timedelta(hours=1)


@pytest.fixture
def hook() -> Iterator[Hook]:
    opened = Hook()
    yield opened
    opened.close()


def topics(ledger: Ledger) -> dict[str, Any]:
    with ledger.read() as connection:
        return {row.topic: row for row in connection.execute(select(t.notices))}


def test_a_critical_case_is_told_once_and_so_is_a_failed_test(
    raw: Path,
    settings: Settings,
    ledger: Ledger,
    flow: Flow,
    hook: Hook,
) -> None:
    lines = eyes(600, fwversion="3.1.0", eyecloseddur=0, eyeclosedfrac=0)
    for i in range(300, 306):  # six seconds at 10 m/s
        lines[i] |= {"eyecloseddur": i - 299, "eyeclosedfrac": 1.0}
    deliver(raw, HOUR, lines)
    flow.ingest()

    def built(now: datetime) -> dict[str, Any]:
        with ledger.write() as connection:
            manifest.touch(connection, [("2026-01-31", "MLKB")])
        assert build(ledger, settings, "w", now=now).partitions == 1
        return topics(ledger)

    assert built(ENDED + timedelta(hours=12)) == {}  # nobody can be called about it any more
    (topic,) = built(ENDED)
    case = critical.Case(topic.removeprefix("fatigue/"), "MLKB", "DT101", 0, 0, 60.0)
    with ledger.write() as connection:  # as the next build does
        critical.note(connection, settings, [case])
    assert topics(ledger)[topic].times == 1

    worker = Worker(telling(settings, hook.url), ledger)
    assert worker.notifier.send() == 1
    (text,) = hook.texts
    assert "Critical fatigue case on DT101" in text
    assert "60 m driven with eyes closed" in text
    assert "2026-01-31 07:05 (Asia/Makassar)" in text
    assert "OP1" not in text

    broken = Future[BuildResult]()
    broken.set_exception(BuildFailed(["unit_day_adds_up: Got 3 results"]))
    worker._note_build(broken)
    assert worker.notifier.send() == 1
    assert "Data test unit_day_adds_up failed" in hook.texts[1]
    assert "Got 3 results" in hook.texts[1]
    assert worker.notifier.send() == 0
