"""What marts there are: grain, columns and descriptions, read from the dbt project's own words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

PROJECT = Path(__file__).parent / "dbt"


@dataclass(frozen=True)
class Mart:
    """One published dataset. ``columns``: (name, DuckDB type, description)."""

    name: str
    description: str
    columns: tuple[tuple[str, str, str], ...]

    @property
    def grain(self) -> str:
        """The first sentence of the description: what one row is."""
        return self.description.split(":")[0].split(". ")[0]


def _marts() -> dict[str, Mart]:
    text = (PROJECT / "models" / "marts" / "marts.yml").read_text(encoding="utf-8")
    models: list[dict[str, Any]] = yaml.safe_load(text)["models"]
    return {
        model["name"]: Mart(
            name=model["name"],
            description=" ".join(model["description"].split()),
            columns=tuple(
                (column["name"], column["data_type"], column["description"])
                for column in model["columns"]
            ),
        )
        for model in models
    }


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
