"""Lakes to measure merging and reading on: a real district-day, and what can be made of it.

The district-day is simulated and taken in as any other. What would take hours to simulate is made
of its files: more units are copies under other names, more days are copies whose seconds are those
of the day, or links that stand for a day nobody asks about. All are committed like new files.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import fields
from pipeline.compact.merge import held_rows
from pipeline.localtime import from_us, path_hour
from pipeline.settings import Settings, load
from pipeline.simulator import SimSpec, simulate
from pipeline.storage import claims, commits, manifest
from pipeline.storage.lake import DiskLake
from pipeline.storage.ledger import Ledger, open_ledger
from pipeline.storage.parquet import Writer, partition_path
from pipeline.storage.records import CLEAN, TELEMETRY, Claim, DataFile, Held, NewFile, RawFile
from tests.bench import measure

DISTRICT = "MLKB"
ZONE = "Asia/Makassar"
DAY = "2026-02-02"
#: Midnight of that day where the mine is.
START = datetime.fromisoformat(f"{DAY}T00:00:00+08:00").astimezone(UTC)
DAY_US = 86_400_000_000

Change = Callable[[pa.Table], pa.Table]


@dataclass(frozen=True)
class Home:
    """A home below the scratch folder: lake on disk, ledger on SQLite, settings by default."""

    path: Path

    @property
    def settings(self) -> Settings:
        return load(home=self.path, lake=str(self.path))  # whatever the environment says

    @property
    def lake(self) -> DiskLake:
        return DiskLake(self.path)

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        """Its ledger, made when it is not there."""
        self.path.mkdir(parents=True, exist_ok=True)
        found = open_ledger(self.settings)
        try:
            yield found
        finally:
            found.close()

    def files(self) -> list[DataFile]:
        """Visible files of telemetry."""
        with self.ledger() as ledger, ledger.read() as connection:
            return manifest.live(connection)

    def paths(self) -> list[Path]:
        """Where they lie."""
        return [self.path / file.path for file in self.files()]

    def run(self, env: Mapping[str, str], *words: str, **more: str) -> measure.Run:
        """A command of ours in this home, in a process of its own."""
        here = {**env, "HAULWATCH_HOME": str(self.path), **more}
        return measure.run([sys.executable, "-m", "app.cli", *words], here, self.path.parent)

    def commit(self, files: Sequence[NewFile]) -> None:
        """Make finished files visible, as rows of objects that were read whole."""
        sources = {src: held for file in files for src, held in file.sources.items()}
        objects = [_object(src, held) for src, held in sources.items()]
        names = RawFile.__dataclass_fields__.keys() - {"etag"}
        keys = tuple(RawFile(etag="", **{name: row[name] for name in names}) for row in objects)
        with self.ledger() as ledger:
            with ledger.write() as connection:
                claim_id = claims.begin(connection, "ingest", "bench", 600)
            arrival = commits.Arrival(Claim(claim_id, keys), objects, files, {DISTRICT: ZONE})
            commits.commit_ingest(ledger, self.lake, arrival)


def simulated(raw: Path, units: int, hours: int, seed: int) -> None:
    """A day of one district, or its first hours: files as long as the device was on."""
    simulate(SimSpec(units, hours, START, seed, districts=(DISTRICT,)), raw.parent)


def more_units(
    source: Home,
    target: Home,
    times: int,
    processes: int,
    some: Sequence[DataFile] | None = None,
) -> None:
    """The same day, or some of it, with ``times`` as many units: copies under other names."""
    files = source.files() if some is None else some
    with _pool(processes) as pool:
        jobs = [pool.submit(_renamed, source, target, f, n) for n in range(times) for f in files]
        target.commit([job.result() for job in jobs])


def few_units(source: Home, target: Home, units: Sequence[str], processes: int, days: int) -> None:
    """Hourly files of a few of the units, on ``days`` days that end with the day."""
    files = [file for file in source.files() if set(file.units) & set(units)]
    with _pool(processes) as pool:
        jobs = [
            pool.submit(_moved, source, target, file, tuple(units), back)
            for back in range(days)
            for file in files
        ]
        target.commit([job.result() for job in jobs])


def history(source: Home, target: Home, days: int) -> None:
    """The day as it is, and links to it that stand for ``days - 1`` days around it.

    A question about the day never opens them: all that is known of them is in the manifest.
    """
    new = []
    for back in range(-((days - 1) // 2), days // 2 + 1):
        for number, file in enumerate(source.files()):
            day, shift = _days_before(back), back * DAY_US
            path = partition_path(CLEAN, TELEMETRY, day, DISTRICT, f"{day}-{number}.parquet")
            link(source.path / file.path, target.path / path)
            low, high = (file.min_ts or 0) - shift, (file.max_ts or 0) - shift
            held = {number + 1_000 * (back + 500): Held(file.units[0], file.rows, low, high)}
            named = NewFile(CLEAN, TELEMETRY, path, day, DISTRICT, file.rows, file.bytes)
            new.append(
                replace(
                    named, min_ts=low, max_ts=high, units=file.units, compacted=True, sources=held
                )
            )
    target.commit(new)


def link(path: Path, target: Path) -> None:
    """A hard link, or a copy where there are none."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        target.hardlink_to(path)
    except OSError:
        shutil.copy2(path, target)


def _days_before(days: int) -> str:
    return (date.fromisoformat(DAY) - timedelta(days=days)).isoformat()


def _renamed(source: Home, target: Home, file: DataFile, number: int) -> NewFile:
    def change(table: pa.Table) -> pa.Table:
        for name in ("unitno", "deviceid"):
            value = f"{table[name][0].as_py()}-{number}"
            table = _put(table, name, pa.repeat(value, table.num_rows))
        return _put(table, "_src", pa.compute.add(table["_src"], number))

    return _rewritten(source, target, file, DAY, change)


def _moved(source: Home, target: Home, file: DataFile, units: Sequence[str], back: int) -> NewFile:
    day = _days_before(back)

    def change(table: pa.Table) -> pa.Table:
        if table["unitno"][0].as_py() not in units:
            return table.slice(0, 0)
        ts = pa.compute.subtract(table["ts"].cast(pa.int64()), back * DAY_US)
        table = _put(table, "ts", ts.cast(table["ts"].type))
        table = _put(table, "hiveperiod", pa.repeat(day, table.num_rows))
        return _put(table, "_src", pa.compute.add(table["_src"], back))

    return _rewritten(source, target, file, day, change)


def _rewritten(source: Home, target: Home, file: DataFile, day: str, change: Change) -> NewFile:
    """A file written again as ingestion would, row group by row group, each one changed."""
    with pq.ParquetFile(source.path / file.path) as whole:
        schema = fields.arrow_schema({})
        path = partition_path(CLEAN, TELEMETRY, day, DISTRICT, f"{claims.new_id()}-0.parquet")
        sources: dict[int, Held] = {}
        units: set[str] = set()
        with Writer(target.lake, path, schema) as writer:
            for group in range(whole.num_row_groups):
                table = change(whole.read_row_group(group).select(schema.names).cast(schema))
                if table.num_rows:
                    writer.write(table)
                    sources |= held_rows(table)
                    units.add(table["unitno"][0].as_py())
            size = writer.close()
    low = min(held.min_ts for held in sources.values())
    high = max(held.max_ts for held in sources.values())
    new = NewFile(CLEAN, TELEMETRY, path, day, DISTRICT, writer.rows, size)
    return replace(new, min_ts=low, max_ts=high, units=tuple(sorted(units)), sources=sources)


def _put(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    at = table.schema.get_field_index(name)
    return table.set_column(at, table.schema.field(at), values)


def _object(src: int, held: Held) -> dict[str, Any]:
    """A row of ``raw_objects`` for a source."""
    hour = path_hour(from_us(held.min_ts), ZONE)
    return {
        "id": src, "key": f"{DISTRICT}/{held.deviceid}/{hour}/{src}.txt.gz", "sha256": str(src),
        "district": DISTRICT, "deviceid": held.deviceid, "hour": hour, "size": 0, "status": "ok",
        "arrived_at": held.max_ts, "lines": held.rows, "accepted": held.rows, "duplicate": 0,
        "quarantined": 0, "blank": 0, "rescued": 0, "min_ts": held.min_ts, "max_ts": held.max_ts,
        "unitno": None, "fwversion": None, "flags": "", "error": None,
        "rules_version": fields.RULES_VERSION,
    }  # fmt: skip


def _pool(processes: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(processes, mp_context=get_context("spawn"))
