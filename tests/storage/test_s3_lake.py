"""A lake in a bucket: what is kept here, what is fetched, and what happens while it is away."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipeline.errors import StoreUnavailable
from pipeline.flow import Flow
from pipeline.settings import Settings, load
from pipeline.storage import bucket, manifest, s3_lake
from pipeline.storage.lake import open_lake
from pipeline.storage.ledger import Ledger, open_ledger
from pipeline.storage.s3_lake import S3Lake
from pipeline.verify import verify
from queries.connect import Reader, open_reader
from queries.scope import EVERYTHING
from tests.conftest import Children
from tests.ingest.test_run import visible
from tests.make import deliver, rows
from tests.servers import Link, Seaweed

HOURS = ("2026013107", "2026013108", "2026013109")
LATER = datetime(2026, 2, 3, tzinfo=UTC)


@pytest.fixture
def link(seaweed_server: Seaweed) -> Iterator[Link]:
    with seaweed_server.link() as link:
        yield link


@pytest.fixture
def settings(tmp_path: Path, seaweed_server: Seaweed, link: Link) -> Settings:
    """Raw files on disk, the lake behind a link that can be cut."""
    return load(
        home=tmp_path / "home",
        lake=seaweed_server.place(),
        s3_endpoint=link.endpoint,
        s3_key=seaweed_server.key,
        s3_secret=seaweed_server.secret,
        threads=1,
        batch_files=2,
    )


@pytest.fixture
def ledger(settings: Settings) -> Iterator[Ledger]:
    opened = open_ledger(settings)
    yield opened
    opened.close()


@pytest.fixture
def flow(settings: Settings, ledger: Ledger, children: Children) -> Iterator[Flow]:
    with Flow(settings, ledger) as opened:
        children.lend(opened)
        yield opened
        children.take_back(opened)


def fill(settings: Settings) -> None:
    for hour in HOURS:
        for device in ("HW-1", "HW-2"):
            deliver(settings.raw_root, hour, rows(hour, 60, device), device=device)


def lake_of(settings: Settings) -> S3Lake:
    lake = open_lake(settings)
    assert isinstance(lake, S3Lake)
    return lake


def count(reader: Reader, relation: str = "telemetry") -> int:
    with reader.cursor([relation], EVERYTHING) as cursor:
        frame: pl.DataFrame = cursor.sql(f"SELECT count(*) FROM {relation}").pl()
    return int(frame.item())


def test_nothing_of_the_lake_is_written_at_home(settings: Settings, flow: Flow) -> None:
    fill(settings)
    assert flow.ingest().files["ok"] == 6
    flow.compact(now=LATER)
    assert flow.build(now=LATER).partitions == 1
    lake = lake_of(settings)
    assert {path.split("/")[0] for path in lake.sizes()} == {"clean", "analytics"}
    at_home = [path for path in settings.home.rglob("*.parquet") if lake.cache not in path.parents]
    assert at_home == []
    # Of the lake; how dbt read the project stays for the next process.
    left = [path for path in (settings.home / "tmp").rglob("*") if path.is_file()]
    assert [path for path in left if path.suffix != ".msgpack"] == []


@pytest.mark.parametrize("after", [0, 400])
def test_a_pass_that_loses_the_lake_loses_nothing(
    settings: Settings, ledger: Ledger, flow: Flow, link: Link, after: int
) -> None:
    fill(settings)
    link.cut(after=after)
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        flow.ingest()
    link.restore()
    result = flow.ingest()
    assert result.backlog == 0
    assert visible(settings, ledger, "count(*)") == [(360,)]
    link.cut()
    with pytest.raises(StoreUnavailable):
        flow.compact(now=LATER)
    link.restore()
    assert flow.compact(now=LATER).rows == 360
    checked = verify(ledger, settings, deep=True)
    assert checked.ok, checked.breaches


def test_pages_go_on_with_what_is_here_and_say_since_when(
    settings: Settings,
    ledger: Ledger,
    flow: Flow,
    link: Link,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(s3_lake, "PATIENCE", 0.0)
    fill(settings)
    flow.ingest()
    flow.build(now=LATER)
    elsewhere = settings.model_copy(update={"home": tmp_path / "another machine"})
    with open_reader(elsewhere, ledger) as reader:
        units = count(reader, "unit_day")
        assert units > 0
        link.cut()
        assert count(reader, "unit_day") == units  # it was asked for before
        with pytest.raises(StoreUnavailable):
            count(reader, "device_hour")
        with pytest.raises(StoreUnavailable):
            reader.retrying(lambda: pl.DataFrame({"rows": [count(reader)]}))
        first = reader.lake.trouble
        assert first
        assert "no connection" in first.reason
        again = reader.lake.probe()
        assert again
        assert again.since == first.since
        link.restore()
        assert reader.lake.probe() is None
        assert count(reader, "device_hour") > 0
        assert count(reader) == 360


def test_a_store_that_is_away_is_not_asked_at_every_click(
    settings: Settings, ledger: Ledger, flow: Flow, link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(settings)
    flow.ingest()
    lake = lake_of(settings)
    (path, *_) = lake.sizes()
    link.cut()
    asked: list[Any] = []
    real = bucket.Bucket._filesystem

    def counted(self: bucket.Bucket) -> Any:
        asked.append(self)
        return real(self)

    monkeypatch.setattr(bucket.Bucket, "_filesystem", counted)
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            lake.cached([path])
    assert len(asked) <= 2  # a quick failure is tried once more


def test_the_cache_is_bounded_and_keeps_what_was_used_last(
    settings: Settings, seaweed_server: Seaweed
) -> None:
    assert settings.lake
    paths = [f"analytics/unit_day/{number}.parquet" for number in range(12)]
    seaweed_server.put_all(settings.lake, ((path, bytes(1_000)) for path in paths))
    lake = lake_of(settings.model_copy(update={"cache_gb": 10_500 / 1e9}))
    for age, path in enumerate(paths[:10]):
        os.utime(lake.cached([path]) / path, (age, age))
    lake.cached([paths[0]])
    root = lake.cached([paths[10]])
    left = sorted(int(path.stem) for path in root.rglob("*.parquet"))
    assert left == [0, 3, 4, 5, 6, 7, 8, 9, 10]  # 1 and 2 were used longest ago
    assert lake.cached(paths) == root  # more than fits: all that was asked for is there
    assert len(list(root.rglob("*.parquet"))) == 12


def test_a_unit_hour_fetches_row_groups_not_files(
    settings: Settings, ledger: Ledger, flow: Flow, link: Link
) -> None:
    """Of many units' files only the footer and the few chunks asked for come through the link."""
    for number in range(24):
        own = rows(HOURS[0], 900, f"HW-{number}", unitno=f"DT{number:02}", VehicleSpeed=9.0)
        noisy = [{**row, "cpuserial": os.urandom(300).hex()} for row in own]
        deliver(settings.raw_root, HOURS[0], noisy, device=f"HW-{number}")
    flow.ingest()
    flow.compact(now=LATER)
    with ledger.read() as connection:
        ((_, size),) = [(file.path, file.bytes) for file in manifest.live(connection)]
    assert size > 5_000_000
    with open_reader(settings, ledger) as reader:
        before = link.passed
        with reader.cursor(["telemetry"], EVERYTHING) as cursor:
            frame: pl.DataFrame = cursor.sql(
                "SELECT count(VehicleSpeed) FROM telemetry WHERE unitno = 'DT07'"
            ).pl()
        assert frame.item() == 900
        assert link.passed - before < size / 5


def test_whole_files_on_loan_are_gone_afterwards(settings: Settings, flow: Flow) -> None:
    fill(settings)
    flow.ingest()
    lake = lake_of(settings)
    paths = list(lake.sizes())
    with lake.loan() as loan:
        loan.fetch(paths)
        assert all((loan.root / path).stat().st_size for path in paths)
        with pytest.raises(FileNotFoundError):
            loan.fetch(["clean/nothing.parquet"])
    assert not loan.root.exists()
