"""``haulwatch sql``: a read-only question, answered in the form that was asked for."""

from __future__ import annotations

import json
import sys
from datetime import date, datetime
from typing import Any

import polars as pl

from pipeline.errors import UsageError
from pipeline.settings import Settings
from pipeline.storage.ledger import Ledger
from queries.connect import open_reader

FORMATS = ("table", "json", "csv", "parquet")

#: Rows that a table on a terminal shows; the other forms show all.
TABLE_ROWS = 200


def ask(ledger: Ledger, settings: Settings, query: str, form: str) -> None:
    """Run one SELECT over the contract's views and print the answer. Raises UsageError."""
    if form == "parquet" and sys.stdout.isatty():
        raise UsageError("--format parquet writes bytes; send them to a file: … > answer.parquet")
    import duckdb

    with open_reader(settings, ledger) as reader:
        try:
            frame = reader.contract(query)
        except duckdb.Error as error:
            raise UsageError(str(error).strip().splitlines()[0]) from error
    if form == "json":
        print(json.dumps(frame.to_dicts(), default=_plain))
    elif form == "csv":
        sys.stdout.write(frame.write_csv())
    elif form == "parquet":
        frame.write_parquet(sys.stdout.buffer)
    else:
        _table(frame)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)


def _table(frame: pl.DataFrame) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table()
    for name in frame.columns:
        table.add_column(name, justify="right" if frame[name].dtype.is_numeric() else "left")
    for row in frame.head(TABLE_ROWS).iter_rows():
        table.add_row(*("" if value is None else str(value) for value in row))
    Console().print(table)
    if frame.height > TABLE_ROWS:
        print(f"{frame.height - TABLE_ROWS:,} more rows; --format csv shows all")
