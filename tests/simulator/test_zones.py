"""Path hours are local: zones off by half an hour, and clocks that go back."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from tests.simulator.conftest import make
from tests.simulator.recount import recount


def test_hours_of_a_half_hour_zone_begin_at_its_full_hour(tmp_path: Path) -> None:
    made = make(tmp_path, 1, 2, zone="Australia/Darwin")
    starts = made.table("device_hours")["hour_start"]
    assert [moment.minute for moment in starts] == [30, 30]
    for path in (tmp_path / "raw").rglob("*.gz"):
        assert path.name == f"{path.parts[-2]}.txt.gz"
    assert len(recount(tmp_path / "raw").seconds) == made.summary["distinct_rows"] == 7200


def test_an_hour_that_comes_twice_is_one_object_with_both(tmp_path: Path) -> None:
    start = datetime(2026, 10, 24, 23, tzinfo=UTC)  # 01:00 CEST; at 03:00 clocks go back to 02:00
    made = make(tmp_path, 1, 4, start=start, zone="Europe/Berlin")
    names = sorted(path.parts[-2] for path in (tmp_path / "raw").rglob("*.gz"))
    assert names == ["2026102501", "2026102502", "2026102503"]
    found = recount(tmp_path / "raw")
    assert len(found.seconds) == made.summary["distinct_rows"] == found.lines
    assert made.summary["lines"] == made.table("device_hours")["powered_seconds"].sum()
