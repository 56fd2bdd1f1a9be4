"""Numbers of tables as the language writes them; beneath, they stay numbers that can be sorted."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import polars as pl

from app.text import language, say, spelled

#: Of more cells the writing takes longer than a page should: they are shown as Streamlit does.
MOST_CELLS = 20_000

#: Decimals that Streamlit shows of a number.
DECIMALS = 4


def written(frame: pl.DataFrame, shares: Collection[str] = ()) -> Any:
    """The frame as it is where Streamlit writes as the language does, else as a pandas Styler.

    ``shares``: columns of percentages. Numbers that are names of something are left alone.
    """
    if language() != "id" or not 0 < frame.height * frame.width <= MOST_CELLS:
        return frame
    spell = {
        name: share if name in shares else number
        for name, kind in frame.schema.items()
        if kind.is_numeric() and name != say("column.number")
    }
    return frame.to_pandas().style.format(spell, na_rep="")


def number(value: float) -> str:
    """1.234,5 for 1234.5."""
    whole, _, rest = f"{value:,.{DECIMALS}f}".partition(".")
    rest = rest.rstrip("0")
    return spelled(f"{whole}.{rest}" if rest else whole)


def share(value: float) -> str:
    """99,9 % for 99.9."""
    return spelled(f"{value:.1f} %")
