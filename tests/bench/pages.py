"""Pages over the marts of 500 units and thirty days: questions, first load, clicks, 50 sessions.

The lake is made of one real day (``mart_lake``). (a) Every question that pages ask, over the usual
days and over thirty. (b) In Chromium a page's first load, a page switch and a filter change, each
beside a bare Streamlit page with one chart of constants. (c) The same after a year of service.
(d) Fifty sessions with five seconds of thought between their clicks. (e) A unit's minutes over
thirty days as the seed read them: from every second of hourly files. Run as
``python -m tests.bench.pages``; the last line is one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from app import access
from app.backend import cookie_key
from app.text import say
from pipeline.settings import load
from pipeline.storage.people import ROLES
from tests.bench import mart_lake, measure, page_sessions, page_views
from tests.bench.lakes import Home
from tests.bench.mart_lake import Fleet
from tests.bench.measure import Goal, Report
from tests.bench.measure import say as tell
from tests.browser.conftest import FLAGS, Server, chromium, serving

GOALS = {
    "query_p95_ms": Goal(most=100),
    "load_vs_bare": Goal(most=1.25),
    "switch_vs_bare": Goal(most=1.5),
    "filter_vs_bare": Goal(most=1.5),
    "history_365_vs_30": Goal(most=1.3),
    "sessions_50_p95_s": Goal(most=2),
    "sessions_errors": Goal(most=0),
    "memory_gb": Goal(most=4),
    "vs_seed": Goal(least=20),
}
ADMIN = "the-admin"
PAGES = [page.name for page in access.PAGES]


class Bench:
    """The lake, the servers over it, and what was measured on them."""

    def __init__(self, scratch: Path, options: argparse.Namespace) -> None:
        self.scratch, self.options = scratch, options
        self.report = Report(GOALS)
        self.env = measure.environment(scratch)
        self.template = Home(scratch / "template")
        self.tables: list[str] = []
        now = datetime.now(UTC).replace(microsecond=0)
        self.fleets = {
            name: Fleet(self.template.path, scratch / name, options.copies, days, options.days, now)
            for name, days in (("30", options.days), ("365", options.history))
        }
        self.fleet = self.fleets["30"]

    def run(self) -> None:
        """Measure everything, print the tables and the last line."""
        self._prepare()
        self._questions()
        self._against_the_seed()
        with ExitStack() as stack:
            servers = {
                name: stack.enter_context(
                    serving(fleet.target, "--no-worker", HAULWATCH_ZONE=fleet.zone)
                )
                for name, fleet in self.fleets.items()
            }
            self._history(servers)
            self._in_chromium(servers["30"], stack.enter_context(page_views.bare()))
        with serving(self.fleet.target, "--no-worker", HAULWATCH_ZONE=self.fleet.zone) as server:
            self._sessions(server)
        print(*self.tables, self.report.table(), sep="\n\n")
        versions = measure.versions("streamlit", "plotly", "duckdb", "polars")
        print(self.report.last_line(**versions), flush=True)

    def _prepare(self) -> None:
        units, copies = self.options.units, self.options.copies
        tell(f"a day of {units} units, {copies} times, over {self.options.days} days")
        mart_lake.template(self.template, self.env, units, self.options.hours, self.options.seed)
        self.unit = mart_lake.make(self.fleet, self.options.processes)
        tell(f"… and a ledger of {self.options.history} days")
        mart_lake.longer(self.fleets["365"], self.fleet)
        settings = load(home=self.fleet.target)
        # Both homes take the same cookies.
        key = cookie_key(settings)
        other = self.fleets["365"].target / "secrets"
        other.mkdir(mode=0o700)
        (other / "cookie.key").write_text(key)
        self.tokens = {role: page_sessions.cookie(key, f"the-{role}") for role in ROLES}

    def _way(self, module: str, *words: str) -> Any:
        command = [sys.executable, "-m", f"tests.bench.{module}", *words]
        env = {**self.env, **self.fleet.environment()}
        return measure.run(command, env, self.scratch).answer

    def _questions(self) -> None:
        homes = {name: str(fleet.target) for name, fleet in self.fleets.items()}
        about = {"homes": homes, "today": self.fleet.today, "unit": self.unit}
        words = json.dumps({**about, "rounds": self.options.questions})
        asked = self._way("page_questions", "questions", words)
        rows, worst = [], 0.0
        for one in sorted(asked, key=lambda one: (one["page"], one["span"], one["name"])):
            here, year = (one["seconds"][name] for name in ("30", "365"))
            if not here:
                tell(f"not asked: {one['name']}")
                continue
            worst = max(worst, p95(here))
            figures = (f"{1e3 * statistics.median(here):.0f}", f"{1e3 * p95(here):.0f}")
            figures += (f"{1e3 * statistics.median(year):.0f}", f"{one['rows']:,}")
            rows.append((one["page"], one["name"], one["span"], *figures))
        head = ("page", "query", "days", "median ms", "p95 ms", "after a year", "rows")
        self.tables.append(measure.table(head, rows))
        self.report.put("query_p95_ms", worst * 1e3)
        here, year = (
            sum(statistics.median(one["seconds"][name]) for one in asked if one["seconds"][name])
            for name in ("30", "365")
        )
        self.report.put("questions_365_vs_30", year / here)

    def _against_the_seed(self) -> None:
        about = {"home": str(self.fleet.target), "today": self.fleet.today, "unit": self.unit}
        words = json.dumps({**about, "rounds": self.options.rounds})
        spent = self._way("page_questions", "seed", words)
        self.report.put("vs_seed", spent["seed"] / spent["ours"])
        self.report.put("unit_30d_ms", spent["ours"] * 1e3)
        self.report.put("seed_30d_ms", spent["seed"] * 1e3)

    def _history(self, servers: Mapping[str, Server]) -> None:
        """Scripts of all pages after thirty days and after a year, in turn."""
        urls = {name: server.url for name, server in servers.items()}
        rounds = max(self.options.loads, 3)
        spent = asyncio.run(page_sessions.alone(urls, self.tokens["admin"], PAGES, rounds))
        tell("pages after a year: done")
        middle = {
            where: {name: statistics.median(some) for name, some in pages.items()}
            for where, pages in spent.items()
        }
        rows = [
            (name, *(f"{1e3 * middle[where][name]:.0f}" for where in ("30", "365")))
            for name in PAGES
        ]
        self.tables.append(measure.table(("page", "script, ms", "after a year"), rows))
        put = self.report.put
        scripts = max(middle["365"][name] / middle["30"][name] for name in PAGES)
        put("scripts_365_vs_30", scripts)
        put("history_365_vs_30", max(scripts, self.report.figures.get("questions_365_vs_30") or 0))

    def _in_chromium(self, server: Server, bare: Server) -> None:
        path = chromium()
        if not path:
            for name in ("load_vs_bare", "switch_vs_bare", "filter_vs_bare"):
                self.report.put(name, None, "needs Chromium")
            return
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
            self._loads(browser, server, bare)
            self._clicks(browser, server, bare)
            browser.close()

    def _loads(self, browser: Browser, server: Server, bare: Server) -> None:
        spent: dict[str, list[float]] = {name: [] for name in ("", *PAGES)}
        for number in range(self.options.loads + 1):
            for name, some in spent.items():
                if name:
                    address = "" if name == access.HOME.name else name
                    took = page_views.load(browser, server, address, self.tokens["admin"])
                else:
                    took = page_views.load(browser, bare, "")
                if number:
                    some.append(took)
        self._beside("load", spent)

    def _clicks(self, browser: Browser, server: Server, bare: Server) -> None:
        ours = page_views.tab(browser, server, self.tokens["admin"])
        theirs = page_views.tab(browser, bare)
        switches: dict[str, list[float]] = {name: [] for name in ("", *PAGES)}
        choices: dict[str, list[float]] = {"": []}
        for page, where in ((ours, server), (theirs, bare)):
            page.goto(where.url)
            page.wait_for_function("window.bench.drawn !== null", timeout=page_views.PATIENCE)
        # Always another one than before: what is chosen already changes nothing.
        options = cycle([("A", mart_lake.DISTRICTS[0]), ("All", say("filter.all_districts"))])
        for number in range(self.options.loads + 1):
            # From the last page to the first, and so on: each switch is to another page.
            for name in PAGES[1:] + PAGES[:1]:
                bare_s = page_views.switch(theirs, "Two" if PAGES.index(name) % 2 else "One")
                own_s = page_views.switch(ours, say(f"{name}.title"))
                if number:
                    switches[""].append(bare_s)
                    switches[name].append(own_s)
                if not page_views.offers(ours, say("filter.district")):
                    continue  # pages of the whole system have no districts to choose
                their_option, own_option = next(options)
                bare_s = page_views.choose(theirs, "District", their_option)
                own_s = page_views.choose(ours, say("filter.district"), own_option)
                if number:
                    choices[""].append(bare_s)
                    choices.setdefault(name, []).append(own_s)
        self._beside("switch", switches)
        self._beside("filter", choices)

    def _beside(self, what: str, spent: Mapping[str, Sequence[float]]) -> None:
        """The slowest page's p95 over the bare page's; all of them in a table."""
        tell(f"{what}: done")
        bare = p95(spent[""])
        ratios = {name: p95(some) / bare for name, some in spent.items()}
        rows = [
            (
                name or "(bare)",
                f"{statistics.median(some):.2f}",
                f"{p95(some):.2f}",
                f"{ratios[name]:.2f}",
            )
            for name, some in spent.items()
        ]
        self.tables.append(measure.table((what, "median s", "p95 s", "of the bare page's"), rows))
        self.report.put(f"{what}_vs_bare", max(ratios[name] for name in spent if name))

    def _sessions(self, server: Server) -> None:
        """Sessions in a process of their own, and the memory of the server's processes."""
        tokens = [self.tokens[ROLES[i % len(ROLES)]] for i in range(self.options.sessions)]
        about = {"url": server.url, "tokens": tokens, "label": say("filter.district")}
        words = json.dumps({**about, "clicks": self.options.clicks, "think_s": self.options.think})
        with measure.Watch(server.process.pid) as watch:
            tell(f"{self.options.sessions} sessions")
            told = self._way("page_sessions", words)
        put = self.report.put
        put("sessions_50_p95_s", p95(told["seconds"] or [page_sessions.PATIENCE_S]))
        put("sessions_median_s", statistics.median(told["seconds"] or [page_sessions.PATIENCE_S]))
        put("sessions_first_minute_p95_s", p95(told["early"] or [page_sessions.PATIENCE_S]))
        put("sessions_errors", len(told["errors"]))
        for error in told["errors"][:5]:
            tell(f"a session: {error}")
        put("memory_gb", watch.peak / measure.GB or None, "memory can only be told on Linux")
        pages = sorted(told["by_page"].items())
        rows = [
            (name, str(len(some)), f"{statistics.median(some):.2f}", f"{p95(some):.2f}")
            for name, some in pages
        ]
        head = (f"{self.options.sessions} sessions", "clicks", "median s", "p95 s")
        self.tables.append(measure.table(head, rows))


def p95(values: Sequence[float]) -> float:
    """The value that one in twenty lies above."""
    return sorted(values)[min(int(0.95 * len(values)), len(values) - 1)]


def _options(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.pages", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="seed of the simulation")
    parser.add_argument("--quick", action="store_true", help="few units, few days, few rounds")
    sizes = {
        "units": (20, 2, "simulated vehicles"),
        "hours": (mart_lake.WHOLE_HOURS, 2, "simulated hours"),
        "copies": (25, 2, "times that the vehicles are there"),
        "days": (30, 2, "days of marts"),
        "history": (365, 4, "days of service in the longer history"),
        "questions": (20, 2, "times that each question is asked"),
        "rounds": (5, 1, "times that the seed's way is gone"),
        "loads": (10, 1, "times that each page is loaded"),
        "sessions": (50, 2, "people at once"),
        "clicks": (30, 1, "clicks of each"),
        "think": (5, 1, "seconds between them"),
    }
    for name, (_, _, about) in sizes.items():
        parser.add_argument(f"--{name}", type=int, help=about)
    options = parser.parse_args(words)
    for name, (usual, quick, _) in sizes.items():
        if getattr(options, name) is None:
            setattr(options, name, quick if options.quick else usual)
    options.processes = measure.machine()["cores"]
    options.started = time.monotonic()
    return options


def main(words: list[str] | None = None) -> int:
    """Goals that are missed are reported; only a run that failed ends with 1."""
    options = _options(words)
    return measure.in_scratch(lambda scratch: Bench(scratch, options).run())


if __name__ == "__main__":
    sys.exit(main())
