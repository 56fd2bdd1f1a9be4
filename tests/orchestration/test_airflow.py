"""The DAG under a real Airflow: as it is parsed, as it is tested, and as its executor runs it.

Airflow has an environment of its own (``make`` sets it up), so nothing of it is imported here.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.make import deliver, rows
from tests.test_notify import SECRET, Hook

ROOT = Path(__file__).parents[2]
#: Airflow's own programs. They find each other by PATH.
BIN = Path(sys.prefix) / "airflow" / "bin"

#: What a site puts into its dags folder.
ONE_LINE = "from pipeline.orchestration.airflow import dag\n"
#: The same for tests that fail on purpose: no minutes of waiting.
IMPATIENT = (
    "from datetime import timedelta\n"
    "from pipeline.orchestration.airflow import haulwatch\n"
    "dag = haulwatch(retries=1, retry_delay=timedelta(0))\n"
)

pytestmark = [
    pytest.mark.skipif(not BIN.is_dir(), reason="Airflow is not set up: make .venv/airflow/.ready"),
]


class Airflow:
    """An Airflow of its own, in a folder: SQLite, no examples, and it calls nobody."""

    def __init__(self, home: Path) -> None:
        self.home, self.dags = home, home / "dags"
        self.dags.mkdir(parents=True)

    def install(self, text: str) -> None:
        (self.dags / "haulwatch.py").write_text(text)

    def environment(self, **more: str) -> dict[str, str]:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("AIRFLOW")}
        return {
            **inherited,
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.dags),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{self.home / 'airflow.db'}",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
            **more,
        }

    def run(self, *words: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [BIN / "python", *words],
            env=self.environment(**more),
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=800,
            check=False,
        )

    def migrate(self) -> None:
        done = self.run(BIN / "airflow", "db", "migrate")
        assert done.returncode == 0, done.stderr

    def test(self, **more: str) -> tuple[int, str]:
        """``airflow dags test``: its exit code, and what it said."""
        done = self.run(BIN / "airflow", "dags", "test", "haulwatch", **more)
        return done.returncode, done.stdout + done.stderr

    def ask(self, query: str) -> list[Any]:
        with closing(sqlite3.connect(self.home / "airflow.db", timeout=60)) as connection:
            return connection.execute(query).fetchall()


class Site:
    """A home of Haulwatch with raw files of two districts, looked at through the command line."""

    def __init__(self, home: Path) -> None:
        self.home, self.raw = home, home / "raw"
        self.raw.mkdir(parents=True)
        self.env = {"HAULWATCH_HOME": str(home), "HAULWATCH_THREADS": "1"}

    def deliver(self, district: str, hour: str, seconds: int, **more: Any) -> str:
        device = f"HW-{district}"
        lines = rows(hour, seconds, device, dstrct_code=district, unitno=f"DT-{district}")
        return deliver(self.raw, hour, lines, device=device, district=district, **more)

    def command(self, *words: str) -> Any:
        done = subprocess.run(
            [sys.executable, "-m", "app.cli", *words, "--json"],
            env={**os.environ, **self.env},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def rows(self) -> dict[str, int]:
        query = "SELECT dstrct_code, count(*) AS n FROM telemetry GROUP BY ALL"
        return {row["dstrct_code"]: row["n"] for row in self.command("sql", query)}

    def observed(self) -> dict[str, int]:
        """Seconds observed in each district, as the published marts have them."""
        query = "SELECT dstrct_code, sum(observed_s)::INT AS n FROM device_hour GROUP BY ALL"
        return {row["dstrct_code"]: row["n"] for row in self.command("sql", query)}

    def ask(self, query: str) -> list[Any]:
        with closing(sqlite3.connect(self.home / "ledger.db", timeout=60)) as connection:
            return connection.execute(query).fetchall()

    def runs(self) -> list[tuple[str, str]]:
        return self.ask("SELECT kind, status FROM runs ORDER BY id")

    def notices(self) -> dict[str, str]:
        return dict(self.ask("SELECT topic, body FROM notices"))


@pytest.fixture
def airflow(tmp_path: Path) -> Airflow:
    made = Airflow(tmp_path / "airflow")
    made.install(ONE_LINE)
    return made


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Two districts, one closed day of two hours each; 600 rows and 240."""
    made = Site(tmp_path / "home")
    for hour in ("2026013107", "2026013108"):
        made.deliver("ABCD", hour, 300)
        made.deliver("MLKB", hour, 120)
    return made


DELIVERED = {"ABCD": 600, "MLKB": 240}


def test_airflow_takes_the_dag_from_one_line(airflow: Airflow) -> None:
    done = airflow.run("-W", "error", "-m", "tests.orchestration.describe", airflow.dags)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["errors"] == {}
    (dag,) = found["dags"]
    assert dag["id"] == "haulwatch"
    assert dag["file"] == str(airflow.dags / "haulwatch.py")
    assert (dag["max_active_runs"], dag["catchup"], dag["schedule"]) == (1, False, "0:05:00")
    steps = dag["tasks"]
    assert {name: step["after"] for name, step in steps.items()} == {
        "arrived": [],
        "ingest": ["arrived"],
        "unmerged": ["ingest"],
        "compact": ["unmerged"],
        "build": ["compact"],
        "tidy": ["build"],
        "done": ["arrived", "build", "compact", "ingest", "tidy", "unmerged"],
    }
    assert [name for name, step in steps.items() if step["mapped"]] == ["ingest", "compact"]
    # Trouble of one district holds up no other step, but the run is not well.
    assert {name: step["trigger_rule"] for name, step in steps.items()} == {
        "arrived": "all_success",
        "ingest": "all_success",
        "unmerged": "all_done",
        "compact": "all_success",
        "build": "all_done",
        "tidy": "all_done",
        "done": "none_failed",
    }
    for name, step in steps.items():
        assert (step["retries"], step["retry_delay"], step["limit"]) == (2, 60, 7200)
        told = [] if name == "done" else ["_failed"], [] if name == "done" else ["_well"]
        assert (step["on_failure"], step["on_success"]) == told
    assert not (airflow.home / "airflow.db").exists()  # parsing needs no database


@pytest.mark.long
@pytest.mark.timeout(3_000)
def test_the_dag_brings_two_districts_to_their_marts_and_then_rests(
    airflow: Airflow, site: Site
) -> None:
    airflow.migrate()
    code, said = airflow.test(**site.env)
    assert code == 0, said
    assert site.rows() == DELIVERED
    assert site.observed() == DELIVERED
    first = site.runs()
    assert first == [
        *[("ingest", "ok")] * 2,
        *[("compact", "ok")] * 2,
        ("build", "ok"),
        ("gc", "ok"),
    ]
    state = "SELECT data_version = compacted_version, data_version <= built_version FROM partitions"
    assert site.ask(state) == [(1, 1), (1, 1)]
    assert site.command("verify", "--deep")["ok"] is True
    version = site.ask("SELECT * FROM counters ORDER BY 1")

    code, said = airflow.test(**site.env)  # nothing new: nothing is done, nothing is mapped
    assert code == 0, said
    assert site.runs() == first
    assert site.ask("SELECT * FROM counters ORDER BY 1") == version

    site.deliver("MLKB", "2026013109", 60)
    code, said = airflow.test(**site.env)
    assert code == 0, said
    assert site.rows() == site.observed() == {**DELIVERED, "MLKB": 300}
    assert site.runs()[len(first) :] == [("ingest", "ok"), ("compact", "ok"), ("build", "ok")]
    assert set(site.notices()) == {"silence"}  # these files are months old, and that is told


@pytest.mark.long
@pytest.mark.timeout(3_000)
def test_a_task_that_fails_is_told_and_the_next_run_takes_up_its_work(
    airflow: Airflow, site: Site
) -> None:
    airflow.install(IMPATIENT)
    airflow.migrate()
    lake = site.home / "lake"
    lake.write_text("a file where a folder should be")
    hook = Hook()
    try:
        told = {
            **site.env,
            "HAULWATCH_LAKE": str(lake),
            "HAULWATCH_NOTIFY": json.dumps([hook.url]),
            "HAULWATCH_SILENCE_MINUTES": "0",
            "NO_PROXY": "127.0.0.1",
        }
        code, said = airflow.test(**told)
        assert code == 1, said
        noted = site.notices()
        assert set(noted) == {"task/ingest ABCD", "task/ingest MLKB"}
        assert "NotADirectoryError" in noted["task/ingest ABCD"]
        tried = airflow.ask("SELECT task_id, map_index, state, try_number FROM task_instance")
        states = {(task, index): (state, tries) for task, index, state, tries in tried}
        assert states["ingest", 0] == states["ingest", 1] == ("failed", 2)
        assert states["build", -1] == states["tidy", -1] == ("success", 1)
        assert states["done", -1][0] == "upstream_failed"
        assert any("Task ingest ABCD failed" in text for text in hook.texts)
        assert not any(SECRET in text for text in hook.texts)
    finally:
        hook.close()
    assert ("ingest", "failed") in site.runs()

    lake.unlink()
    site.env["HAULWATCH_LAKE"] = str(lake)
    code, said = airflow.test(**site.env)
    assert code == 0, said
    assert site.rows() == site.observed() == DELIVERED
    assert set(site.notices()) <= {"silence"}


@pytest.fixture
def service(airflow: Airflow, site: Site) -> Iterator[Path]:
    """The whole of Airflow, its scheduler and executor, over the site. Yields its log."""
    airflow.migrate()
    doors = [socket.socket() for _ in range(3)]
    for door in doors:
        door.bind(("127.0.0.1", 0))
    api, tasks, triggers = [str(door.getsockname()[1]) for door in doors]
    for door in doors:
        door.close()
    environment = airflow.environment(
        **site.env,
        AIRFLOW__API__HOST="127.0.0.1",
        AIRFLOW__API__PORT=api,
        AIRFLOW__CORE__EXECUTION_API_SERVER_URL=f"http://127.0.0.1:{api}/execution/",
        AIRFLOW__CORE__EXECUTOR="LocalExecutor",
        AIRFLOW__CORE__PARALLELISM="2",
        AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT="60",
        AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT=tasks,
        AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT=triggers,
        NO_PROXY="127.0.0.1",
    )
    path = airflow.home / "service.log"
    with path.open("w") as log:
        process = subprocess.Popen(
            [BIN / "python", BIN / "airflow", "standalone"],
            env=environment,
            cwd=airflow.home,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield path
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.mark.long
@pytest.mark.timeout(3_000)
def test_airflows_scheduler_runs_it_by_itself_in_processes_of_its_own(
    airflow: Airflow, site: Site, service: Path
) -> None:
    """Real task processes are not what ``dags test`` has: Airflow's database is shut to them."""
    until = time.monotonic() + 900
    state = None
    while state not in ("success", "failed") and time.monotonic() < until:
        time.sleep(1)
        state = (airflow.ask("SELECT state FROM dag_run ORDER BY id LIMIT 1") or [(None,)])[0][0]
    assert state == "success", service.read_text()[-20_000:]
    first = "FROM task_instance WHERE run_id = (SELECT run_id FROM dag_run ORDER BY id LIMIT 1)"
    ended = airflow.ask(f"SELECT state, pid {first} AND task_id <> 'done'")
    assert [state for state, _ in ended] == ["success"] * 8
    assert len({pid for _, pid in ended}) == 8
    # What Airflow had to try again of its own, on a busy machine, is no matter of ours.
    assert {status for _, status in site.runs()} == {"ok"}
    assert site.rows() == site.observed() == DELIVERED
