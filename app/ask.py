"""``haulwatch sql``: a read-only question, answered in the form that was asked for."""

from __future__ import annotations

import json
import math
import os
import resource
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn

import polars as pl

from app.console import FAILED, WRONG
from pipeline.errors import UsageError
from pipeline.pool import STOPS
from pipeline.settings import Settings
from pipeline.storage.ledger import Ledger
from queries import answers
from queries.connect import open_reader

FORMATS = ("table", "json", "csv", "parquet")

#: Rows that a table on a terminal shows; the other forms show all.
TABLE_ROWS = 200
#: DuckDB looks at its clock between steps, and one function over one value is a step: what is
#: still at it after so many times its limit, and this many seconds more, is ended with the process.
OVERTIME, OVERTIME_S = 1.5, 2.0
#: The same of memory: one value may be larger than all that DuckDB counts.
BEYOND, BEYOND_BYTES = 2, 2 << 30
GLANCE_S = 0.1


def ask(ledger: Ledger, settings: Settings, query: str, form: str) -> None:
    """Run one SELECT over the contract's views and print the answer. Raises UsageError."""
    if form == "parquet" and sys.stdout.isatty():
        raise UsageError("--format parquet writes bytes; send them to a file: … > answer.parquet")
    import duckdb

    settings.scratch.mkdir(parents=True, exist_ok=True)
    folders = tempfile.TemporaryDirectory(prefix=f"sql-{os.getpid()}-", dir=settings.scratch)
    with open_reader(settings, ledger) as reader, folders as folder:
        try:
            with _bounded(settings):
                kept = answers.keep(reader, query, Path(folder) / "answer.arrow")
        except duckdb.Error as error:
            raise UsageError(str(error).strip().splitlines()[0]) from error
        except MemoryError as error:
            raise UsageError(
                "the question needs more memory than HAULWATCH_MEMORY_LIMIT"
            ) from error
        _WRITERS[form](kept)


@contextmanager
def _bounded(settings: Settings) -> Iterator[None]:
    """Nothing takes much longer, or much more memory, than DuckDB is told to take, and Ctrl-C ends
    it at once: DuckDB, too, looks for that between steps only."""
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    most = settings.memory_bytes * BEYOND + BEYOND_BYTES
    if soft == resource.RLIM_INFINITY or most < soft:
        resource.setrlimit(resource.RLIMIT_DATA, (most, hard))
    before, ended = signal.pthread_sigmask(signal.SIG_BLOCK, STOPS), threading.Event()
    longest = settings.query_seconds * OVERTIME + OVERTIME_S
    watch = threading.Thread(target=_watch, args=(longest, ended), daemon=True)
    watch.start()
    try:
        yield
    finally:
        ended.set()
        watch.join()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _watch(longest: float, ended: threading.Event) -> None:
    deadline = time.monotonic() + longest
    while not ended.is_set():
        if signal.sigtimedwait(STOPS, GLANCE_S):
            _end("stopped", FAILED)
        if time.monotonic() > deadline:
            _end("the question took longer than HAULWATCH_QUERY_SECONDS", WRONG)


def _end(text: str, code: int) -> NoReturn:
    print(f"haulwatch: {text}", file=sys.stderr, flush=True)
    os._exit(code)  # gc sweeps what it had on disk


def _json(kept: Path) -> None:
    """One array of objects, as ``json.dumps`` writes it; what is no number in JSON is null."""
    sys.stdout.write("[")
    comma = ""
    for frame in answers.batches(kept):
        for row in frame.iter_rows(named=True):
            sys.stdout.write(comma + _object(row))
            comma = ", "
    print("]")


def _object(row: dict[str, Any]) -> str:
    try:
        return json.dumps(row, default=_plain, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(row), default=_plain)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):  # a sum of integers is one
        whole = value == value.to_integral_value()
        return int(value) if whole else float(value)
    return value.hex() if isinstance(value, bytes) else str(value)


def _csv(kept: Path) -> None:
    for number, frame in enumerate(answers.batches(kept)):
        sys.stdout.write(frame.write_csv(include_header=not number))


def _parquet(kept: Path) -> None:
    pl.scan_ipc(kept).sink_parquet(sys.stdout.buffer, maintain_order=True)


def _table(kept: Path) -> None:
    from rich.console import Console
    from rich.table import Table

    table, shown, rows = Table(), 0, 0
    for frame in answers.batches(kept):
        if not table.columns:
            for name, kind in frame.schema.items():
                table.add_column(_cell(name), justify="right" if kind.is_numeric() else "left")
        for row in frame.head(TABLE_ROWS - shown).iter_rows():
            table.add_row(*map(_cell, row))
            shown += 1
        rows += frame.height
    Console(markup=False, emoji=False).print(table)
    if rows > shown:
        print(f"{rows - shown:,} more rows; --format csv shows all")


def _cell(value: Any) -> str:
    """A value as text that cannot steer a terminal: devices may send any character."""
    text = "" if value is None else str(value)
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)


_WRITERS = {"table": _table, "json": _json, "csv": _csv, "parquet": _parquet}
