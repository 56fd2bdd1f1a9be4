"""The instance that answers pages: what it keeps, and that this has an end."""

from __future__ import annotations

import pytest

from pipeline.settings import Settings
from pipeline.storage.ledger import Ledger
from pipeline.storage.records import TELEMETRY
from queries import connect
from queries.connect import Reader, open_reader
from queries.scope import Scope
from tests.app.fabricate import fabricate

KEPT = "SELECT coalesce(sum(memory_usage_bytes), 0) FROM duckdb_memory() WHERE tag = 'OBJECT_CACHE'"


def kept(reader: Reader) -> int:
    with reader.cursor([], Scope()) as cursor:
        return int(str(cursor.execute(KEPT).fetchall()[0][0]))


def read(reader: Reader) -> int:
    with reader.cursor(["unit_hour"], Scope()) as cursor:
        return int(str(cursor.execute("SELECT count(*) FROM unit_hour").fetchall()[0][0]))


def test_footers_are_kept_until_they_are_too_many(
    settings: Settings, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    fabricate(settings, ledger)
    monkeypatch.setattr(connect, "LOOK_AFTER", 2)
    with open_reader(settings, ledger) as reader:
        before = kept(reader)
        rows = read(reader)
        after = kept(reader)
        assert after > before
        assert [read(reader) for _ in range(4)] == [rows] * 4
        assert kept(reader) == after  # the same files again: nothing came to it
        monkeypatch.setattr(connect, "FOOTER_BYTES", before)
        with reader.cursor(["unit_hour"], Scope()) as still:
            assert [kept(reader) for _ in range(2)][-1] == before
            assert still.execute("SELECT count(*) FROM unit_hour").fetchall() == [(rows,)]
        assert read(reader) == rows


def test_no_footers_of_seconds_are_kept(settings: Settings, ledger: Ledger) -> None:
    """A free question may be about all of them: their footers are larger than all limits."""
    asked = "SELECT current_setting('parquet_metadata_cache') AS kept"
    with open_reader(settings, ledger) as reader:
        assert reader.contract(asked)["kept"].to_list() == [False]
        with reader.cursor([TELEMETRY], Scope()) as seconds, reader.cursor([], Scope()) as marts:
            assert seconds.execute(asked).fetchall() == [(False,)]
            assert marts.execute(asked).fetchall() == [(True,)]
