"""Claims and leases on both databases, by several workers at once."""

from __future__ import annotations

import multiprocessing
import os
import random
import socket
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from pipeline.errors import ClaimLost
from pipeline.ingest.discover import _record, discover
from pipeline.storage import claims
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger, worker_name
from pipeline.storage.objects import Entry, open_store
from pipeline.storage.records import UNREADABLE, Claim
from tests.threads import together

KEY = "MLKB/HW-{:03}/2026013107/2026013107.txt.gz"


def entry(number: int, etag: str = "one") -> Entry:
    return Entry(key=KEY.format(number), etag=etag, size=100, modified_at=1_000_000)


def deliver(ledger: Ledger, number: int) -> None:
    with ledger.write() as connection:
        _record(connection, [entry(i) for i in range(number)])


def keys(ledger: Ledger) -> list[Any]:
    with ledger.read() as connection:
        return list(connection.execute(select(t.raw_keys).order_by(t.raw_keys.c.key)))


def commit(ledger: Ledger, claim: Claim, state: str = "done", **more: object) -> None:
    """What a commit does to the claim's keys."""
    with ledger.write() as connection:
        claims.hold(connection, claim.id)
        k = t.raw_keys.c
        for file in claim.files:
            here = (k.key == file.key, k.claim_id == claim.id, k.etag == file.etag)
            values = {"state": state, "suspect": False, "attempts": 0, "reread": False, **more}
            connection.execute(update(t.raw_keys).where(*here).values(**values))
        claims.end(connection, claim.id, "committed")


def take(ledger: Ledger, limit: int = 1, seconds: float = 60) -> Claim:
    claim = claims.take(ledger, "worker", limit, seconds)
    assert claim is not None
    return claim


class TestALease:
    def test_has_one_holder_of_two_who_race(self, any_ledger: Ledger) -> None:
        """200 leases, half of them new and half run out."""
        got = Counter[int]()
        gate = threading.Barrier(2)
        with any_ledger.write() as connection:
            old = {"holder": "gone", "expires_at": 1}
            rows = [{**old, "name": f"lease {number}"} for number in range(0, 200, 2)]
            connection.execute(t.leases.insert(), rows)

        def race(holder: str) -> None:
            for number in range(200):
                gate.wait(120)
                if claims.lease(any_ledger, f"lease {number}", holder, 60):
                    got[number] += 1

        together(lambda: race("a"), lambda: race("b"))
        assert set(got) == set(range(200))
        assert set(got.values()) == {1}

    def test_passes_on_when_it_runs_out(self, any_ledger: Ledger) -> None:
        assert claims.lease(any_ledger, "build", "a", 60)
        assert not claims.lease(any_ledger, "build", "b", 60)
        with any_ledger.write() as connection:
            last = t.leases.c.expires_at - 60_000_000
            connection.execute(update(t.leases).values(expires_at=last))
        assert claims.lease(any_ledger, "build", "b", 60)
        assert not claims.lease(any_ledger, "build", "a", 60)
        claims.give_back(any_ledger, "build", "a")  # not a's any more
        assert claims.lease(any_ledger, "build", "b", 60)


class TestTaking:
    def test_four_workers_share_a_pool(self, any_ledger: Ledger) -> None:
        deliver(any_ledger, 400)
        taken = Counter[str]()

        def work() -> None:
            while claim := claims.take(any_ledger, worker_name(), 7, 60):
                taken.update(file.key for file in claim.files)

        together(*[work] * 4)
        assert sorted(taken) == [KEY.format(i) for i in range(400)]
        assert set(taken.values()) == {1}
        owners = {row.claim_id for row in keys(any_ledger)}
        assert None not in owners

    def test_processes_share_a_pool(self, database: str, any_ledger: Ledger) -> None:
        deliver(any_ledger, 400)
        context = multiprocessing.get_context("spawn")
        with context.Pool(2) as pool:
            shares = pool.map(take_all, [database] * 2, chunksize=1)
        taken = [key for share in shares for key in share]
        assert sorted(taken) == [KEY.format(i) for i in range(400)]

    def test_the_dead_of_this_machine_are_known(self, any_ledger: Ledger) -> None:
        """Not those of a container beside us, whose processes have numbers of their own."""
        child = subprocess.Popen(["true"])
        child.wait()
        deliver(any_ledger, 3)
        host, digits = socket.gethostname(), worker_name().rpartition("-")[2]
        mark = digits.partition(".")[2]
        for number, name in enumerate(
            (
                f"{host}-{os.getpid()}-{digits}",
                f"{host}-{child.pid}-abcdef.{mark}0",
                f"{host}-{child.pid}-{digits}",
            )
        ):
            assert claims.take(any_ledger, name, 1, 60)
            assert claims.lease(any_ledger, f"lease {number}", name, 60)
        claims.expire_dead(any_ledger)
        assert [row.suspect for row in keys(any_ledger)] == [False, False, True]
        assert [claims.lease(any_ledger, f"lease {i}", "new", 60) for i in range(3)] == [
            False,
            False,
            True,
        ]


class TestTheEndOfAClaim:
    def test_a_batch_that_dies_makes_suspects_that_are_tried_alone(
        self, any_ledger: Ledger
    ) -> None:
        deliver(any_ledger, 3)
        claims.abandon(any_ledger, take(any_ledger, 3).id)
        assert [(row.suspect, row.attempts) for row in keys(any_ledger)] == [(True, 0)] * 3
        claim = take(any_ledger, 3)
        assert [file.key for file in claim.files] == [KEY.format(0)]
        assert [row.attempts for row in keys(any_ledger)] == [1, 0, 0]
        commit(any_ledger, claim)
        first = keys(any_ledger)[0]
        assert (first.state, first.suspect, first.attempts) == ("done", False, 0)

    def test_five_lone_attempts_and_it_is_set_aside(self, any_ledger: Ledger) -> None:
        deliver(any_ledger, 1)
        claims.abandon(any_ledger, take(any_ledger).id)
        for number in range(claims.MAX_ATTEMPTS):
            assert keys(any_ledger)[0].attempts == number
            claims.abandon(any_ledger, take(any_ledger).id)
        row = keys(any_ledger)[0]
        assert (row.state, row.claim_id) == ("failed", None)
        assert "died 5 times" in row.error
        assert claims.take(any_ledger, "worker", 1, 60) is None

    def test_a_release_blames_nobody(self, any_ledger: Ledger) -> None:
        deliver(any_ledger, 4)
        one, two = take(any_ledger, 2), take(any_ledger, 2)
        claims.release(any_ledger, [one.id, two.id])
        claims.release(any_ledger, [])
        assert {(row.suspect, row.attempts, row.claim_id) for row in keys(any_ledger)} == {
            (False, 0, None)
        }
        with any_ledger.read() as connection:
            outcomes = {row.outcome for row in connection.execute(select(t.claims))}
        assert outcomes == {"released"}
        with pytest.raises(ClaimLost):
            commit(any_ledger, one)
        assert len(take(any_ledger, 9).files) == 4

    def test_a_release_of_a_suspect_counts_no_attempt(self, any_ledger: Ledger) -> None:
        deliver(any_ledger, 1)
        claims.abandon(any_ledger, take(any_ledger).id)
        for _ in range(claims.MAX_ATTEMPTS + 2):
            claims.release(any_ledger, [take(any_ledger).id])
        row = keys(any_ledger)[0]
        assert (row.state, row.suspect, row.attempts) == ("pending", True, 0)

    def test_a_release_after_the_end_changes_nothing(self, any_ledger: Ledger) -> None:
        deliver(any_ledger, 1)
        claim = take(any_ledger)
        claims.abandon(any_ledger, claim.id)
        later = take(any_ledger)
        claims.release(any_ledger, [claim.id])
        row = keys(any_ledger)[0]
        assert (row.claim_id, row.suspect, row.attempts) == (later.id, True, 1)

    def test_it_commits_or_expires_but_not_both(self, any_ledger: Ledger) -> None:
        """The lease runs out at the very moment of the commit, 40 times."""
        committed = 0
        for number in range(40):
            with any_ledger.write() as connection:
                _record(connection, [entry(number)])
            claim = take(any_ledger, seconds=0.01)
            done: list[bool] = []

            def commits(claim: Claim = claim, done: list[bool] = done) -> None:
                try:
                    commit(any_ledger, claim)
                except ClaimLost:
                    return
                done.append(True)

            def expires() -> None:
                time.sleep(random.random() / 50)
                with any_ledger.write() as connection:
                    claims.expire(connection)

            together(commits, expires, expires)
            expires()
            row = keys(any_ledger)[number]
            with any_ledger.read() as connection:
                ended = select(t.claims.c.outcome).where(t.claims.c.id == claim.id)
                outcome: str = connection.execute(ended).scalar_one()
            if done:
                committed += 1
                assert (outcome, row.state, row.suspect) == ("committed", "done", False)
            else:
                assert (outcome, row.state, row.suspect) == ("expired", "pending", True)
                commit(any_ledger, take(any_ledger))
        assert committed > 0

    def test_one_that_is_being_committed_does_not_expire(self, any_ledger: Ledger) -> None:
        if any_ledger.is_sqlite:
            pytest.skip("writers are alone on SQLite")
        deliver(any_ledger, 1)
        claim = take(any_ledger, seconds=0.2)
        with any_ledger.write() as connection:
            claims.hold(connection, claim.id)
            time.sleep(0.25)
            with any_ledger.write() as other:
                claims.expire(other)  # passes it by, without waiting
            assert claims.take(any_ledger, "other", 9, 60) is None
            claims.end(connection, claim.id, "committed")
        with any_ledger.read() as connection:
            assert connection.execute(select(t.claims.c.outcome)).scalar_one() == "committed"

    def test_everything_at_once_never_waits_in_a_circle(self, any_ledger: Ledger) -> None:
        """Listings, claims, commits, releases and expiries over the same 60 keys."""
        deliver(any_ledger, 60)
        end = time.monotonic() + 4

        def listing() -> None:
            while time.monotonic() < end:
                numbers = random.sample(range(60), 40)
                with any_ledger.write() as connection:
                    _record(connection, [entry(i, str(random.random())) for i in numbers])

        def working() -> None:
            while time.monotonic() < end:
                held = [claims.take(any_ledger, worker_name(), 9, 60) for _ in range(3)]
                own = [claim for claim in held if claim is not None]
                if own and random.random() < 0.5:
                    commit(any_ledger, own.pop())
                if own and random.random() < 0.5:
                    claims.abandon(any_ledger, own.pop().id)
                claims.release(any_ledger, [claim.id for claim in own])

        together(listing, listing, working, working, working)
        assert {row.claim_id for row in keys(any_ledger)} == {None}


class TestRecording:
    def test_a_key_of_another_listing_stays_as_it_is(self, any_ledger: Ledger) -> None:
        """Two workers list the same; the slower one records when the file is already read."""
        deliver(any_ledger, 1)
        commit(any_ledger, take(any_ledger))
        deliver(any_ledger, 1)
        assert keys(any_ledger)[0].state == "done"
        with any_ledger.write() as connection:
            _record(connection, [entry(0, "two")])
        assert keys(any_ledger)[0].state == "pending"

    def test_a_file_set_aside_stays_aside_until_it_changes(self, any_ledger: Ledger) -> None:
        deliver(any_ledger, 1)
        commit(any_ledger, take(any_ledger), "failed", error="set aside: …")
        deliver(any_ledger, 1)
        assert keys(any_ledger)[0].state == "failed"

    def test_reread_is_false_at_first_and_then_left_alone(self, any_ledger: Ledger) -> None:
        deliver(any_ledger, 1)
        assert keys(any_ledger)[0].reread is False
        with any_ledger.write() as connection:
            connection.execute(update(t.raw_keys).values(reread=True))
            _record(connection, [entry(0, "two")])
        row = keys(any_ledger)[0]
        assert (row.etag, row.reread) == ("two", True)

    def test_two_listings_in_opposite_order_do_not_meet(self, any_ledger: Ledger) -> None:
        entries = [[entry(i, str(version)) for i in range(50)] for version in range(20)]

        def listing(reverse: bool) -> None:
            for version in entries:
                with any_ledger.write() as connection:
                    _record(connection, version[::-1] if reverse else version)

        together(lambda: listing(False), lambda: listing(True))
        assert len(keys(any_ledger)) == 50

    def test_what_could_not_be_read_is_tried_again_at_a_full_listing(
        self, any_ledger: Ledger, settings: Any, raw: Path
    ) -> None:
        path = raw / KEY.format(1)
        path.parent.mkdir(parents=True)
        path.write_bytes(b"x")
        store = open_store(settings)
        assert discover(any_ledger, store, full=True).pending == 1
        for error, again in ((f"{UNREADABLE}: Permission denied", 1), ("no gzip", 0)):
            commit(any_ledger, take(any_ledger), "failed", error=error)
            assert discover(any_ledger, store, full=False).pending == 0
            assert keys(any_ledger)[0].state == "failed"
            assert discover(any_ledger, store, full=True).pending == again
            row = keys(any_ledger)[0]
            assert (row.state == "pending", row.error is None) == (bool(again), bool(again))


def take_all(url: str) -> list[str]:
    """In a process of its own: everything it gets."""
    ledger, taken = Ledger(url), list[str]()
    while claim := claims.take(ledger, worker_name(), 5, 60):
        taken += [file.key for file in claim.files]
    ledger.close()
    return taken


def test_who_is_told_to_stop_lets_go_of_all_that_is_theirs(any_ledger: Ledger) -> None:
    """Of a suspect the attempt does not count; what the other holds stays."""
    deliver(any_ledger, 4)
    with any_ledger.write() as connection:
        k = t.raw_keys.c
        connection.execute(update(t.raw_keys).where(k.key == KEY.format(0)).values(suspect=True))
    mine = take(any_ledger, 2)
    theirs = claims.take(any_ledger, "another", 1, 60)
    alone = take(any_ledger)  # the suspect
    assert theirs
    for name, holder in (("scheduler", "worker"), ("build", "another")):
        assert claims.lease(any_ledger, name, holder, 60)

    claims.let_go(any_ledger, "worker")
    with any_ledger.read() as connection:
        held = connection.execute(select(t.claims.c.worker).where(t.claims.c.outcome.is_(None)))
        leases = connection.execute(select(t.leases.c.name, t.leases.c.holder))
        assert [row.worker for row in held] == ["another"]
        assert [tuple(row) for row in leases] == [("build", "another")]
    found = {row.key: (row.claim_id, row.suspect, row.attempts) for row in keys(any_ledger)}
    assert found[KEY.format(0)] == (None, True, 0)
    assert [found[file.key] for file in mine.files] == [(None, False, 0)] * 2
    assert found[theirs.files[0].key][0] == theirs.id
    for claim in (mine, alone):
        with pytest.raises(ClaimLost):
            commit(any_ledger, claim)
