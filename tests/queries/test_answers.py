"""Answers of free questions: bounded, whole before they are shown, in types all forms know."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import duckdb
import polars as pl
import pytest

from pipeline.gc import sweep_scratch
from pipeline.settings import Settings
from pipeline.storage.ledger import Ledger
from queries import answers
from queries.answers import AnswerTooLarge, MomentOutOfRange
from queries.connect import open_reader


def kept(settings: Settings, ledger: Ledger, query: str, file: Path) -> pl.DataFrame:
    with open_reader(settings, ledger) as reader:
        return pl.concat(answers.batches(answers.keep(reader, query, file)))


def test_an_answer_beyond_the_limit_names_it_and_the_way_out(
    settings: Settings, ledger: Ledger, tmp_path: Path
) -> None:
    strict = settings.model_copy(update={"answer_limit": "100KB"})
    rows = "SELECT hash(i) AS h FROM range({}) AS t (i)"  # 8 bytes a row, which no packing shortens
    assert kept(strict, ledger, rows.format(8_192), tmp_path / "a").height == 8_192
    with pytest.raises(AnswerTooLarge, match=r"100KB \(HAULWATCH_ANSWER_LIMIT\).*LIMIT"):
        kept(strict, ledger, rows.format(10**12), tmp_path / "b")  # ends long before the time does


def test_what_is_spilled_is_bounded_too(settings: Settings, ledger: Ledger, tmp_path: Path) -> None:
    small = {"answer_limit": "1MB", "memory_limit": "64MB", "threads": 1}
    strict = settings.model_copy(update=small)
    query = (
        "SELECT hash(i) AS h FROM range(20_000_000) AS t (i) ORDER BY h LIMIT 1 OFFSET 10_000_000"
    )
    with pytest.raises(duckdb.OutOfMemoryException, match="max_temp_directory_size"):
        kept(strict, ledger, query, tmp_path / "a")


def test_rows_come_in_their_order_and_columns_by_names_of_their_own(
    settings: Settings, ledger: Ledger, tmp_path: Path
) -> None:
    query = "SELECT i AS a, -i AS A, i AS a FROM range(20_000) AS t (i) ORDER BY i DESC"
    frame = kept(settings, ledger, query, tmp_path / "a")
    assert frame.columns == ["a", "A_1", "a_2"]
    assert frame["a"].to_list() == list(range(19_999, -1, -1))
    assert kept(settings, ledger, "SELECT 1 AS a WHERE false", tmp_path / "b").columns == ["a"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("TIMESTAMP '2026-01-02 03:00' - TIMESTAMP '2026-01-01'", "1 day 03:00:00"),
        ("{'x': INTERVAL 2 HOUR}", "{'x': '02:00:00'}"),
        ("'b'::ENUM('a', 'b')", "b"),
        ("'101'::BIT", "101"),
        ("union_value(n := 2)", "2"),
        ("1::HUGEINT::VARCHAR", "1"),
        ("340282366920938463463374607431768211455::UHUGEINT", f"{2**128 - 1}"),
        ("'9999-12-31 23:59:59.999'::TIMESTAMP::DATE", date(9999, 12, 31)),
        ("'0001-01-01'::TIMESTAMP", datetime(1, 1, 1)),
        ("['a']", ["a"]),
    ],
)
def test_a_type_that_cannot_be_taken_over_is_written_out(
    settings: Settings, ledger: Ledger, tmp_path: Path, value: str, shown: object
) -> None:
    assert kept(settings, ledger, f"SELECT {value} AS v", tmp_path / "a").to_dicts() == [
        {"v": shown}
    ]


@pytest.mark.parametrize(
    "value",
    [
        "'infinity'::TIMESTAMPTZ",
        "'-infinity'::DATE",
        "'10000-01-01'::TIMESTAMP_S",
        "'0001-01-01 (BC)'::DATE",
        "[{'a': 'infinity'::TIMESTAMP}]",
        "MAP {'a': 'infinity'::TIMESTAMP}",
    ],
)
def test_a_moment_that_no_form_can_hold_is_named_with_the_way_out(
    settings: Settings, ledger: Ledger, tmp_path: Path, value: str
) -> None:
    with pytest.raises(MomentOutOfRange, match=r"column v has .* CAST\(… AS VARCHAR\)"):
        kept(settings, ledger, f"SELECT 1 AS a, {value} AS v", tmp_path / "a")
    text = kept(settings, ledger, f"SELECT CAST({value} AS VARCHAR) AS v", tmp_path / "b")
    assert text["v"].dtype == pl.String


def test_what_a_killed_question_left_is_swept(settings: Settings, ledger: Ledger) -> None:
    with open_reader(settings, ledger) as reader, reader.sandbox("SELECT 1") as relation:
        folder = Path(
            relation.query("t", "SELECT current_setting('temp_directory')").fetchall()[0][0]
        )
    assert folder.parent == settings.scratch
    left, mine = settings.scratch / "duckdb-99999999-x", settings.scratch / folder.name
    for path in (left, mine):
        path.mkdir(parents=True)
    sweep_scratch(settings.scratch)
    assert mine.exists()
    assert not left.exists()
