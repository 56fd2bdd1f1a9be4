"""Adopting a lake in a bucket: the same rows and counts as from a disk, and nothing left behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.adopt.lake import find
from pipeline.errors import StoreUnavailable, UsageError
from pipeline.flow import Flow
from pipeline.settings import Settings, load
from pipeline.storage.ledger import Ledger, open_ledger
from tests.servers import Link, Seaweed
from tests.test_adopt import DAY, EXPECTED, HOUR, figures, lake, made, messy, put, sound
from tests.test_cli import answer, complaint, run

__all__ = ["lake", "messy"]


@pytest.fixture
def link(seaweed_server: Seaweed) -> Iterator[Link]:
    with seaweed_server.link() as link:
        yield link


@pytest.fixture
def settings(tmp_path: Path, seaweed_server: Seaweed, link: Link) -> Settings:
    return load(
        home=tmp_path / "home",
        s3_endpoint=link.endpoint,
        s3_key=seaweed_server.key,
        s3_secret=seaweed_server.secret,
        threads=1,
    )


@pytest.fixture
def ledger(settings: Settings) -> Iterator[Ledger]:
    opened = open_ledger(settings)
    yield opened
    opened.close()


def uploaded(server: Seaweed, folder: Path) -> str:
    url = server.place()
    server.upload(folder, url)
    return url


def test_as_from_a_disk(
    messy: Path, settings: Settings, ledger: Ledger, seaweed_server: Seaweed
) -> None:
    url = uploaded(seaweed_server, messy)
    with Flow(settings, ledger) as flow:
        dry = flow.adopt(find(url, settings), dry_run=True, who="tester")
        result = flow.adopt(find(url, settings), who="tester")
        assert result.as_json()["url"] == url
        assert figures(result) == EXPECTED
        assert dry.rows == result.rows
        again = flow.adopt(find(url + "/", settings), who="tester")
    assert +again.files == {"unchanged": 7, "failed": 2}
    sound(ledger, settings)
    assert not list(settings.scratch.iterdir())


def test_a_cut_link_ends_it_and_the_next_goes_on(
    lake: Path, settings: Settings, ledger: Ledger, seaweed_server: Seaweed, link: Link
) -> None:
    for number in range(4):
        put(lake, DAY, f"file-{number}", made(HOUR, 30, f"HW-{number}"))
    url = uploaded(seaweed_server, lake)
    with Flow(settings, ledger) as flow:
        found = find(url, settings)
        size = sum(file.size for file in found.files)
        link.cut(after=size // 2)
        with pytest.raises(StoreUnavailable):
            flow.adopt(found, who="tester")
        with pytest.raises(StoreUnavailable):
            find(url, settings)
        link.restore()
        assert not list(settings.scratch.iterdir())
        result = flow.adopt(find(url, settings), who="tester")
    assert result.files["ok"] + result.files["unchanged"] == 4
    assert not result.failed
    sound(ledger, settings)


def test_a_file_written_anew_meanwhile_is_told(
    lake: Path, settings: Settings, ledger: Ledger, seaweed_server: Seaweed
) -> None:
    path = put(lake, DAY, "a", made(HOUR, 30))
    url = uploaded(seaweed_server, lake)
    with Flow(settings, ledger) as flow:
        found = find(url, settings)
        put(lake, DAY, "a", made(HOUR, 40))
        seaweed_server.upload(lake, url)
        assert "changed" in flow.adopt(found, who="tester").failed[str(path.relative_to(lake))]
        assert flow.adopt(find(url, settings), who="tester").rows["accepted"] == 40
    sound(ledger, settings)


def test_only_lakes_are_adopted(
    lake: Path, settings: Settings, ledger: Ledger, seaweed_server: Seaweed
) -> None:
    def said(url: str, settings: Settings = settings) -> str:
        with pytest.raises(UsageError) as caught:
            find(url, settings)
        return str(caught.value)

    assert "names no bucket" in said("s3://")
    assert "no file fits" in said(seaweed_server.place())
    put(lake, DAY, "a", {"deviceid": made(HOUR)["deviceid"]})
    url = uploaded(seaweed_server, lake)
    assert "no file has a column heartbeat" in said(url)
    own = settings.model_copy(update={"lake": url})
    assert "own lake" in said(f"{url}/clean/telemetry", own)
    part = f"{url}/hiveperiod={DAY}"
    put(lake, DAY, "b", made(HOUR))
    seaweed_server.upload(lake, url)
    assert {(f.day, f.district) for f in find(part, settings).files} == {(DAY, "MLKB")}
    seaweed_server.upload(lake, f"{url}/clean/telemetry")
    assert not any(f.name.startswith("clean/") for f in find(url, own).files)


def test_the_command(lake: Path, tmp_path: Path, seaweed_server: Seaweed) -> None:
    put(lake, DAY, "a", made(HOUR, 30))
    url = uploaded(seaweed_server, lake)
    home = tmp_path / "home"
    access = seaweed_server.variables(str(tmp_path / "raw"))
    del access["HAULWATCH_RAW"]
    shown = answer(home, "adopt", url, "--json", **access)
    assert shown["rows"]["accepted"] == 30
    no_server = run(home, "adopt", url, **access | {"HAULWATCH_S3_ENDPOINT": "http://127.0.0.1:9"})
    assert no_server.returncode == 1
    assert "127.0.0.1:9" in complaint(no_server)
