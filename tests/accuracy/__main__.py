"""The marts against the simulator's truth: ``python -m tests.accuracy``, or ``make accuracy``.

Fleets are simulated, taken in and built as in service, with the faults of a typical week and with
those of a storm. Tables first; the last line of standard output is one JSON object. ``SEEDS=1,2,3``
chooses the seeds; no threshold was tuned on those that are taken by default.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import product
from multiprocessing import active_children, get_context
from pathlib import Path
from typing import NoReturn

from tests.accuracy import report
from tests.accuracy.runs import Outcome, spec, timed
from tests.bench.measure import say, versions

SEEDS = "401,402,403,404,405"
FAULTS = ("typical", "storm")
LIMIT_SECONDS = 24 * 60


def outcomes(options: argparse.Namespace, scratch: Path) -> list[Outcome]:
    """Every run that fits into the time, by seed; some go at once, each in a process of its own."""
    results: list[Future[tuple[Outcome, float]]] = []
    with ProcessPoolExecutor(
        options.at_once, mp_context=get_context("spawn"), max_tasks_per_child=1
    ) as pool:
        for seed, faults in product(options.seeds, FAULTS):
            _settle(results, options.at_once)
            longest = max((result.result()[1] for result in results if result.done()), default=0.0)
            if time.monotonic() - options.started + longest > options.limit:
                say(f"{seed} {faults} left out: it would not have ended in time")
                continue
            wanted = spec(seed, faults, options.units, options.hours, options.fatigue_scale)
            words = (wanted, scratch / f"{seed}-{faults}", options.threads)
            results.append(pool.submit(timed, *words))
    return [result.result()[0] for result in results]


def _settle(results: list[Future[tuple[Outcome, float]]], at_once: int) -> None:
    """Wait until fewer than so many runs go on. Raises what a run raised."""
    going = {result for result in results if not result.done()}
    if len(going) >= at_once:
        wait(going, return_when=FIRST_COMPLETED)
    for result in results:
        if result.done():
            result.result()


def _options(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.accuracy", description=__doc__)
    parser.add_argument("--units", type=int, default=14, help="vehicles (14)")
    parser.add_argument("--hours", type=int, default=24, help="hours of each run (24)")
    parser.add_argument(
        "--fatigue-scale", type=float, default=900, help="times the base rate (900)"
    )
    cores = min(2, os.cpu_count() or 1)
    parser.add_argument("--at-once", type=int, default=cores, help="runs at once (2, or the cores)")
    parser.add_argument("--threads", type=int, default=1, help="of each run (1)")
    parser.add_argument("--limit", type=float, default=LIMIT_SECONDS, help="seconds (1,440)")
    parser.add_argument("--readme", action="store_true", help="write the README's table")
    options = parser.parse_args(words)
    seeds = os.environ.get("SEEDS", SEEDS)
    try:
        options.seeds = [int(seed) for seed in seeds.split(",")]
    except ValueError:
        parser.error(f"SEEDS must be numbers like 1,2,3, not {seeds!r}")
    options.started = time.monotonic()
    return options


def _stop(*_: object) -> NoReturn:
    for run in active_children():
        run.terminate()
    raise SystemExit(143)  # so that the scratch folder is removed


def main(words: list[str] | None = None) -> int:
    """Goals that are missed are reported; only a run that failed raises."""
    options = _options(words)
    signal.signal(signal.SIGTERM, _stop)
    for name in [name for name in os.environ if name.startswith("HAULWATCH_")]:
        del os.environ[name]  # no setting of this machine's
    with tempfile.TemporaryDirectory(prefix="haulwatch-accuracy-") as scratch:
        os.chdir(scratch)
        done = outcomes(options, Path(scratch))
        os.chdir("/")
    found = report.Findings(done)
    print(found.tables())
    made = found.report()
    print(made.table())
    if options.readme:
        report.write_readme(found, made)
    print(made.last_line(**versions("duckdb", "polars")), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
