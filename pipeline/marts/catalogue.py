"""What marts there are: grain, columns and descriptions, read from the dbt project's own words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

PROJECT = Path(__file__).parent / "dbt"

#: Marts made of seconds, hour by hour: the rows of hours that did not change are taken over. All
#: others are made of them.
ROWS = (
    "unit_minute",
    "unit_fragment",
    "beyond_limit",
    "fault_code_hour",
    "fatigue_evidence",
    "eye_hour",
)


@dataclass(frozen=True)
class Mart:
    """One published dataset. ``columns``: (name, DuckDB type, description); ``key``: its grain."""

    name: str
    description: str
    columns: tuple[tuple[str, str, str], ...]
    key: tuple[str, ...]

    @property
    def grain(self) -> str:
        """The first sentence of the description: what one row is."""
        return self.description.split(":")[0].split(". ")[0]

    @property
    def schema(self) -> tuple[tuple[str, str], ...]:
        """(name, DuckDB type) of every column."""
        return tuple((name, kind) for name, kind, _ in self.columns)


def _marts() -> dict[str, Mart]:
    found = {}
    for path in sorted((PROJECT / "models" / "marts").glob("*.yml")):
        models: list[dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))["models"]
        for model in models:
            columns = tuple(
                (column["name"], column["data_type"], column["description"])
                for column in model["columns"]
            )
            about = " ".join(model["description"].split())
            found[model["name"]] = Mart(model["name"], about, columns, _key(model))
    return found


def _key(model: dict[str, Any]) -> tuple[str, ...]:
    for test in model["data_tests"]:
        if "one_row_per" in test:
            return tuple(test["one_row_per"]["arguments"]["columns"])
    raise ValueError(f"{model['name']}: no test says what one row is")


MARTS: dict[str, Mart] = _marts()


def words(name: str) -> str:
    """The description of a mart (``unit_day``) or of a column (``unit_day.km``).

    Raises KeyError when there is no such thing.
    """
    mart, _, column = name.partition(".")
    found = MARTS[mart]
    if not column:
        return found.description
    return {name: description for name, _, description in found.columns}[column]
