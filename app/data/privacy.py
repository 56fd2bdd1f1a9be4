"""The privacy rules of ``app/access.py``, applied to what is asked and to what is answered."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import polars as pl

from app import access
from pipeline.marts.unlink import is_past
from pipeline.settings import Settings
from pipeline.storage.people import User
from pipeline.storage.reviews import CONFIRMED
from queries.run import Query


def named(query: Query, parameters: Iterable[object]) -> frozenset[str]:
    """Columns that a query may name: the words of its text outside of quotes, and of parameters."""
    body = re.sub(r"--.*$", "", query.text, flags=re.M)
    words = set(re.findall(r"\w+", re.sub(r"'[^']*'", "", body)))
    for value in parameters:
        words.update(map(str, value) if isinstance(value, list | tuple) else [str(value)])
    return frozenset(words)


def check(user: User, query: Query, parameters: Iterable[object]) -> None:
    """Raise Refused when what is asked for is nothing for this person, whatever the answer."""
    eyes = not access.EYE_COLUMNS.isdisjoint(named(query, parameters))
    if eyes and not access.may(user, "see eyes"):
        raise access.Refused
    if query.name in access.OF_AN_OPEN_CASE and not access.may(user, "see operator"):
        raise access.Refused


def cut(user: User, query: Query, answer: pl.DataFrame) -> pl.DataFrame:
    """The answer without what this person may not see; its columns and their types stay."""
    if query.name not in access.OF_AN_OPEN_CASE:
        answer = _without(answer, access.OPERATOR & set(answer.columns))
    if query.name in access.GROUPED:
        answer = answer.filter(pl.col("operators") >= access.SMALLEST_GROUP)
    personal = not access.PERSONAL.isdisjoint(query.reads)
    listing = not access.LISTING.isdisjoint(answer.columns)
    if personal and listing and not access.may(user, "see cases"):
        answer = _counts(answer)
    return answer


def exportable(user: User, columns: Iterable[str]) -> bool:
    """Whether a table of these columns may leave by download."""
    return access.EYE_COLUMNS.isdisjoint(columns) or access.may(user, "export eyes")


def linked(case: Mapping[str, Any], settings: Settings, now: datetime) -> bool:
    """Whether an opened case may still say whose it is: it is confirmed, or its days not over."""
    day = str(case["hiveperiod"]), str(case["dstrct_code"])
    return case["state"] == CONFIRMED or not is_past(settings, day, now)


def _counts(answer: pl.DataFrame) -> pl.DataFrame:
    """As many rows, of how many units, of what kind: in no order, with nothing to look up."""
    hidden = set(answer.columns) - access.COUNTED - {"unitno"}
    blank = _without(answer, hidden)
    if "unitno" in blank.columns:
        order = blank["unitno"].unique().sample(fraction=1, shuffle=True).to_list()
        numbers = {unit: str(number) for number, unit in enumerate(order, 1)}
        blank = blank.with_columns(pl.col("unitno").replace_strict(numbers, return_dtype=pl.String))
    return blank.sample(fraction=1, shuffle=True)


def _without(answer: pl.DataFrame, columns: Iterable[str]) -> pl.DataFrame:
    return answer.with_columns(
        pl.lit(None, dtype=answer.schema[name]).alias(name) for name in sorted(columns)
    )
