"""Compaction: the same rows in fewer files, in order; swapped in one transaction."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from sqlalchemy import update

from pipeline.compact.run import Compact
from pipeline.compact.runs import cut
from pipeline.errors import ClaimLost
from pipeline.flow import Flow
from pipeline.settings import Settings
from pipeline.storage import claims, manifest
from pipeline.storage import tables as t
from pipeline.storage.commits import commit_swap
from pipeline.storage.lake import open_lake
from pipeline.storage.ledger import Ledger
from pipeline.verify import verify
from tests.ingest.test_run import visible
from tests.make import deliver, rows

HOURS = ("2026013107", "2026013108", "2026013109")
LATER = datetime(2026, 2, 1, tzinfo=UTC)


def fill(raw: Path, flow: Flow) -> None:
    """Three hours of three units, one file at a time; device names run against unit numbers."""
    for hour in HOURS:
        for number in (3, 1, 2):
            deliver(
                raw,
                hour,
                rows(hour, 20, f"HW-{9 - number}", unitno=f"DT{number}"),
                device=f"HW-{9 - number}",
            )
        flow.ingest()


def test_a_closed_day_becomes_one_ordered_file(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    fill(raw, flow)
    before = visible(settings, ledger, "*", "true ORDER BY deviceid, ts")
    assert flow.compact(now=datetime(2026, 1, 31, 17, 59, tzinfo=UTC)).days == []
    result = flow.compact(now=datetime(2026, 1, 31, 18, 0, tzinfo=UTC))
    assert result.days == ["2026-01-31/MLKB"]
    assert (result.files_before, result.files_after, result.rows) == (3, 1, 180)
    assert visible(settings, ledger, "*", "true ORDER BY deviceid, ts") == before
    with ledger.read() as connection:
        (file,) = manifest.live(connection)
    assert file.units == ("DT1", "DT2", "DT3")
    source = pq.ParquetFile(settings.lake_root / file.path)
    assert source.num_row_groups == 3
    groups = [source.read_row_group(i).select(["unitno", "ts"]) for i in range(3)]
    assert [group["unitno"].unique().to_pylist() for group in groups] == [["DT1"], ["DT2"], ["DT3"]]
    assert all(group["ts"].to_pylist() == sorted(group["ts"].to_pylist()) for group in groups)
    assert verify(ledger, settings, deep=True).ok
    assert flow.compact(now=LATER).days == []


def test_late_data_compacts_its_day_again(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    fill(raw, flow)
    flow.compact(now=LATER)
    deliver(raw, "2026013105", rows("2026013105", 20))
    flow.ingest()
    assert flow.compact(now=LATER).files_before == 2
    assert visible(settings, ledger, "count(*)") == [(200,)]
    assert verify(ledger, settings, deep=True).ok


def test_a_swap_that_lost_a_file_changes_nothing(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    fill(raw, flow)
    step = Compact(ledger, settings, "w", flow.readers)
    (planned,) = step.plan(now=LATER)
    with ledger.write() as connection:
        claim = claims.begin(connection, "compact", "w", 60)
        first = update(t.data_files).where(t.data_files.c.id == planned.files[0].id)
        connection.execute(first.values(superseded_at=1))
    with pytest.raises(ClaimLost):
        commit_swap(ledger, claim, planned.files, [], planned.partition, planned.hidden)
    with ledger.read() as connection:
        assert len(manifest.live(connection)) == 2


def test_one_compactor_a_day(raw: Path, ledger: Ledger, settings: Settings, flow: Flow) -> None:
    fill(raw, flow)
    assert claims.lease(ledger, "compact/2026-01-31/MLKB", "another", 60)
    result = flow.compact(now=LATER)
    assert (result.days, result.busy) == ([], ["2026-01-31/MLKB"])


def test_large_days_are_split_and_stay_whole(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.compact import merge as module

    fill(raw, flow)
    monkeypatch.setattr(module, "FILE_BYTES", 1)
    step = Compact(ledger, settings, "w", flow.readers)
    (planned,) = step.plan(now=LATER)
    with ledger.write() as connection:
        claim = claims.begin(connection, "compact", "w", 60)
    (run,) = cut(planned.files, 1)
    job = module.MergeJob(open_lake(settings), "2026-01-31", "MLKB", run, claim, {})
    new = module.merge(job)
    assert [file.rows for file in new] == [60, 60, 60]
    commit_swap(ledger, claim, planned.files, new, planned.partition, planned.hidden)
    assert verify(ledger, settings, deep=True).ok


def test_shares_of_a_day_are_units_and_miss_none(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.compact.runs.SHARE_ROWS", 60)
    fill(raw, flow)
    deliver(raw, HOURS[0], rows(HOURS[0], 5, "HW-1", unitno="DT3"), device="HW-1")
    flow.ingest()
    before = visible(settings, ledger, "*", "true ORDER BY deviceid, ts")
    two = settings.model_copy(update={"threads": 2})
    result = Compact(ledger, two, "w", flow.readers).run(now=LATER)
    assert (result.files_before, result.files_after, result.rows) == (4, 2, 185)
    assert visible(settings, ledger, "*", "true ORDER BY deviceid, ts") == before
    with ledger.read() as connection:
        units = [file.units for file in manifest.live(connection)]
    assert sorted(units) == [("DT1",), ("DT2", "DT3")]
    assert verify(ledger, settings, deep=True).ok


def test_an_open_day_in_many_small_files_is_rolled_up(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.compact.run.SMALL_FILES", 2)
    still_open = datetime(2026, 1, 31, 17, 59, tzinfo=UTC)
    fill(raw, flow)
    before = visible(settings, ledger, "*", "true ORDER BY deviceid, ts")
    result = flow.compact(now=still_open)
    assert (result.days, result.rolled) == ([], ["2026-01-31/MLKB"])
    assert (result.files_before, result.files_after) == (3, 1)
    assert visible(settings, ledger, "*", "true ORDER BY deviceid, ts") == before
    assert flow.compact(now=still_open).rolled == []  # what is rolled up is left alone
    deliver(raw, "2026013105", rows("2026013105", 20))
    flow.ingest()
    assert flow.compact(now=still_open).rolled == []
    result = flow.compact(now=LATER)
    assert (result.days, result.files_before, result.files_after) == (["2026-01-31/MLKB"], 2, 1)
    assert visible(settings, ledger, "count(*)") == [(200,)]
    assert verify(ledger, settings, deep=True).ok
    assert flow.compact(now=LATER).days == []


def test_a_day_that_cannot_be_merged_keeps_no_other_from_it(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    fill(raw, flow)
    deliver(raw, "2026013005", rows("2026013005", 20))
    flow.ingest()
    with ledger.read() as connection:
        (broken,) = manifest.live(connection, days=["2026-01-30"])
    whole = (settings.lake_root / broken.path).read_bytes()
    (settings.lake_root / broken.path).write_bytes(b"PAR1 no more")
    result = flow.compact(now=LATER)
    assert result.days == ["2026-01-31/MLKB"]
    assert list(result.failed) == ["2026-01-30/MLKB"]
    (settings.lake_root / broken.path).write_bytes(whole)
    assert flow.compact(now=LATER).days == ["2026-01-30/MLKB"]
    assert verify(ledger, settings, deep=True).ok


def test_a_merge_that_lost_rows_is_not_swapped_in(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    fill(raw, flow)
    with ledger.write() as connection:  # the manifest knows of a row that the file has not
        t_rows = t.data_files.c.rows
        connection.execute(update(t.data_files).values(rows=t_rows + 1))
    result = flow.compact(now=LATER)
    assert result.days == []
    assert "180 rows of 183" in result.failed["2026-01-31/MLKB"]
    assert visible(settings, ledger, "count(*)") == [(180,)]
