"""What /metrics and /readyz tell whoever runs it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import insert
from starlette.requests import Request

from app import health
from pipeline.settings import Settings
from pipeline.storage import people
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger
from pipeline.storage.sign_in import sign_in
from pipeline.storage.sql import clock
from tests.app.conftest import PASSWORD

DOCUMENT = Path(__file__).parents[2] / "docs" / "running.md"
SECOND = 1_000_000
REQUEST = Request({"type": "http"})


def metrics() -> dict[str, float]:
    """Every sample by name and labels."""
    text = bytes(health.metrics(REQUEST).body).decode()
    return {
        ",".join((sample.name, *sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def add(ledger: Ledger, table: Any, **values: Any) -> None:
    with ledger.write() as connection:
        connection.execute(insert(table).values(**values))


def now(ledger: Ledger) -> int:
    with ledger.read() as connection:
        return clock(connection)


def test_an_empty_home_has_never_built(home: Settings) -> None:
    found = metrics()
    assert found["haulwatch_worker_up"] == 0
    assert found["haulwatch_failed_tests"] == 0
    for name in ("worker_seen_seconds", "last_ingest_seconds", "last_build_seconds"):
        assert f"haulwatch_{name}" not in found


def test_what_is_to_be_watched_is_there(home: Settings, ledger: Ledger) -> None:
    at = now(ledger)
    run = {"worker": "w", "started_at": at - 900 * SECOND}
    for kind, status, ago in (
        ("build", "ok", 700),
        ("build", "failed", 100),
        ("ingest", "ok", 300),
        ("compact", "ok", 10),
    ):
        add(ledger, t.runs, kind=kind, status=status, ended_at=at - ago * SECOND, **run)
    add(ledger, t.workers, id="w", started_at=at, seen_at=at - 8 * SECOND, state="idle")
    for number, state in enumerate(("pending", "pending", "failed", "done")):
        key = {"key": f"k{number}", "etag": "", "size": 1, "seen_at": at, "state": state}
        add(ledger, t.raw_keys, arrived_at=at - (500 - number) * SECOND, **key)
    for number, status in enumerate(("fail", "pass", "error", "warn")):
        test = {"run_id": 1, "model": "m", "severity": "error", "failures": 1}
        add(ledger, t.mart_tests, test=f"t{number}", status=status, **test)
    words = {"kind": "tests", "title": "", "body": "", "first_at": at, "last_at": at, "times": 1}
    add(ledger, t.notices, topic="one", **words)
    add(ledger, t.notices, topic="two", sent_at=at, **words)
    name = people.ROLES[0]
    for password in ("wrong one", "wrong two", PASSWORD):
        sign_in(ledger, name, "10.0.0.1", password)
    add(ledger, t.sign_ins, username=name, address="10.0.0.1", at=at - 1_000 * SECOND, ok=False)

    found = metrics()
    told = set(re.findall(r"haulwatch_\w+", DOCUMENT.read_text()))
    assert len(told) > 8
    assert told <= {name.partition(",")[0] for name in found}
    exact = {
        "haulwatch_worker_up": 1,
        "haulwatch_lake_up": 1,
        "haulwatch_raw_files,pending": 2,
        "haulwatch_raw_files,failed": 1,
        "haulwatch_raw_files,done": 1,
        "haulwatch_failed_tests": 2,
        "haulwatch_sign_in_failures": 2,
        "haulwatch_notices_untold": 1,
    }
    assert {name: found[name] for name in exact} == exact
    for name, age in (
        ("worker_seen_seconds", 8),
        ("oldest_pending_seconds", 500),
        ("last_build_seconds", 700),
        ("last_ingest_seconds", 300),
    ):
        assert found[f"haulwatch_{name}"] == pytest.approx(age, abs=20), name


def test_ready_is_told_with_what_waits(
    home: Settings, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    reply = health.readyz(REQUEST)
    assert reply.status_code == 503  # a worker is wanted, and none lives
    at = now(ledger)
    add(ledger, t.workers, id="w", started_at=at, seen_at=at, state="idle")
    reply = health.readyz(REQUEST)
    assert reply.status_code == 200
    body = json.loads(bytes(reply.body))
    assert body["worker"] == {**body["worker"], "wanted": True, "alive": True}
    assert body["freshness"]["pending_files"] == 0
