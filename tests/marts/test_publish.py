"""How marts are packed: every value comes back."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.marts.catalogue import MARTS
from pipeline.marts.publish import pack
from pipeline.storage.records import DataFile
from pipeline.storage.visible import NUMBERED, field_id, mart_sql


def test_what_is_packed_comes_back(tmp_path: Path) -> None:
    chance = random.Random(7)
    at = 100.0
    walk = [at := round(at + chance.gauss(0, 0.5), 2) for _ in range(5_000)]
    rows = pa.table(
        {
            "unitno": ["DT101"] * 5_000,
            "far": pa.array([None if i % 97 == 0 else v for i, v in enumerate(walk)], pa.float64()),
            "near": pa.array([(i % 30 - 15) / 10 for i in range(5_000)], pa.float32()),
            "third": pa.array([(i % 7) / 3 for i in range(5_000)], pa.float32()),
            "large": pa.array([1e9 if i == 17 else v for i, v in enumerate(walk)], pa.float64()),
            "ts": pa.array([dt.datetime.fromtimestamp(60 * i, dt.UTC) for i in range(5_000)]),
            "odd": pa.array([float("nan"), -0.0, float("inf"), *walk[3:]], pa.float32()),
            "blocks": pa.array([[i % 7, None] for i in range(5_000)], pa.list_(pa.uint8())),
            "nobody": pa.array([None] * 5_000, pa.float64()),
        }
    )
    path = tmp_path / "packed.parquet"
    pack(rows, path)
    kinds = {"far": "DOUBLE", "near": "FLOAT", "third": "FLOAT", "large": "DOUBLE"}
    with duckdb.connect() as duck:
        duck.execute("SET TimeZone = 'UTC'")
        casts = ", ".join(f"{name}::{kind} AS {name}" for name, kind in kinds.items())
        found = duck.sql(f"SELECT * REPLACE ({casts}) FROM '{path}'").to_arrow_table()
    for name in rows.column_names:
        assert repr(found[name].to_pylist()) == repr(rows[name].to_pylist()), name
    stored = pq.read_schema(path)
    assert stored.field("far").type == pa.decimal128(9, 2)
    assert stored.field("near").type == pa.decimal128(9, 1)
    assert stored.field("third").type == pa.float32()
    assert stored.field("large").type == pa.float64()
    group = pq.read_metadata(path).row_group(0)
    used = {
        group.column(i).path_in_schema: group.column(i).encodings for i in range(group.num_columns)
    }
    assert "BYTE_STREAM_SPLIT" in used["far"]
    assert "BYTE_STREAM_SPLIT" in used["odd"]
    assert "DELTA_BINARY_PACKED" in used["ts"]
    assert "RLE_DICTIONARY" in used["third"]
    assert "RLE_DICTIONARY" in used["blocks.list.element"]


def test_nothing_is_packed_too(tmp_path: Path) -> None:
    rows = pa.table({"a": pa.array([], pa.float64()), "b": pa.array([], pa.list_(pa.uint8()))})
    pack(rows, tmp_path / "packed.parquet")
    assert pq.read_table(tmp_path / "packed.parquet").schema.names == ["a", "b"]


def test_files_are_read_together_whatever_each_holds(tmp_path: Path) -> None:
    """Other decimals, a column that a file lacks, and a file from before columns had numbers."""
    parts = {
        f"a{NUMBERED}": {"unitno": ["a"], "km": [1.5], "blocks": [[1, 2]]},
        f"b{NUMBERED}": {"unitno": ["b"], "km": [1.125]},
        "old.parquet": {"km": [2.25], "unitno": ["c"]},
    }
    for name, columns in parts.items():
        if name.endswith(NUMBERED):
            pack(pa.table(columns), tmp_path / name)
        else:
            pq.write_table(pa.table(columns), tmp_path / name)
    columns = (("unitno", "VARCHAR"), ("km", "DOUBLE"), ("blocks", "UTINYINT[]"))
    files = [
        DataFile(number, name, "", "", 1, 1, None, None, (), False, 0)
        for number, name in enumerate(parts)
    ]
    with duckdb.connect() as duck:
        numbered = mart_sql(tmp_path, files[:2], columns)
        assert duck.sql(f"{numbered} ORDER BY ALL").fetchall() == [
            ("a", 1.5, [1, 2]),
            ("b", 1.125, None),
        ]
        every = mart_sql(tmp_path, files, columns)
        assert duck.sql(f"{every} ORDER BY ALL").fetchall() == [
            ("a", 1.5, [1, 2]),
            ("b", 1.125, None),
            ("c", 2.25, None),
        ]
        some = duck.sql(mart_sql(tmp_path, files, columns, {"KM"}))
        assert some.columns == ["unitno", "km"]  # and the keys among them


def test_no_two_columns_share_a_number() -> None:
    names = {name for mart in MARTS.values() for name, _ in mart.schema}
    assert len({field_id(name) for name in names}) == len(names)
