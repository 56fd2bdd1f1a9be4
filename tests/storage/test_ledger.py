"""The ledger: schema, transactions, leases, zones."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import select

from pipeline.errors import SettingsError
from pipeline.settings import Settings, load
from pipeline.storage import claims, migrate
from pipeline.storage import tables as t
from pipeline.storage.ledger import (
    Ledger,
    counter,
    extra_fields,
    open_ledger,
    record_zone,
    run,
    step,
)

VERSIONS = Path(migrate.__file__).parent / "migrations" / "versions"


def test_the_migrations_lead_to_the_tables(ledger: Ledger) -> None:
    with ledger.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), t.metadata) == []
        assert migrate.revision(connection) == migrate.HEAD
    newest = max(path.name for path in VERSIONS.glob("r*.py"))
    assert newest.startswith(f"r{migrate.HEAD}_")


def test_many_processes_may_open_a_new_ledger_at_once(settings: Settings) -> None:
    errors: list[Exception] = []

    def opening() -> None:
        try:
            open_ledger(settings).close()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=opening) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_writers_take_turns(ledger: Ledger) -> None:
    def counting() -> None:
        for _ in range(25):
            with ledger.write() as connection:
                step(connection, "x")

    threads = [threading.Thread(target=counting) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with ledger.read() as connection:
        assert counter(connection, "x") == 100


def test_an_exception_rolls_back(ledger: Ledger) -> None:
    def failing() -> None:
        with ledger.write() as connection:
            step(connection, "x")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        failing()
    with ledger.read() as connection:
        assert counter(connection, "x") == 0


def test_a_run_that_fails_says_why(ledger: Ledger) -> None:
    with pytest.raises(RuntimeError), run(ledger, "ingest", "w"):
        raise RuntimeError("no more disk")
    with ledger.read() as connection:
        row = connection.execute(select(t.runs)).one()
    assert row.status == "failed"
    assert "no more disk" in row.detail


def test_a_lease_has_one_holder_until_it_ends(ledger: Ledger) -> None:
    assert claims.lease(ledger, "scheduler", "a", 60)
    assert claims.lease(ledger, "scheduler", "a", 60)
    assert not claims.lease(ledger, "scheduler", "b", 60)
    claims.give_back(ledger, "scheduler", "b")  # not b's to give
    assert not claims.lease(ledger, "scheduler", "b", 60)
    assert claims.lease(ledger, "other", "b", 60)
    assert claims.lease(ledger, "scheduler", "a", -1)
    assert claims.lease(ledger, "scheduler", "b", 60)


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
    "url", ["nonsense", "mysterydb://host/x", "sqlite:////no/such/folder/x.db"]
)
def test_a_ledger_that_cannot_be_opened_names_its_variable(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingsError, match="HAULWATCH_LEDGER"):
        open_ledger(load(home=tmp_path / "h", ledger=url))


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
