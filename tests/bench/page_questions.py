"""What pages ask, timed; each way runs in a process of its own and prints one JSON object.

No list of questions is kept: every page is run once in each of its views over the home, over the
usual days and over the longest span, and what it asks is noted down.
"""

from __future__ import annotations

import gc
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from app.looks import DAYS
from app.spans import Span
from pipeline.localtime import day_span, next_day
from pipeline.settings import load
from pipeline.storage.ledger import open_ledger
from queries import run
from queries.connect import Reader, open_reader
from queries.scope import Scope

#: Days of the longest span that filters offer.
LONG = 30
ADMIN = "the-admin#1"
SIGNALS = ("VehicleSpeed", "EngineSpeed", "EngineCoolantTemp", "EngineOilTemp")
MEANS = tuple(f"{name}_{kind}" for name in SIGNALS for kind in ("mean", "min", "max"))


@dataclass(frozen=True)
class Asked:
    """A named query as a page asked it; ``page`` and ``span`` tell where it was met first."""

    page: str
    span: str
    name: str
    scope: Scope
    parameters: tuple[tuple[str, Any], ...]

    def answer(self, reader: Reader) -> pl.DataFrame:
        """Ask it again."""
        values = {key: list(v) if isinstance(v, tuple) else v for key, v in self.parameters}
        return run.ask(reader, self.name, self.scope, **values)


@contextmanager
def noting(found: list[Asked], page: str, span: str) -> Iterator[None]:
    """Note every query that is asked while the block runs; what a click would download is made."""
    import streamlit as st

    ask, button = run.ask, st.download_button

    def noted(reader: Reader, name: str, scope: Scope, **values: Any) -> pl.DataFrame:
        pairs = ((key, tuple(v) if isinstance(v, list) else v) for key, v in values.items())
        found.append(Asked(page, span, name, scope, tuple(sorted(pairs))))
        return ask(reader, name, scope, **values)

    def clicked(label: str, data: Any, *others: Any, **more: Any) -> bool:
        if callable(data):
            data()
        return bool(button(label, data, *others, **more))

    run.ask, st.download_button = noted, clicked
    try:
        yield
    finally:
        run.ask, st.download_button = ask, button


def addresses(reader: Reader, today: str, unit: str) -> dict[str, list[dict[str, str]]]:
    """Page → what the address says in each of its views; a page that is not named has one.

    Of a unit whose seconds are there, its newest case (or another's), and the newest raw file.
    """
    from app import state
    from app.pickers.fatigue import PATTERNS
    from app.pickers.fleet import VIEWS

    cases = reader.contract(
        "SELECT case_id, started_at FROM fatigue_case"
        f" ORDER BY unitno = '{unit}' DESC, started_at DESC LIMIT 1"
    )
    case, start = cases.row(0) if cases.height else ("", _midnight(reader, today))
    end = start + timedelta(hours=1)
    hours = reader.contract(
        "SELECT concat_ws('/', district, deviceid, hour) AS place FROM raw_objects"
        " ORDER BY hour DESC, deviceid LIMIT 1"
    )
    stretch = Span(start.replace(microsecond=0), end.replace(microsecond=0)).address
    zoomed = dict(zip((state.START, state.END), stretch, strict=True))
    days = {state.COMPARE: DAYS}
    return {
        "fatigue_events": [{}, {state.VIEW: PATTERNS}, {state.CASE: case}],
        "fleet_health": [*({state.VIEW: view} for view in VIEWS), {state.UNIT: unit}],
        "engine_telemetry": [{state.UNIT: unit} | more for more in ({}, zoomed, days)],
        "data_delivery": [{}, *({state.CELL: place} for place in hours["place"])],
    }


def _midnight(reader: Reader, day: str) -> datetime:
    return day_span(day, reader.settings.zone_of(""))[0]


def asked(
    today: str,
    views: Mapping[str, list[dict[str, str]]],
    spans: Sequence[str] = ("usual", "long"),
    who: str = ADMIN,
) -> list[Asked]:
    """Every question of every page in each of its views, over the usual days and the longest span.

    Warnings and errors of a page end the run.
    """
    from streamlit.testing.v1 import AppTest

    from app import access, backend, state

    script = str(Path(backend.__file__).with_name("main.py"))
    found: list[Asked] = []
    for span in spans:
        for page in access.PAGES:
            for view in views.get(page.name, [{}]):
                app = AppTest.from_file(script, default_timeout=120)
                app.session_state[state.SIGNED_IN] = True
                app.session_state[state.IDENTITY] = who
                if page is not access.HOME:
                    app.switch_page(str(page.path))
                days = {"from": next_day(today, 1 - LONG)} if span == "long" else {}
                for key, value in (days | view).items():
                    app.query_params[key] = value
                with noting(found, page.name, span):
                    app.run()
                if app.exception or app.warning:
                    raise SystemExit(f"{page.name} fails: {[*app.exception, *app.warning]}")
    once = {(one.name, one.scope, one.parameters): one for one in reversed(found)}
    return sorted(once.values(), key=lambda one: (one.page, one.span, one.name))


def unasked(found: Iterable[Asked]) -> list[str]:
    """Names of the queries that were not met."""
    names = {
        path.name.removesuffix(".sql")
        for path in resources.files("queries").joinpath("sql").iterdir()
    }
    return sorted(names - {one.name for one in found})


def questions(homes: Mapping[str, str], today: str, unit: str, rounds: int) -> list[dict[str, Any]]:
    """Each question to each home in turn: its seconds by home, and the rows of the answer."""
    readers = {name: _reader(Path(path)) for name, path in homes.items()}
    first = next(iter(readers.values()))
    found = asked(today, addresses(first, today, unit))
    told: list[dict[str, Any]] = [
        {"page": "", "span": "", "name": name, "rows": 0, "seconds": dict.fromkeys(readers, ())}
        for name in unasked(found)
    ]
    # As the server does when it starts: the collector need not look at what the pages imported.
    gc.collect()
    gc.freeze()
    for one in found:
        spent: dict[str, list[float]] = {name: [] for name in readers}
        height = 0
        for number in range(rounds + 1):
            for name, reader in readers.items():
                began = time.perf_counter()
                height = one.answer(reader).height
                if number:  # the first only warms up
                    spent[name].append(time.perf_counter() - began)
        about = {"page": one.page, "span": one.span, "name": one.name, "rows": height}
        told.append({**about, "seconds": spent})
    return told


def _reader(home: Path) -> Reader:
    settings = load(home=home, lake=str(home))
    return open_reader(settings, open_ledger(settings))


def seed(home: str, today: str, unit: str, rounds: int) -> dict[str, float]:
    """A unit's minutes over thirty days: from the marts, and from every second as the seed did.

    The seed's lake has a file an hour of every unit and nothing else. Here are those of 50 units, a
    tenth of the fleet that our marts hold.
    """
    reader, connection = _reader(Path(home)), duckdb.connect()
    first = next_day(today, 1 - LONG)
    start, end = _midnight(reader, first), _midnight(reader, next_day(today))
    scope = Scope(first, today, units=(unit,), start=start, end=end)
    ours = Asked("", "", "engine_minutes", scope, ())
    ours = replace(ours, parameters=(("columns", (*MEANS, "gpsnumsat_mean")),))
    figures = ", ".join(f"avg({n}), min({n}), max({n})" for n in SIGNALS)
    query = (
        f"SELECT time_bucket(INTERVAL 1 minute, ts) AS minute, count(*) AS seconds, {figures},"
        " avg(gpsnumsat), avg(abs(gpsspeed - VehicleSpeed)), max(abs(gpsspeed - VehicleSpeed))"
        f" FROM read_parquet('{home}/hourly/telemetry/*/*/*.parquet', hive_partitioning = true)"
        " WHERE unitno = $unit AND hiveperiod BETWEEN $first AND $last"
        " GROUP BY minute ORDER BY minute"
    )
    bound = {"unit": unit, "first": first, "last": today}
    ways: dict[str, Callable[[], int]] = {
        "ours": lambda: ours.answer(reader).height,
        "seed": lambda: len(connection.sql(query, params=bound).pl()),
    }
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, way in ways.items():
            began = time.perf_counter()
            if not way():
                raise SystemExit(f"{name} found nothing")
            if number:
                spent[name].append(time.perf_counter() - began)
    return {name: statistics.median(some) for name, some in spent.items()}


WAYS: dict[str, Callable[..., Any]] = {"questions": questions, "seed": seed}

if __name__ == "__main__":
    print(json.dumps(WAYS[sys.argv[1]](**json.loads(sys.argv[2]))))
