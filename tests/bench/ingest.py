"""Ingestion against other ways to read the same files, in the same minutes, on this machine.

Ours is the whole of it: discovery, hash, gzip check, proof that no key was dropped, cleaning,
sorted Parquet, the commit in the ledger. The rivals only read JSON and write Parquet. Each run is
a process of its own over a fleet-hour, in turn, and the medians are compared. Run as
``python -m tests.bench.ingest``; the last line of standard output is one JSON object.
"""

from __future__ import annotations

import argparse
import sys
import time
from functools import partial
from pathlib import Path

from tests.bench import fleet, measure, rivals
from tests.bench.measure import Goal, Report, Run, say

GOALS = {
    "vs_seed": Goal(least=4),
    "vs_polars": Goal(least=0.6),
    "peak_gb": Goal(most=1.5),
    "flat_10x": Goal(most=1.25),
    "damaged_3pct": Goal(most=1.3),
}
LIMIT_SECONDS = 25 * 60
TIMES = 10
DAMAGED = 0.03

LABELS = {
    "ours": "haulwatch ingest",
    "duckdb": "DuckDB read_json_auto, a sixth of the files",
    "polars": "Polars scan_ndjson → sink_parquet",
    "clickhouse": "ClickHouse JSONEachRow → Parquet",
    "damaged": "haulwatch ingest, 3 % of the files damaged",
    "ten": f"haulwatch ingest, {TIMES} fleet-hours",
    "every": "haulwatch ingest, a bad line in every file",
}


class Bench:
    """The files, the ways to take them in, and what was measured of each."""

    def __init__(self, scratch: Path, options: argparse.Namespace) -> None:
        self.scratch, self.options = scratch, options
        self.report = Report(GOALS)
        self.runs: dict[str, list[Run]] = {}
        self.rows: dict[str, int] = {}
        self.files: dict[str, int] = {}
        self.raw = scratch / "fleet" / "raw"
        self.env = measure.environment(scratch)

    def run(self) -> None:
        """Measure everything, print the tables and the last line."""
        self._deliver()
        no_clickhouse = self._warm_up()
        self._in_turn(no_clickhouse)
        self._once("ten", TIMES, 1.1)
        self._once("every", 1, 4.0)
        self._figures(no_clickhouse)
        print(self._table(), "\n", self.report.table(), sep="\n")
        used = measure.versions("polars", "duckdb", "pyarrow")
        if not no_clickhouse:
            used["chdb-core"] = rivals.CLICKHOUSE.partition("==")[2]
        print(self.report.last_line(**used), flush=True)

    def _deliver(self) -> None:
        """A fleet-hour, and the sets of files that are made of it."""
        units = self.options.units
        say(f"simulating {units} units for an hour")
        words = ["simulate", "--units", str(units), "--hours", "1", "--faults", "none"]
        words += ["--seed", str(self.options.seed), "--out", str(self.raw.parent), "--json"]
        measure.run([sys.executable, "-m", "app.cli", *words], self.env, self.scratch)
        self.files["ours"] = self.files["polars"] = self.files["clickhouse"] = units
        self.files["duckdb"] = fleet.sixth(self.raw, self._folder("duckdb"))
        fleet.damaged(self.raw, self._folder("damaged"), DAMAGED)
        self.files["damaged"] = units

    def _warm_up(self) -> str:
        """Every way once over a few files: libraries cached, bytecode compiled.

        Returns why there is no ClickHouse; empty when there is.
        """
        few = self._folder("few")
        fleet.sixth(self._folder("duckdb"), few)
        path = f"{rivals.CLICKHOUSE_HOME}:{self.env['PYTHONPATH']}"
        self.clickhouse_env = self.env | {"PYTHONPATH": path}
        install = not self.options.no_install
        missing = rivals.why_no_clickhouse(self.clickhouse_env, install=install)
        say(f"warming up{': no ClickHouse: ' + missing if missing else ''}")
        self._ours(few)
        for name in rivals.WAYS:
            if name != "clickhouse" or not missing:
                self._rival(name, few)
        return missing

    def _in_turn(self, no_clickhouse: str) -> None:
        ways = {
            "ours": partial(self._ours, self.raw),
            "duckdb": partial(self._rival, "duckdb", self._folder("duckdb")),
            "polars": partial(self._rival, "polars", self.raw),
            "clickhouse": partial(self._rival, "clickhouse", self.raw),
            "damaged": partial(self._ours, self._folder("damaged")),
        }
        if no_clickhouse:
            del ways["clickhouse"]
        self.runs = measure.in_turn(ways, self.options.rounds, self._told)
        self._check_rows()

    def _once(self, name: str, fleet_hours: int, factor: float) -> None:
        """A long run, measured once, if it is asked for and ends in time."""
        if name == "ten" and self.options.quick:
            self.report.notes["flat_10x"] = "not measured with --quick"
            return
        expected = measure.seconds(self.runs["ours"]) * fleet_hours * factor
        if time.monotonic() - self.options.started + expected > LIMIT_SECONDS:
            figure = "flat_10x" if name == "ten" else "damaged_every"
            self.report.notes[figure] = f"would not have ended within {LIMIT_SECONDS // 60} minutes"
            return
        raw = self._folder(name)
        if name == "ten":
            self.files[name] = fleet.hours(self.raw, raw, TIMES)
        else:
            fleet.damaged_every(self.raw, raw)
            self.files[name] = self.files["ours"]
        self.runs[name] = [self._ours(raw)]
        self._told(name, 1, self.runs[name][0])

    def _ours(self, raw: Path) -> Run:
        """The whole ingestion into an empty home, with default settings."""
        home = self.scratch / "home"
        env = self.env | {"HAULWATCH_HOME": str(home), "HAULWATCH_RAW": str(raw)}
        command = [sys.executable, "-m", "app.cli", "ingest", "--json"]
        try:
            done = measure.run(command, env, self.scratch)
        finally:
            fleet.remove([home])
        files, here = done.answer["files"], len(fleet.files(raw))
        if files["ok"] + files["partial"] != here or done.answer["backlog"]:
            raise measure.RunFailed(f"ours took in {files} of {here} files")
        return done

    def _rival(self, name: str, raw: Path) -> Run:
        out = self.scratch / "out"
        env = self.clickhouse_env if name == "clickhouse" else self.env
        command = [sys.executable, "-m", "tests.bench.rivals", name, str(raw), str(out)]
        try:
            return measure.run(command, env, self.scratch)
        finally:
            fleet.remove([out])

    def _check_rows(self) -> None:
        """Whoever read fewer rows was not faster: ours is the count, and rivals agree."""
        for name, runs in self.runs.items():
            self.rows[name] = _rows(runs[0])
        for name in ("polars", "clickhouse"):
            if self.rows.get(name, self.rows["ours"]) != self.rows["ours"]:
                raise measure.RunFailed(f"{name} has {self.rows[name]} rows of {self.rows['ours']}")

    def _rate(self, name: str) -> float | None:
        runs = self.runs.get(name)
        return _rows(runs[0]) / measure.seconds(runs) if runs else None

    def _figures(self, no_clickhouse: str) -> None:
        put, rate, ours = self.report.put, self._rate("ours"), self.runs["ours"]
        once = {name: self.runs.get(name, []) for name in ("ten", "every")}
        clean = measure.seconds(ours)
        put("vs_seed", measure.ratio(rate, self._rate("duckdb")))
        put("vs_polars", measure.ratio(rate, self._rate("polars")))
        put("vs_clickhouse", measure.ratio(rate, self._rate("clickhouse")), no_clickhouse)
        put("peak_gb", measure.peak_gb(ours), "memory can only be told on Linux")
        put("flat_10x", measure.ratio(measure.peak_gb(once["ten"]), measure.peak_gb(ours)))
        put("damaged_3pct", measure.seconds(self.runs["damaged"]) / clean)
        put("damaged_every", measure.seconds(once["every"]) / clean if once["every"] else None)
        put("rows_per_s", rate)
        put("seconds", clean)
        put("rows_per_s_10x", self._rate("ten"))

    def _table(self) -> str:
        rows = []
        for name, runs in self.runs.items():
            peak = measure.peak_gb(runs)
            rows.append(
                (
                    LABELS[name],
                    f"{self.files[name]:,}",
                    f"{_rows(runs[0]):,}",
                    f"{measure.seconds(runs):.1f}",
                    f"{self._rate(name):,.0f}",
                    "—" if peak is None else f"{peak:.2f}",
                    str(len(runs)),
                )
            )
        return measure.table(("way", "files", "rows", "seconds", "rows/s", "peak GB", "runs"), rows)

    def _told(self, name: str, number: int, run: Run) -> None:
        peak = f", {run.peak / measure.GB:.2f} GB" if run.peak else ""
        rate = _rows(run) / run.seconds
        say(f"{LABELS[name]} ({number}): {run.seconds:.1f} s, {rate:,.0f} rows/s{peak}")

    def _folder(self, name: str) -> Path:
        return self.scratch / "sets" / name


def _rows(run: Run) -> int:
    answer = run.answer
    return int(answer["rows"] if "rows" in answer else answer["lines"]["accepted"])


def _options(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.ingest", description=__doc__)
    parser.add_argument("--units", type=int, help="vehicles of the fleet (500; quick: 20)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the simulation")
    parser.add_argument("--rounds", type=int, help="runs of each way (3; quick: 1)")
    parser.add_argument("--quick", action="store_true", help="a small fleet, no ten fleet-hours")
    parser.add_argument("--no-install", action="store_true", help="do not install ClickHouse")
    options = parser.parse_args(words)
    options.units = options.units or (20 if options.quick else 500)
    options.rounds = options.rounds or (1 if options.quick else 3)
    options.started = time.monotonic()
    return options


def main(words: list[str] | None = None) -> int:
    """Goals that are missed are reported; only a run that failed ends with 1."""
    options = _options(words)
    return measure.in_scratch(lambda scratch: Bench(scratch, options).run())


if __name__ == "__main__":
    sys.exit(main())
