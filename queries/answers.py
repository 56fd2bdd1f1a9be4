"""The answer of a free question, put on disk as it comes: it never has to fit into memory.

It is whole before anything is shown of it, so a question that was stopped on its way leaves nothing
half said, and one that lost a file to compaction can be asked again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.errors import UsageError
from queries.connect import Reader

#: Rows of one batch: few enough for a wide row's values to be Python objects all at once.
BATCH = 8_192
#: Types that Polars cannot take over, or not as what they mean: shown as DuckDB writes them.
_WRITTEN_OUT = re.compile(r"\b(INTERVAL|UNION|ENUM|JSON|BIT|BIGNUM|VARIANT|GEOMETRY|UHUGEINT)\b")


#: Seconds since 1970 of the first and the last moment that every form can hold.
_FIRST, _LAST = -62_135_596_800, 253_402_300_799
_DAY_S = 86_400
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


class MomentOutOfRange(UsageError):
    """An answer has a moment that no form but DuckDB's own can hold."""

    def __init__(self, column: str) -> None:
        super().__init__(
            f"column {column} has a moment before the year 1 or after 9999, or an infinite one:"
            " ask for it as text, CAST(… AS VARCHAR)"
        )


class AnswerTooLarge(UsageError):
    """A free question has a larger answer than the settings allow."""

    def __init__(self, limit: str) -> None:
        super().__init__(
            f"the answer takes more than {limit} (HAULWATCH_ANSWER_LIMIT): ask for fewer columns,"
            " for sums instead of rows, or with LIMIT, or raise that setting"
        )


def keep(reader: Reader, query: str, file: Path) -> Path:
    """Answer one SELECT over the contract's views into a new Arrow IPC file.

    Raises AnswerTooLarge, MomentOutOfRange, UsageError for what is no SELECT, duckdb.Error when
    DuckDB refuses it.
    """
    return reader.retrying(lambda: _keep(reader, query, file))


def _keep(reader: Reader, query: str, file: Path) -> Path:
    most = reader.settings.answer_bytes
    packed = pa.ipc.IpcWriteOptions(compression="lz4")
    with reader.sandbox(query) as relation, file.open("wb") as sink:
        answer, names = _plain(relation)
        batches = answer.to_arrow_reader(BATCH)
        schema = pa.schema(
            [field.with_name(name) for field, name in zip(batches.schema, names, strict=True)]
        )
        with pa.ipc.new_file(sink, schema, options=packed) as writer:
            for batch in batches:
                for name, column in zip(names, batch.columns, strict=True):
                    if _out_of_range(column):
                        raise MomentOutOfRange(name)
                writer.write_batch(pa.RecordBatch.from_arrays(batch.columns, schema=schema))
                if sink.tell() > most:
                    raise AnswerTooLarge(reader.settings.answer_limit)
    return file


def _plain(relation: duckdb.DuckDBPyRelation) -> tuple[duckdb.DuckDBPyRelation, list[str]]:
    """The same rows in types that all forms know, and a name for each column, no two alike."""
    kinds = [str(kind) for kind in relation.types]
    seen: set[str] = set()
    unique = [_unlike(name, seen) for name in relation.columns]
    if not any(map(_WRITTEN_OUT.search, kinds)):
        return relation, unique
    columns = (
        f"#{at}::VARCHAR" if _WRITTEN_OUT.search(kind) else f"#{at}"
        for at, kind in enumerate(kinds, 1)
    )
    return relation.project(", ".join(columns)), unique


def _out_of_range(column: pa.Array) -> bool:
    """Whether moments lie beyond what Python and the forms of answers know, however deep."""
    kind = column.type
    if pa.types.is_date32(kind):
        per_second, moments = 1 / _DAY_S, column.cast(pa.int32()).cast(pa.int64())
    elif pa.types.is_timestamp(kind):
        per_second, moments = _PER_SECOND[kind.unit], column.cast(pa.int64())
    elif pa.types.is_struct(kind):
        return any(map(_out_of_range, column.flatten()))
    elif pa.types.is_map(kind):
        return _out_of_range(column.keys) or _out_of_range(column.items)
    elif pa.types.is_nested(kind):
        return _out_of_range(column.flatten())
    else:
        return False
    ends = pc.min_max(moments).as_py()
    first, last = ends["min"], ends["max"]
    return first is not None and (first < _FIRST * per_second or last >= (_LAST + 1) * per_second)


def _unlike(name: str, seen: set[str]) -> str:
    """The name, or the first ``name_N`` that no column before it has, whatever the case."""
    number, chosen = 0, name
    while chosen.casefold() in seen:
        number += 1
        chosen = f"{name}_{number}"
    seen.add(chosen.casefold())
    return chosen


def batches(file: Path) -> Iterator[pl.DataFrame]:
    """The rows of a kept answer, some at a time; one empty frame when there are none."""
    with pa.memory_map(str(file)) as source:
        kept = pa.ipc.open_file(source)
        if not kept.num_record_batches:
            yield _frame(kept.schema.empty_table())
        for number in range(kept.num_record_batches):
            yield _frame(pa.Table.from_batches([kept.get_batch(number)]))


def _frame(table: pa.Table) -> pl.DataFrame:
    frame: pl.DataFrame = pl.from_arrow(table)  # type: ignore[assignment]
    return frame
