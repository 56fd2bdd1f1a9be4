"""The benchmark of ingestion on a fleet too small to say anything: it runs, and says all of it."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.flow import Flow
from tests.bench import fleet
from tests.bench.measure import ROOT, Goal, Report, RunFailed, environment, run
from tests.make import deliver, rows

HOUR = "2026013107"
FIGURES = {
    "vs_seed",
    "vs_polars",
    "vs_clickhouse",
    "peak_gb",
    "flat_10x",
    "damaged_3pct",
    "damaged_every",
    "rows_per_s",
    "seconds",
    "rows_per_s_10x",
}
LAKE_FIGURES = {
    "compact_vs_copy",
    "compact_peak_gb",
    "compact_4x",
    "history_365_vs_1",
    "vs_glob_30d",
    "s3_cold_s",
    "s3_cold_mb",
    "s3_warm_vs_local",
}
PAGE_FIGURES = {
    "query_p95_ms",
    "load_vs_bare",
    "switch_vs_bare",
    "filter_vs_bare",
    "history_365_vs_30",
    "sessions_50_p95_s",
    "memory_gb",
    "vs_seed",
}
GOALS = ["vs_seed", "vs_polars", "peak_gb", "flat_10x", "damaged_3pct"]


def quick(scratch: Path, bench: str, *options: str) -> list[str]:
    """Lines that a small run of a benchmark prints; what it keeps meanwhile lies in the folder."""
    done = subprocess.run(
        [sys.executable, "-m", f"tests.bench.{bench}", "--quick", *options],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(scratch)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_last_line_holds_every_figure(tmp_path: Path) -> None:
    printed = quick(tmp_path, "ingest", "--units", "6", "--no-install")
    *shown, last = printed
    assert shown[0].split()[0] == "way"
    said = json.loads(last)
    figures = said["figures"]
    assert set(figures) == FIGURES
    assert said["goals"] == GOALS
    assert said["goals_met"] is False  # ten fleet-hours were not measured
    assert said["machine"]["cores"] >= 1
    not_measured = {"flat_10x", "rows_per_s_10x"}
    if "vs_clickhouse" in said["notes"]:
        not_measured.add("vs_clickhouse")
    assert {name for name, value in figures.items() if value is None} == not_measured
    assert all(figures[name] > 0 for name in FIGURES - not_measured)
    assert not list(tmp_path.iterdir()), "the scratch folder stayed"


@pytest.mark.long
def test_the_lake_is_measured_too(tmp_path: Path) -> None:
    printed = quick(tmp_path, "lake", "--units", "2")
    said = json.loads(printed[-1])
    assert set(said["goals"]) >= LAKE_FIGURES
    assert set(said["figures"]) >= LAKE_FIGURES
    assert all(value > 0 for value in said["figures"].values())
    assert not list(tmp_path.iterdir()), "the scratch folder stayed"


@pytest.mark.long
@pytest.mark.browser
def test_pages_are_measured_too(tmp_path: Path) -> None:
    printed = quick(tmp_path, "pages")
    said = json.loads(printed[-1])
    assert set(said["goals"]) >= PAGE_FIGURES
    assert {name for name, value in said["figures"].items() if value is None} == set()
    assert said["figures"]["sessions_errors"] == 0
    assert all(said["figures"][name] > 0 for name in PAGE_FIGURES)
    assert any(line.split()[:2] == ["home", "unit_now"] for line in printed)
    assert not list(tmp_path.iterdir()), "the scratch folder stayed"


@pytest.mark.parametrize(
    ("kind", "status", "accepted", "quarantined"),
    [
        (fleet.bad_line, "ok", 119, 1),
        (fleet.torn, "partial", None, 1),
        (fleet.unknown_field, "ok", 120, 0),
        (fleet.duplicate_key, "ok", 120, 0),
        (fleet.white_space, "ok", 120, 0),
    ],
)
def test_damage_is_what_it_says(
    flow: Flow,
    raw: Path,
    tmp_path: Path,
    kind: Callable[[bytes], bytes],
    status: str,
    accepted: int | None,
    quarantined: int,
) -> None:
    whole = tmp_path / "whole"
    key = deliver(whole, HOUR, rows(HOUR, 120))
    fleet.spoil(whole / key, raw / key, kind)
    assert (raw / key).stat().st_mtime == (whole / key).stat().st_mtime
    taken = flow.ingest()
    assert taken.files[status] == 1
    assert taken.lines["quarantined"] == quarantined
    if accepted is not None:
        assert taken.lines["accepted"] == accepted
    assert taken.new_fields == (["benchfield"] if kind is fleet.unknown_field else [])


def test_every_kind_of_damage_has_its_turn(tmp_path: Path) -> None:
    whole, spoiled = tmp_path / "whole", tmp_path / "spoiled"
    keys = [deliver(whole, HOUR, rows(HOUR, 9), device=f"HW-{i}") for i in range(20)]
    assert fleet.damaged(whole, spoiled, 0.25) == 5
    changed = [key for key in keys if not (spoiled / key).samefile(whole / key)]
    assert len(changed) == 5
    assert sum((spoiled / key).read_bytes() != (whole / key).read_bytes() for key in keys) == 5


def test_more_fleet_hours_are_more_devices(flow: Flow, raw: Path, tmp_path: Path) -> None:
    deliver(tmp_path / "whole", HOUR, rows(HOUR, 30))
    assert fleet.hours(tmp_path / "whole", raw, 3) == 3
    taken = flow.ingest()
    assert taken.files["ok"] == 3
    assert taken.lines["accepted"] == 90
    assert taken.overlapped == 0


def test_memory_is_that_of_the_whole_tree(tmp_path: Path) -> None:
    hog = "x = bytearray(80_000_000); import time; time.sleep(0.6)"
    both = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {hog!r}]); print('{{}}')"
    done = run([sys.executable, "-c", both], environment(tmp_path), tmp_path)
    assert done.answer == {}
    if Path("/proc/self/smaps_rollup").exists():
        assert done.peak
        assert 80e6 < done.peak < 160e6


def test_a_run_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(RunFailed, match="no way"):
        run([sys.executable, "-c", "raise SystemExit('no way')"], environment(tmp_path), tmp_path)


def test_a_goal_that_was_not_measured_is_not_met() -> None:
    report = Report({"fast": Goal(least=2), "small": Goal(most=1)})
    report.put("fast", 2.0)
    report.put("small", None, "no scale")
    assert json.loads(report.last_line())["goals_met"] is False
    assert "MISSED: no scale" in report.table()
    report.put("small", 1.0)
    assert json.loads(report.last_line())["goals_met"] is True


def test_spoiled_files_are_still_gzip(tmp_path: Path) -> None:
    key = deliver(tmp_path / "a", HOUR, rows(HOUR, 9))
    fleet.damaged_every(tmp_path / "a", tmp_path / "b")
    lines = gzip.decompress((tmp_path / "b" / key).read_bytes()).splitlines()
    assert len(lines) == 9
