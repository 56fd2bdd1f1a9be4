"""``haulwatch sql``: the contract's views, and nothing beyond them."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl
import pytest

from pipeline import fields
from pipeline.errors import UsageError
from pipeline.flow import Flow
from pipeline.settings import Settings
from pipeline.storage.ledger import Ledger
from queries.connect import Reader, mart_columns, open_reader
from tests.app.fabricate import fabricate

RAW_OBJECTS = [
    *("key", "sha256", "district", "deviceid", "hour", "status", "arrived_at"),
    *("lines", "accepted", "duplicate", "quarantined", "blank", "overlapped"),
    *("flags", "error", "rules_version"),
]


@pytest.fixture
def reader(settings: Settings, ledger: Ledger) -> Iterator[Reader]:
    with open_reader(settings, ledger) as opened:
        yield opened


def test_everything_is_there_before_the_first_file(reader: Reader) -> None:
    for name in ("telemetry", "raw_objects", "quarantine", "data_files", "runs", *mart_columns()):
        assert reader.contract(f"SELECT count(*) AS n FROM {name}")["n"][0] == 0


def test_columns_are_those_promised(reader: Reader) -> None:
    described = reader.contract("DESCRIBE telemetry")["column_name"].to_list()
    added = ["ts", "hiveperiod", "dstrct_code", "_src", "_line", "_rescued"]
    assert set(described) >= {field.name for field in fields.FIELDS} | set(added)
    objects = reader.contract("SELECT * FROM raw_objects")
    assert objects.columns[: len(RAW_OBJECTS)] == RAW_OBJECTS
    assert objects.schema["arrived_at"] == pl.Datetime("us", "UTC")
    quarantine = reader.contract("SELECT * FROM quarantine").columns
    assert quarantine == ["key", "line", "reason", "bytes_hex"]


def test_a_bad_line_is_shown_with_its_bytes(
    settings: Settings, ledger: Ledger, flow: Flow, raw: Path
) -> None:
    path = raw / "MLKB" / "HW-1" / "2026013106" / "2026013106.txt.gz"
    path.parent.mkdir(parents=True)
    path.write_bytes(gzip.compress(b'{"heartbeat": 1769810400, "deviceid": "HW-1"}\n{oops\n'))
    flow.ingest()
    with open_reader(settings, ledger) as reader:
        rows = reader.contract("SELECT * FROM quarantine").to_dicts()
        assert [(row["line"], bytes.fromhex(row["bytes_hex"])) for row in rows] == [(2, b"{oops")]
        assert rows[0]["key"].startswith("MLKB/HW-1/")
        join = "SELECT key FROM telemetry JOIN raw_objects ON raw_objects.id = telemetry._src"
        assert reader.contract(join)["key"].to_list() == [rows[0]["key"]]


def test_counts_match_the_ledger(reader: Reader, settings: Settings, ledger: Ledger) -> None:
    fabricate(settings, ledger)
    assert reader.contract("SELECT count(*) AS n FROM telemetry")["n"][0] == 240
    assert reader.contract("SELECT sum(lines) AS n FROM raw_objects")["n"][0] == 23 * 3600
    assert reader.contract("SELECT count(*) AS n FROM fatigue_case")["n"][0] == 2
    names = reader.contract("SHOW TABLES")["name"].to_list()
    assert {"telemetry", "raw_objects", "unit_day"} <= set(names)


@pytest.mark.parametrize(
    "query",
    [
        "DROP VIEW telemetry",
        "CREATE TABLE x AS SELECT 1",
        "COPY (SELECT 1) TO 'x.csv'",
        "SET memory_limit = '90GB'",
        "ATTACH 'x.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "PRAGMA database_list",
        "CALL pragma_version()",
        "EXPORT DATABASE 'x'",
        "COPY telemetry FROM 'x.csv'",
        "EXPLAIN COPY (SELECT 1) TO 'x.csv'",
        "EXPLAIN ANALYZE CREATE TABLE x AS SELECT 1",
        "explain (analyze) SET threads = 90",
        "EXPLAIN EXPLAIN DROP VIEW telemetry",
        "USE memory",
        "CHECKPOINT",
        "PREPARE x AS SELECT 1",
        "SET VARIABLE x = 1",
        "SELECT 1; SELECT 2",
        "SELECT FROM WHERE",
        "",
    ],
)
def test_anything_but_one_select_is_wrong_usage(reader: Reader, query: str) -> None:
    with pytest.raises(UsageError):
        reader.contract(query)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM read_csv('{secret}')",
        "SELECT * FROM read_text('{secret}')",
        "SELECT * FROM '{secret}'",
        "SELECT * FROM read_blob('{secret}')",
        "SELECT * FROM read_ndjson('{secret}')",
        "SELECT * FROM sniff_csv('{secret}')",
        "SELECT * FROM parquet_metadata('{secret}')",
        "SELECT * FROM query('SELECT * FROM read_text(''{secret}'')')",
        "EXPLAIN ANALYZE SELECT * FROM read_csv('{secret}')",
        "SUMMARIZE '{secret}'",
        "DESCRIBE FROM '{secret}'",
        "SELECT * FROM read_text('/proc/self/environ')",
        "SELECT * FROM read_csv('{folder}/home/../secret.csv')",
        "SELECT * FROM 'file://{secret}'",
        "SELECT * FROM read_parquet('s3://x/y.parquet')",
        "SELECT * FROM duckdb_secrets()",
        "SELECT getenv('HOME')",
        "SELECT * FROM enable_logging()",
        "SELECT * FROM audit",
        "SELECT * FROM sign_ins",
        "SELECT * FROM setup_links",
        "SELECT * FROM glob('{folder}/*')",
        "SELECT * FROM read_parquet('http://127.0.0.1:1/x.parquet')",
        "SELECT * FROM users",
        "SELECT * FROM sqlite_scan('{folder}/home/ledger.db', 'users')",
    ],
)
def test_nothing_else_can_be_read(reader: Reader, tmp_path: Path, query: str) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    with pytest.raises(duckdb.Error):
        reader.contract(query.format(secret=secret, folder=tmp_path))


def test_a_question_may_be_explained(reader: Reader) -> None:
    assert reader.contract("EXPLAIN SELECT count(*) FROM telemetry").height
    assert reader.contract("explain analyze SELECT 1").height


def test_a_query_that_needs_too_much_memory_is_refused(settings: Settings, ledger: Ledger) -> None:
    small = settings.model_copy(update={"memory_limit": "64MB"})
    query = "SELECT list(i::VARCHAR || repeat('x', 200)) AS l FROM range(3_000_000) AS t (i)"
    with open_reader(small, ledger) as reader, pytest.raises(duckdb.OutOfMemoryException):
        reader.contract(query)


def test_a_long_query_is_stopped(settings: Settings, ledger: Ledger) -> None:
    hasty = settings.model_copy(update={"query_seconds": 0.3})
    with open_reader(hasty, ledger) as reader, pytest.raises(duckdb.InterruptException):
        reader.contract("SELECT count(*) FROM range(100_000_000_000) AS t (i) WHERE i % 7 = 3")
