"""The command line as a newcomer and as a script would use it.

Each way to end (done, failed, wrong use, told to end) is shown with real processes; what many
commands say is read ``here``, for a process costs a second to start.
"""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from pipeline.settings import load
from pipeline.storage import claims
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger, open_ledger
from tests.conftest import Run
from tests.make import deliver, rows
from tests.servers import alive

HOUR = "2026013107"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def run(home: Path, *words: str, stdin: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app.cli", *words],
        env={**os.environ, "HAULWATCH_HOME": str(home), **env},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def answer(home: Path, *words: str, code: int = 0, by: Run = run, **kwargs: Any) -> Any:
    """The JSON a command prints; nothing else may be on standard output."""
    done = by(home, *words, **kwargs)
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


def complaint(done: subprocess.CompletedProcess[str]) -> str:
    """The one line that a failed command says."""
    assert "Traceback" not in done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["ingest", "--colour"], "--colour"),
        (["dig"], "dig"),
        (["simulate", "--units", "1", "--hours", "1"], "--out"),
        (["simulate", "--out", "x", "--units", "1", "--hours", "1", "--faults", "some"], "some"),
        (["simulate", "--out", "x", "--units", "1", "--hours", "1", "--start", "noon"], "noon"),
        (["demo", "--units", "0"], "--units"),
        (["compact", "--date", "yesterday"], "yesterday"),
        (["compact", "--date", "2026-1-31"], "2026-1-31"),
        (["sql", "SELECT 1", "--format", "xml"], "xml"),
        (["sql", "DROP TABLE telemetry"], "SELECT"),
        (["sql", "SELECT nothing FROM telemetry"], "nothing"),
        (["sql", "SELECT * FROM read_csv('/etc/passwd')"], "/etc/passwd"),
        (["user", "add", "xa", "--role", "king"], "king"),
        (["user", "passwd", "nobody"], "nobody"),
        (["device", "import", "absent.csv"], "absent.csv"),
        (["downtime", "import", "absent.csv"], "absent.csv"),
        (["downtime", "import", "x.csv", "--from", "monday"], "monday"),
        (["downtime", "import", "x.csv", "--from", "2026-02-02", "--to", "2026-02-01"], "--to"),
    ],
)
def test_wrong_usage_is_one_line_that_names_it(
    home: Path, here: Run, words: list[str], names: str
) -> None:
    done = here(home, *words)
    assert done.returncode == 2, done.stderr
    assert names in complaint(done)
    assert done.stdout == ""


def test_a_wrong_setting_is_one_line_that_names_it(home: Path) -> None:
    done = run(home, "status", HAULWATCH_ZONE="Moon/Base")
    assert done.returncode == 2
    assert "HAULWATCH_ZONE" in complaint(done)


@pytest.mark.parametrize(
    "command", ["status", "ingest", "verify", "gc", "compact", "worker --once", "config"]
)
def test_a_home_that_is_no_folder(tmp_path: Path, here: Run, command: str) -> None:
    (tmp_path / "home").write_text("")
    done = here(tmp_path / "home", *command.split())
    assert done.returncode == 2
    assert str(tmp_path / "home") in complaint(done)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere; /proc stands in below")
def test_a_home_that_cannot_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    done = run(tmp_path / "home", "status")
    assert done.returncode == 2
    complaint(done)


def test_a_home_where_nobody_can_write() -> None:
    done = run(Path("/proc/haulwatch"), "status")
    assert done.returncode == 2
    assert "/proc/haulwatch" in complaint(done)


def test_an_empty_home_is_fine_everywhere(home: Path, here: Run) -> None:
    told = partial(answer, home, by=here)
    assert told("status", "--json")["raw"] == {}
    assert told("ingest", "--json")["lines"]["total"] == 0
    assert told("compact", "--json")["days"] == []
    assert told("build", "--json")["partitions"] == 0
    assert told("gc", "--json")["files"] == 0
    assert told("verify", "--deep", "--json")["ok"] is True
    assert answer(home, "worker", "--once", "--json") == {"failed": 0}
    assert told("user", "list", "--json") == {"users": []}
    assert told("config", "--json")["HAULWATCH_HOME"] == str(home)
    for relation in ("telemetry", "raw_objects", "quarantine", "data_files", "unit_day"):
        query = f"SELECT count(*) AS n FROM {relation}"
        done = told("sql", query, "--format", "json")
        assert done == [{"n": 0}], relation


def test_raw_files_to_answers(home: Path) -> None:
    raw = home / "raw"
    key = deliver(raw, HOUR, rows(HOUR, 120))
    bad = deliver(raw, HOUR, b"no gzip", device="HW-2", packed=False)
    shown = answer(home, "ingest", "--json")
    assert shown["files"]["ok"] == 1
    assert shown["files"]["corrupt"] == 1
    assert shown["lines"]["accepted"] == 120
    assert answer(home, "ingest", "--json")["files"]["corrupt"] == 0  # told once
    assert answer(home, "compact", "--json")["rows"] == 120
    assert answer(home, "build", "--json")["partitions"] >= 1
    assert answer(home, "verify", "--json")["rows"] == 120
    (one,) = answer(home, "sql", "SELECT * FROM telemetry LIMIT 1", "--format", "json")
    assert {"ts", "hiveperiod", "_src", "_line", "_rescued", "EngineSpeed"} <= set(one)
    objects = answer(
        home, "sql", "SELECT key, status, lines, error FROM raw_objects ORDER BY key", "--json"
    )
    assert [o["key"] for o in objects] == [key, bad]
    assert [o["status"] for o in objects] == ["ok", "corrupt"]
    minutes = answer(home, "sql", "SELECT sum(seconds)::BIGINT AS s FROM unit_minute", "--json")
    assert minutes == [{"s": 120}]


def test_a_file_beyond_the_limit_fails_the_pass(home: Path) -> None:
    key = deliver(home / "raw", HOUR, rows(HOUR, 120))
    env = {"HAULWATCH_MOST_BYTES": "1000"}
    shown = answer(home, "ingest", "--json", code=1, **env)
    assert list(shown["failed"]) == [key]
    assert answer(home, "ingest", "--json", **env)["files"]["failed"] == 0  # told once


def test_a_build_says_when_another_worker_is_at_it(home: Path) -> None:
    deliver(home / "raw", HOUR, rows(HOUR, 5))
    answer(home, "ingest", "--json")
    ledger = open_ledger(load(home=home))
    assert claims.lease(ledger, "build", "another", 3600)
    ledger.close()
    done = run(home, "build", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["elsewhere"] is True
    assert "another worker is building" in complaint(done)


def test_a_worker_says_its_name(home: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "app.cli", "worker", "--json"],
        env={**os.environ, "HAULWATCH_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as worker:
        assert worker.stdout is not None
        assert f"-{worker.pid}-" in json.loads(worker.stdout.readline())["worker"]
        worker.terminate()


def test_sql_answers_in_every_form(home: Path) -> None:
    query = "SELECT 1 AS a, 'x' AS b"
    assert run(home, "sql", query, "--format", "csv").stdout == "a,b\n1,x\n"
    assert "│" in run(home, "sql", query).stdout
    done = subprocess.run(
        [sys.executable, "-m", "app.cli", "sql", query, "--format", "parquet"],
        env={**os.environ, "HAULWATCH_HOME": str(home)},
        capture_output=True,
        check=True,
    )

    import polars as pl

    assert pl.read_parquet(io.BytesIO(done.stdout)).rows() == [(1, "x")]


def test_an_answer_of_sql_has_a_limit_and_is_valid_json(home: Path) -> None:
    rows = "SELECT hash(i) AS h FROM range(1_000_000_000_000) AS t (i)"
    refused = run(home, "sql", rows, "--format", "csv", HAULWATCH_ANSWER_LIMIT="100KB")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.count("\n") == 1
    assert "HAULWATCH_ANSWER_LIMIT" in refused.stderr
    sums = "SELECT sum(i) AS a, 1.5::DECIMAL(4, 2) AS b, 'x'::BLOB AS c FROM range(4) AS t (i)"
    assert json.loads(run(home, "sql", sums, "--json").stdout) == [{"a": 6, "b": 1.5, "c": "78"}]
    odd = "SELECT 1 AS a, 'nan'::DOUBLE AS b, {'c': 'inf'::DOUBLE} AS d FROM range(2)"
    row = {"a": 1, "b": None, "d": {"c": None}}
    assert run(home, "sql", odd, "--json").stdout == json.dumps([row, row]) + "\n"
    steering = run(home, "sql", "SELECT chr(27) || '[31m [/b] :x:' AS a").stdout
    assert "\x1b" not in steering
    assert "[/b] :x:" in steering


def test_one_function_over_one_value_has_limits_too(home: Path) -> None:
    """DuckDB counts neither its time nor its memory."""
    slow = "SELECT levenshtein(repeat('a', 400000), repeat('b', 400000))"  # minutes
    done = run(home, "sql", slow, HAULWATCH_QUERY_SECONDS="0.1")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "haulwatch: the question took longer than HAULWATCH_QUERY_SECONDS\n"
    large = run(home, "sql", "SELECT repeat('x', 4_000_000_000)", HAULWATCH_MEMORY_LIMIT="500MB")
    assert (large.returncode, large.stdout) == (2, "")
    assert "Out of Memory" in large.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_is_stopped_ends_at_once_in_one_line_and_holds_nothing(
    home: Path, number: signal.Signals
) -> None:
    for hour in (f"{HOUR[:8]}{at:02}" for at in range(8)):
        deliver(home / "raw", hour, rows(hour, 3600))
    limits = {"HAULWATCH_THREADS": "1", "HAULWATCH_BATCH_FILES": "2"}
    env = {**os.environ, "HAULWATCH_HOME": str(home), **limits}
    command = [sys.executable, "-m", "app.cli", "ingest"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=env, stdout=pipe, stderr=pipe, text=True) as work:
        while not _claims(home):
            time.sleep(0.02)
        work.send_signal(number)
        out, said = work.communicate(timeout=60)
    assert (work.returncode, out, said) == (1, "", "haulwatch: stopped\n")
    assert set(_claims(home)) == {"released"}
    with closing(sqlite3.connect(home / "ledger.db")) as ledger:
        assert ledger.execute("SELECT count(*) FROM raw_keys WHERE suspect").fetchone() == (0,)


def _claims(home: Path) -> list[str | None]:
    """How each claim ended; None of one that has not."""
    if not (home / "ledger.db").exists():
        return []
    with closing(sqlite3.connect(home / "ledger.db", timeout=30)) as ledger:
        there = ledger.execute("SELECT 1 FROM sqlite_master WHERE name = 'claims'").fetchone()
        query = "SELECT outcome FROM claims"
        return [row[0] for row in ledger.execute(query)] if there else []


def test_a_hard_question_is_stopped_by_ctrl_c(home: Path) -> None:
    query = "SELECT levenshtein(repeat('a', 400000), repeat('b', 400000))"  # minutes, in one step
    env = {**os.environ, "HAULWATCH_HOME": str(home)}
    command = [sys.executable, "-m", "app.cli", "sql", query]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=env, stdout=pipe, stderr=pipe, text=True) as work:
        while not list((home / "tmp").glob("sql-*")):
            time.sleep(0.02)
        work.send_signal(signal.SIGINT)
        out, said = work.communicate(timeout=60)
    assert (work.returncode, out, said) == (1, "", "haulwatch: stopped\n")


def test_people_are_managed_without_a_password_on_the_command_line(home: Path, here: Run) -> None:
    word = "correct horse battery"
    added = answer(
        home, "user", "add", "ana", "--role", "admin", "--json", by=here, stdin=word + "\n"
    )
    assert added == {"username": "ana", "role": "admin"}
    assert here(home, "user", "add", "ana", "--role", "admin", stdin=word).returncode == 2
    assert here(home, "user", "add", "bo", "--role", "admin", stdin="short\n").returncode == 2
    assert here(home, "user", "role", "ana", "supervisor").returncode == 0
    assert here(home, "user", "passwd", "ana", stdin="another long word\n").returncode == 0
    assert here(home, "user", "disable", "ana").returncode == 0
    (ana,) = answer(home, "user", "list", "--json", by=here)["users"]
    assert (ana["role"], ana["disabled"]) == ("supervisor", True)
    assert word not in (home / "ledger.db").read_bytes().decode(errors="replace")


def test_the_register_is_imported_whole_or_not_at_all(
    home: Path, tmp_path: Path, here: Run
) -> None:
    path = tmp_path / "register.csv"
    head = "deviceid,unitno,unittype,dstrct_code,model,valid_from,valid_to\n"
    path.write_text(
        head + "HW-1,DT101,dump,MLKB,X,2026-01-01,\nHW-2,DT102,boat,MLKB,X,2026-01-01,\n"
    )
    done = here(home, "device", "import", str(path), "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["imported"] == 0
    assert "line 3" in done.stderr
    assert "boat" in done.stderr
    path.write_text(head + "HW-1,DT101,dump,MLKB,X,2026-01-01,\n")
    assert answer(home, "device", "import", str(path), "--json", by=here)["imported"] == 1


def test_the_downtime_log_is_imported_whole_or_not_at_all(
    home: Path, tmp_path: Path, here: Run
) -> None:
    register, log = tmp_path / "register.csv", tmp_path / "downtime.csv"
    register.write_text(
        "deviceid,unitno,unittype,dstrct_code,model,valid_from,valid_to\n"
        "HW-1,DT101,dump,MLKB,X,2026-01-01,\n"
    )
    answer(home, "device", "import", str(register), "--json", by=here)
    good = "unit,start,end,code\nDT101,2026-01-31T06:00,2026-01-31T06:15,P5M\n"
    log.write_text(good + "DT101,2026-01-31T07:00,2026-01-31T07:15,NAP\n")
    done = here(home, "downtime", "import", str(log), "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["imported"] == 0
    assert f"{log}: line 3: code 'NAP' is none of P5M, P2H" in done.stderr
    log.write_text(good)
    days = ("--from", "2026-01-30", "--to", "2026-02-01")
    shown = answer(home, "downtime", "import", str(log), *days, "--json", by=here)
    assert shown == {"imported": 1, "unchanged": 0, "days": 0, "errors": []}
    assert answer(home, "downtime", "import", str(log), "--json", by=here)["unchanged"] == 1
    done = here(home, "downtime", "import", str(log), "--to", "2026-01-30")
    assert done.returncode == 1
    assert complaint(done) == f"{log}: line 2: lies outside of --to 2026-01-30"


def test_a_busy_port_is_told_before_anything_starts(home: Path, here: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for words in (["serve"], ["demo", "--units", "1", "--hours", "1"]):
            done = here(home, *words, "--port", str(port))
            assert done.returncode == 2
            assert str(port) in complaint(done)
    assert not (home / "raw").exists()


def test_demo_refuses_a_home_that_holds_something_else(home: Path, here: Run) -> None:
    deliver(home / "raw", HOUR, rows(HOUR, 5))
    done = here(home, "demo", "--no-serve", "--units", "1", "--hours", "1")
    assert done.returncode == 2
    assert str(home) in complaint(done)
    assert not (home / "ledger.db").exists()


def descendants(pid: int) -> set[int]:
    found: set[int] = set()
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found |= {int(child)} | descendants(int(child))
    return found


def quiet_worker(home: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "app.cli", "worker"],
        env={**os.environ, "HAULWATCH_HOME": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_workers_children_end_with_it(home: Path, number: int) -> None:
    deliver(home / "raw", HOUR, rows(HOUR, 120))
    worker = quiet_worker(home)
    children: set[int] = set()
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline and len(children) < 2:
        children |= descendants(worker.pid)
        time.sleep(0.1)
    assert len(children) >= 2
    worker.send_signal(number)
    assert worker.wait(120) in (0, -number)
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline and any(alive(pid) for pid in children):
        time.sleep(0.1)
    assert not [pid for pid in children if alive(pid)]


def test_a_worker_stopped_while_it_builds_gives_the_build_back(home: Path) -> None:
    deliver(home / "raw", HOUR, rows(HOUR, 120))
    worker = quiet_worker(home)
    ledger = open_ledger(load(home=home))
    children: set[int] = set()
    try:
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline and held(ledger).count("build") < 2:
            time.sleep(0.02)  # until there are both lease and claim
        children = descendants(worker.pid)
        for pid in children:  # a build that will not end in time
            os.kill(pid, signal.SIGSTOP)
        assert held(ledger).count("build") == 2
        worker.terminate()
        assert worker.wait(120) == 0
        assert held(ledger) == []
    finally:
        for pid in children:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        worker.kill()
    assert run(home, "worker", "--once").returncode == 0
    p = t.partitions.c
    with ledger.read() as connection:
        behind = select(p.hiveperiod).where(p.built_version < p.data_version)
        assert connection.execute(behind).all() == []
    ledger.close()


def held(ledger: Ledger) -> list[str]:
    """Kinds of the open claims, then names of the leases."""
    c, leases = t.claims.c, t.leases.c
    with ledger.read() as connection:
        found = connection.execute(select(c.kind).where(c.outcome.is_(None))).scalars().all()
        return [*found, *connection.execute(select(leases.name)).scalars()]


def test_a_worker_ends_when_its_parents_pipe_closes(home: Path) -> None:
    worker = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "worker", "--parent-pipe"],
        env={**os.environ, "HAULWATCH_HOME": str(home)},
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert worker.stdin
    time.sleep(2)
    assert worker.poll() is None
    worker.stdin.close()
    assert worker.wait(120) in (0, 1)
