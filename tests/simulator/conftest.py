"""Small simulations, made once for all tests that only read them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipeline.fields import json_schema
from pipeline.simulator import DEFAULT_START, SimSpec, simulate


@dataclass(frozen=True)
class Made:
    spec: SimSpec
    out: Path
    summary: dict[str, Any]

    def table(self, name: str) -> pl.DataFrame:
        return pl.read_parquet(self.out / "truth" / f"{name}.parquet")

    def rows(self) -> pl.DataFrame:
        """Every raw row with its UTC second and its path's hour; for clean files only."""
        frames = []
        for path in sorted((self.out / "raw").rglob("*.txt.gz")):
            frame = pl.read_ndjson(path, schema=json_schema())
            frames.append(frame.with_columns(pl.lit(path.parts[-2]).alias("path_hour")))
        rows = pl.concat(frames)
        beat = pl.col("heartbeat")
        second = (
            pl.when(beat < 10**10).then(beat)
            .when(beat < 10**13).then(beat // 10**3)
            .when(beat < 10**16).then(beat // 10**6)
            .otherwise(beat // 10**9)
        )  # fmt: skip
        return rows.with_columns(second.alias("second"))


def make(out: Path, units: int, hours: int, **more: Any) -> Made:
    spec = SimSpec(units=units, hours=hours, start=more.pop("start", DEFAULT_START), **more)
    return Made(spec, out, simulate(spec, out, processes=1))


@pytest.fixture(scope="session")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make(tmp_path_factory.mktemp("quiet"), 9, 2, faults="none", fatigue_scale=1500.0)


@pytest.fixture(scope="session")
def quiet_rows(quiet: Made) -> pl.DataFrame:
    return quiet.rows()


@pytest.fixture(scope="session")
def typical(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make(tmp_path_factory.mktemp("typical"), 6, 2, faults="typical", seed=4)


@pytest.fixture(scope="session")
def storm(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make(tmp_path_factory.mktemp("storm"), 8, 4, faults="storm", seed=7)
