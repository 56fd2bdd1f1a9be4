"""``ask``: run one named query of ``queries/sql`` over a scope."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import chain
from typing import Any

import polars as pl

from queries.connect import Reader
from queries.scope import Scope


@dataclass(frozen=True)
class Query:
    """A read query: its text, the relations that it reads and the parameters that it binds.

    ``words`` are those of the text: every column that it names is among them.
    """

    name: str
    text: str
    reads: tuple[str, ...]
    parameters: tuple[str, ...]
    words: frozenset[str]


@cache
def load(name: str) -> Query:
    """The query of a file; its header names what it reads: ``-- reads: device_hour, devices``.

    One that says ``-- over: delivery`` reads the rows of that query, under its name.
    """
    text = resources.files("queries").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
    if over := re.search(r"^-- over: *(\w+)$", text, re.M):
        text = f"WITH {over[1]} AS (\n{load(over[1]).text})\n{text}"
    reads = re.search(r"^-- reads: *(.+)$", text, re.M)
    body = re.sub(r"--.*$", "", text, flags=re.M)
    return Query(
        name=name,
        text=text,
        reads=tuple(re.findall(r"\w+", reads.group(1))) if reads else (),
        parameters=tuple(sorted(set(re.findall(r"\$([a-z]\w*)", body)))),
        words=frozenset(re.findall(r"\w+", body)),
    )


def ask(reader: Reader, name: str, scope: Scope, **parameters: Any) -> pl.DataFrame:
    """Answer a named query. The scope's values are bound where the query mentions them.

    Raises duckdb.Error, among them InterruptException when it takes longer than the settings'
    ``query_seconds``.
    """
    query = load(name)
    offered = scope.parameters | parameters
    bound = {key: offered[key] for key in query.parameters}
    # Names of columns may come as a parameter, too.
    listed = (value for value in bound.values() if isinstance(value, list))
    columns = query.words.union(map(str, chain.from_iterable(listed)))

    def answer() -> pl.DataFrame:
        with reader.cursor(query.reads, scope, columns) as cursor:
            frame: pl.DataFrame = cursor.sql(query.text, params=bound).pl()
            return frame

    return reader.retrying(answer)
