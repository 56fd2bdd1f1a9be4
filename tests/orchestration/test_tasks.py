"""The tasks by themselves: no orchestrator, only functions that open what they need."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update

from pipeline import notify
from pipeline.errors import BuildFailed, StoreUnavailable
from pipeline.flow import Flow
from pipeline.ingest import discover
from pipeline.orchestration import tasks
from pipeline.settings import Settings
from pipeline.storage import claims
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger
from pipeline.storage.objects import DiskStore
from tests.conftest import Children
from tests.make import deliver, rows

HOUR = "2026013107"


@pytest.fixture(autouse=True)
def _at_home(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tasks' settings come from the environment."""
    monkeypatch.setenv("HAULWATCH_HOME", str(settings.home))
    monkeypatch.setenv("HAULWATCH_THREADS", "1")


@pytest.fixture
def _children(monkeypatch: pytest.MonkeyPatch, children: Children) -> None:
    """Each task ends its child processes; here they are lent, for they take seconds to start."""
    close = Flow.close

    def closed(flow: Flow) -> None:
        children.take_back(flow)
        close(flow)

    def entered(flow: Flow) -> Flow:
        children.lend(flow)
        return flow

    monkeypatch.setattr(Flow, "__enter__", entered)
    monkeypatch.setattr(Flow, "close", closed)


def topics(ledger: Ledger) -> dict[str, int]:
    """Notices by topic, and how often each was met."""
    with ledger.read() as connection:
        query = select(t.notices.c.topic, t.notices.c.times)
        return {str(topic): int(times) for topic, times in connection.execute(query)}


def two_districts(raw: Path) -> None:
    for number, district in enumerate(("ABCD", "MLKB"), 1):
        for hour in (HOUR, "2026013108"):
            lines = rows(hour, 10 * number, f"HW-{number}", dstrct_code=district)
            deliver(raw, hour, lines, device=f"HW-{number}", district=district)


@pytest.mark.usefixtures("_children")
def test_each_district_takes_its_own_and_together_it_is_everything(
    raw: Path, ledger: Ledger
) -> None:
    assert tasks.arrived() == []
    two_districts(raw)
    assert tasks.arrived() == ["ABCD", "MLKB"]
    taken = tasks.ingest("ABCD")
    assert (taken["files"]["ok"], taken["lines"]["accepted"], taken["backlog"]) == (2, 20, 0)
    assert tasks.arrived() == ["MLKB"]
    assert tasks.ingest("ABCD")["files"]["ok"] == 0
    assert tasks.ingest("MLKB")["lines"]["accepted"] == 40
    assert tasks.arrived() == []
    assert tasks.unmerged() == ["ABCD", "MLKB"]
    assert tasks.compact("MLKB")["days"] == ["2026-01-31/MLKB"]
    assert tasks.unmerged() == ["ABCD"]
    assert tasks.compact("ABCD")["rows"] == 20
    assert tasks.unmerged() == []
    assert tasks.build() == 2
    assert tasks.build() == 0


def test_a_claim_of_one_district_leaves_the_others_alone(raw: Path, any_ledger: Ledger) -> None:
    two_districts(raw)
    discover.discover(any_ledger, DiskStore(raw), full=True)
    claim = claims.take(any_ledger, "w", 10, 60, "MLKB")
    assert claim is not None
    assert {file.district for file in claim.files} == {"MLKB"}
    assert len(claim.files) == 2
    assert claims.take(any_ledger, "w", 10, 60, "MLKB") is None
    with any_ledger.read() as connection:
        assert claims.districts(connection) == ["ABCD", "MLKB"]
        assert claims.backlog(connection, free=True, district="MLKB") == 0
        assert claims.backlog(connection, district="MLKB") == 2
        assert claims.backlog(connection, free=True) == 2
    claims.abandon(any_ledger, claim.id)  # suspects are taken alone, and still by district
    alone = claims.take(any_ledger, "w", 10, 60, "MLKB")
    assert alone is not None
    assert [file.district for file in alone.files] == ["MLKB"]
    others = claims.take(any_ledger, "w", 10, 60)
    assert others is not None
    assert {file.district for file in others.files} == {"ABCD"}


@pytest.mark.usefixtures("_children")
def test_a_district_lists_nothing_of_its_own(raw: Path) -> None:
    two_districts(raw)
    assert tasks.ingest("ABCD")["files"]["ok"] == 0
    assert tasks.arrived() == ["ABCD", "MLKB"]


@pytest.mark.usefixtures("_children")
def test_a_file_that_failed_is_no_failed_task(
    raw: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAULWATCH_MOST_BYTES", "1000")
    key = deliver(raw, HOUR, rows(HOUR, 60))
    deliver(raw, "2026013108", rows("2026013108", 2))
    tasks.arrived()
    taken = tasks.ingest("MLKB")
    assert (taken["files"]["failed"], taken["files"]["ok"]) == (1, 1)
    assert list(taken["failed"]) == [key]
    assert topics(ledger) == {f"failed/{key}": 1}


def test_the_whole_store_is_listed_once_an_hour(raw: Path, ledger: Ledger) -> None:
    deliver(raw, HOUR, rows(HOUR, 5))
    assert tasks.arrived() == ["MLKB"]
    with ledger.write() as connection:
        connection.execute(update(t.raw_keys).values(state="done"))
    deliver(raw, "2026010107", rows("2026010107", 5))  # older than a poll looks back
    assert tasks.arrived() == []
    with ledger.write() as connection:
        late = t.leases.c.expires_at - int(tasks.FULL_LISTING_EVERY.total_seconds() * 1e6)
        connection.execute(update(t.leases).values(expires_at=late))
    assert tasks.arrived() == ["MLKB"]


def test_a_listing_that_failed_was_none(
    raw: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []

    def cut(*_: object, full: bool) -> None:
        asked.append(full)
        raise StoreUnavailable("s3://raw", "no route")

    monkeypatch.setattr(discover, "discover", cut)
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            tasks.arrived()
    assert asked == [True, True]


def test_garbage_is_collected_once_a_day(raw: Path, ledger: Ledger) -> None:
    def collected() -> int:
        with ledger.read() as connection:
            return len(connection.execute(select(t.runs).where(t.runs.c.kind == "gc")).all())

    tasks.tidy()
    tasks.tidy()
    assert collected() == 1
    with ledger.write() as connection:
        connection.execute(delete(t.leases))
    tasks.tidy()
    assert collected() == 2


def test_a_turn_outlives_the_process_that_took_it(ledger: Ledger) -> None:
    program = "from pipeline.orchestration import tasks; tasks.arrived()"
    subprocess.run([sys.executable, "-c", program], env=dict(os.environ), timeout=240, check=True)
    claims.expire_dead(ledger)  # what every ingestion begins with
    with tasks._turn(ledger, "listing", tasks.FULL_LISTING_EVERY) as mine:
        assert not mine


def test_a_failed_task_is_one_notice_until_it_is_well(ledger: Ledger) -> None:
    error = StoreUnavailable("s3://raw", "no route")
    tasks.failed("ingest MLKB", error)
    tasks.failed("ingest MLKB", error)
    tasks.failed("build", None)
    assert topics(ledger) == {"task/ingest MLKB": 2, "task/build": 1}
    with ledger.read() as connection:
        text = connection.execute(
            select(t.notices.c.title, t.notices.c.body).where(t.notices.c.times == 2)
        ).one()
    assert text.title == "Task ingest MLKB failed"
    assert text.body.startswith("StoreUnavailable: s3://raw cannot be reached: no route\n")
    tasks.well("ingest MLKB")
    assert topics(ledger) == {"task/build": 1}


def test_failed_tests_are_told_as_tests(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    trouble = BuildFailed(["unit_day_adds_up: 3 rows"])

    def build(_: Flow) -> None:
        raise trouble

    monkeypatch.setattr(Flow, "build", build)
    with pytest.raises(BuildFailed):
        tasks.build()
    tasks.failed("build", trouble)
    assert topics(ledger) == {"tests/unit_day_adds_up": 1}


def test_marts_that_are_well_again_take_their_notices_back(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.marts.build import BuildResult

    with ledger.write() as connection:
        notify.tests_failed(connection, ["unit_day_adds_up: 3 rows"])
    monkeypatch.setattr(Flow, "build", lambda _: BuildResult(partitions=0))
    assert tasks.build() == 0
    assert topics(ledger) == {"tests/unit_day_adds_up": 1}  # nothing was built: nothing is known
    monkeypatch.setattr(Flow, "build", lambda _: BuildResult(partitions=1))
    assert tasks.build() == 1
    assert topics(ledger) == {}


def test_children_do_not_import_the_program_that_started_us(
    raw: Path, ledger: Ledger, tmp_path: Path
) -> None:
    """Airflow's cannot be imported inside a task: it hides its database from there."""
    deliver(raw, HOUR, rows(HOUR, 5))
    program = tmp_path / "program.py"
    program.write_text(
        "if __name__ != '__main__':\n"
        "    raise RuntimeError('imported again')\n"
        "from pipeline.orchestration import tasks\n"
        "tasks.arrived()\n"
        "print(tasks.ingest('MLKB')['lines']['accepted'])\n"
        "import sys\n"
        "assert sys.modules['__main__'].__dict__ is globals()\n"
    )
    done = subprocess.run(
        [sys.executable, program],
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "5\n"), done.stderr
