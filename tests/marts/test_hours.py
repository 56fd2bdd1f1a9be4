"""What is built hour by hour is what is built at once; what did not change is taken over."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from pipeline.errors import UsageError
from pipeline.flow import Flow
from pipeline.marts import build as module
from pipeline.marts.build import build
from pipeline.marts.catalogue import MARTS
from pipeline.marts.thresholds import change, defaults
from pipeline.settings import Settings, load
from pipeline.storage import devices, manifest
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger, open_ledger
from tests.marts.conftest import BuiltHome
from tests.marts.fleet import NOW
from tests.marts.test_marts import ask

Rows = dict[str, list[tuple[Any, ...]]]


@pytest.fixture
def other(built_home: BuiltHome, tmp_path: Path) -> Iterator[tuple[Settings, Ledger]]:
    """The fleet's home that was built at once; opened as a copy, for nobody writes to it."""
    settings = load(home=tmp_path / "other", threads=1)
    shutil.copytree(built_home.home, settings.home, copy_function=shutil.copy2)
    ledger = open_ledger(settings)
    yield settings, ledger
    ledger.close()


def rows_of(settings: Settings, ledger: Ledger) -> Rows:
    """All marts, without what a build says of itself; cases go by their beginning."""
    found = {}
    for name, mart in MARTS.items():
        if name != "data_quality":
            columns = [column for column, _ in mart.schema if column != "case_id"]
            query = f"SELECT {', '.join(columns)} FROM {name}"
            found[name] = sorted(ask(settings, ledger, name, query), key=repr)
    return found


def assert_same(found: Rows, wanted: Rows) -> None:
    """The same rows; parallel sums differ in the last digit."""
    for name, rows in wanted.items():
        assert len(found[name]) == len(rows), name
        for got, right in zip(found[name], rows, strict=True):
            about = [pytest.approx(x, rel=1e-9) if isinstance(x, float) else x for x in right]
            assert about == [*got], name


def test_hour_by_hour_is_as_at_once(
    fleet: Path,
    built_home: BuiltHome,
    settings: Settings,
    ledger: Ledger,
    flow: Flow,
    other: tuple[Settings, Ledger],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "DAYS_AT_ONCE", 1)  # nor does it matter what is built together
    keys = sorted(fleet.glob("raw/*/*/*/*.txt.gz"), key=lambda path: path.stat().st_mtime)
    devices.import_csv(ledger, fleet / "register.csv")
    built = []
    for batch in (keys[: len(keys) // 2], keys[len(keys) // 2 :]):
        for path in batch:
            target = settings.raw_root / path.relative_to(fleet / "raw")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target)
        flow.ingest()
        built.append(build(ledger, settings, "w", now=NOW).hours)
        assert not module.is_due(ledger)
    first, second = built
    assert first + second > built_home.hours > second > 0
    found, wanted = rows_of(settings, ledger), rows_of(*other)
    assert len(wanted["unit_minute"]) > 300
    assert len(wanted["fatigue_evidence"]) > 10
    assert_same(found, wanted)


def test_only_what_changed_is_computed_again(
    built: None, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    before = rows_of(settings, ledger)
    flow.compact(now=NOW + timedelta(days=3))
    with ledger.write() as connection:
        manifest.touch(connection, [("2026-01-30", "MLKB"), ("2026-01-31", "MLKB")])
    again = build(ledger, settings, "w", now=NOW)
    assert (again.partitions, again.hours) == (2, 0)
    assert_same(rows_of(settings, ledger), before)
    (path,) = settings.raw_root.glob("MLKB/HW-000101/2026013107/*.txt.gz")
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:-2000], mtime=0))
    flow.ingest()
    # its own hour, and the next, which looks at its last minutes
    assert build(ledger, settings, "w", now=NOW).hours == 2


def test_cases_keep_their_names(built: None, settings: Settings, ledger: Ledger) -> None:
    query = "SELECT case_id, unitno, started_at FROM fatigue_case ORDER BY ALL"
    before = ask(settings, ledger, "fatigue_case", query)
    assert len(before) > 2
    assert len({row[0] for row in before}) == len(before)
    change(ledger, "closure_s", 5, "tester")
    change(ledger, "snapshot_s", 10, "tester")
    change(ledger, "drowsy_share", 0.5, "tester")
    build(ledger, settings, "w", now=NOW)
    fewer = ask(settings, ledger, "fatigue_case", query)
    names = {row[1:]: row[0] for row in before}
    assert fewer != before
    assert all(row[0] == names.get(row[1:], row[0]) for row in fewer)
    c = t.fatigue_cases.c
    with ledger.read() as connection:
        withdrawn = connection.execute(select(c.id).where(c.withdrawn_at.is_not(None))).all()
    assert {f"F-{row.id}" for row in withdrawn} == set(names.values()) - {x[0] for x in fewer}
    for name, value in defaults().items():
        change(ledger, name, value, "tester")
    build(ledger, settings, "w", now=NOW)
    assert ask(settings, ledger, "fatigue_case", query) == before


def test_a_threshold_has_limits(ledger: Ledger) -> None:
    with pytest.raises(UsageError, match="none of closure_s"):
        change(ledger, "clozure_s", 2, "tester")
    with pytest.raises(UsageError, match="lies between 1 and 5, not 60"):
        change(ledger, "closure_s", 60, "tester")
