"""The lake: merging a day, asking for a unit's day however long the history, the same on S3.

(a) One district-day of 50 units, from hourly files to merged ones: ours is ``haulwatch compact``
with its plan, its check and its swap; the floor is a copy that reads and writes every row once.
(b) A unit's day (six signals, means by minute) out of 1, 30 and 365 days. (c) The same question to
a lake on a real S3 server. Run as ``python -m tests.bench.lake``; the last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from tests.bench import lakes, measure
from tests.bench.lakes import Home
from tests.bench.measure import Goal, Report, Run, say
from tests.servers import seaweed

GOALS = {
    "compact_vs_copy": Goal(most=1.5),
    "compact_peak_gb": Goal(most=1.5),
    "compact_4x": Goal(most=1.25),
    "compact_4x_memory": Goal(most=1.25),
    "history_365_vs_1": Goal(most=1.3),
    "vs_glob_30d": Goal(least=10),
    "s3_cold_s": Goal(most=1),
    "s3_cold_mb": Goal(most=20),
    "s3_warm_vs_local": Goal(most=2),
}
TIMES = 4
COLD_RUNS = 3

LABELS = {
    "ours": "haulwatch compact",
    "copy": "Polars scan → sink, no order (the floor)",
    "sort": "Polars scan → sort → sink",
    "order": "DuckDB ORDER BY",
    "more": f"haulwatch compact, {TIMES} times the units",
    "more_copy": f"Polars scan → sink, {TIMES} times the units",
}


class Bench:
    """The lakes, and what was measured on them."""

    def __init__(self, scratch: Path, options: argparse.Namespace) -> None:
        self.scratch, self.options = scratch, options
        self.report = Report(GOALS)
        self.runs: dict[str, list[Run]] = {}
        self.rows: dict[str, int] = {}
        self.env = measure.environment(scratch)
        self.hourly, self.more = Home(scratch / "hourly"), Home(scratch / "more")
        self.few, self.merged = Home(scratch / "few"), Home(scratch / "merged")
        self.days = {f"{n}": Home(scratch / f"days-{n}") for n in (1, 30, 365)}

    def run(self) -> None:
        """Measure everything, print the tables and the last line."""
        self._prepare()
        self._merging()
        self._reading()
        self._on_s3()
        print(self._table(), "\n", self.report.table(), sep="\n")
        print(self.report.last_line(**measure.versions("polars", "duckdb", "pyarrow")), flush=True)

    def _prepare(self) -> None:
        units, cores = self.options.units, self.options.processes
        raw = self.scratch / "fleet" / "raw"
        say(f"simulating {units} units for {self.options.hours} hours")
        lakes.simulated(raw, units, self.options.hours, self.options.seed)
        say("taking it in")
        self.hourly.run(self.env, "ingest", "--json", HAULWATCH_RAW=str(raw))
        shutil.rmtree(raw.parent)
        found = self.hourly.files()
        self.rows["ours"] = sum(file.rows for file in found)
        say(f"{self.rows['ours']:,} rows in {len(found)} files; copies of them")
        lakes.more_units(self.hourly, self.more, TIMES, cores)
        self.rows["more"] = sum(file.rows for file in self.more.files())
        names = sorted({unit for file in found for unit in file.units})
        self.units = names[len(names) // 2], names[0]
        lakes.few_units(self.hourly, self.few, self.units, cores, self.options.days)

    def _merging(self) -> None:
        ways = {name: partial(self._rival, name, self.hourly) for name in ("copy", "sort", "order")}
        runs = {"ours": partial(self._ours, self.hourly), **ways}
        self.runs = measure.in_turn(runs, self.options.rounds, self._told)
        larger = {
            "more": partial(self._ours, self.more),
            "more_copy": partial(self._rival, "copy", self.more),
        }
        self.runs |= measure.in_turn(larger, 1, self._told)
        ours, more = self.runs["ours"], self.runs["more"]
        put, seconds, peak = self.report.put, measure.seconds, measure.peak_gb
        size = self.rows["more"] / self.rows["ours"]
        put("compact_vs_copy", seconds(ours) / seconds(self.runs["copy"]))
        put("compact_peak_gb", peak([*ours, *more]), "memory can only be told on Linux")
        put("compact_4x", seconds(more) / seconds(ours) / size)
        put("compact_4x_memory", measure.ratio(peak(more), peak(ours)))
        put("compact_vs_sort", seconds(ours) / seconds(self.runs["sort"]))
        put("compact_vs_order_by", seconds(ours) / seconds(self.runs["order"]))
        put("compact_rows_per_s", self.rows["ours"] / seconds(ours))

    def _ours(self, home: Home) -> Run:
        """The product's own pass; afterwards the home is as it was before."""
        ledger, kept = home.path / "ledger.db", home.path / "kept"
        before = set(home.paths())
        shutil.copy2(ledger, kept)
        try:
            done = home.run(self.env, "compact", "--json")
            if done.answer["days"] != [f"{lakes.DAY}/{lakes.DISTRICT}"]:
                raise measure.RunFailed(f"ours merged {done.answer}")
            if home is self.hourly:
                self._keep(home)
        finally:
            for path in set(home.paths()) - before:
                path.unlink()
            for old in home.path.glob("ledger.db*"):
                old.unlink()
            kept.rename(ledger)
        return done

    def _keep(self, home: Home) -> None:
        """The merged day, for the questions to a lake on S3."""
        shutil.rmtree(self.merged.path, ignore_errors=True)
        for file in home.files():
            lakes.link(home.path / file.path, self.merged.path / file.path)
        shutil.copy2(home.path / "ledger.db", self.merged.path / "ledger.db")

    def _rival(self, name: str, home: Home) -> Run:
        out, listed = self.scratch / "out.parquet", self.scratch / "files.txt"
        listed.write_text("\n".join(map(str, home.paths())))
        try:
            done = self._way("merge", name, str(listed), str(out))
        finally:
            out.unlink(missing_ok=True)
        if done.answer["rows"] != self.rows["ours" if home is self.hourly else "more"]:
            raise measure.RunFailed(f"{name} wrote {done.answer['rows']} rows")
        return done

    def _way(self, *words: str, **more: str) -> Run:
        command = [sys.executable, "-m", "tests.bench.lake_ways", *words]
        return measure.run(command, {**self.env, **more}, self.scratch)

    def _reading(self) -> None:
        """One, thirty and 365 days of history, merged; and the hourly files of thirty days."""
        one = self.days["1"]
        lakes.few_units(self.hourly, one, self.units, self.options.processes, 1)
        one.run(self.env, "compact", "--json")
        for days in (30, 365):
            lakes.history(one, self.days[str(days)], days)
        homes = json.dumps({name: str(home.path) for name, home in self.days.items()})
        hourly = str(self.few.path / "clean" / "telemetry")
        asked = self._way("local", homes, str(self.options.questions), self.units[0], hourly).answer
        spent = asked["seconds"]
        say(f"a unit-day: {_ms(spent)}; {asked['minutes']} minutes")
        put = self.report.put
        put("history_365_vs_1", max(spent[a] / spent[b] for a in self.days for b in self.days))
        put("vs_glob_30d", spent["glob"] / spent["30"])
        for name in self.days:
            put(f"unit_day_{name}_ms", spent[name] * 1_000)
        put("glob_30d_ms", spent["glob"] * 1_000)

    def _on_s3(self) -> None:
        """The merged day of all units, behind a link that counts what comes back."""
        unit, put = self.units[0], self.report.put
        with seaweed() as server, server.link() as link:
            place = server.place()
            server.upload(self.merged.path / "clean", f"{place}/clean")
            more = server.variables(place, link.endpoint)
            more["HAULWATCH_LAKE"] = more.pop("HAULWATCH_RAW")
            answers, fetched = [], []
            for number in range(COLD_RUNS + 1):
                far = self._far()
                before = link.passed
                answers.append(self._way("cold", str(far.path), unit, **more).answer["seconds"])
                fetched.append(link.passed - before)
                say(f"S3, cold: {answers[-1]:.2f} s, {fetched[-1] / 1e6:.1f} MB{_first(number)}")
            rounds = str(self.options.questions)
            far = self._far()
            near = str(self.merged.path)
            spent = self._way("warm", near, str(far.path), rounds, unit, **more).answer["seconds"]
        say(f"S3, warm: {_ms(spent)}")
        put("s3_cold_s", statistics.median(answers[1:]))
        put("s3_cold_mb", max(fetched[1:]) / 1e6)
        put("s3_warm_vs_local", spent["s3"] / spent["local"])
        put("s3_warm_ms", spent["s3"] * 1_000)
        put("local_ms", spent["local"] * 1_000)

    def _far(self) -> Home:
        """A home whose lake is elsewhere, with nothing cached."""
        far = Home(self.scratch / "far")
        shutil.rmtree(far.path, ignore_errors=True)
        far.path.mkdir()
        shutil.copy2(self.merged.path / "ledger.db", far.path / "ledger.db")
        return far

    def _table(self) -> str:
        rows = []
        for name, runs in self.runs.items():
            peak, count = measure.peak_gb(runs), self.rows["more" if "more" in name else "ours"]
            spent = measure.seconds(runs)
            shown = "—" if peak is None else f"{peak:.2f}"
            about = (f"{count:,}", f"{spent:.1f}", f"{count / spent:,.0f}", shown, str(len(runs)))
            rows.append((LABELS[name], *about))
        return measure.table(("way", "rows", "seconds", "rows/s", "peak GB", "runs"), rows)

    def _told(self, name: str, number: int, run: Run) -> None:
        peak = f", {run.peak / measure.GB:.2f} GB" if run.peak else ""
        say(f"{LABELS[name]} ({number}): {run.seconds:.1f} s{peak}")


def _ms(spent: dict[str, Any]) -> str:
    return ", ".join(f"{name} {seconds * 1_000:.0f} ms" for name, seconds in spent.items())


def _first(number: int) -> str:
    return "" if number else " (not counted: libraries are read from disk)"


def _options(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.lake", description=__doc__)
    parser.add_argument("--units", type=int, help="vehicles of the district (50; quick: 4)")
    parser.add_argument("--hours", type=int, help="hours of the day (24; quick: 5)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the simulation")
    parser.add_argument("--rounds", type=int, help="runs of each merge (3; quick: 1)")
    parser.add_argument("--questions", type=int, help="times each question is asked (15; quick: 3)")
    parser.add_argument("--days", type=int, help="days of hourly files (30; quick: 3)")
    parser.add_argument("--quick", action="store_true", help="few units, few rounds")
    options = parser.parse_args(words)
    quick = options.quick
    options.units = options.units or (4 if quick else 50)
    options.hours = options.hours or (5 if quick else 24)
    options.rounds = options.rounds or (1 if quick else 3)
    options.questions = options.questions or (3 if quick else 15)
    options.days = options.days or (3 if quick else 30)
    options.processes = measure.machine()["cores"]
    options.started = time.monotonic()
    return options


def main(words: list[str] | None = None) -> int:
    """Goals that are missed are reported; only a run that failed ends with 1."""
    options = _options(words)
    return measure.in_scratch(lambda scratch: Bench(scratch, options).run())


if __name__ == "__main__":
    sys.exit(main())
