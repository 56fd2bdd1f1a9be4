"""Marts: a whole day of 50 units, one more hour of 50 and of 500, and what they take on the disk.

The day is simulated and taken in as any other; 500 units are copies of the 50 under other names. A
refresh is ``haulwatch build`` in a process of its own, after hours that were built before. Run as
``python -m tests.bench.marts``; the last line is one JSON object.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from pipeline.storage import manifest
from pipeline.storage.records import DataFile
from tests.bench import lakes, measure
from tests.bench.lakes import Home
from tests.bench.measure import Goal, Report, say

GOALS = {
    "day_50_s": Goal(most=60),
    "day_peak_gb": Goal(most=2),
    "hour_50_s": Goal(most=20),
    "hour_500_s": Goal(most=120),
    "minutes_30d_500_gb": Goal(most=1.5),
}
TIMES = 10
#: Minutes of a unit's day with a row, and days, that the goal for the disk asks for.
MINUTES, DAYS, FLEET = 1_440, 30, 500


class Bench:
    """The homes, and what was measured on them."""

    def __init__(self, scratch: Path, options: argparse.Namespace) -> None:
        self.scratch, self.options = scratch, options
        self.report = Report(GOALS)
        self.env = measure.environment(scratch)
        self.whole, self.more = Home(scratch / "whole"), Home(scratch / "more")

    def run(self) -> None:
        """Measure everything, print the tables and the last line."""
        raw, put = self.scratch / "fleet" / "raw", self.report.put
        units, hours = self.options.units, self.options.hours
        say(f"simulating {units} units for {hours} hours")
        lakes.simulated(raw, units, hours, self.options.seed)
        self.whole.run(self.env, "ingest", "--json", HAULWATCH_RAW=str(raw))
        shutil.rmtree(raw.parent)
        files = sorted(self.whole.files(), key=lambda file: file.min_ts or 0)
        *before, last = hour_by_hour(files)
        day = self._build(self.whole)
        put("day_50_s", day.seconds)
        put("day_rows_per_s", sum(file.rows for file in files) / day.seconds)
        self._sizes(sum(file.rows for file in files))
        peaks = [day]
        for name, times, first in (("50", 1, before), ("500", TIMES, before[-self.options.kept :])):
            home = Home(self.scratch / f"fleet-{name}")
            say(f"{name} units: {len(first)} hours, built; then one more")
            cores = self.options.processes
            lakes.more_units(self.whole, home, times, cores, [f for hour in first for f in hour])
            self._build(home)
            lakes.more_units(self.whole, home, times, cores, last)
            hour = self._build(home)
            peaks.append(hour)
            put(f"hour_{name}_s", hour.seconds)
            put(f"hour_{name}_rows", sum(file.rows for file in last) * times)
            shutil.rmtree(home.path)
        put("day_peak_gb", measure.peak_gb(peaks), "memory can only be told on Linux")
        print("", self.report.table(), sep="\n")
        print(self.report.last_line(**measure.versions("dbt-core", "duckdb", "polars")), flush=True)

    def _build(self, home: Home) -> measure.Run:
        done = home.run(self.env, "build", "--json")
        say(f"  {done.answer['hours']} hours built in {done.seconds:.1f} s")
        if not done.answer["hours"]:
            raise measure.RunFailed("nothing was built")
        return done

    def _sizes(self, rows: int) -> None:
        """Bytes of the marts a row of telemetry, and of unit-minutes a row of their own."""
        with self.whole.ledger() as ledger, ledger.read() as connection:
            minutes = manifest.live(connection, "unit_minute")
        own = sum(file.bytes for file in minutes) / sum(file.rows for file in minutes)
        self.report.put("minute_bytes", own)
        self.report.put("minutes_30d_500_gb", own * MINUTES * DAYS * FLEET / 1e9)
        analytics = sum(
            path.stat().st_size for path in (self.whole.path / "analytics").rglob("*.parquet")
        )
        self.report.put("marts_bytes_per_row", analytics / rows)


def hour_by_hour(files: Sequence[DataFile]) -> list[list[DataFile]]:
    """Files by the hour they begin in, oldest first."""
    found: dict[int, list[DataFile]] = {}
    for file in files:
        found.setdefault((file.min_ts or 0) // 3_600_000_000, []).append(file)
    return [found[hour] for hour in sorted(found)]


def main(words: list[str] | None = None) -> int:
    """Goals that are missed are reported; only a run that failed ends with 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.marts", description=__doc__)
    parser.add_argument("--units", type=int, default=50, help="vehicles of the district (50)")
    parser.add_argument("--hours", type=int, default=24, help="hours of the day (24)")
    parser.add_argument("--kept", type=int, default=8, help="hours of 500 built before (8)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the simulation")
    options = parser.parse_args(words)
    options.processes = measure.machine()["cores"]
    options.started = time.monotonic()
    return measure.in_scratch(lambda scratch: Bench(scratch, options).run())


if __name__ == "__main__":
    sys.exit(main())
