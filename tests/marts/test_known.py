"""The parsed project that one process leaves for the next."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.flow import Flow
from pipeline.marts import dbt_runner
from pipeline.marts.build import build
from pipeline.settings import Settings
from pipeline.storage.ledger import Ledger
from tests.make import deliver, rows


def forget() -> None:
    for kept in (dbt_runner.known, dbt_runner.parsed):
        kept.cache_clear()


@pytest.fixture(autouse=True)
def nothing_parsed() -> Iterator[None]:
    """As in a new process: another test's parsing left nothing here, nor does this one's."""
    forget()
    yield
    forget()


@pytest.fixture
def another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process has parsed nothing yet, and cannot."""
    forget()

    def invoke(*_: object) -> None:
        raise AssertionError("parsed again")

    monkeypatch.setattr("dbt.parser.manifest.ManifestLoader.load", invoke)


def test_the_next_process_builds_with_what_was_left(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow, request: pytest.FixtureRequest
) -> None:
    deliver(raw, "2026013107", rows("2026013107"))
    flow.ingest()
    first = build(ledger, settings, "w")
    (left,) = settings.scratch.glob("dbt-*.msgpack")
    request.getfixturevalue("another_process")
    deliver(raw, "2026013108", rows("2026013108"))
    flow.ingest()
    second = build(ledger, settings, "w")
    assert second.tests == first.tests > 0
    assert second.rows["unit_minute"] == first.rows["unit_minute"] + 1
    assert list(settings.scratch.glob("dbt-*.msgpack")) == [left]


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, bytes, set[str]]:
    """Name and content of what a process leaves, and what the project is made of."""
    forget()
    folder = tmp_path_factory.mktemp("left")
    nodes = set(dbt_runner.known(folder).nodes)
    (path,) = folder.glob("dbt-*.msgpack")
    return path.name, path.read_bytes(), nodes


@pytest.mark.parametrize("spoilt", [None, b"", b"no manifest"])
def test_what_cannot_be_read_is_parsed_anew(
    left: tuple[str, bytes, set[str]], tmp_path: Path, spoilt: bytes | None
) -> None:
    name, whole, nodes = left
    (tmp_path / name).write_bytes(whole[: len(whole) // 2] if spoilt is None else spoilt)
    forget()  # what `left` parsed
    assert set(dbt_runner.known(tmp_path).nodes) == nodes
    assert len((tmp_path / name).read_bytes()) > len(whole) / 2  # left again, whole
