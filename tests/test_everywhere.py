"""One suite over every place: files on disk and on S3, the ledger on SQLite and PostgreSQL."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select, update

from pipeline.errors import StoreUnavailable
from pipeline.flow import Flow
from pipeline.gc import collect, orphans
from pipeline.pool import Pool
from pipeline.reingest import Selection, ask, plan
from pipeline.settings import Settings, load
from pipeline.storage import claims
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger, open_ledger
from pipeline.storage.objects import open_store
from pipeline.verify import verify
from queries.connect import open_reader
from tests.conftest import Children
from tests.ingest.model import Model
from tests.ingest.test_run import visible
from tests.make import epoch, rows
from tests.postgres import PostgreSQL
from tests.servers import Link, Seaweed
from tests.threads import together

HOURS = [f"20260131{hour:02}" for hour in range(20, 24)] + ["2026020100", "2026020101"]
LATER = datetime(2026, 2, 3, tzinfo=UTC)


@dataclass
class Place:
    """A home, its ledger, and the way raw files get to where they are read."""

    settings: Settings
    ledger: Ledger
    model: Model
    server: Seaweed | None

    def deliver(self, hour: str, device: str, speed: float, **more: object) -> None:
        """A minute of one speed; ``by`` moves it, ``damage`` spoils it."""
        by, damage = int(str(more.get("by", 0))), str(more.get("damage", ""))
        lines = [
            {**row, "heartbeat": row["heartbeat"] + by}
            for row in rows(hour, 60, device, unitno=device, VehicleSpeed=speed)
        ]
        self.model.deliver(hour, device, lines, damage)

    def send(self) -> None:
        """What was delivered reaches the store, in the order of its arrival."""
        if self.server is None:
            return
        assert self.settings.raw
        for key, version in sorted(self.model.waiting.items(), key=lambda item: item[1].arrived):
            self.server.put(self.settings.raw, key, version.content)

    def taken(self) -> None:
        """Everything delivered is in: what is visible is what the model says."""
        self.model.take_in()
        found = visible(self.settings, self.ledger, "deviceid, epoch(ts), VehicleSpeed")
        seen = {(device, int(at)): speed for device, at, speed in found}
        assert len(seen) == len(found)
        assert seen == self.model.visible()
        checked = verify(self.ledger, self.settings, deep=True)
        assert checked.ok, checked.breaches


#: Files and ledger: every place and every database once; all pairs in the long ones.
PAIRS = [
    pytest.param(pair, id="-".join(pair), marks=() if often else pytest.mark.long)
    for pair, often in {
        ("disk", "sqlite"): True,
        ("disk", "postgresql"): False,
        ("s3", "sqlite"): False,
        ("s3", "postgresql"): True,
        ("s3 lake", "sqlite"): False,
        ("s3 lake", "postgresql"): True,
    }.items()
]


@pytest.fixture(params=PAIRS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    store, database = request.param
    ledger_url: str | None = None
    if database == "postgresql":
        postgresql: PostgreSQL = request.getfixturevalue("postgresql")
        ledger_url = postgresql.database()
    server: Seaweed | None = None
    where = {}
    if store != "disk":
        server = request.getfixturevalue("seaweed_server")
        where = {
            "raw": server.place(),
            **({"lake": server.place()} if store == "s3 lake" else {}),
            "s3_endpoint": server.endpoint,
            "s3_key": server.key,
            "s3_secret": server.secret,
        }
    settings = load(
        home=tmp_path / "home",
        threads=1,
        lease_seconds=60,
        ledger=ledger_url,
        batch_files=4,
        **where,
    )
    staging = tmp_path / "staging" if server else settings.raw_root
    ledger = open_ledger(settings)
    yield Place(settings, ledger, Model(staging), server)
    ledger.close()


@pytest.fixture
def flow(place: Place, children: Children) -> Iterator[Flow]:
    with Flow(place.settings, place.ledger) as opened:
        children.lend(opened)
        yield opened
        children.take_back(opened)


def test_a_history_in_full(place: Place, flow: Flow) -> None:
    """Late, overlapping, damaged, replaced; compacted, read again, cleaned up, built."""
    for number, hour in enumerate(HOURS):
        place.deliver(hour, "HW-1", 1.0 + number)
    place.deliver(HOURS[0], "HW-2", 20.0, damage="torn")
    place.deliver(HOURS[1], "HW-2", 21.0, damage="line")
    place.deliver(HOURS[2], "HW-2", 22.0, damage="rubbish")
    place.deliver(HOURS[3], "HW-3", 30.0)
    place.deliver(HOURS[4], "HW-3", 31.0, by=-3570)  # its first half is in the hour before
    place.send()
    result = flow.ingest()
    assert (result.files["ok"], result.files["partial"], result.files["corrupt"]) == (9, 1, 1)
    assert (result.overlapped, result.backlog, result.lines["quarantined"]) == (30, 0, 2)
    place.taken()
    assert len(flow.compact(now=LATER).days) == 2
    place.taken()
    if place.server:
        time.sleep(1.1)  # the store keeps whole seconds; the next ones must be later
    place.deliver(HOURS[0], "HW-2", 25.0)  # the torn one in full
    place.deliver(HOURS[4], "HW-3", 32.0)  # replaced: what it had beaten is seen again
    place.deliver("2026013119", "HW-1", 40.0)  # late, on a day that is compacted
    place.deliver(HOURS[5], "HW-1", 6.0)  # the same content again
    place.send()
    result = flow.ingest()
    assert (result.files["ok"], result.files["unchanged"]) == (3, 1)
    place.taken()
    flow.compact(now=LATER)
    chosen = Selection(first="2026-01-31", last="2026-01-31")
    planned = plan(place.ledger, place.settings, open_store(place.settings), chosen)
    ask(place.ledger, place.settings, chosen, planned, "tester")
    again = flow.ingest()
    assert (again.files["ok"], again.files.total()) == (len(planned.keys) - 1, len(planned.keys))
    place.taken()
    flow.compact(now=LATER)
    soon = place.settings.model_copy(update={"gc_grace_seconds": -1.0})
    assert collect(place.ledger, soon).files > 0
    assert orphans(place.ledger, place.settings) == []
    place.taken()
    assert flow.build(now=LATER).partitions >= 2
    with open_reader(place.settings, place.ledger) as reader:
        seen = reader.contract("SELECT deviceid, epoch(ts)::BIGINT, VehicleSpeed FROM telemetry")
        assert {row[:2]: row[2] for row in seen.rows()} == place.model.visible()
        frame = reader.contract("SELECT sum(observed_s)::INT FROM unit_day")
        assert frame.item() == len(place.model.visible())
        counts = reader.contract("SELECT sum(quarantined)::INT, count(*)::INT FROM raw_objects")
        bad = reader.contract("SELECT count(*)::INT FROM quarantine").item()
    assert counts.row(0)[0] == bad


def test_several_workers_share_a_backlog(place: Place) -> None:
    """No file is taken in twice, none is left, and overlaps between their commits are seen."""
    chance = random.Random(7)
    for number in range(40):
        hour, device = chance.choice(HOURS), f"HW-{number % 5}"
        place.deliver(hour, device, 1.0 + number, by=chance.randrange(-40, 40))
    place.send()
    files = len(place.model.waiting)
    done: list[int] = []

    def work() -> None:
        with Flow(place.settings, place.ledger) as flow:
            done.append(flow.ingest().files["ok"])

    together(*[work] * 4)
    assert sum(done) == files
    place.taken()


def test_a_dead_workers_files_are_taken_up_after_its_lease(place: Place, flow: Flow) -> None:
    place.deliver(HOURS[0], "HW-1", 1.0)
    place.send()
    from pipeline.ingest.discover import discover

    discover(place.ledger, open_store(place.settings), full=True)
    assert claims.take(place.ledger, "elsewhere-1-a", 10, 60)
    assert flow.ingest().backlog == 1
    with place.ledger.write() as connection:
        last = t.claims.c.expires_at - 60_000_000
        connection.execute(update(t.claims).values(expires_at=last))
    assert flow.ingest().files["ok"] == 1
    place.taken()


class TestACutLink:
    """The link to the store goes in the middle of a pass and comes back."""

    @pytest.fixture
    def link(self, seaweed_server: Seaweed) -> Iterator[Link]:
        with seaweed_server.link() as link:
            yield link

    @pytest.mark.parametrize("after", [0, 3_000, 20_000])
    def test_nothing_is_blamed_and_nothing_lost(
        self, seaweed_server: Seaweed, link: Link, tmp_path: Path, after: int
    ) -> None:
        settings = load(
            home=tmp_path / "home",
            raw=seaweed_server.place(),
            s3_endpoint=link.endpoint,
            s3_key=seaweed_server.key,
            s3_secret=seaweed_server.secret,
            threads=1,
            batch_files=2,
        )
        ledger = open_ledger(settings)
        place = Place(settings, ledger, Model(tmp_path / "staging"), seaweed_server)
        for hour in HOURS:
            for device in ("HW-1", "HW-2"):
                speeds = random.Random(f"{hour}{device}")
                noise = [
                    {"heartbeat": epoch(hour) + i, "VehicleSpeed": speeds.random() * 100}
                    for i in range(300)
                ]
                place.model.deliver(hour, device, noise, "")
        place.send()
        with Flow(settings, ledger) as flow:
            link.cut(after=after)
            with pytest.raises(StoreUnavailable, match="cannot be reached"):
                flow.ingest()
            with ledger.read() as connection:
                k = t.raw_keys.c
                states = connection.execute(select(k.state, k.attempts, k.suspect)).all()
            assert {row.state for row in states} <= {"pending", "done"}
            assert not any(row.attempts or row.suspect for row in states)
            link.restore()
            assert flow.ingest().backlog == 0
        place.taken()
        ledger.close()


def test_children_share_the_store_of_their_parent(seaweed_server: Seaweed, tmp_path: Path) -> None:
    """A spawned child reads through a connection of its own."""
    settings = load(
        home=tmp_path / "home",
        raw=seaweed_server.place(),
        s3_endpoint=seaweed_server.endpoint,
        s3_key=seaweed_server.key,
        s3_secret=seaweed_server.secret,
    )
    assert settings.raw
    seaweed_server.put(settings.raw, "MLKB/HW-1/2026013107/2026013107.txt.gz", b"x")
    with Pool(1) as pool:
        store = open_store(settings)
        key = "MLKB/HW-1/2026013107/2026013107.txt.gz"
        assert pool.submit(store.read, key).result() == b"x"
