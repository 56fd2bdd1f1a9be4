"""The documentation of the marts: dbt docs, generated over an empty lake."""

from __future__ import annotations

import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from pipeline.marts import dbt_runner, sources
from pipeline.settings import Settings
from pipeline.storage import tables as t
from pipeline.storage.records import Partition
from pipeline.storage.visible import no_telemetry_sql

#: What a browser needs to show the documentation.
FILES = ("index.html", "manifest.json", "catalog.json")


def docs(settings: Settings, out: Path) -> Path:
    """Write the documentation into a folder and return it; open its ``index.html``."""
    now = datetime.now(UTC)
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        empty = sources.Snapshot(
            (Partition(now.date().isoformat(), "", 0),),
            (),
            (),
            no_telemetry_sql({}),
            no_telemetry_sql({}),
            _empty(t.raw_objects, ("arrived_at", "committed_at")),
            _empty(t.devices, ()),
        )
        sources.fill(scratch / "scratch.duckdb", empty, settings, now)
        dbt_runner.run(scratch, "build", settings.duckdb)
        dbt_runner.run(scratch, "docs generate", settings.duckdb)
        out.mkdir(parents=True, exist_ok=True)
        for file in FILES:
            shutil.copy(scratch / "target" / file, out / file)
    return out


def _empty(table: object, times: tuple[str, ...]) -> pl.DataFrame:
    text = ("String", "Text")
    return pl.DataFrame(
        schema={
            column.name: pl.Datetime("us", "UTC")
            if column.name in times
            else (pl.String() if type(column.type).__name__ in text else pl.Int64())
            for column in table.columns  # type: ignore[attr-defined]
        }
    )
