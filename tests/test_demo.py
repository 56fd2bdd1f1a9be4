"""The demo over the whole path: what is visible equals an independent recount of the raw files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.simulator.recount import recount
from tests.test_cli import answer, complaint, run


def demo(home: Path, *words: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "app.cli", "demo", "--no-serve", "--json", *words],
        env={**os.environ, "HAULWATCH_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def check(home: Path, *deep: str) -> dict[str, Any]:
    """What is visible, what was delivered and what an independent recount finds are the same."""
    truth: dict[str, Any] = json.loads((home / "truth.json").read_text())
    counted = recount(home / "raw")
    assert counted.files == truth["files_delivered"]
    assert counted.lines == truth["lines"]
    assert counted.bad == truth["bad_lines"]
    assert len(counted.seconds) == truth["distinct_rows"]
    verified = answer(home, "verify", *deep, "--json")
    assert verified["ok"], verified["breaches"]
    (row,) = answer(home, "sql", "SELECT count(*) AS n FROM telemetry", "--format", "json")
    assert row["n"] == truth["distinct_rows"]
    return truth


def test_a_small_demo_and_its_resumption(tmp_path: Path) -> None:
    home = tmp_path / "home"
    shown = demo(home, "--units", "2", "--hours", "3")
    assert shown["ingest"]["files"]["failed"] == 0
    assert shown["build"]["rows"]["unit_minute"] > 0
    assert set(shown["users"]) == {"supervisor", "manager", "admin"}
    again = demo(home, "--units", "2", "--hours", "3")
    assert again["users"] != shown["users"]  # new passwords at every start
    assert check(home, "--deep")["units"] == 2
    refused = run(home, "demo", "--no-serve", "--units", "4")
    assert refused.returncode == 2
    assert "2 units" in complaint(refused)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("words", [(), ("--units", "8", "--hours", "26")], ids=["default", "8x26"])
def test_the_demo_at_full_size(tmp_path: Path, words: tuple[str, ...]) -> None:
    home = tmp_path / "home"
    shown = demo(home, *words)
    assert shown["seconds"] < 240
    if not words:
        assert shown["compact"]["days"]
    check(home)
