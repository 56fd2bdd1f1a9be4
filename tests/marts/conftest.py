"""A fleet whose files the tests of one process share."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline.flow import Flow
from pipeline.marts.build import build
from pipeline.settings import Settings, load
from pipeline.simulator import SimSpec, simulate
from pipeline.storage import devices
from pipeline.storage.ledger import open_ledger
from tests.conftest import Children
from tests.marts.fleet import NOW, START


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with ``raw``, ``register.csv`` and the truth. Nobody writes to it."""
    folder = tmp_path_factory.mktemp("fleet")
    spec = SimSpec(units=3, hours=4, start=START, seed=9, faults="storm", fatigue_scale=900)
    simulate(spec, folder, processes=1)
    return folder


@dataclass(frozen=True)
class BuiltHome:
    """A home, and how many hours its build computed."""

    home: Path
    hours: int


@pytest.fixture(scope="session")
def built_home(
    fleet: Path, children: Children, tmp_path_factory: pytest.TempPathFactory
) -> BuiltHome:
    """A home in which that fleet is taken in and built at NOW, at once. Nobody writes to it."""
    settings = load(home=tmp_path_factory.mktemp("built") / "home", threads=1)
    shutil.copytree(fleet / "raw", settings.raw_root, copy_function=shutil.copy2)
    ledger = open_ledger(settings)
    devices.import_csv(ledger, fleet / "register.csv")
    with Flow(settings, ledger) as flow:
        children.lend(flow)
        flow.ingest()
        children.take_back(flow)
    hours = build(ledger, settings, "w", now=NOW).hours
    assert hours >= 4
    ledger.close()
    return BuiltHome(settings.home, hours)


@pytest.fixture
def built(built_home: BuiltHome, settings: Settings) -> None:
    """The test's own home is a copy of it; to be asked for before its ledger."""
    shutil.copytree(built_home.home, settings.home, copy_function=shutil.copy2)
