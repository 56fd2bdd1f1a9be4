"""Codes of the downtime log: one row of ``downtime_codes.csv`` a code, and what time it counts as.

Availability and utilisation divide the time of a unit into work (W), standby (S) and repair (R).
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from importlib import resources

#: What the letters of the file stand for, as ``docs/downtime.md`` calls them.
KINDS = {"W": "working delay", "S": "standby", "R": "repair"}


@dataclass(frozen=True)
class Code:
    """One reason to stand. ``kind`` is W, S or R; ``scheduled`` is None for all but repairs."""

    code: str
    kind: str
    scheduled: bool | None
    label: str


def _code(row: dict[str, str]) -> Code:
    planned = row["scheduled"]
    return Code(row["code"], row["class"], planned == "1" if planned else None, row["label"])


def _rows() -> list[dict[str, str]]:
    path = resources.files("pipeline").joinpath("downtime_codes.csv")
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


CODES: tuple[Code, ...] = tuple(_code(row) for row in _rows())
BY_CODE: dict[str, Code] = {code.code: code for code in CODES}
