"""How a day is cut into runs: every unit in one of them, few files open in each."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.compact import runs
from pipeline.compact.runs import cut
from pipeline.storage.records import DataFile


def file(number: int, units: set[str], rows: int = 3600) -> DataFile:
    named = tuple(sorted(units))
    size = rows * max(1, len(named))
    return DataFile(number, f"{number}", "2026-01-31", "MLKB", size, 1, 0, 1, named, False, 0)


def hours(units: int, claim: int, times: int = 24) -> list[DataFile]:
    """Each hour's units in claims of neighbours, as ingestion makes them."""
    names = [f"DT{i:04d}" for i in range(units)]
    parts = [set(names[i : i + claim]) for i in range(0, units, claim)]
    return [file(i, part) for i, part in enumerate(parts * times)]


units = st.sampled_from("ABCDEFGHIJ")
days = st.lists(st.sets(units, max_size=6), min_size=1, max_size=12)


@given(days, st.integers(1, 4), st.integers(1, 30), st.integers(1, 20_000))
def test_every_unit_of_every_file_is_in_one_run(
    day: list[set[str]], cores: int, most: int, share: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "ROW_GROUPS", most)
        patch.setattr(runs, "SHARE_ROWS", share)
        files = [file(i, named) for i, named in enumerate(day)]
        found = cut(files, cores)
    for held in files:
        for unit in {*held.units, "", "a unit that no file names"}:
            takers = [run for run in found if run.takes(unit)]
            assert len(takers) == 1
            assert held in takers[0].files


def test_files_that_are_open_at_once_do_not_grow_with_the_fleet() -> None:
    for fleet in (50, 200, 1_000):
        found = cut(hours(fleet, 48), 2)
        assert len(found) >= max(2, fleet // 80)
        for run in found:
            named = [f for f in run.files if set(f.units) & run.units]
            assert sum(len(f.units) for f in named) <= max(runs.ROW_GROUPS, 24 * 48 * 2)


def test_a_small_day_is_one_run_and_a_large_one_keeps_all_cores_busy() -> None:
    assert len(cut(hours(3, 48, 2), 4)) == 1
    found = cut(hours(48, 48), 4)
    assert len(found) == 4
    assert max(run.rows for run in found) <= 1.1 * min(run.rows for run in found)
