"""dbt's unit tests of the tricky SQL, and data tests of severity warn that look at whole days."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.flow import Flow
from pipeline.localtime import from_us
from pipeline.marts import build as builder
from pipeline.marts import dbt_runner
from pipeline.marts.catalogue import PROJECT
from pipeline.settings import Settings, load
from pipeline.storage import manifest
from pipeline.storage.ledger import Ledger, open_ledger
from tests.conftest import Children
from tests.make import DISTRICT, deliver, epoch, rows
from tests.marts.test_marts import ask

UNIT_TESTS = "test --select test_type:unit"


def named() -> list[str]:
    text = (PROJECT / "models" / "unit_tests.yml").read_text(encoding="utf-8")
    return [test["name"] for test in yaml.safe_load(text)["unit_tests"]]


@dataclass(frozen=True)
class Site:
    settings: Settings
    ledger: Ledger
    flow: Flow
    #: What its first build left behind: every model, so dbt knows the types of their columns.
    scratch: Path

    def bring(self, day: str, seconds: int) -> None:
        deliver(self.settings.raw_root, f"{day}07", rows(f"{day}07", seconds, VehicleSpeed=0))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, children: Children) -> Iterator[Site]:
    """Three days of one device, built in the morning after them."""
    folder = tmp_path_factory.mktemp("sql")
    kept = folder / "scratch"
    kept.mkdir()

    @contextmanager
    def keeping(_: Any) -> Iterator[Path]:
        yield kept

    settings = load(home=folder / "home", threads=1)
    ledger = open_ledger(settings)
    with Flow(settings, ledger) as flow, pytest.MonkeyPatch.context() as patch:
        children.lend(flow)
        found = Site(settings, ledger, flow, kept)
        for day in ("20260128", "20260129", "20260130"):
            found.bring(day, 600)
        flow.ingest()
        patch.setattr(builder, "_scratch", keeping)
        builder.build(ledger, settings, "w", now=from_us(epoch("2026013108") * 1_000_000))
        patch.undo()
        yield found
        children.take_back(flow)
    ledger.close()


def test_of_dbt(site: Site) -> None:
    found = {
        test.test: (test.status, test.message)
        for test in dbt_runner.run(site.scratch, UNIT_TESTS, site.settings.duckdb)
    }
    assert sorted(found) == sorted(named())
    assert {name: what for name, what in found.items() if what[0] != "pass"} == {}


def warnings(settings: Settings, ledger: Ledger, day: str) -> set[str]:
    query = f"SELECT test FROM data_quality WHERE status = 'warn' AND hiveperiod = '{day}'"
    return {row[0] for row in ask(settings, ledger, "data_quality", query)}


def test_a_thin_day_and_a_silent_district_are_told(site: Site) -> None:
    settings, ledger = site.settings, site.ledger
    assert warnings(settings, ledger, "2026-01-30") == set()
    site.bring("20260131", 290)
    site.flow.ingest()
    silent_at = from_us((epoch("2026013108") + 4 * 3600) * 1_000_000)
    builder.build(ledger, settings, "w", now=silent_at)
    assert warnings(settings, ledger, "2026-01-31") == {"as_much_as_usual"}
    with ledger.write() as connection:
        manifest.touch(connection, [("2026-01-31", DISTRICT)])
    builder.build(ledger, settings, "w", now=silent_at + timedelta(seconds=1))
    assert warnings(settings, ledger, "2026-01-31") == {"as_much_as_usual", "fresh"}
