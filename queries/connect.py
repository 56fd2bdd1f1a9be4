"""The readers' DuckDB: one instance a process, one cursor a call, explicit files from the ledger.

A cursor sees each relation that it asks for as a temporary view or table of its own, taken from
one snapshot of the ledger, so a call never mixes two versions of the lake.
"""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Self, TypeVar

import duckdb
import polars as pl
from sqlalchemy import Connection

from pipeline import fields
from pipeline.errors import StoreUnavailable
from pipeline.settings import Settings
from pipeline.storage import manifest
from pipeline.storage.lake import Lake, open_lake
from pipeline.storage.ledger import Ledger, extra_fields
from pipeline.storage.records import QUARANTINE, TELEMETRY, DataFile
from pipeline.storage.visible import among, identifier, mart_sql, telemetry_over, telemetry_sql
from queries import contract, deliveries
from queries.ledger_frames import district_names, ledger_frame, relation_names
from queries.scope import EVERYTHING, Scope

if TYPE_CHECKING:
    from pyarrow import dataset as ds

T = TypeVar("T")

ZONES = "zones"
#: Files on S3 whose footers are kept: some 8 MB each.
FOOTERS = 32
#: … and fetched at the same time.
AT_ONCE = 8
#: Bytes of footers on disk with which DuckDB begins anew, as it counts them (they take two or three
#: times as many): a busy lake replaces some 2,000 files of marts a day.
FOOTER_BYTES = 128 << 20
#: Cursors between two looks at them.
LOOK_AFTER = 64
_KEPT = "SELECT sum(memory_usage_bytes) FROM duckdb_memory() WHERE tag = 'OBJECT_CACHE'"
#: Bytes that are fetched for nothing rather than by another request.
NEAR_BYTES = 128 << 10


def mart_columns() -> dict[str, list[tuple[str, str]]]:
    """(name, DuckDB type) of the columns of every mart."""
    from pipeline.marts.catalogue import MARTS

    return {name: [(c[0], c[1]) for c in mart.columns] for name, mart in MARTS.items()}


class Reader:
    """Reads what the ledger says is visible. Safe to share by threads; a context manager."""

    def __init__(self, settings: Settings, ledger: Ledger) -> None:
        self.settings = settings
        self.ledger = ledger
        self.lake = open_lake(settings)
        self._instance: duckdb.DuckDBPyConnection | None = None
        self._opened = 0
        self._opening = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the instance's memory back."""
        with self._opening:
            if self._instance is not None:
                self._instance.close()
                self._instance = None

    def contract(self, query: str) -> pl.DataFrame:
        """Answer one read-only SELECT over the contract's views, in a sandbox of its own.

        Raises UsageError when it is anything else, and duckdb.Error when DuckDB refuses it.
        """
        return self.retrying(lambda: self._contract(query))

    def _contract(self, query: str) -> pl.DataFrame:
        with self.sandbox(query) as relation:
            frame: pl.DataFrame = relation.pl()
            return frame

    @contextmanager
    def sandbox(self, query: str) -> Iterator[duckdb.DuckDBPyRelation]:
        """One read-only SELECT over the contract's views, in a DuckDB that can do nothing else.

        What it spills is limited like its answer. Raises as ``contract`` does; the caller retries.
        """
        contract.check(query)
        connection = instance(self.settings)
        try:
            # As an option of ``connect`` it is shown, and not obeyed.
            connection.execute(f"SET max_temp_directory_size = '{self.settings.answer_limit}'")
            offered = [TELEMETRY, QUARANTINE, *mart_columns(), *contract.LEDGER_VIEWS]
            names = contract.mentioned(query, offered)
            with self.ledger.read() as ledger:
                paths = self._define(connection, ledger, names, EVERYTHING)
                contract.define_ledger_views(connection, ledger, names)
            contract.lock(connection, paths)
            yield connection.sql(query)
        finally:
            connection.close()

    @contextmanager
    def cursor(
        self, relations: Iterable[str], scope: Scope, columns: Collection[str] | None = None
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor on which ``relations`` exist, cut to the scope.

        Each has those of its columns that are among ``columns``, telemetry and marts their ``KEYS``
        too; every column when none are named.
        """
        relations = list(relations)
        cursor = self._cursor()
        try:
            if TELEMETRY in relations:  # a day of a fleet's seconds has footers of 100 MB
                cursor.execute("SET SESSION parquet_metadata_cache = false")
            with self.ledger.read() as ledger:
                self._define(cursor, ledger, relations, scope, columns)
                for name in set(relations) & relation_names():
                    cursor.register(name, ledger_frame(ledger, name, scope, columns).to_arrow())
                if ZONES in relations:
                    cursor.register(ZONES, self._zones(ledger).to_arrow())
            yield cursor
        finally:
            cursor.close()

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        """A cursor of an instance that keeps the footers of Parquet files, which never change.

        There is no other limit to them than that of all memory: an instance that keeps too many is
        left to the cursors that it still has.
        """
        with self._opening:
            self._opened += 1
            if self._instance is not None and self._opened % LOOK_AFTER == 0:
                (kept,) = self._instance.execute(_KEPT).fetchone() or (0,)
                if kept > FOOTER_BYTES:
                    self._instance = None
            if self._instance is None:
                self._instance = instance(self.settings)
                self._instance.execute("SET GLOBAL parquet_metadata_cache = true")
            return self._instance.cursor()

    def _define(
        self,
        cursor: duckdb.DuckDBPyConnection,
        ledger: Connection,
        relations: Iterable[str],
        scope: Scope,
        columns: Collection[str] | None = None,
    ) -> list[str]:
        """Create views over telemetry, marts and quarantine; return the paths they read."""
        paths: list[str] = []
        marts = mart_columns()
        for name in relations:
            mart = deliveries.HALVES.get(name, name)
            if name not in (TELEMETRY, QUARANTINE) and mart not in marts:
                continue
            files = manifest.live(ledger, mart, **scope.files)
            if name in deliveries.HALVES:
                files = deliveries.half(ledger, scope, name, files)
            if name == TELEMETRY and self.settings.lake_is_remote:
                scan = row_groups(cursor, self.lake, extra_fields(ledger), columns)
                query = telemetry_over(ledger, files, scan, columns)
                cursor.execute(f"CREATE TEMP VIEW {name} AS {query}")
                continue
            root = self.lake.cached(file.path for file in files)
            paths += [str(root / file.path) for file in files]
            if name == TELEMETRY:
                query = telemetry_sql(ledger, root, files, columns)
            elif name == QUARANTINE:
                query = contract.quarantine_sql(ledger, root, files)
            else:
                query = mart_sql(root, files, marts[mart], columns)
            cursor.execute(f"CREATE TEMP VIEW {identifier(name)} AS {query}")
        return paths

    def _zones(self, ledger: Connection) -> pl.DataFrame:
        """district, zone: of every district that has data or registered devices."""
        names = district_names(ledger)
        zones = [self.settings.zone_of(name) for name in names]
        return pl.DataFrame(
            {"district": names, "zone": zones}, schema={"district": pl.String, "zone": pl.String}
        )

    def retrying(self, answer: Callable[[], T]) -> T:
        """Run a read; resolve its files again once if one of them vanished (gc, compaction)."""
        try:
            return answer()
        except (duckdb.IOException, FileNotFoundError):
            return answer()
        except (duckdb.Error, OSError) as error:
            trouble = self.lake.probe()
            if trouble:
                raise StoreUnavailable("the lake", trouble.reason) from error
            raise


def row_groups(
    cursor: duckdb.DuckDBPyConnection,
    lake: Lake,
    extra: dict[str, str],
    columns: Collection[str] | None = None,
) -> Callable[[Sequence[DataFile]], str]:
    """A way to scan files where they lie: only the row groups and columns asked for are fetched."""
    import pyarrow as pa
    from pyarrow import dataset as ds

    asked = among(columns)
    schema = pa.schema([field for field in fields.arrow_schema(extra) if asked(field.name)])

    def scan(files: Sequence[DataFile]) -> str:
        name, paths = f"_lake_{uuid.uuid4().hex}", [file.path for file in files]
        if len(paths) > FOOTERS:  # a question to the whole lake: each footer when its turn comes
            dataset = ds.FileSystemDataset.from_paths(paths, schema, _parquet(), lake.filesystem())
        else:
            with ThreadPoolExecutor(AT_ONCE) as pool:
                fragments = list(pool.map(lambda path: _fragment(lake, path), paths))
            dataset = ds.FileSystemDataset(fragments, schema, _parquet())
        cursor.register(name, dataset)
        return f"SELECT * FROM {name}"

    return scan


@lru_cache(FOOTERS)
def _fragment(lake: Lake, path: str) -> ds.ParquetFileFragment:
    """A file with its footer, which never changes: a second question fetches columns alone."""
    fragment = _parquet().make_fragment(path, lake.filesystem())
    fragment.ensure_complete_metadata()
    return fragment


def _parquet() -> ds.ParquetFileFormat:
    import pyarrow as pa
    from pyarrow import dataset as ds

    # Columns beside each other in one request, and all requests at the same time.
    near = pa.CacheOptions(hole_size_limit=NEAR_BYTES, range_size_limit=32 << 20, lazy=False)
    options = ds.ParquetFragmentScanOptions(pre_buffer=True, cache_options=near)
    return ds.ParquetFileFormat(default_fragment_scan_options=options)


def instance(settings: Settings) -> duckdb.DuckDBPyConnection:
    """A DuckDB of its own with the limits of the settings; inside all time is UTC."""
    settings.scratch.mkdir(parents=True, exist_ok=True)  # DuckDB makes the last folder alone
    config = {
        **settings.duckdb,
        # Two processes must not spill into the same files.
        "temp_directory": str(settings.scratch / f"duckdb-{os.getpid()}-{uuid.uuid4().hex}"),
        "max_execution_time": int(settings.query_seconds * 1000),
    }
    connection = duckdb.connect(":memory:", config=config)
    # Not in the configuration: the zone needs ICU, which is loaded with the instance only.
    connection.execute("SET GLOBAL TimeZone = 'UTC'")
    return connection


def open_reader(settings: Settings, ledger: Ledger) -> Reader:
    """A reader over the settings' lake. Opens nothing before the first question."""
    return Reader(settings, ledger)
