"""The ledger: schema, transactions, leases, zones."""

from __future__ import annotations

import multiprocessing
import random
import sqlite3
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Timer

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError, OperationalError

from pipeline.errors import SettingsError, UsageError
from pipeline.settings import Settings, load
from pipeline.storage import ledger as ledger_module
from pipeline.storage import manifest, migrate
from pipeline.storage import tables as t
from pipeline.storage.ledger import (
    Ledger,
    extra_fields,
    open_ledger,
    record_fields,
    record_zone,
    run,
)
from pipeline.storage.sql import counter, step
from pipeline.worker import Worker
from tests.postgres import PostgreSQL
from tests.threads import together

VERSIONS = Path(migrate.__file__).parent / "migrations" / "versions"


def test_the_migrations_lead_to_the_tables(any_ledger: Ledger) -> None:
    with any_ledger.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), t.metadata) == []
        assert migrate.revision(connection) == migrate.HEAD
    newest = max(path.name for path in VERSIONS.glob("r*.py"))
    assert newest.startswith(f"r{migrate.HEAD}_")


@pytest.mark.parametrize("filled", ["0001", "0002", "0003", "0004"])
def test_a_ledger_with_data_is_brought_up_to_date(database: str, filled: str) -> None:
    """From every revision on: what is new in a table gets its value in every old row."""
    ledger = Ledger(database)
    migrate.upgrade(ledger, filled)
    fill(ledger, *OLD_ROWS, *(NEW_IN_0002 if filled >= "0002" else ()))
    migrate.upgrade(ledger)
    with ledger.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), t.metadata) == []
        key = connection.execute(select(t.raw_keys)).one()
        versions = connection.execute(select(t.raw_objects).order_by(t.raw_objects.c.id)).all()
        held = connection.execute(select(t.file_sources).order_by(t.file_sources.c.src)).all()
        file = connection.execute(select(t.data_files)).one()
        day = connection.execute(select(t.partitions)).one()
    assert (key.key, key.state, key.reread) == ("k", "done", False)
    assert [row.rank_at for row in versions] == [500, 510]
    assert [(row.overlapped, row.expired) for row in versions] == [(0, 0), (0, 0)]
    assert (day.data_version, day.built_version) == (5, 0)  # 0005 has every day built anew
    assert (day.clean_expired_at, day.marts_expired_at) == (None, None)
    assert [(row.deviceid, row.min_ts, row.max_ts, row.hidden) for row in held] == [
        ("HW-1", 1000, 1500, 0),  # its object began on the day before
        ("HW-2", 1200, 1300, 0),
    ]
    assert (file.rows, file.hidden) == (120, 0)
    ledger.close()


def test_days_that_have_their_rows_are_built_again_for_another_dictionary(database: str) -> None:
    ledger = Ledger(database)
    migrate.upgrade(ledger, "0010")
    day = {"dstrct_code": "M", "data_version": 5, "built_version": 5}
    with ledger.write() as connection:
        for name, expired in (("2026-01-30", 1), ("2026-01-31", None)):
            row = {**day, "hiveperiod": name, "clean_expired_at": expired}
            connection.execute(insert(t.partitions).values(**row))
    migrate.upgrade(ledger)
    with ledger.read() as connection:
        built = manifest.dirty(connection, t.partitions.c.built_version)
    assert [part.hiveperiod for part in built] == ["2026-01-31"]
    ledger.close()


def test_a_ledger_of_a_newer_version_is_left_alone(database: str) -> None:
    ledger = Ledger(database)
    migrate.upgrade(ledger)
    fill(ledger, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(UsageError, match="newer version"):
        migrate.upgrade(ledger)
    with ledger.read() as connection:
        assert migrate.revision(connection) == "9999"
    ledger.close()


def test_runs_of_an_older_ledger_end_with_their_days(database: str) -> None:
    """Days of 100 hide 4, 7 and 2 rows of a version, in four runs of which two cross midnight.

    The first run is all of the first day, so that leaves 3 of the second run's 6 to it, and 3 to
    the second day; that leaves 4 of the third run's 5 to the second day, and 1 to the third.
    """
    ledger = Ledger(database)
    migrate.upgrade(ledger, "0002")
    held = (
        (1, "2026-01-31", 10, 90, 4),
        (2, "2026-02-01", 110, 190, 7),
        (3, "2026-02-02", 210, 290, 2),
    )
    for number, day, low, high, hidden in held:
        fill(
            ledger,
            "INSERT INTO data_files (id, claim_id, layer, dataset, path, hiveperiod, dstrct_code,"
            " rows, bytes, units, hidden, compacted, committed_at, version) VALUES"
            f" ({number}, 'c', 'clean', 'telemetry', 'p{number}', '{day}', 'M', 9, 1, '[]',"
            f" {hidden}, false, 600, 1)",
            "INSERT INTO file_sources (file_id, src, deviceid, rows, hidden, min_ts, max_ts)"
            f" VALUES ({number}, 7, 'HW-1', 9, {hidden}, {low}, {high})",
        )
    runs = ((20, 30, 1), (40, 150, 6), (160, 250, 5), (260, 260, 1))
    for low, high, number in runs:
        fill(ledger, f"INSERT INTO beaten (src, lo, hi, rows) VALUES (7, {low}, {high}, {number})")
    fill(ledger, "INSERT INTO beaten (src, lo, hi, rows) VALUES (8, 40, 250, 9)")  # of no live file
    migrate.upgrade(ledger)
    b = t.beaten.c
    with ledger.read() as connection:
        found = connection.execute(select(b.src, b.lo, b.hi, b.rows).order_by(b.src, b.lo)).all()
    ledger.close()
    assert [tuple(row) for row in found] == [
        (7, 20, 30, 1),
        (7, 40, 90, 3),
        (7, 110, 150, 3),
        (7, 160, 190, 4),
        (7, 210, 250, 1),
        (7, 260, 260, 1),
        (8, 40, 250, 9),
    ]


def fill(ledger: Ledger, *statements: str) -> None:
    with ledger.write() as connection:
        for statement in statements:
            connection.execute(text(statement))


_OBJECT = (
    "INSERT INTO raw_objects (id, key, sha256, district, deviceid, hour, size, status, arrived_at,"
    " committed_at, lines, accepted, duplicate, quarantined, blank, overlapped, rescued, min_ts,"
    " max_ts, flags, rules_version) VALUES ({}, 's', 'M', '{}', '2026013107', 1, 'ok', {},"
    " 600, 60, 60, 0, 0, 0, 0, 0, {}, {}, '', 1)"
)
OLD_ROWS = (
    "INSERT INTO raw_keys (key, etag, size, arrived_at, seen_at, state, suspect, attempts)"
    " VALUES ('k', 'e', 1, 500, 500, 'done', false, 0)",
    _OBJECT.format("7, 'k'", "HW-1", 500, 900, 1500),
    _OBJECT.format("8, 'l'", "HW-2", 510, 1200, 1300),
    "INSERT INTO data_files (id, claim_id, layer, dataset, path, hiveperiod, dstrct_code, rows,"
    " bytes, min_ts, max_ts, units, compacted, committed_at, version) VALUES (1, 'c', 'clean',"
    " 'telemetry', 'p', '2026-01-31', 'M', 120, 1, 1000, 1800, '[]', false, 600, 1)",
    "INSERT INTO file_sources (file_id, src, rows) VALUES (1, 7, 60), (1, 8, 60)",
    "INSERT INTO partitions (hiveperiod, dstrct_code, data_version, context_version, closed_hours,"
    " compacted_version, built_version) VALUES ('2026-01-31', 'M', 5, 0, 0, 5, 4)",
)
#: What the second revision itself would have written.
NEW_IN_0002 = (
    "UPDATE raw_objects SET rank_at = arrived_at",
    "UPDATE file_sources SET deviceid = 'HW-1', min_ts = 1000, max_ts = 1500 WHERE src = 7",
    "UPDATE file_sources SET deviceid = 'HW-2', min_ts = 1200, max_ts = 1300 WHERE src = 8",
)


def test_many_may_open_a_new_ledger_at_once(database: str, tmp_path: Path) -> None:
    settings = load(home=tmp_path / "home", ledger=database)
    together(*[lambda: open_ledger(settings).close()] * 6)


def test_many_processes_may_open_a_new_ledger_at_once(database: str, tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        homes = [(database, str(tmp_path / "home"))] * 4
        assert pool.starmap(open_and_count, homes, chunksize=1) == [25] * 4
    ledger = Ledger(database)
    with ledger.read() as connection:
        assert counter(connection, "x") == 100
    ledger.close()


def test_who_opens_a_new_file_waits_for_another_that_begins_to_write(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("CREATE TABLE early (x)")
    other.execute("BEGIN IMMEDIATE")
    Timer(0.5, other.execute, ["COMMIT"]).start()
    ledger = Ledger(f"sqlite:///{path}")
    with ledger.read() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    ledger.close()
    other.close()


def open_and_count(url: str, home: str) -> int:
    """In a process of its own."""
    ledger = open_ledger(load(home=Path(home), ledger=url))
    steps = list[int]()
    for _ in range(25):
        with ledger.write() as connection:
            steps.append(step(connection, "x"))
    ledger.close()
    return len(set(steps))


def test_writers_take_turns(any_ledger: Ledger) -> None:
    seen: list[int] = []

    def counting() -> None:
        for _ in range(25):
            with any_ledger.write() as connection:
                seen.append(step(connection, "x"))

    together(*[counting] * 4)
    assert sorted(seen) == list(range(1, 101))
    with any_ledger.read() as connection:
        assert counter(connection, "x") == 100


def test_a_reader_stays_at_its_moment(any_ledger: Ledger) -> None:
    with any_ledger.read() as connection:
        assert counter(connection, "x") == 0
        with any_ledger.write() as writing:
            step(writing, "x")
        assert counter(connection, "x") == 0
    with any_ledger.read() as connection:
        assert counter(connection, "x") == 1


def test_fields_met_by_several_workers_are_recorded_once(any_ledger: Ledger) -> None:
    """Each in another order, and no more than the day allows: one says that it is new."""
    names = [f"Field{i}" for i in range(30)]
    fresh: list[str] = []

    def meet(seed: int) -> None:
        own = [name.upper() if seed % 2 else name for name in names]
        random.Random(seed).shuffle(own)
        for start in (0, 15):
            met = dict.fromkeys(own[start : start + 15], ("DOUBLE", "key"))
            fresh.extend(record_fields(any_ledger, met, 20))

    together(*[partial(meet, seed) for seed in range(4)])
    with any_ledger.read() as connection:
        kept = extra_fields(connection)
    assert len(kept) == 20
    assert sorted(fresh) == sorted(kept)
    assert len({name.casefold() for name in kept}) == 20


def test_an_exception_rolls_back(any_ledger: Ledger) -> None:
    def failing() -> None:
        with any_ledger.write() as connection:
            step(connection, "x")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        failing()
    with any_ledger.read() as connection:
        assert counter(connection, "x") == 0


def test_a_run_that_fails_says_why(ledger: Ledger) -> None:
    with pytest.raises(RuntimeError), run(ledger, "ingest", "w"):
        raise RuntimeError("no more disk")
    with ledger.read() as connection:
        row = connection.execute(select(t.runs)).one()
    assert row.status == "failed"
    assert "no more disk" in row.detail


def test_a_changed_zone_is_refused_and_the_way_out_named(
    settings: Settings, ledger: Ledger
) -> None:
    with ledger.write() as connection:
        record_zone(connection, "MLKB", "Asia/Makassar")
        record_zone(connection, "MLKB", "Asia/Jakarta")  # the first one stays
    open_ledger(settings).close()
    for changed, variable in (
        (load(home=settings.home, zone="Asia/Jayapura"), "HAULWATCH_ZONE:"),
        (load(home=settings.home, zones={"MLKB": "Asia/Jakarta"}), "HAULWATCH_ZONES:"),
    ):
        with pytest.raises(SettingsError, match="reingest --district MLKB") as caught:
            open_ledger(changed)
        assert str(caught.value).startswith(variable)


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "mysterydb://haulwatch:geheim@host/x",
        "postgresql://haulwatch:geheim@host:port/x",
        "postgresql://haulwatch:sehr@geheim@host/x",
        "postgresql://haulwatch:geheim@127.0.0.1:1/x",
        "postgresql+psycopg://haulwatch:geheim@localhost:1/x",
        "sqlite:////no/such/folder/x.db",
    ],
)
def test_a_ledger_that_cannot_be_opened_names_its_variable(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingsError, match="HAULWATCH_LEDGER") as caught:
        open_ledger(load(home=tmp_path / "h", ledger=url))
    told = str(caught.value)
    assert "geheim" not in told
    assert "\n" not in told
    if ":1/" in url:
        assert "refused" in told


def test_without_its_driver_the_way_to_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(SettingsError, match=r"pip install 'haulwatch\[postgres\]'") as caught:
        Ledger("postgresql://haulwatch@host/x")
    assert str(caught.value).startswith("HAULWATCH_LEDGER: ")


class TestOnPostgreSQL:
    """What only a server can do to its clients."""

    @pytest.fixture
    def url(self, postgresql: PostgreSQL) -> str:
        return postgresql.database()

    @pytest.fixture
    def served(self, url: str, tmp_path: Path) -> Iterator[Ledger]:
        opened = open_ledger(load(home=tmp_path / "home", ledger=url))
        yield opened
        opened.close()

    def test_a_ledger_that_may_not_be_written_is_a_matter_of_settings(
        self, postgresql: PostgreSQL, url: str, tmp_path: Path
    ) -> None:
        postgresql.execute(
            f"ALTER DATABASE {database_name(url)} SET default_transaction_read_only = on"
        )
        with pytest.raises(SettingsError, match=r"HAULWATCH_LEDGER.*read-only"):
            open_ledger(load(home=tmp_path / "home", ledger=url))

    def test_what_the_url_asks_for_counts(
        self, postgresql: PostgreSQL, url: str, tmp_path: Path
    ) -> None:
        """A schema of its own; and a server whose default would break the order of commits."""
        name = database_name(url)
        postgresql.execute(
            f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'"
        )
        plain = Ledger(url)
        with plain.write() as connection:
            connection.execute(text("CREATE SCHEMA mine"))
        plain.close()
        asked = f"{url}&options=-csearch_path%3Dmine&connect_timeout=3"
        ledger = open_ledger(load(home=tmp_path / "home", ledger=asked))
        with ledger.write() as connection:
            assert connection.execute(text("SHOW search_path")).scalar_one() == "mine"
            assert connection.execute(text("SHOW transaction_isolation")).scalar_one() == (
                "read committed"
            )
            assert connection.execute(text("SHOW lock_timeout")).scalar_one() == "30s"
        ledger.close()

    def test_a_lock_is_not_waited_for_without_end(
        self, served: Ledger, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("pipeline.storage.ledger.LOCK_S", 0.2)
        with served.write() as connection:
            step(connection, "x")
            with pytest.raises(OperationalError, match="lock timeout"), served.write() as other:
                step(other, "x")

    def test_one_that_hangs_loses_its_locks_before_others_give_up(
        self, served: Ledger, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert ledger_module.IDLE_S < ledger_module.LOCK_S
        monkeypatch.setattr("pipeline.storage.ledger.IDLE_S", 0.2)

        def hang() -> None:
            with served.write() as hanging:
                step(hanging, "x")
                with served.write() as other:
                    assert step(other, "x") == 1  # waits until the hanging one is thrown out
                step(hanging, "x")

        with pytest.raises(DBAPIError, match="idle-in-transaction"):
            hang()
        with served.write() as connection:
            assert step(connection, "x") == 2

    def test_a_server_started_anew_is_found_again(
        self, postgresql: PostgreSQL, url: str, served: Ledger
    ) -> None:
        def interrupted() -> None:
            with served.write() as connection:
                step(connection, "x")
                postgresql.disconnect(url)
                step(connection, "x")

        with pytest.raises(OperationalError):
            interrupted()
        with served.write() as connection:
            assert step(connection, "x") == 1

    def test_a_worker_outlives_its_ledger(
        self, postgresql: PostgreSQL, url: str, served: Ledger, tmp_path: Path
    ) -> None:
        log: list[str] = []
        worker = Worker(load(home=tmp_path / "home", ledger=url), served, log.append)
        now = datetime(2026, 2, 2, tzinfo=UTC)
        try:
            with postgresql.closed(url):
                assert worker._guarded_step(now) is False
            assert any("OperationalError" in line for line in log)
            log.clear()
            worker._guarded_step(now)
            assert log == []
        finally:
            worker.flow.close()


def database_name(url: str) -> str:
    return url.partition("?")[0].rsplit("/", 1)[-1]


def test_extra_fields_keep_their_order(ledger: Ledger) -> None:
    with ledger.write() as connection:
        for name in ("zeta", "alpha"):
            connection.execute(
                t.fields.insert().values(
                    name=name, folded=name, type="DOUBLE", first_key="k", seen_at=1
                )
            )
    with ledger.read() as connection:
        assert list(extra_fields(connection)) == ["zeta", "alpha"]
