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
from pathlib import Path
from typing import NoReturn

from tests.accuracy import report
from tests.accuracy.runs import Outcome, Run, spec
from tests.bench.fleet import remove
from tests.bench.measure import say, versions

SEEDS = "101,102,103,104,105"
FAULTS = ("typical", "storm")
LIMIT_SECONDS = 24 * 60


def outcomes(options: argparse.Namespace, scratch: Path) -> list[Outcome]:
    """Every run that fits into the time, seed by seed."""
    done: list[Outcome] = []
    longest = 0.0
    for seed in options.seeds:
        for faults in FAULTS:
            began = time.monotonic()
            if began - options.started + longest > options.limit:
                say(f"{seed} {faults} left out: it would not have ended in time")
                continue
            wanted = spec(seed, faults, options.units, options.hours, options.fatigue_scale)
            home = scratch / f"{seed}-{faults}"
            done.append(Run(wanted, home, options.threads).go())
            remove([home])
            longest = max(longest, time.monotonic() - began)
            steps = ", ".join(f"{step} {s:.0f} s" for step, s in done[-1].seconds.items())
            say(f"{done[-1].name}: {done[-1].rows:,} rows; {steps}")
    return done


def _options(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.accuracy", description=__doc__)
    parser.add_argument("--units", type=int, default=14, help="vehicles (14)")
    parser.add_argument("--hours", type=int, default=48, help="hours of each run (48)")
    parser.add_argument(
        "--fatigue-scale", type=float, default=600, help="times the base rate (600)"
    )
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
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
