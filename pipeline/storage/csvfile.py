"""CSV files that people hand in: read whole, or refused in one line."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pipeline.errors import UsageError


def read(path: Path, required: Iterable[str]) -> list[tuple[int, dict[str, Any]]]:
    """(line number, cells by column) of every row that is not blank.

    A row of several lines has the number of its last. Raises UsageError when the file cannot be
    read or lacks a column.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            lacking = [name for name in required if name not in (reader.fieldnames or ())]
            if lacking:
                raise UsageError(f"{path}: column {', '.join(lacking)} is missing")
            return [(reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else "is no CSV file in UTF-8"
        raise UsageError(f"{path}: {reason}") from error
