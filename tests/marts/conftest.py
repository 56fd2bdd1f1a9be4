"""A fleet whose files the tests of one process share."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.simulator import SimSpec, simulate
from tests.marts.fleet import START


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with ``raw``, ``register.csv`` and the truth. Nobody writes to it."""
    folder = tmp_path_factory.mktemp("fleet")
    spec = SimSpec(units=3, hours=4, start=START, seed=9, faults="storm", fatigue_scale=900)
    simulate(spec, folder, processes=1)
    return folder
