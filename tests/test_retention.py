"""Retention: what is older than the settings say goes by day and layer, counted, and raw stays."""

from __future__ import annotations

import gzip
import hashlib
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from pipeline import localtime
from pipeline.compact.run import Compact
from pipeline.errors import ClaimLost, SettingsError
from pipeline.flow import Flow
from pipeline.gc import GcResult
from pipeline.reingest import Selection, ask, plan
from pipeline.retention import expire
from pipeline.settings import Settings, load
from pipeline.storage import claims, commits, manifest
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger, open_ledger
from pipeline.storage.objects import open_store
from pipeline.storage.records import ANALYTICS, QUARANTINE, Partition
from pipeline.storage.sql import counter
from pipeline.verify import VerifyResult, verify
from tests.conftest import Run
from tests.ingest.test_run import visible
from tests.make import ZONE, deliver, rows, text
from tests.test_cli import answer, complaint
from tests.threads import together

OLD, OLD_EVENING, NEXT = "2026013107", "2026013123", "2026020106"
DAY, DAY_AFTER = "2026-01-31/MLKB", "2026-02-01/MLKB"
#: A second after the ten days of 31 January are over, and those of 1 February are not.
TEN_LATER = localtime.day_span("2026-01-31", ZONE)[1] + timedelta(days=10, seconds=1)
ELEVEN_LATER = TEN_LATER + timedelta(days=1)


class Site:
    """A home that keeps rows for ten days; what a pass of gc does to it, and what is left."""

    def __init__(self, settings: Settings, ledger: Ledger, flow: Flow) -> None:
        self.settings, self.ledger, self.flow = settings, ledger, flow
        self.raw = settings.raw_root
        self.raw.mkdir(parents=True, exist_ok=True)

    def keep(self, **days: int | None) -> None:
        self.settings = self.settings.model_copy(update=days)
        self.flow.settings = self.settings

    def bring(self, hour: str, content: Any, **rest: Any) -> str:
        """Deliver a file and take it in."""
        key = deliver(self.raw, hour, content, **rest)
        assert not self.flow.ingest().failed
        return key

    def built(self) -> None:
        """As if all marts were up to date: what a build does is tested where one is made."""
        with self.ledger.write() as connection:
            newest = counter(connection, "data")
            connection.execute(update(t.partitions).values(built_version=newest))

    def pass_(self, now: datetime = TEN_LATER) -> GcResult:
        return self.flow.gc(now=now)

    def seconds(self) -> dict[str, int]:
        """Visible rows by local day."""
        query = "hiveperiod, count(*)"
        found = visible(self.settings, self.ledger, query, "true GROUP BY hiveperiod")
        return {str(day): number for day, number in found}

    def counts(self, key: str) -> tuple[int, int, int]:
        """(accepted, overlapped, expired) of a key's live version."""
        o = t.raw_objects.c
        query = select(o.accepted, o.overlapped, o.expired)
        query = query.where(o.key == key, o.dead_at.is_(None))
        with self.ledger.read() as connection:
            row = connection.execute(query).one()
        return (row.accepted, row.overlapped, row.expired)

    def sound(self) -> VerifyResult:
        """No breach, down to the values."""
        checked = verify(self.ledger, self.settings, deep=True)
        assert checked.ok, checked.breaches
        return checked

    def expired(self) -> dict[str, str]:
        """The notices of what is not kept any more."""
        notices = self.sound().notices
        return {item.about: item.text for item in notices if item.check == "expired"}

    def layers(self) -> dict[str, set[str]]:
        """Days that are visible, by layer."""
        f = t.data_files.c
        found: dict[str, set[str]] = {}
        with self.ledger.read() as connection:
            for row in connection.execute(select(t.data_files).where(f.superseded_at.is_(None))):
                found.setdefault(row.layer, set()).add(f"{row.hiveperiod}/{row.dstrct_code}")
        return found

    def to_build(self) -> set[str]:
        with self.ledger.read() as connection:
            dirty = manifest.dirty(connection, t.partitions.c.built_version)
        return {f"{part.hiveperiod}/{part.dstrct_code}" for part in dirty}

    def again(self, **chosen: Any) -> None:
        """Read raw files once more."""
        selection = Selection(**chosen)
        planned = plan(self.ledger, self.settings, open_store(self.settings), selection)
        ask(self.ledger, self.settings, selection, planned, "tester")
        assert not self.flow.ingest().failed

    def raw_bytes(self) -> dict[str, str]:
        return {
            str(path): f"{hashlib.sha256(path.read_bytes()).hexdigest()} {path.stat().st_mtime_ns}"
            for path in self.raw.rglob("*.gz")
        }


@pytest.fixture
def site(settings: Settings, ledger: Ledger, flow: Flow) -> Site:
    made = Site(settings, ledger, flow)
    made.keep(keep_clean_days=10)
    return made


@pytest.fixture
def any_site(tmp_path: Path, database: str, children: Any) -> Iterator[Site]:
    """The same over a ledger of either kind."""
    settings = load(home=tmp_path / "home", ledger=database, threads=1)
    ledger = open_ledger(settings)
    with Flow(settings, ledger) as flow:
        children.lend(flow)
        made = Site(settings, ledger, flow)
        made.keep(keep_clean_days=10)
        yield made
        children.take_back(flow)
    ledger.close()


def midnight(seconds: int = 20, **values: Any) -> list[dict[str, Any]]:
    """Rows of the last ``seconds / 2`` seconds of 31 January and as many of 1 February."""
    found = rows(OLD_EVENING, seconds, **values)
    return [{**row, "heartbeat": row["heartbeat"] + 3600 - seconds // 2} for row in found]


def test_without_settings_everything_stays(site: Site) -> None:
    site.keep(keep_clean_days=None)
    site.bring(OLD, text(rows(OLD, 5)) + b"{broken\n")
    site.built()
    result = site.pass_(datetime(2046, 1, 1, tzinfo=UTC))
    assert result.as_json()["expired"] == {
        "clean": [],
        "marts": [],
        "quarantine": [],
        "returned": [],
        "files": 0,
        "rows": 0,
    }
    assert site.layers() == {"clean": {DAY}, "quarantine": {DAY}}
    assert site.expired() == {}


def test_an_old_day_goes_and_is_counted(any_site: Site) -> None:
    site = any_site
    old = site.bring(OLD, rows(OLD, 5))
    both = site.bring(OLD_EVENING, midnight(20))
    new = site.bring(NEXT, rows(NEXT, 7))
    raw = site.raw_bytes()
    site.built()
    assert site.pass_(TEN_LATER - timedelta(seconds=1)).expired.clean == []
    shown = site.pass_().as_json()["expired"]
    assert (shown["clean"], shown["rows"], shown["files"]) == ([DAY], 15, 2)
    assert site.seconds() == {"2026-02-01": 17}
    assert [site.counts(key) for key in (old, both, new)] == [(5, 0, 5), (20, 0, 10), (7, 0, 0)]
    assert site.expired() == {"clean": "15 rows of 1 days are not kept any more"}
    assert "compaction" not in {item.check for item in site.sound().notices if DAY in item.about}
    assert site.raw_bytes() == raw
    assert site.pass_().expired.clean == []
    assert site.pass_(ELEVEN_LATER).as_json()["expired"]["clean"] == [DAY_AFTER]
    assert site.expired() == {"clean": "32 rows of 2 days are not kept any more"}
    assert site.sound().rows == 0
    assert site.raw_bytes() == raw


def test_bytes_stay_for_the_grace_and_pages_key_on_the_version(site: Site) -> None:
    site.bring(OLD, rows(OLD, 5))
    site.built()
    with site.ledger.read() as connection:
        (file,) = manifest.live(connection)
        before = connection.execute(select(t.counters.c.value)).scalars().all()
    result = site.pass_()
    assert result.files == 0
    assert (site.settings.lake_root / file.path).exists()
    with site.ledger.read() as connection:
        assert connection.execute(select(t.counters.c.value)).scalars().all() != before
    site.keep(gc_grace_seconds=-1)  # type: ignore[arg-type]
    assert site.pass_().files == 1
    assert not (site.settings.lake_root / file.path).exists()
    site.sound()


def test_the_day_is_that_of_its_district(settings: Settings, children: Any) -> None:
    """In Jayapura, an hour to the east, 31 January ends an hour earlier."""
    settings = settings.model_copy(
        update={"zones": {"EAST": "Asia/Jayapura"}, "keep_clean_days": 10}
    )
    ledger = open_ledger(settings)
    with Flow(settings, ledger) as flow:
        children.lend(flow)
        site = Site(settings, ledger, flow)
        site.bring(OLD, rows(OLD, 5))
        site.bring(OLD, rows(OLD, 6, "HW-2", dstrct_code="EAST"), district="EAST", device="HW-2")
        site.built()
        hour = timedelta(hours=1)
        assert site.pass_(TEN_LATER - hour - timedelta(seconds=1)).expired.clean == []
        assert site.pass_(TEN_LATER - hour).expired.clean == ["2026-01-31/EAST"]
        assert site.pass_(TEN_LATER).expired.clean == [DAY]
        site.sound()
        children.take_back(flow)
    ledger.close()


def test_a_day_waits_for_its_marts_which_stay(site: Site) -> None:
    """A real build: what was not built is not let go, and then its marts outlive the rows."""
    site.keep(keep_marts_days=20)
    site.bring(OLD, rows(OLD, 30))
    assert site.pass_().expired.clean == []
    assert site.flow.build(now=TEN_LATER).partitions == 1
    marts = visible_marts(site)
    assert marts
    assert site.pass_().as_json()["expired"]["clean"] == [DAY]
    assert site.layers() == {"analytics": {DAY}}
    assert visible_marts(site) == marts
    assert site.flow.build(now=TEN_LATER).partitions == 0
    site.bring("2026013108", rows("2026013108", 3))
    assert site.seconds() == {"2026-01-31": 3}
    assert site.flow.build(now=TEN_LATER).partitions == 0
    assert visible_marts(site) == marts
    later = TEN_LATER + timedelta(days=10)
    assert site.pass_(later - timedelta(seconds=2)).expired.marts == []
    shown = site.pass_(later).as_json()["expired"]
    assert (shown["marts"], shown["files"]) == ([DAY], len(marts))
    assert site.layers() == {}
    assert site.expired() == {
        "clean": "33 rows of 1 days are not kept any more",
        "marts": "the marts of 1 days are not kept any more",
    }


def visible_marts(site: Site) -> set[str]:
    f = t.data_files.c
    with site.ledger.read() as connection:
        query = select(f.path).where(f.layer == ANALYTICS, f.superseded_at.is_(None))
        return {str(path) for path in connection.execute(query).scalars()}


def test_marts_of_rows_that_wait_wait_too(site: Site) -> None:
    site.keep(keep_marts_days=10)
    site.bring(OLD, rows(OLD, 30))
    site.flow.build(now=TEN_LATER)
    site.bring("2026013108", rows("2026013108", 3))
    assert site.pass_().expired.marts == []
    site.flow.build(now=TEN_LATER)
    shown = site.pass_().expired
    assert (shown.clean, shown.marts) == ([DAY], [DAY])
    site.sound()


def overlap(site: Site, seconds: int = 20) -> tuple[str, str]:
    """Two objects around midnight; the later one wins the middle half of the seconds."""
    loser = site.bring(OLD_EVENING, midnight(seconds))
    body = midnight(seconds // 2, VehicleSpeed=99.0)
    winner = site.bring("2026013122", body, arrived=2_000_000_000)
    half = seconds // 2
    assert site.counts(loser) == (seconds, half, 0)
    return loser, winner


def test_beaten_rows_go_with_their_day(any_site: Site) -> None:
    """Of 20 rows around midnight 10 are beaten, 5 on each day; the winner has 10."""
    site = any_site
    loser, winner = overlap(site)
    site.built()
    assert site.pass_().expired.rows == 15
    assert site.counts(loser) == (20, 5, 10)
    assert site.counts(winner) == (10, 0, 5)
    assert site.seconds() == {"2026-02-01": 10}
    site.sound()


def test_beaten_rows_come_back_when_the_winner_goes(any_site: Site) -> None:
    """A new version of the winner holds other seconds: the loser's five of 1 February are seen."""
    site = any_site
    loser, winner = overlap(site)
    site.built()
    site.pass_()
    site.bring("2026013122", rows(NEXT, 4), arrived=2_000_000_001)
    assert site.counts(loser) == (20, 0, 10)
    assert site.counts(winner) == (4, 0, 0)
    assert site.seconds() == {"2026-02-01": 14}
    site.sound()


def test_the_winner_goes_after_both_expired(site: Site) -> None:
    loser, _ = overlap(site)
    site.built()
    site.pass_(ELEVEN_LATER)
    assert site.counts(loser) == (20, 0, 20)
    site.bring("2026013122", rows(NEXT, 4), arrived=2_000_000_001)
    assert site.counts(loser) == (20, 0, 20)
    assert site.seconds() == {"2026-02-01": 4}
    site.sound()


def test_an_expired_second_cannot_be_contested(site: Site) -> None:
    """A new object with the seconds of expired rows: its own are seen, whatever its rank."""
    old = site.bring(OLD, rows(OLD, 10), arrived=2_000_000_000)
    site.built()
    site.pass_()
    early = site.bring("2026013106", rows(OLD, 4), arrived=1_900_000_000)
    assert site.counts(early) == (4, 0, 0)
    assert site.counts(old) == (10, 0, 10)
    assert site.seconds() == {"2026-01-31": 4}
    site.sound()


def test_late_rows_are_seen_and_go_with_the_next_pass(site: Site) -> None:
    site.bring(OLD, rows(OLD, 10))
    site.built()
    site.pass_()
    late = site.bring("2026013108", rows("2026013108", 3))
    assert site.seconds() == {"2026-01-31": 3}
    assert site.to_build() == set()
    with site.ledger.write() as connection:
        manifest.touch(connection, [("2026-01-31", "MLKB")])
    assert site.to_build() == set()
    site.sound()
    site.flow.compact(now=TEN_LATER)
    site.sound()
    assert site.pass_().expired.as_json() | {"files": 1} == {
        "clean": [DAY],
        "marts": [],
        "quarantine": [],
        "returned": [],
        "files": 1,
        "rows": 3,
    }
    assert site.counts(late) == (3, 0, 3)
    assert site.seconds() == {}
    assert site.expired() == {"clean": "13 rows of 1 days are not kept any more"}


@pytest.mark.parametrize("whole", [True, False], ids=["wholly expired", "partly expired"])
def test_a_new_version_of_what_expired(site: Site, whole: bool) -> None:
    """Version 2 has one second more on each side of midnight; version 1 had ten on each."""
    key = site.bring(OLD_EVENING, midnight(20))
    site.built()
    site.pass_(ELEVEN_LATER if whole else TEN_LATER)
    assert site.counts(key) == (20, 0, 20 if whole else 10)
    site.bring(OLD_EVENING, midnight(22), arrived=2_000_000_000)
    assert site.counts(key) == (22, 0, 0)
    assert site.seconds() == {"2026-01-31": 11, "2026-02-01": 11}
    site.sound()
    site.built()
    assert site.pass_().expired.rows == 11
    assert site.counts(key) == (22, 0, 11)
    site.sound()


def test_a_torn_version_adds_to_what_expired(site: Site) -> None:
    """It ranks below the whole one and removes nothing; the expired seconds it has are seen."""
    key = site.bring(OLD_EVENING, midnight(20))
    site.built()
    site.pass_()
    noisy = [{**row, "cpuserial": f"{i * 7919 % 104729:06x}"} for i, row in enumerate(midnight(60))]
    packed = gzip.compress(text(noisy), mtime=0)
    site.bring(OLD_EVENING, packed[: len(packed) * 2 // 3], packed=False, arrived=2_000_000_000)
    o = t.raw_objects.c
    with site.ledger.read() as connection:
        query = select(o.status, o.accepted, o.overlapped, o.expired).where(o.dead_at.is_(None))
        found = {row.status: row for row in connection.execute(query.where(o.key == key))}
    assert (found["ok"].accepted, found["ok"].overlapped, found["ok"].expired) == (20, 0, 10)
    taken = found["partial"].accepted
    assert 30 < taken <= 60
    beaten = min(10, taken - 30)  # of 1 February, where version 1 still has its ten
    assert (found["partial"].overlapped, found["partial"].expired) == (beaten, 0)
    assert site.seconds() == {"2026-01-31": 30, "2026-02-01": 10 + taken - 30 - beaten}
    site.sound()


def test_reading_again_brings_rows_until_the_next_pass(site: Site) -> None:
    key = site.bring(OLD_EVENING, midnight(20))
    site.built()
    site.pass_()
    site.again(key=key)
    assert site.counts(key) == (20, 0, 0)
    assert site.seconds() == {"2026-01-31": 10, "2026-02-01": 10}
    site.sound()
    site.built()
    assert site.pass_().expired.rows == 10
    assert site.counts(key) == (20, 0, 10)
    site.sound()


@pytest.mark.parametrize("keep", [10, 30, None])
def test_a_day_read_again_is_a_day_again(site: Site, keep: int | None) -> None:
    """It is built from all its rows, and goes after that if it is still too old."""
    one, two = site.bring(OLD, rows(OLD, 5)), site.bring("2026013108", rows("2026013108", 5))
    site.built()
    site.pass_()
    site.keep(keep_clean_days=keep)
    site.again(key=one)
    shown = site.pass_().expired
    assert (shown.returned, shown.rows) == ([], 5 if keep == 10 else 0)  # the other lacks its rows
    assert site.to_build() == set()
    site.again(district="MLKB")
    shown = site.pass_().expired
    assert (shown.returned, shown.rows) == ([DAY], 0)
    assert site.counts(two) == (5, 0, 0)
    assert site.to_build() == {DAY}
    assert site.seconds() == {"2026-01-31": 10}
    assert site.expired() == {}
    site.built()
    assert site.pass_().expired.rows == (10 if keep == 10 else 0)
    site.sound()


def test_late_rows_of_a_day_that_lost_none_are_built(site: Site) -> None:
    """Nothing came on 31 January, its marts say; then, long after, one file does."""
    site.bring(NEXT, rows(NEXT, 5))
    with site.ledger.write() as connection:
        manifest.touch(connection, [("2026-01-31", "MLKB")])
    assert site.to_build() == {DAY, DAY_AFTER}
    site.built()
    assert site.pass_().expired.clean == []
    site.bring(OLD, rows(OLD, 5))
    assert site.pass_().expired.returned == [DAY]
    assert DAY in site.to_build()
    site.built()
    assert site.pass_().expired.clean == [DAY]
    site.sound()


def test_bad_lines_go_by_themselves(site: Site) -> None:
    """Of 3 bad lines two can be read, and one of these is of the second of a good one."""
    site.keep(keep_clean_days=None, keep_quarantine_days=10)
    good = rows(OLD, 5)
    nan = text([{**good[2], "VehicleSpeed": 0}]).replace(b'"VehicleSpeed":0', b'"VehicleSpeed":NaN')
    stray = text([{**good[0], "heartbeat": 5}])
    key = site.bring(OLD, text(good) + b"{broken\n" + nan + stray)
    other = site.bring(NEXT, text(rows(NEXT, 2)) + b"{broken too\n")
    site.sound()
    raw = site.raw_bytes()
    shown = site.pass_().as_json()["expired"]
    assert (shown["quarantine"], shown["clean"], shown["rows"]) == ([DAY], [], 0)
    assert site.layers() == {"clean": {DAY, DAY_AFTER}, QUARANTINE: {DAY_AFTER}}
    assert site.expired() == {"quarantine": "the bytes of 3 lines of 1 days are not kept any more"}
    assert site.raw_bytes() == raw
    # A late file of that day has its own.
    site.bring("2026013108", text(rows("2026013108", 2)) + b"{late\n")
    assert site.layers()[QUARANTINE] == {DAY, DAY_AFTER}
    site.sound()
    # What was not let go is missed; and no more lines are excused than were bad.
    o = t.raw_objects.c
    for wrong, values in ((other, {"quarantined": 2, "lines": 4}), (key, {"quarantined": 0})):
        with site.ledger.write() as connection:
            row = connection.execute(select(t.raw_objects).where(o.key == wrong)).one()
            lines = {"lines": row.lines - row.quarantined + values["quarantined"]}
            these = update(t.raw_objects).where(o.key == wrong)
            connection.execute(these.values(**values | lines))
        (finding,) = verify(site.ledger, site.settings, deep=True).breaches
        assert (finding.check, finding.about) == ("values", wrong)
        with site.ledger.write() as connection:
            connection.execute(these.values(quarantined=row.quarantined, lines=row.lines))
    site.sound()


def test_rows_lost_are_not_taken_for_expired(site: Site) -> None:
    """The ledger's count must be that of the rows that are gone."""
    key = site.bring(OLD_EVENING, midnight(20))
    site.built()
    site.pass_()
    o = t.raw_objects.c
    for wrong in (9, 11):
        with site.ledger.write() as connection:
            connection.execute(update(t.raw_objects).where(o.key == key).values(expired=wrong))
        checked = verify(site.ledger, site.settings, deep=True)
        assert {item.check for item in checked.breaches} == {"sources"}


def test_a_merge_that_raced_is_lost(site: Site) -> None:
    site.bring(OLD, rows(OLD, 5))
    site.bring("2026013108", rows("2026013108", 5))
    step = Compact(site.ledger, site.settings, "w", site.flow.readers)
    (planned,) = step.plan(now=TEN_LATER)
    with site.ledger.write() as connection:
        claim = claims.begin(connection, "compact", "w", 60)
    site.built()
    site.pass_()
    with pytest.raises(ClaimLost):
        commits.commit_swap(
            site.ledger, claim, planned.files, [], planned.partition, planned.hidden
        )
    assert step.plan(now=TEN_LATER) == []
    site.sound()


def test_a_build_that_raced_is_lost(site: Site) -> None:
    """Whose lease ran out must not publish a day whose rows it may not have seen."""
    site.bring(OLD, rows(OLD, 5))
    with site.ledger.write() as connection:
        (part,) = manifest.dirty(connection, t.partitions.c.built_version)
        claim = claims.begin(connection, "build", "w", 60)
    site.built()
    site.pass_()
    with pytest.raises(ClaimLost):
        commits.commit_marts(site.ledger, claim, {part: ""}, [], [])
    assert isinstance(part, Partition)


def test_passes_and_commits_at_once(any_site: Site) -> None:
    """Two passes and the commit of an object that contests the day's rows, none after the other."""
    site = any_site
    overlap(site, 200)
    site.built()
    key = deliver(site.raw, OLD_EVENING, midnight(100), device="HW-1", arrived=2_100_000_000)
    passing = partial(expire, site.ledger, site.settings, TEN_LATER)
    together(passing, site.flow.ingest, passing)
    site.sound()
    site.built()
    site.pass_()
    assert site.counts(key) == (100, 0, 50)
    assert site.seconds() == {"2026-02-01": 50}
    site.sound()


def test_a_commit_between_is_waited_for(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Late rows that come after the plan of a pass and before its transaction hold the day."""
    from pipeline import retention

    site.bring(OLD, rows(OLD, 5))
    site.built()
    real = retention._let_rows_go

    def late(*arguments: Any) -> None:
        site.bring("2026013108", rows("2026013108", 5))
        p = t.partitions.c
        with site.ledger.write() as connection:
            connection.execute(update(t.partitions).values(built_version=p.data_version - 1))
        real(*arguments)

    monkeypatch.setattr(retention, "_let_rows_go", late)
    assert expire(site.ledger, site.settings, TEN_LATER).clean == []
    assert site.seconds() == {"2026-01-31": 10}


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"CLEAN": "6"}, "CLEAN"),
        ({"QUARANTINE": "soon"}, "QUARANTINE"),
        ({"MARTS": "30"}, "MARTS"),
        ({"CLEAN": "31", "MARTS": "30"}, "MARTS"),
    ],
)
def test_wrong_settings_name_their_variable(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, str], name: str
) -> None:
    for layer, days in values.items():
        monkeypatch.setenv(f"HAULWATCH_KEEP_{layer}_DAYS", days)
    with pytest.raises(SettingsError, match=f"^HAULWATCH_KEEP_{name}_DAYS: "):
        load()


def test_settings_that_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAULWATCH_KEEP_CLEAN_DAYS", "30")
    monkeypatch.setenv("HAULWATCH_KEEP_MARTS_DAYS", "30")
    assert (load().keep_clean_days, load().keep_marts_days) == (30, 30)
    assert load().keep_quarantine_days is None


def test_the_command_line_says_what_went(site: Site, here: Run) -> None:
    """At the time that it is."""
    site.bring(OLD, rows(OLD, 5))
    site.built()
    home = site.settings.home
    told = partial(answer, home, by=here)
    wrong = here(home, "gc", HAULWATCH_KEEP_MARTS_DAYS="30")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "HAULWATCH_KEEP_MARTS_DAYS" in complaint(wrong)
    shown = told("gc", "--json", HAULWATCH_KEEP_CLEAN_DAYS="30")["expired"]
    assert (shown["clean"], shown["marts"], shown["quarantine"]) == ([DAY], [], [])
    assert shown["rows"] == 5
    checked = told("verify", "--deep", "--json")
    assert (checked["ok"], checked["rows"]) == (True, 0)
    (notice,) = (item for item in checked["notices"] if item["check"] == "expired")
    assert notice["text"] == "5 rows of 1 days are not kept any more"
    query = "SELECT accepted - overlapped - expired AS n FROM raw_objects"
    assert told("sql", query, "--format", "json") == [{"n": 0}]
    assert told("sql", "SELECT count(*) AS n FROM telemetry", "--format", "json") == [{"n": 0}]
    assert "days_to_build" in told("status", "--json")


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_in_whatever_order(site: Site, seed: int) -> None:
    """Overlaps, new versions, torn ones, merges, second readings and passes: never a breach."""
    dice = random.Random(seed)
    site.keep(keep_quarantine_days=10)
    hours = ["2026013122", OLD_EVENING, "2026020100", "2026020123", "2026020200"]
    for number in range(24):
        deed = dice.choice(["bring"] * 5 + ["pass"] * 3 + ["merge", "again"])
        if deed == "bring":
            hour, by = dice.choice(hours), dice.choice(hours)
            found = rows(by, dice.randint(20, 60), x=f"{dice.random()}")
            late = dice.choice([-30, 0, 3570])
            content = text([{**row, "heartbeat": row["heartbeat"] + late} for row in found])
            content += b"{broken\n" * dice.randint(0, 2)
            packed = gzip.compress(content, mtime=0)
            if dice.random() < 0.3:
                packed = packed[: len(packed) * 3 // 4]
            arrived = 2_000_000_000 + dice.choice([number, -number])
            site.bring(hour, packed, packed=False, arrived=arrived)
        elif deed == "pass":
            if dice.random() < 0.8:
                site.built()
            site.pass_(TEN_LATER + timedelta(days=dice.randint(0, 2)))
        elif deed == "merge":
            assert not site.flow.compact(now=TEN_LATER).failed
        elif site.raw_bytes():
            site.again(district="MLKB")
        site.sound()
