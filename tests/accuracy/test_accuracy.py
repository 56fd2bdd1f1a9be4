"""The accuracy run on a fleet too small to say anything: it runs, and says all of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.measure import ROOT

FIGURES = {
    "delivery_exact",
    "cause_macro_recall",
    "state_error_pct",
    "snap_5s_recall",
    "snap_false_100h",
    "frac_2s_recall",
    "frac_false_100h",
    "drowsy_recall",
    "drowsy_false_100h",
    "ear_false_ratio_low95",
    "ear_recall_gap",
}


@pytest.mark.long
def test_the_last_line_holds_every_figure(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.accuracy", "--units", "2", "--hours", "3"],
        cwd=ROOT,
        env={**os.environ, "SEEDS": "1", "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    figures = said["figures"]
    assert set(said["goals"]) >= FIGURES
    assert set(figures) >= FIGURES | {"parked_but_moved", "own_in_blind"}
    assert figures["delivery_exact"] == 1
    assert figures["parked_but_moved"] == figures["own_in_blind"] == 0
    assert figures["state_error_pct"] <= 0.5
    assert said["machine"]["cores"] >= 1
    assert not list(tmp_path.iterdir()), "the scratch folder stayed"
