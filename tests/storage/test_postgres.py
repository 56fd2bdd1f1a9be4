"""What only shows where several writers are really at work at once: the ledger on PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import insert, select, text

from pipeline.errors import SettingsError
from pipeline.settings import load
from pipeline.storage import claims, migrate
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger, open_ledger, record_fields
from tests.servers import Postgres

pytestmark = pytest.mark.xdist_group("servers")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.db'}"
    server: Postgres = request.getfixturevalue("postgres_server")
    return server.fresh()


@pytest.fixture
def ledger(url: str, tmp_path: Path) -> Iterator[Ledger]:
    opened = open_ledger(load(home=tmp_path / "home", ledger=url))
    yield opened
    opened.close()


def together(work: Callable[[int], None], number: int = 4) -> None:
    """Run in threads that begin at one moment; the first error is raised."""
    gate, errors = threading.Barrier(number), list[BaseException]()

    def one(i: int) -> None:
        try:
            gate.wait(20)
            work(i)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=one, args=(i,)) for i in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def fill(ledger: Ledger, number: int) -> None:
    row = {"district": "M", "deviceid": "d", "hour": "2026013100", "etag": "e", "size": 1}
    row |= {"arrived_at": 1, "seen_at": 1, "state": "pending"}
    with ledger.write() as connection:
        connection.execute(insert(t.raw_keys), [{**row, "key": f"k{i:04}"} for i in range(number)])


def test_the_schema_is_the_tables(ledger: Ledger) -> None:
    with ledger.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), t.metadata) == []


def test_many_may_open_a_new_ledger_at_once(url: str, tmp_path: Path) -> None:
    settings = load(home=tmp_path / "home", ledger=url)
    together(lambda _: open_ledger(settings).close(), 5)


def test_a_lease_has_one_holder(ledger: Ledger) -> None:
    for round_ in range(25):
        got: list[int] = []

        def grab(i: int, name: str = f"lease {round_}", got: list[int] = got) -> None:
            if claims.lease(ledger, name, f"worker {i}", 60):
                got.append(i)

        together(grab)
        assert len(got) == 1


def test_no_file_is_claimed_twice(ledger: Ledger) -> None:
    fill(ledger, 120)
    taken: list[str] = []

    def work(i: int) -> None:
        while claim := claims.take(ledger, f"worker {i}", 7, 60):
            taken.extend(file.key for file in claim.files)

    together(work)
    assert sorted(taken) == [f"k{i:04}" for i in range(120)]


def test_a_claim_expires_or_commits_but_not_both(ledger: Ledger) -> None:
    """The lease ends at the very moment of the commit: one of the two has its way, whole."""
    for _ in range(15):
        fill_one = f"k{_}"
        with ledger.write() as connection:
            row = {"key": fill_one, "etag": "e", "size": 1, "arrived_at": 1, "seen_at": 1}
            connection.execute(insert(t.raw_keys).values(**row, hour="h", state="pending"))
        claim = claims.take(ledger, "w", 1, 0.02)
        assert claim is not None
        committed: list[bool] = []

        def commit(claim: claims.Claim = claim, done: list[bool] = committed) -> None:
            try:
                with ledger.write() as connection:
                    claims.hold(connection, claim.id)
                    k = t.raw_keys.c
                    done_now = k.claim_id == claim.id
                    connection.execute(t.raw_keys.update().where(done_now).values(state="done"))
                    claims.end(connection, claim.id, "committed")
                done.append(True)
            except claims.ClaimLost:
                done.append(False)

        def expire() -> None:
            with ledger.write() as connection:
                claims.expire(connection)

        together(lambda i, a=commit, b=expire: a() if i == 0 else b(), 2)
        expire()
        with ledger.read() as connection:
            outcome = connection.execute(
                select(t.claims.c.outcome).where(t.claims.c.id == claim.id)
            ).scalar_one()
            state = connection.execute(
                select(t.raw_keys.c.state).where(t.raw_keys.c.key == fill_one)
            ).scalar_one()
        expected = ("committed", "done") if committed == [True] else (None, "pending")
        assert state == expected[1]
        assert outcome in (expected[0], "expired")
        assert (outcome == "committed") == (committed == [True])
        with ledger.write() as connection:
            connection.execute(t.raw_keys.delete())


def test_a_field_met_by_two_workers_is_recorded_once(ledger: Ledger) -> None:
    met = {f"field{i}": ("DOUBLE", "key") for i in range(20)}
    together(lambda _: record_fields(ledger, met, 64) and None)
    with ledger.read() as connection:
        assert len(connection.execute(select(t.fields)).all()) == 20


def test_a_ledger_with_data_is_brought_up_to_date(url: str) -> None:
    """Revision 0001 → newest: versions get their rank, rows their device and span."""
    ledger = Ledger(url)
    migrate.upgrade(ledger, "0001")
    with ledger.write() as connection:
        connection.execute(text(OLD_OBJECT))
        connection.execute(text(OLD_FILE))
        connection.execute(text("INSERT INTO file_sources (file_id, src, rows) VALUES (1, 7, 60)"))
    migrate.upgrade(ledger)
    with ledger.read() as connection:
        version = connection.execute(select(t.raw_objects)).one()
        held = connection.execute(select(t.file_sources)).one()
        file = connection.execute(select(t.data_files)).one()
    assert version.rank_at == 500
    assert (held.deviceid, held.min_ts, held.max_ts, held.hidden) == ("HW-1", 100, 150, 0)
    assert file.hidden == 0
    ledger.close()


OLD_OBJECT = (
    "INSERT INTO raw_objects (id, key, sha256, district, deviceid, hour, size, status, arrived_at,"
    " committed_at, lines, accepted, duplicate, quarantined, blank, overlapped, rescued, min_ts,"
    " max_ts, flags, rules_version) VALUES (7, 'k', 's', 'M', 'HW-1', '2026013107', 1, 'ok', 500,"
    " 600, 60, 60, 0, 0, 0, 0, 0, 100, 200, '', 1)"
)
OLD_FILE = (
    "INSERT INTO data_files (id, claim_id, layer, dataset, path, hiveperiod, dstrct_code, rows,"
    " bytes, min_ts, max_ts, units, compacted, committed_at, version) VALUES (1, 'c', 'clean',"
    " 'telemetry', 'p', '2026-01-31', 'M', 60, 1, 50, 150, '[]', false, 600, 1)"
)


def test_a_server_that_does_not_answer_is_named_without_its_password(tmp_path: Path) -> None:
    url = "postgresql://haulwatch:geheim@127.0.0.1:1/haulwatch"
    with pytest.raises(SettingsError, match="HAULWATCH_LEDGER") as caught:
        open_ledger(load(home=tmp_path / "home", ledger=url))
    assert "geheim" not in str(caught.value)
