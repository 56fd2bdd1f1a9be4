"""What every test may ask for: a home of its own, its ledger, and a flow over both."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from xdist.remote import Producer
from xdist.scheduler.loadscope import LoadScopeScheduling

from app import cli
from pipeline.flow import Flow
from pipeline.pool import Pool
from pipeline.settings import Settings, load, ready_home
from pipeline.storage.ledger import Ledger, open_ledger
from tests.postgres import PostgreSQL, running
from tests.servers import Seaweed, seaweed

#: What takes longest goes first, so that only short files are left for the end.
FIRST = (
    "tests/browser/",
    "tests/crash/",
    "tests/soak/",
    "tests/marts/",
    "tests/test_everywhere.py",
    "tests/test_retention.py",
    "tests/test_adopt.py",
    "tests/test_compose.py",
    "tests/test_demo.py",
    "tests/test_recovery.py",
    "tests/test_readers.py",
    "tests/test_cli.py",
    "tests/bench/",
    "tests/simulator/",
    "tests/app/",
    "tests/test_worker.py",
    "tests/orchestration/",
    "tests/ingest/",
    "tests/storage/",
)
#: Folders whose files share a costly fixture of the session.
TOGETHER = ("tests/browser/",)

#: Tests that make up the last hours, and how many seconds before a turn none of them begins.
OF_NOW = ("tests/app/", "tests/queries/")
TURN_S = 30

#: Runs a command: home, words, ``stdin`` and more of the environment.
Run = Callable[..., subprocess.CompletedProcess[str]]

# A proxy of the machine is honoured in service; it does not know our loopback.
os.environ["NO_PROXY"] = "127.0.0.1,nowhere.invalid"

# Loaded machines are slow; a slow example is no failure.
hypothesis_settings.register_profile(
    "haulwatch", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60
)
hypothesis_settings.load_profile("haulwatch")


def _turn(nodeid: str) -> int:
    return next((turn for turn, path in enumerate(FIRST) if nodeid.startswith(path)), len(FIRST))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: _turn(item.nodeid))


class ByFile(LoadScopeScheduling):
    """A file's tests run in one process, for they share fixtures; so do those of some folders.

    pytest-xdist 3.8's own groups are marks that never reach the ids of pytest 9.2's tests.
    """

    def _split_scope(self, nodeid: str) -> str:
        folder = (path for path in TOGETHER if nodeid.startswith(path))
        return next(folder, nodeid.partition("::")[0])


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile:
    return ByFile(config, log)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the machine reaches a test."""
    for name in list(os.environ):
        if name.startswith("HAULWATCH_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def _within_the_hour(request: pytest.FixtureRequest) -> None:
    """What is shown of the last hours is looked at in the hour in which it was made."""
    left = 3600 - time.time() % 3600
    if request.node.nodeid.startswith(OF_NOW) and left < TURN_S:
        time.sleep(left + 0.1)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """A command in this process; what is written past Python's streams is caught, too."""

    def called(
        home: Path, *words: str, stdin: str = "", **env: str
    ) -> subprocess.CompletedProcess[str]:
        capfd.readouterr()
        with monkeypatch.context() as patch:
            for name, value in {"HAULWATCH_HOME": str(home), **env}.items():
                patch.setenv(name, value)
            patch.setattr(sys, "argv", ["haulwatch", *words])
            patch.setattr(sys, "stdin", io.StringIO(stdin))
            with pytest.raises(SystemExit) as ended:
                cli.main()
        return subprocess.CompletedProcess(words, int(ended.value.code or 0), *capfd.readouterr())

    return called


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load(home=tmp_path / "home", threads=1, lease_seconds=60)


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty ledger on SQLite: to copy it takes a hundredth of what its tables take to make."""
    settings = load(home=tmp_path_factory.mktemp("blank"))
    open_ledger(settings).close()
    return settings.home / "ledger.db"


def begin_with(blank: Path, settings: Settings) -> None:
    """The home's ledger, where there is none yet, is a copy of an empty one."""
    place = ready_home(settings) / blank.name
    if not (settings.ledger or place.exists()):
        shutil.copy(blank, place)


@pytest.fixture
def ledger(settings: Settings, blank: Path) -> Iterator[Ledger]:
    begin_with(blank, settings)
    opened = open_ledger(settings)
    yield opened
    opened.close()


@pytest.fixture
def raw(settings: Settings) -> Path:
    settings.raw_root.mkdir(parents=True, exist_ok=True)
    return settings.raw_root


class Children:
    """Child processes that the tests of one process share: each costs seconds to start."""

    def __init__(self) -> None:
        self.pools: dict[str, Pool] = {}

    def lend(self, flow: Flow) -> None:
        for name in ("_readers", "_mergers", "_builder"):
            if name not in self.pools or self.pools[name]._broken:  # type: ignore[attr-defined]
                self.pools[name] = Pool(1)
            setattr(flow, name, self.pools[name])

    def take_back(self, flow: Flow) -> None:
        for name, pool in self.pools.items():
            if getattr(flow, name) is pool:
                setattr(flow, name, None)

    def close(self) -> None:
        for pool in self.pools.values():
            pool.shutdown()


@pytest.fixture(scope="session")
def children() -> Iterator[Children]:
    opened = Children()
    yield opened
    opened.close()


@pytest.fixture
def flow(settings: Settings, ledger: Ledger, children: Children) -> Iterator[Flow]:
    with Flow(settings, ledger) as opened:
        children.lend(opened)
        yield opened
        children.take_back(opened)


@pytest.fixture(scope="session")
def seaweed_server() -> Iterator[Seaweed]:
    """A real S3 server; tests that use it share the xdist group ``servers``."""
    with seaweed() as running:
        yield running


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """This process's own PostgreSQL, for ``database``: started when the first test asks for it."""
    with running() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a new, empty ledger; a test that asks for it runs on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.db'}"
    server: PostgreSQL = request.getfixturevalue("postgresql")
    return server.database()


@pytest.fixture
def any_ledger(
    request: pytest.FixtureRequest, database: str, blank: Path, tmp_path: Path
) -> Iterator[Ledger]:
    """A ledger of either kind, its schema up to date."""
    if database.startswith("sqlite"):
        shutil.copy(blank, tmp_path)
    else:
        server: PostgreSQL = request.getfixturevalue("postgresql")
        server.fill(database)
    opened = open_ledger(load(home=tmp_path / "home", ledger=database))
    yield opened
    opened.close()
