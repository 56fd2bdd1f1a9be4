"""Reading raw files again: planned, audited, and never a gap in what is visible."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from pipeline.errors import SettingsError, UsageError
from pipeline.flow import Flow
from pipeline.reingest import ReingestPlan, Selection, ask, plan
from pipeline.settings import Settings
from pipeline.storage import tables as t
from pipeline.storage.commits import Arrival, commit_ingest
from pipeline.storage.lake import Lake
from pipeline.storage.ledger import Ledger, open_ledger
from pipeline.storage.objects import open_store
from pipeline.verify import verify
from tests.ingest.test_run import visible
from tests.make import deliver, rows, text

FIRST, SECOND, NEXT_DAY = "2026013107", "2026013108", "2026020106"


@pytest.fixture
def keys(raw: Path, flow: Flow) -> dict[str, str]:
    """Two hours of a day and one of the next, of two devices; one file is torn."""
    found = {hour: deliver(raw, hour, rows(hour, 20)) for hour in (FIRST, SECOND, NEXT_DAY)}
    noisy = [{**row, "cpuserial": f"{i * 7919 % 104729:06x}"} for i, row in enumerate(rows(FIRST))]
    packed = gzip.compress(text(noisy), mtime=0)
    half = packed[: len(packed) // 2]
    found["torn"] = deliver(raw, FIRST, half, device="HW-2", packed=False)
    flow.ingest()
    return found


def planned(ledger: Ledger, settings: Settings, **chosen: Any) -> ReingestPlan:
    return plan(ledger, settings, open_store(settings), Selection(**chosen))


def again(ledger: Ledger, settings: Settings, flow: Flow, **chosen: Any) -> Any:
    ask(ledger, settings, Selection(**chosen), planned(ledger, settings, **chosen), "tester")
    return flow.ingest()


def snapshot(settings: Settings, ledger: Ledger) -> list[Any]:
    return visible(settings, ledger, "* EXCLUDE (_src)", "true ORDER BY deviceid, ts")


def test_files_are_chosen_by_key_place_and_span(
    keys: dict[str, str], settings: Settings, ledger: Ledger
) -> None:
    def chosen(**words: Any) -> set[str]:
        return set(planned(ledger, settings, **words).keys)

    assert chosen(key=keys[FIRST]) == {keys[FIRST]}
    assert chosen(device="HW-2") == {keys["torn"]}
    assert chosen(district="MLKB") == set(keys.values())
    assert chosen(first="2026-02-01") == {keys[NEXT_DAY]}
    assert chosen(last="2026-01-31", device="HW-1") == {keys[FIRST], keys[SECOND]}
    assert chosen(first="2026-01-31T08", last="2026013108") == {keys[SECOND]}
    with pytest.raises(UsageError, match="device HW-7"):
        chosen(device="HW-7")


def test_a_span_also_finds_files_by_their_rows(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    key = deliver(raw, "2026020509", rows(FIRST, 5))
    flow.ingest()
    assert planned(ledger, settings, first="2026-01-31", last="2026-01-31").keys == [key]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ({}, "say which files"),
        ({"key": "x", "device": "y"}, "--key names one file"),
        ({"first": "yesterday"}, "--from 'yesterday' is no date"),
        ({"last": "2026-13-01"}, "--to '2026-13-01' is no date"),
        ({"first": "2026-02-02", "last": "2026-02-01"}, "lies after"),
    ],
)
def test_a_wrong_selection_says_so(words: dict[str, str], complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        Selection(**words)


def test_a_plan_changes_nothing_and_says_what_it_touches(
    keys: dict[str, str], settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    shown = planned(ledger, settings, key=keys[FIRST]).as_json(["unit_day"])
    assert shown == {
        "files": 1,
        "keys": [keys[FIRST]],
        "gone": [],
        "rows": 20,
        "days": ["2026-01-31/MLKB"],
        "marts": ["unit_day"],
        "mart_days": ["2026-01-31/MLKB", "2026-02-01/MLKB"],
    }
    assert flow.ingest().files.total() == 0


def test_reading_again_replaces_and_shows_the_same(
    keys: dict[str, str], settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    before = snapshot(settings, ledger)
    result = again(ledger, settings, flow, district="MLKB")
    assert (result.files["ok"], result.files["partial"], result.files["unchanged"]) == (3, 1, 0)
    assert snapshot(settings, ledger) == before
    checked = verify(ledger, settings, deep=True)
    assert checked.ok, checked.breaches
    assert flow.ingest().files.total() == 0
    with ledger.read() as connection:
        o = t.raw_objects.c
        live = connection.execute(select(o.key).where(o.dead_at.is_(None))).all()
        entry = connection.execute(select(t.audit)).one()
    assert len(live) == 4
    assert (entry.who, entry.what, entry.subject) == ("tester", "reingest", "district MLKB")


def test_asked_for_while_it_is_read_a_file_is_read_once_more(
    raw: Path, ledger: Ledger, settings: Settings, flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = deliver(raw, FIRST, rows(FIRST, 20))

    def commit(ledger: Ledger, lake: Lake, arrival: Arrival) -> int:
        monkeypatch.undo()
        ask(ledger, settings, Selection(key=key), planned(ledger, settings, key=key), "tester")
        return commit_ingest(ledger, lake, arrival)

    monkeypatch.setattr("pipeline.ingest.run.commit_ingest", commit)
    result = flow.ingest()
    assert (result.files["ok"], result.backlog) == (2, 0)
    assert len(snapshot(settings, ledger)) == 20


def test_stale_rules_are_found_and_cured(
    keys: dict[str, str], settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    assert planned(ledger, settings, stale_rules=True).keys == []
    with ledger.write() as connection:
        o = t.raw_objects.c
        connection.execute(
            update(t.raw_objects).where(o.key == keys[SECOND]).values(rules_version=0)
        )
    stale = [n.about for n in verify(ledger, settings).notices if n.check == "stale rules"]
    assert stale == [keys[SECOND]]
    assert again(ledger, settings, flow, stale_rules=True).files["ok"] == 1
    assert not [n for n in verify(ledger, settings).notices if n.check == "stale rules"]


def test_a_file_that_is_gone_keeps_its_rows(
    keys: dict[str, str], raw: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    before = snapshot(settings, ledger)
    (raw / keys[SECOND]).unlink()
    assert planned(ledger, settings, device="HW-1").gone == [keys[SECOND]]
    assert again(ledger, settings, flow, device="HW-1").files["ok"] == 2
    assert snapshot(settings, ledger) == before


def test_a_file_that_fails_the_second_time_keeps_its_rows(
    keys: dict[str, str], settings: Settings, ledger: Ledger
) -> None:
    before = snapshot(settings, ledger)
    tight = settings.model_copy(update={"most_bytes": 1000})
    with Flow(tight, ledger) as flow:
        result = again(ledger, tight, flow, key=keys[FIRST])
    assert result.failed.keys() == {keys[FIRST]}
    assert snapshot(settings, ledger) == before
    assert verify(ledger, settings, deep=True).ok


def test_a_district_moves_to_another_zone(
    keys: dict[str, str], settings: Settings, ledger: Ledger
) -> None:
    moved = settings.model_copy(update={"zones": {"MLKB": "Asia/Jayapura"}})
    with pytest.raises(SettingsError, match="reingest --district MLKB"):
        open_ledger(moved)
    opened = open_ledger(moved, rezone="MLKB")
    with Flow(moved, opened) as flow:
        again(opened, moved, flow, district="MLKB")
    assert verify(opened, moved, deep=True).ok
    days = visible(moved, opened, "hiveperiod, count(*)", "deviceid = 'HW-1' GROUP BY ALL")
    assert sorted(days) == [("2026-01-31", 40), ("2026-02-01", 20)]
    opened.close()
    open_ledger(moved).close()
