"""How columns of tables are made: their names, local times, words, shares."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import polars as pl

from app.text import EN, say, spoken


def named(frame: pl.DataFrame, columns: Mapping[str, str | pl.Expr | pl.Series]) -> pl.DataFrame:
    """Columns picked and named by the keys of the text module, in this order."""
    return frame.select(
        (pl.col(source) if isinstance(source, str) else source).alias(say(f"column.{key}"))
        for key, source in columns.items()
    )


def clock(column: str, zone: str, form: str = "%Y-%m-%d %H:%M:%S") -> pl.Expr:
    """An instant as wall-clock time of a zone."""
    return pl.col(column).dt.convert_time_zone(zone).dt.strftime(form)


def words(column: str, prefix: str) -> pl.Expr:
    """Codes as the words of the text module; what it does not know as it is."""
    own = f"{prefix}."
    found = {key.removeprefix(own): spoken(key) for key in EN if key.startswith(own)}
    return pl.col(column).cast(pl.String).replace(found)


def spelled(
    frame: pl.DataFrame, columns: Sequence[str], spell: Callable[..., str | None]
) -> pl.Series:
    """Text made of the cells of each row by Python; nothing where all of them are empty.

    Never by an expression that calls Python (``map_elements``): Polars calls it in threads of its
    own, which wait for the interpreter; another session's thread may hold that and wait for them,
    and then the whole server stands still. They do not know the session's language either.
    """
    rows = frame.select(columns).iter_rows()
    texts = [None if all(cell is None for cell in row) else spell(*row) for row in rows]
    return pl.Series(texts, dtype=pl.String)


def part(column: str, whole: str) -> pl.Expr:
    """A percentage of the whole beside it, None where nothing was observed."""
    return (
        pl.when(pl.col(whole) > 0).then(100 * pl.col(column) / pl.col(whole)).otherwise(None)
    ).round(1)


def hours(column: str) -> pl.Expr:
    """Seconds as hours."""
    return (pl.col(column) / 3600).round(2)


def safe_csv(frame: pl.DataFrame) -> str:
    """CSV whose text no spreadsheet takes for a formula: devices and people name things freely."""
    texts = [name for name, kind in frame.schema.items() if kind == pl.String]
    return frame.with_columns(
        pl.when(pl.col(name).str.contains(r"^\s*[=+@\-]"))
        .then(pl.lit("'") + pl.col(name))
        .otherwise(pl.col(name))
        .alias(name)
        for name in texts
    ).write_csv()
