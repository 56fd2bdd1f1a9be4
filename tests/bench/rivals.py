"""Other ways from raw files to Parquet, each as its documentation suggests: no proof, no ledger.

Run as ``python -m tests.bench.rivals NAME RAW OUT``; prints ``{"rows": …}``.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.bench.fleet import files

#: ClickHouse as a library, its engine alone: half a gigabyte, so it is in no lock.
CLICKHOUSE = "chdb-core==26.9.0"
CLICKHOUSE_HOME = Path(sys.prefix) / "bench"
INSTALL_SECONDS = 240


def duckdb(raw: Path, out: Path) -> None:
    """The seed's way: look at every row to find the types, count, copy into partitions."""
    import duckdb as engine

    listed = ", ".join(f"'{path}'" for path in files(raw))
    source = f"read_json_auto([{listed}], sample_size=-1, union_by_name=true, filename=true)"
    day = r"strptime(regexp_extract(filename, '(\d{8})\d\d\.txt', 1), '%Y%m%d')::DATE"
    with engine.connect() as connection:
        connection.execute(f"SELECT count(*) FROM {source}").fetchall()
        connection.execute(
            f"COPY (SELECT * EXCLUDE (filename), {day} AS hiveperiod FROM {source}) "
            f"TO '{out}' (FORMAT parquet, PARTITION_BY (hiveperiod, dstrct_code))"
        )


def polars(raw: Path, out: Path) -> None:
    """Polars alone: the schema is given; a field it lacks would vanish, a bad line stop it."""
    import polars as pl

    from pipeline.fields import TIME_FIELD, json_schema

    schema = {**json_schema(), TIME_FIELD: pl.String()}
    out.mkdir(parents=True)
    pl.scan_ndjson(files(raw), schema=schema).sink_parquet(out / "0.parquet", compression="zstd")


def clickhouse(raw: Path, out: Path) -> None:
    """ClickHouse: the columns are given."""
    import chdb

    from pipeline.fields import FIELDS, TIME_FIELD

    out.mkdir(parents=True)
    columns = ", ".join(
        f"`{f.name}` Nullable({'Float64' if f.numeric and f.name != TIME_FIELD else 'String'})"
        for f in FIELDS
    )
    chdb.query(
        f"INSERT INTO FUNCTION file('{out / '0.parquet'}', 'Parquet') "
        f"SELECT * FROM file('{raw}/*/*/*/*.txt.gz', 'JSONEachRow', '{columns}', 'gzip') "
        "SETTINGS output_format_parquet_compression_method='zstd'"
    )


WAYS: dict[str, Callable[[Path, Path], None]] = {
    "duckdb": duckdb,
    "polars": polars,
    "clickhouse": clickhouse,
}


def why_no_clickhouse(env: Mapping[str, str], *, install: bool) -> str:
    """Empty when ClickHouse can be run; it is installed beside the environment if need be."""
    reason = _failure([sys.executable, "-c", "import chdb"], env)
    if not reason or not install:
        return reason
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    words = ["--no-deps", "--upgrade", "--target", str(CLICKHOUSE_HOME), CLICKHOUSE]
    return _failure(pip + words) or _failure([sys.executable, "-c", "import chdb"], env)


def _failure(command: list[str], env: Mapping[str, str] | None = None) -> str:
    """Last line that a failed command said; empty when it did not fail."""
    try:
        done = subprocess.run(
            command, env=env, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return f"took more than {INSTALL_SECONDS} s"
    said = done.stderr.strip().splitlines() or [f"exit {done.returncode}"]
    return said[-1] if done.returncode else ""


def rows_of(out: Path) -> int:
    """Rows in the Parquet files below a folder, from their footers."""
    import pyarrow.parquet as pq

    return sum(pq.read_metadata(path).num_rows for path in out.rglob("*.parquet"))


def main(name: str, raw: str, out: str) -> None:
    WAYS[name](Path(raw), Path(out))
    print(json.dumps({"rows": rows_of(Path(out))}))


if __name__ == "__main__":
    main(*sys.argv[1:])
