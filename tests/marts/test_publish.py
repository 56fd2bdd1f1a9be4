"""How marts are packed: every value comes back."""

from __future__ import annotations

import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.marts.publish import pack


def test_what_is_packed_comes_back(tmp_path: Path) -> None:
    chance = random.Random(7)
    at = 100.0
    walk = [at := at + round(chance.gauss(0, 0.5), 2) for _ in range(5_000)]
    rows = pa.table(
        {
            "unitno": ["DT101"] * 5_000,
            "far": pa.array([None if i % 97 == 0 else v for i, v in enumerate(walk)], pa.float64()),
            "near": pa.array([float(i % 3) for i in range(5_000)], pa.float32()),
            "odd": pa.array([float("nan"), -0.0, float("inf"), *walk[3:]], pa.float32()),
            "blocks": pa.array([[i % 7, None] for i in range(5_000)], pa.list_(pa.uint8())),
            "nobody": pa.array([None] * 5_000, pa.float64()),
        }
    )
    pack(rows, tmp_path / "packed.parquet")
    found = pq.read_table(tmp_path / "packed.parquet")
    for name in rows.column_names:
        assert repr(found[name].to_pylist()) == repr(rows[name].to_pylist()), name
    group = pq.read_metadata(tmp_path / "packed.parquet").row_group(0)
    used = {
        group.column(i).path_in_schema: group.column(i).encodings for i in range(group.num_columns)
    }
    assert "BYTE_STREAM_SPLIT" in used["far"]
    assert "RLE_DICTIONARY" in used["near"]
    assert "RLE_DICTIONARY" in used["blocks.list.element"]


def test_nothing_is_packed_too(tmp_path: Path) -> None:
    rows = pa.table({"a": pa.array([], pa.float64()), "b": pa.array([], pa.list_(pa.uint8()))})
    pack(rows, tmp_path / "packed.parquet")
    assert pq.read_table(tmp_path / "packed.parquet").schema.names == ["a", "b"]
