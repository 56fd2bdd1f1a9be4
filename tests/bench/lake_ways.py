"""Other ways to merge a day, and the questions that are timed; each runs in a process of its own.

``python -m tests.bench.lake_ways WAY …`` prints one JSON object on its last line.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
from polars.testing import assert_frame_equal

from pipeline.settings import Settings, load
from pipeline.storage.ledger import open_ledger
from queries.connect import open_reader
from queries.scope import Scope
from tests.bench.lakes import DAY, START, Home

SIGNALS = (
    "EngineSpeed",
    "EngineLoad",
    "VehicleSpeed",
    "FuelRate",
    "EngineCoolantTemp",
    "AxleWeight",
)
END = START + timedelta(days=1)
MEANS = (
    "SELECT time_bucket(INTERVAL 1 minute, ts) AS minute, "
    + ", ".join(f"avg({name}) AS {name}" for name in SIGNALS)
    + " FROM {source} WHERE unitno = $unit AND ts >= $start AND ts < $end"
    " GROUP BY minute ORDER BY minute"
)


def copy(files: list[Path], out: Path) -> None:
    """The floor: Polars reads and writes every row once, in whatever order."""
    pl.scan_parquet(files, glob=False, missing_columns="insert").sink_parquet(out)


def sort(files: list[Path], out: Path) -> None:
    """Polars sorts the whole day."""
    rows = pl.scan_parquet(files, glob=False, missing_columns="insert")
    rows.sort("unitno", "ts").sink_parquet(out)


def order(files: list[Path], out: Path) -> None:
    """DuckDB sorts the whole day."""
    listed = ", ".join(f"'{path}'" for path in files)
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (SELECT * FROM read_parquet([{listed}], union_by_name=true)"
            f" ORDER BY unitno, ts) TO '{out}' (FORMAT parquet, COMPRESSION zstd)"
        )


MERGES: dict[str, Callable[[list[Path], Path], None]] = {
    "copy": copy,
    "sort": sort,
    "order": order,
}


def merge(way: str, listed: str, out: str) -> dict[str, Any]:
    """Merge the files that ``listed`` names, and count what came out."""
    import pyarrow.parquet as pq

    MERGES[way]([Path(line) for line in Path(listed).read_text().splitlines()], Path(out))
    return {"rows": pq.read_metadata(out).num_rows}


def asked(home: Home, settings: Settings, unit: str) -> Callable[[], pl.DataFrame]:
    """The question as a page asks it: files from the manifest, a cursor of the one DuckDB."""
    reader = open_reader(settings, open_ledger(home.settings))
    scope = Scope(first=DAY, last=DAY, units=(unit,), start=START, end=END)
    bound = {"unit": unit, "start": START, "end": END}

    def answer() -> pl.DataFrame:
        with reader.cursor(["telemetry"], scope, SIGNALS) as cursor:
            frame: pl.DataFrame = cursor.sql(MEANS.format(source="telemetry"), params=bound).pl()
            return frame

    return answer


def globbed(folder: Path, unit: str) -> Callable[[], pl.DataFrame]:
    """The same over every file below a folder, on a DuckDB that stays open."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    bound = {"unit": unit, "start": START, "end": END}
    source = f"read_parquet('{folder}/*/*/*.parquet', hive_partitioning = true)"

    def answer() -> pl.DataFrame:
        frame: pl.DataFrame = connection.sql(MEANS.format(source=source), params=bound).pl()
        return frame

    return answer


def in_turn(ways: Mapping[str, Callable[[], pl.DataFrame]], rounds: int) -> dict[str, Any]:
    """Median seconds of each; the first round only warms up. All must give the same answer."""
    spent: dict[str, list[float]] = {name: [] for name in ways}
    answers: dict[str, pl.DataFrame] = {}
    for number in range(rounds + 1):
        for name, way in ways.items():
            began = time.perf_counter()
            answers[name] = way()
            if number:
                spent[name].append(time.perf_counter() - began)
    first, *others = answers.values()
    for other in others:
        assert_frame_equal(first, other)
    seconds = {name: statistics.median(some) for name, some in spent.items()}
    return {"seconds": seconds, "minutes": first.height}


def local(homes: str, rounds: str, unit: str, glob: str) -> dict[str, Any]:
    """Each home of a JSON object by name, and the hourly files below ``glob``."""
    ways = {}
    for name, path in json.loads(homes).items():
        home = Home(Path(path))
        ways[name] = asked(home, home.settings, unit)
    return in_turn({**ways, "glob": globbed(Path(glob), unit)}, int(rounds))


def cold(home: str, unit: str) -> dict[str, Any]:
    """The first question of a process to a lake on S3 (the environment says where)."""
    way = asked(Home(Path(home)), load(home=Path(home)), unit)
    began = time.perf_counter()
    answer = way()
    return {"seconds": time.perf_counter() - began, "minutes": answer.height}


def warm(near: str, far: str, rounds: str, unit: str) -> dict[str, Any]:
    """A lake on disk and the same on S3, in turn."""
    here, there = Home(Path(near)), Home(Path(far))
    ways = {
        "local": asked(here, here.settings, unit),
        "s3": asked(there, load(home=there.path), unit),
    }
    return in_turn(ways, int(rounds))


WAYS: dict[str, Callable[..., dict[str, Any]]] = {
    "merge": merge,
    "local": local,
    "cold": cold,
    "warm": warm,
}

if __name__ == "__main__":
    print(json.dumps(WAYS[sys.argv[1]](*sys.argv[2:])))
