"""The ledger saved, lost, brought back and made anew: every time down to ``verify --deep``."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from sqlalchemy import insert, select, update

from pipeline.errors import SettingsError, StoreUnavailable, UsageError
from pipeline.flow import Flow
from pipeline.marts.cases import Found, named
from pipeline.recovery import copies
from pipeline.recovery import run as recovery
from pipeline.settings import Settings, load
from pipeline.storage import backup, claims, people, reviews
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger, data_version, open_ledger, record_zone
from pipeline.storage.migrate import upgrade
from pipeline.storage.records import ANALYTICS, CLEAN, QUARANTINE, Partition
from pipeline.storage.reviews import Review
from pipeline.storage.sql import clock
from pipeline.verify import verify
from tests.conftest import Children, Run
from tests.ingest.test_run import visible
from tests.make import deliver, rows, text
from tests.servers import Seaweed
from tests.test_cli import answer, complaint

HOURS = ("2026013107", "2026013108", "2026013109")
LATER = datetime(2026, 2, 3, tzinfo=UTC)


class Site:
    """A home whose ledger can be taken away, and a new one opened in its place."""

    def __init__(self, settings: Settings, children: Children) -> None:
        self.settings, self.children = settings, children
        self.open()

    def open(self) -> None:
        self.ledger = open_ledger(self.settings)
        self.flow = Flow(self.settings, self.ledger)
        self.children.lend(self.flow)

    def close(self) -> None:
        self.children.take_back(self.flow)
        self.flow.close()
        self.ledger.close()

    def lose(self) -> None:
        """The ledger's files are gone; a new, empty one is there."""
        self.close()
        for part in self.settings.home.glob("ledger.db*"):
            part.unlink()
        self.open()

    def bring(self, hour: str, seconds: int = 30, **rest: Any) -> str:
        """Deliver a file of so many rows, one bad line behind them, and take it in."""
        content = text(rows(hour, seconds, **rest)) + b"no JSON\n"
        key = deliver(self.settings.raw_root, hour, content)
        assert self.flow.ingest().files["ok"] == 1
        return key

    def age(self) -> None:
        """Merge what can be, and delete what it replaced."""
        self.flow.compact(now=LATER)
        with self.ledger.write() as connection:  # a day later
            for table, column in ((t.data_files, "superseded_at"), (t.claims, "ended_at")):
                old = table.c[column] - 2 * 86_400_000_000
                connection.execute(update(table).values({column: old}))
        self.flow.gc(now=LATER)

    def files(self, layer: str) -> set[str]:
        return {str(path) for path in (self.settings.home / layer).rglob("*.parquet")}

    def seen(self) -> list[tuple[Any, ...]]:
        """All that is visible of every row."""
        columns = "deviceid, ts, VehicleSpeed, _src, _line"
        return sorted(visible(self.settings, self.ledger, columns, "true"))

    def bad_lines(self) -> int:
        """Bad lines of live objects that are kept with their bytes."""
        f, o = t.data_files.c, t.raw_objects.c
        query = select(f.path).where(f.layer == QUARANTINE, f.superseded_at.is_(None))
        with self.ledger.read() as connection:
            live = connection.execute(select(o.id).where(o.dead_at.is_(None))).scalars().all()
            files = connection.execute(query).scalars().all()
        lines = pl.concat(pl.read_parquet(self.settings.lake_root / path) for path in files)
        return lines.filter(pl.col("_src").is_in(live), pl.col("bytes") == b"no JSON").height

    def sound(self) -> None:
        """No breach, down to the values; nothing waits to be read."""
        checked = verify(self.ledger, self.settings, deep=True)
        assert checked.ok, checked.breaches
        assert not [found for found in checked.notices if found.check == "backlog"]

    def audits(self, what: str) -> list[tuple[str, dict[str, Any]]]:
        a = t.audit.c
        with self.ledger.read() as connection:
            query = select(a.subject, a.detail).where(a.what == what)
            return [(row.subject, json.loads(row.detail)) for row in connection.execute(query)]


@pytest.fixture
def site(settings: Settings, children: Children) -> Iterator[Site]:
    settings.raw_root.mkdir(parents=True)
    made = Site(settings, children)
    yield made
    made.close()


def test_saved_lost_and_brought_back(site: Site, tmp_path: Path) -> None:
    for hour in HOURS[:2]:
        site.bring(hour)
    people.add_user(site.ledger, "ana", "Ana", "admin", "correct-horse-battery")
    saved = backup.save(site.ledger, tmp_path / "copy.db")
    assert (saved.objects, saved.users) == (2, 1)
    assert stat.S_IMODE(saved.file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["copy.db"]
    # What comes after the copy: a new hour, another version of an old one; and the old files go.
    site.bring(HOURS[2])
    site.bring(HOURS[0], 45)
    site.age()
    before = site.seen()
    assert len(before) == 45 + 30 + 30
    site.lose()
    result = recovery.restore(site.flow, saved, "tester")
    # Both files of the two hours, each with 30 rows, and the new hour, which the copy never saw.
    assert (result.reconciled.files, result.reconciled.rows) == (2, 60)
    assert len(result.reconciled.reread) == 2
    assert (result.kept, result.reconciled.gone) == (None, [])
    site.sound()
    again = [row[:3] for row in site.seen()]
    assert again == [row[:3] for row in before]
    assert site.bad_lines() == 3
    assert people.get(site.ledger, "ana") is not None
    assert site.audits("restore") == [(str(saved.file), {"kept": None, "files": 2, "rows": 60})]


def test_bad_lines_whose_file_is_gone_are_read_again(site: Site) -> None:
    site.bring(HOURS[0])
    (file,) = site.files(QUARANTINE)
    Path(file).unlink()
    result = recovery.rebuild(site.flow, None, "tester")
    assert (result.reconciled.files, result.reconciled.rows) == (1, 0)
    assert len(result.reconciled.reread) == 1
    assert (site.bad_lines(), len(site.seen())) == (1, 30)
    site.sound()


def test_a_file_cut_short_is_read_again(site: Site) -> None:
    site.bring(HOURS[0])
    before = [row[:3] for row in site.seen()]
    (file,) = site.files(CLEAN)
    Path(file).write_bytes(Path(file).read_bytes()[:-100])
    result = recovery.rebuild(site.flow, None, "tester")
    assert (result.source, result.reconciled.rows) == (recovery.PRESENT, 30)
    assert [row[:3] for row in site.seen()] == before
    site.sound()


def test_beaten_rows_stay_beaten(site: Site) -> None:
    """Two objects hold the same seconds; the file of the one that is seen is gone."""
    site.bring(HOURS[0], 30)
    late = [{**row, "VehicleSpeed": 99.0} for row in rows(HOURS[0], 20)]
    deliver(site.settings.raw_root, HOURS[1], late)
    site.flow.ingest()
    before = [row[:3] for row in site.seen()]
    assert [row[2] for row in before] == [99.0] * 20 + [10.0 + i for i in range(20, 30)]
    f = t.data_files.c
    with site.ledger.read() as connection:
        query = select(f.path).where(f.layer == CLEAN, f.rows == 20)
        path = connection.execute(query).scalar_one()
    (site.settings.lake_root / path).unlink()
    recovery.rebuild(site.flow, None, "tester")
    assert [row[:3] for row in site.seen()] == before
    site.sound()


def test_lost_without_a_copy(site: Site) -> None:
    for hour in HOURS:
        site.bring(hour)
    before, old = site.seen(), site.files(CLEAN)
    site.lose()
    result = recovery.rebuild(site.flow, None, "tester")
    assert result.source == recovery.RAW_ALONE
    assert site.seen() == before
    site.sound()
    # An earlier ledger's files are told from ours, and go after the grace.
    assert (result.unclaimed.files, result.unclaimed.kept) == (6, [])  # clean and quarantine
    site.flow.gc()
    assert old <= site.files(CLEAN)
    site.age()
    assert len(site.files(CLEAN)) == 1
    assert [row[:3] for row in site.seen()] == [row[:3] for row in before]


def test_lost_with_a_copy_in_the_lake(site: Site) -> None:
    """What people entered is nowhere else: reviews and users come from the day's copy."""
    site.bring(HOURS[0])
    people.add_user(site.ledger, "ana", "Ana", "admin", "correct-horse-battery")
    found = Found("a", "2026-01-31", "MLKB", "DT101", "op-1", 1, 2)
    case = named(site.ledger, [Partition("2026-01-31", "MLKB", 1)], [found])["a"]
    reviews.add(site.ledger, case, Review("acknowledged", action="radio_call"), "ana")
    copy = copies.keep(site.ledger, site.settings, LATER)
    site.bring(HOURS[1])
    before = [row[:3] for row in site.seen()]
    site.lose()
    result = recovery.rebuild(site.flow, None, "tester")
    assert result.source == copy
    assert [user.username for user in people.list_users(site.ledger)] == ["ana"]
    assert [entry.who for entry in reviews.history(site.ledger, case)] == ["ana"]
    assert [row[:3] for row in site.seen()] == before
    assert result.ingest.files["ok"] == 1  # what the copy knows is not read again
    site.sound()


def test_a_damaged_copy_is_passed_over_and_named(site: Site) -> None:
    made = []
    for day, hour in enumerate(HOURS[:2]):
        site.bring(hour)
        made.append(copies.keep(site.ledger, site.settings, LATER + timedelta(days=day)))
    older, newer = (str(path) for path in made)
    before = [row[:3] for row in site.seen()]
    _cut(site.settings.lake_root / newer)
    site.lose()
    result = recovery.rebuild(site.flow, None, "tester")
    assert (result.source, result.damaged) == (older, (newer,))
    assert [row[:3] for row in site.seen()] == before
    site.sound()
    _cut(site.settings.lake_root / older)
    site.lose()
    with pytest.raises(UsageError, match=f"every copy .* is damaged .*{newer}, {older}"):
        recovery.rebuild(site.flow, None, "tester")
    assert backup.is_empty(site.ledger)


def _cut(copy: Path) -> None:
    """Half of its pages are gone."""
    copy.write_bytes(copy.read_bytes()[: copy.stat().st_size // 2])


def test_rows_of_raw_files_that_are_gone_are_counted_and_named(site: Site, tmp_path: Path) -> None:
    lost = site.bring(HOURS[0])
    site.bring(HOURS[1])
    saved = backup.save(site.ledger, tmp_path / "copy.db")
    site.age()
    (site.settings.raw_root / lost).unlink()
    result = recovery.restore(site.flow, saved, "tester")
    assert (result.reconciled.gone, result.reconciled.rows) == ([lost], 60)
    assert len(site.seen()) == 30
    # The merged file of after the copy holds them yet: nobody may delete it.
    assert result.unclaimed.rows == 30
    assert set(result.unclaimed.kept) == {
        str(Path(file).relative_to(site.settings.lake_root)) for file in site.files(CLEAN)
    } - {row.path for row in _live(site.ledger)}
    kept = set(result.unclaimed.kept)
    _told(site, "unseen", result.unclaimed.kept[0], "30 rows of an earlier ledger are in this file")
    site.age()
    assert all((site.settings.lake_root / path).exists() for path in kept)


def _told(site: Site, check: str, about: str, says: str) -> None:
    """``verify`` says this of files that the manifest does not know, and nothing else."""
    checked = verify(site.ledger, site.settings)
    assert checked.ok, checked.breaches
    kinds = ("orphans", "earlier ledger", "unseen")
    ((found, path, text),) = [
        (each.check, each.about, each.text) for each in checked.notices if each.check in kinds
    ]
    assert (found, path) == (check, about)
    assert text.startswith(says)


def test_files_of_an_earlier_ledger_are_told_from_those_that_gc_will_have(site: Site) -> None:
    site.bring(HOURS[0])
    before = site.files(CLEAN)
    site.lose()
    (key,) = (str(Path(path).relative_to(site.settings.lake_root)) for path in before)
    bad = next(iter(site.files(QUARANTINE)))
    checked = {f.about: f.text for f in verify(site.ledger, site.settings).notices}
    assert checked[key].startswith("30 rows of an earlier ledger are in this file alone")
    assert checked[str(Path(bad).relative_to(site.settings.lake_root))].startswith("1 bad lines")
    site.flow.ingest()
    _told(site, "earlier ledger", key, "2 files of an earlier ledger, all of which is visible")
    recovery.rebuild(site.flow, None, "tester")
    _told(site, "orphans", key, "2 files for gc")


def _live(ledger: Ledger) -> list[Any]:
    with ledger.read() as connection:
        query = select(t.data_files.c.path).where(t.data_files.c.superseded_at.is_(None))
        return list(connection.execute(query))


def test_marts_whose_files_are_gone_are_built_again(site: Site) -> None:
    site.bring(HOURS[0])
    newest = data_version(site.ledger)
    path = "analytics/unit_minute/hiveperiod=2026-01-31/dstrct_code=MLKB/abc-0.parquet"
    mart = {"claim_id": "abc", "layer": ANALYTICS, "dataset": "unit_minute", "path": path}
    mart |= {"hiveperiod": "2026-01-31", "dstrct_code": "MLKB", "rows": 1, "bytes": 9}
    with site.ledger.write() as connection:
        connection.execute(update(t.partitions).values(built_version=newest + 1))
        stamps = {"committed_at": clock(connection), "version": newest}
        connection.execute(insert(t.data_files).values(**mart, **stamps))
    result = recovery.rebuild(site.flow, None, "tester")
    assert result.reconciled.rebuild == ["2026-01-31/MLKB"]
    with site.ledger.read() as connection:
        built = connection.execute(select(t.partitions.c.built_version)).scalars().all()
    assert built == [0]


def test_what_was_at_work_when_the_copy_was_made_is_not_at_work_now(
    site: Site, tmp_path: Path
) -> None:
    site.bring(HOURS[1])
    deliver(site.settings.raw_root, HOURS[2], rows(HOURS[2]))
    from pipeline.ingest.discover import discover
    from pipeline.storage.objects import open_store

    discover(site.ledger, open_store(site.settings), full=True)
    assert claims.take(site.ledger, "elsewhere-1-abc", 5, 3_600) is not None
    claims.lease(site.ledger, "scheduler", "elsewhere-1-abc", 3_600)
    with site.ledger.write() as connection:
        row = {"kind": "build", "worker": "elsewhere-1-abc", "started_at": 1, "status": "running"}
        connection.execute(insert(t.runs).values(**row, detail="{}"))
    saved = backup.save(site.ledger, tmp_path / "copy.db")
    site.lose()
    result = recovery.restore(site.flow, saved, "tester")
    assert result.ingest.files["ok"] == 1
    site.sound()
    with site.ledger.read() as connection:
        assert not connection.execute(select(t.leases)).all()
        states = connection.execute(select(t.runs.c.status, t.runs.c.kind)).all()
    assert ("failed", "build") in [tuple(row) for row in states]


def test_the_ledger_that_is_replaced_is_kept(site: Site, tmp_path: Path) -> None:
    saved = backup.save(site.ledger, tmp_path / "copy.db")
    site.bring(HOURS[0])
    people.add_user(site.ledger, "ana", "Ana", "admin", "correct-horse-battery")
    version = data_version(site.ledger)
    result = recovery.restore(site.flow, saved, "tester")
    assert people.list_users(site.ledger) == []
    assert data_version(site.ledger) > version  # what pages keep is of before
    assert result.kept is not None
    recovery.restore(site.flow, backup.look(Path(result.kept)), "tester")
    assert [user.username for user in people.list_users(site.ledger)] == ["ana"]
    site.sound()


def test_cookies_of_after_the_copy_do_not_come_back(site: Site, tmp_path: Path) -> None:
    people.add_user(site.ledger, "ana", "Ana", "admin", "correct-horse-battery")
    saved = backup.save(site.ledger, tmp_path / "copy.db")
    people.sign_out(site.ledger, "ana")
    later = people.find(site.ledger, "ana").token_version
    backup.load(site.ledger, site.settings, saved.file)
    assert people.find(site.ledger, "ana").token_version > later


def test_a_restore_that_breaks_off_changes_nothing(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = backup.save(site.ledger, tmp_path / "copy.db")
    site.bring(HOURS[0])
    before = site.seen()

    def break_off(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backup, "upsert", break_off)  # the last thing in the transaction
    with pytest.raises(OSError, match="No space"):
        backup.load(site.ledger, site.settings, saved.file)
    assert site.seen() == before
    site.sound()
    people.add_user(site.ledger, "ana", "Ana", "admin", "correct-horse-battery")  # audited
    with pytest.raises(Exception, match="only added to"), site.ledger.write() as connection:
        connection.execute(update(t.audit).values(who="nobody"))


@pytest.mark.parametrize("there", ["sqlite", "postgresql"])
def test_from_either_database_into_either(
    any_ledger: Ledger, there: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    case = named(
        any_ledger,
        [Partition("2026-01-31", "MLKB", 1)],
        [Found("a", "2026-01-31", "MLKB", "DT-1", "op-1", 1, 2)],
    )["a"]
    people.add_user(any_ledger, "ana", "Ana", "admin", "correct-horse-battery")
    reviews.add(any_ledger, case, Review("acknowledged", action="radio_call"), "ana")
    saved = backup.save(any_ledger, tmp_path / "copy.db")
    url = f"sqlite:///{tmp_path / 'there.db'}"
    if there == "postgresql":
        url = request.getfixturevalue("postgresql").database()
    settings = load(home=tmp_path / "there", ledger=url)
    with closing(open_ledger(settings)) as other:
        people.add_user(other, "ben", "Ben", "supervisor", "correct-horse-battery")
        backup.load(other, settings, saved.file)
        assert _tables(other) == _tables(any_ledger)
        # Ids go on where they were, and the audit is as closed as before.
        reviews.add(other, case, Review("confirmed", "radio"), "ana", seen=_newest(other, case))
        assert [entry.who for entry in reviews.history(other, case)] == ["ana", "ana"]
        with pytest.raises(Exception, match="only added to"), other.write() as connection:
            connection.execute(update(t.audit).values(who="nobody"))


def test_a_restore_that_was_not_finished_is_told_and_can_be(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store is away between the ledger's return and its comparison with the lake."""
    site.bring(HOURS[0])
    saved = backup.save(site.ledger, tmp_path / "copy.db")
    site.age()

    def away(*_: object) -> None:
        raise StoreUnavailable("s3://mine", "no route to host")

    with monkeypatch.context() as patched:
        patched.setattr(recovery, "reconcile", away)
        with pytest.raises(StoreUnavailable):
            recovery.restore(site.flow, saved, "tester")
    with pytest.raises(SettingsError, match="haulwatch rebuild-ledger"):
        open_ledger(site.settings)
    recovery.rebuild(site.flow, None, "tester")
    open_ledger(site.settings).close()
    assert len(site.seen()) == 30
    site.sound()


def _newest(ledger: Ledger, case: str) -> int:
    return reviews.history(ledger, case)[-1].number


def _tables(ledger: Ledger) -> dict[str, list[Any]]:
    """Everything, but what a restore moves on."""
    found = {}
    with ledger.read() as connection:
        for table in t.metadata.sorted_tables:
            columns = [column for column in table.c if column.name != "token_version"]
            if table.name != "counters":
                found[table.name] = sorted(map(tuple, connection.execute(select(*columns))))
    return found


def test_a_copy_of_an_earlier_schema(site: Site, tmp_path: Path) -> None:
    old = Ledger(f"sqlite:///{tmp_path / 'old.db'}")
    upgrade(old, "0005")
    with old.write() as connection:
        record_zone(connection, "MLKB", "Asia/Makassar")
    old.close()
    assert backup.look(tmp_path / "old.db").revision == "0005"
    backup.load(site.ledger, site.settings, tmp_path / "old.db")
    with site.ledger.read() as connection:
        assert connection.execute(select(t.zones.c.district)).scalars().all() == ["MLKB"]
    assert backup.look(tmp_path / "old.db").revision == "0005"  # as it was


def _of_later(file: Path) -> None:
    with closing(sqlite3.connect(file)) as copy, copy:
        copy.execute("UPDATE alembic_version SET version_num = '9999'")


def _torn(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:50_000])


def _text(file: Path) -> None:
    file.write_text("my shopping list")


def _another_database(file: Path) -> None:
    file.unlink()
    with closing(sqlite3.connect(file)) as other, other:
        other.execute("CREATE TABLE fruit (name)")


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_of_later, "of a later Haulwatch (schema 9999"),
        (_torn, "is no copy of a ledger"),
        (_text, "is no copy of a ledger"),
        (_another_database, "is no copy of a ledger"),
        (Path.unlink, "there is no such file"),
    ],
)
def test_what_is_no_copy_is_refused(
    site: Site, tmp_path: Path, spoil: Callable[[Path], None], says: str
) -> None:
    saved = backup.save(site.ledger, tmp_path / "copy.db")
    site.bring(HOURS[0])
    spoil(saved.file)
    with pytest.raises(UsageError) as caught:
        backup.look(saved.file)
    assert says in str(caught.value)
    assert len(site.seen()) == 30
    if saved.file.exists():  # nor is it written over
        content = saved.file.read_bytes()
        with pytest.raises(UsageError, match="name another file"):
            backup.save(site.ledger, saved.file)
        assert saved.file.read_bytes() == content


def test_a_copy_dated_by_another_zone_is_refused(site: Site, tmp_path: Path) -> None:
    site.bring(HOURS[0])
    saved = backup.save(site.ledger, tmp_path / "copy.db")
    elsewhere = site.settings.model_copy(update={"zone": "Asia/Jakarta"})
    with pytest.raises(SettingsError, match="HAULWATCH_ZONE: district MLKB was dated by"):
        backup.load(site.ledger, elsewhere, saved.file)


def test_nothing_is_brought_back_under_a_worker(site: Site, tmp_path: Path) -> None:
    saved = backup.save(site.ledger, tmp_path / "copy.db")
    with site.ledger.write() as connection:
        now = clock(connection)
        row = {"id": "elsewhere-7-abc", "started_at": now, "seen_at": now, "state": "idle"}
        connection.execute(insert(t.workers).values(**row))
    for work in (
        lambda: recovery.restore(site.flow, saved, "tester"),
        lambda: recovery.rebuild(site.flow, None, "tester"),
    ):
        with pytest.raises(UsageError, match="elsewhere-7-abc works with this ledger; stop"):
            work()


def test_a_copy_a_day_and_so_many_days(settings: Settings, ledger: Ledger) -> None:
    few = settings.model_copy(update={"backups_kept": 2})
    start = datetime(2026, 1, 31, 2, tzinfo=UTC)
    made = [copies.keep(ledger, few, start + timedelta(hours=h)) for h in (0, 23, 24, 47, 49)]
    assert [bool(path) for path in made] == [True, False, True, False, True]
    assert list(copies.listed(few)) == [path for path in (made[2], made[4]) if path]
    assert stat.S_IMODE((settings.lake_root / str(made[4])).stat().st_mode) == 0o600
    assert copies.keep(ledger, settings.model_copy(update={"backups_kept": 0}), start) is None


def test_copies_lie_in_the_bucket(
    tmp_path: Path, seaweed_server: Seaweed, children: Children
) -> None:
    """The machine is lost, home and all: the lake's copy makes the ledger anew."""
    settings = load(
        home=tmp_path / "first",
        raw=str(tmp_path / "raw"),
        lake=seaweed_server.place(),
        s3_endpoint=seaweed_server.endpoint,
        s3_key=seaweed_server.key,
        s3_secret=seaweed_server.secret,
        threads=1,
    )
    first = Site(settings, children)
    first.bring(HOURS[0])
    people.add_user(first.ledger, "ana", "Ana", "admin", "correct-horse-battery")
    copy = copies.keep(first.ledger, settings, LATER)
    first.close()
    second = Site(settings.model_copy(update={"home": tmp_path / "second"}), children)
    result = recovery.rebuild(second.flow, None, "tester")
    assert (result.source, result.ingest.files["ok"]) == (copy, 0)
    assert [user.username for user in people.list_users(second.ledger)] == ["ana"]
    assert len(second.seen()) == 30
    second.sound()
    second.close()


def test_the_drill_by_commands(tmp_path: Path, here: Run) -> None:
    home = tmp_path / "home"
    told = partial(answer, home, by=here)
    for hour in HOURS[:2]:
        deliver(home / "raw", hour, rows(hour))
    told("ingest", "--json")
    copy = tmp_path / "copy.db"
    assert told("backup", str(copy), "--json")["objects"] == 2
    count = "SELECT count(*) AS n, count(DISTINCT (deviceid, ts)) AS once FROM telemetry"
    assert told("sql", count, "--json") == [{"n": 120, "once": 120}]
    os.truncate(home / "ledger.db", 5_000)
    for beside in ("ledger.db-wal", "ledger.db-shm"):
        (home / beside).unlink(missing_ok=True)
    broken = complaint(here(home, "status"))
    assert "is damaged" in broken
    assert "haulwatch rebuild-ledger" in broken
    done = told("rebuild-ledger", "--json")
    assert (done["source"], done["ingest"]["files"]["ok"]) == (recovery.RAW_ALONE, 2)
    assert Path(done["kept"]).name.startswith("ledger.db.damaged-")
    assert told("verify", "--deep", "--json")["ok"]
    deliver(home / "raw", HOURS[2], rows(HOURS[2]))
    restored = told("restore", str(copy), "--json")
    assert restored["ingest"]["files"]["ok"] == 1  # what the copy speaks of is still in the lake
    assert told("sql", count, "--json") == [{"n": 180, "once": 180}]
    assert told("verify", "--deep", "--json")["ok"]
