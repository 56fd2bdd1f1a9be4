"""``compose.yaml``: what can be known of it without containers, and the same processes for real."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

import pytest
import typer
import yaml
from sqlalchemy import func, select

from app.cli import app as command_line
from app.status import status_of
from pipeline.settings import Settings, load, unknown_variables
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger, open_ledger
from pipeline.verify import verify
from queries.connect import open_reader
from tests.make import deliver, rows
from tests.postgres import PostgreSQL
from tests.servers import HOST, Seaweed, free_port, mini

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "compose.yaml").read_text()
DOCKERFILE = (ROOT / "Dockerfile").read_text()
OURS = ("app", "worker-1", "worker-2")
#: Awkward on purpose: what stands in no URL and in no JSON as it is.
SECRETS = {"POSTGRES_PASSWORD": "p@ss/w:rd %2F", "S3_KEY": "key-1", "S3_SECRET": "s3/cr+t\"'\\"}
#: ``${NAME}``, ``${NAME:-default}``, ``${NAME:?message}``, and ``$$`` for a dollar.
REFERENCE = re.compile(r"\$(?:\$|\{(\w+)(?::([?-])([^}]*))?\})")


def filled(value: Any, environment: Mapping[str, str]) -> Any:
    """What Compose makes of a value. Raises KeyError where it would refuse to start."""
    if isinstance(value, dict):
        return {key: filled(item, environment) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, environment) for item in value]
    return REFERENCE.sub(lambda m: _filled(m, environment), value) if _is_text(value) else value


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _filled(match: re.Match[str], environment: Mapping[str, str]) -> str:
    name, kind, rest = match.groups()
    if name is None:
        return "$"
    if found := environment.get(name, ""):
        return found
    if kind == "?":
        raise KeyError(name)
    return rest or ""


def services(**environment: str) -> dict[str, Any]:
    """The services, with values from an environment."""
    found: dict[str, Any] = filled(yaml.safe_load(TEXT), environment)["services"]
    return found


def given(service: Mapping[str, Any]) -> dict[str, str]:
    """The environment of a service; what has no value is passed on from outside: here nothing."""
    return {name: text for name, text in service["environment"].items() if text is not None}


def image(word: str) -> str:
    """What the last such instruction of the Dockerfile says, in one line."""
    joined = DOCKERFILE.replace("\\\n", " ")
    return re.findall(rf"^{word}\s+(.+)$", joined, re.M)[-1]


class TestWithoutContainers:
    @pytest.mark.parametrize("missing", SECRETS)
    def test_it_does_not_start_without_its_secrets(self, missing: str) -> None:
        with pytest.raises(KeyError, match=missing):
            services(**{**SECRETS, missing: ""})

    def test_no_secret_is_written_down(self) -> None:
        for name, service in yaml.safe_load(TEXT)["services"].items():
            for variable, text in service.get("environment", {}).items():
                if re.search("PASSWORD|SECRET|_KEY|TOKEN", variable):
                    assert re.fullmatch(r"\$\{\w+:\?.+\}", text), (name, variable)

    def test_what_it_asks_for_is_documented(self) -> None:
        readme = (ROOT / "README.md").read_text()
        asked = {match[1] for match in REFERENCE.finditer(TEXT) if match[1]}
        assert set(SECRETS) < asked
        for name in asked:
            assert f"`{name}`" in readme, name

    @pytest.mark.parametrize("name", OURS)
    def test_every_setting_is_one(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        service = services(**SECRETS)[name]
        assert unknown_variables(service["environment"]) == []
        for variable, text in given(service).items():
            monkeypatch.setenv(variable, text)
        settings = load()
        assert settings.raw_is_remote
        assert settings.lake_is_remote
        assert settings.ledger_url.startswith("postgresql://")

    @pytest.mark.parametrize("name", OURS)
    def test_every_command_is_one(self, name: str) -> None:
        service = services(**SECRETS)[name]
        entry = json.loads(image("ENTRYPOINT"))
        assert entry == ["python", "-m", "app.cli"]
        assert understood(service["command"])
        kind, *words = service.get("healthcheck", {"test": ["CMD", *entry, "status"]})["test"]
        assert (kind, words[:3]) == ("CMD", entry)
        assert understood(words[3:])

    def test_only_the_app_can_be_reached_and_from_here_only(self) -> None:
        found = services(**SECRETS)
        assert [name for name, service in found.items() if "ports" in service] == ["app"]
        assert found["app"]["ports"] == [f"127.0.0.1:{image('EXPOSE')}:{image('EXPOSE')}"]
        assert image("EXPOSE") == str(Settings.model_fields["port"].default)
        assert not any("network_mode" in service for service in found.values())
        assert "--no-worker" in found["app"]["command"]

    @pytest.mark.parametrize("name", OURS)
    def test_ours_are_locked_down(self, name: str) -> None:
        service = services(**SECRETS)[name]
        assert service["build"] == "."
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert image("USER") not in ("root", "0")
        assert "user" not in service
        # The home is the one place they write to, and each has its own.
        assert service["volumes"] == [f"{name}:{image('VOLUME')}"]
        assert f"HAULWATCH_HOME={image('VOLUME')}" in image("ENV")
        patience = re.search(r"docker stop -t (\d+)", DOCKERFILE)
        assert patience
        assert service["stop_grace_period"] == f"{patience[1]}s"

    def test_whoever_is_waited_for_says_when_it_is_ready(self) -> None:
        document = yaml.safe_load(TEXT)
        for name, service in document["services"].items():
            assert service["restart"] == "unless-stopped", name
            assert "healthcheck" in service or name == "app"  # whose image has one
            for other, condition in service.get("depends_on", {}).items():
                assert condition == {"condition": "service_healthy"}
                assert "healthcheck" in document["services"][other]
            for volume in service["volumes"]:
                assert volume.partition(":")[0] in document["volumes"]
        assert "HEALTHCHECK" in DOCKERFILE

    def test_the_store_is_the_one_that_is_tested(self) -> None:
        lock = (ROOT / "requirements-dev.lock").read_text()
        version = services(**SECRETS)["store"]["image"].partition(":")[2]
        assert f"\nseaweedfs-bin=={version} " in lock

    def test_the_image_has_what_it_needs(self) -> None:
        lock = (ROOT / "requirements.lock").read_text()
        assert re.search(r"^psycopg\[binary\]==\S+ \\\n    --hash=sha256:", lock, re.M)
        assert re.search(r"^psycopg-binary==", lock, re.M)
        assert "--require-hashes -r requirements.lock" in DOCKERFILE
        allowed = (ROOT / ".dockerignore").read_text().split()
        for words in re.findall(r"^COPY (?!--)(.+)$", DOCKERFILE, re.M):
            for source in words.split()[:-1]:
                assert (ROOT / source).exists(), source
                assert f"!{source}" in allowed, source


def understood(words: list[str]) -> bool:
    """Whether the command line has such a command with such options; nothing is run."""
    group: Any = typer.main.get_command(command_line)
    context = group.make_context("haulwatch", list(words))  # raises what a user would be told
    name, command, rest = group.resolve_command(context, list(words))
    command.make_context(name, list(rest), parent=context)
    return True


def test_understood_knows_better() -> None:
    for words in (["serve", "--worker-less"], ["work"], ["status", "--live"]):
        with pytest.raises(Exception, match=words[-1]):
            understood(words)


# ── the same processes, without containers ───────────────────────────────────────────────────────


class Site:
    """The two servers of ``compose.yaml`` on loopback, and ours as processes beside them."""

    def __init__(self, folder: Path, store: Seaweed, ledger: str) -> None:
        self.folder, self.store, self.ledger = folder, store, ledger
        self.services = services(**SECRETS)
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.port = free_port()

    def environment(self, name: str) -> dict[str, str]:
        """A service's own, with addresses of the test's servers for names that Compose resolves."""
        found = dict(word.split("=", 1) for word in shlex.split(image("ENV")))
        found |= given(self.services[name])
        assert found["HAULWATCH_LEDGER"] == "postgresql://haulwatch@ledger/haulwatch"
        assert found["HAULWATCH_S3_ENDPOINT"] == "http://store:8333"
        found |= {
            "HAULWATCH_LEDGER": self.ledger,
            "HAULWATCH_S3_ENDPOINT": self.store.endpoint,
            "HAULWATCH_HOME": str(self.folder / name),
            "HAULWATCH_HOST": HOST,
            "HAULWATCH_PORT": str(self.port),
            "HAULWATCH_POLL_SECONDS": "0.5",
            "HAULWATCH_THREADS": "1",
        }
        ours = {name: text for name, text in found.items() if name.startswith(("HAULWATCH_", "PG"))}
        return {**os.environ, **ours}

    def start(self, name: str) -> None:
        with (self.folder / f"{name}.log").open("wb") as log:
            self.running[name] = subprocess.Popen(
                [sys.executable, "-m", "app.cli", *self.services[name]["command"]],
                cwd=ROOT,
                env=self.environment(name),
                stdout=log,
                stderr=log,
            )

    def check(self, name: str) -> int:
        """What a service's health check says."""
        words = self.services[name]["healthcheck"]["test"][2:]
        done = subprocess.run(
            [sys.executable, *words],
            cwd=ROOT,
            env=self.environment(name),
            capture_output=True,
            timeout=60,
            check=False,
        )
        return done.returncode

    def said(self) -> str:
        return "\n".join(path.read_text() for path in self.folder.glob("*.log"))[-4_000:]

    def wait(self, what: Callable[[], bool], seconds: float = 180) -> None:
        end = time.monotonic() + seconds
        while not what():
            assert time.monotonic() < end, self.said()
            assert all(process.poll() is None for process in self.running.values()), self.said()
            time.sleep(0.2)

    def ready(self) -> dict[str, Any] | None:
        """What /readyz says once it says 200."""
        try:
            opener = build_opener(ProxyHandler({}))
            with opener.open(f"http://{HOST}:{self.port}/readyz", timeout=5) as reply:
                found: dict[str, Any] = json.load(reply)
                return found
        except (URLError, OSError):
            return None

    def stop(self) -> dict[str, int]:
        """Ask all to end, as Compose does, and how they ended."""
        for process in self.running.values():
            process.send_signal(signal.SIGTERM)
        codes = {name: process.wait(120) for name, process in self.running.items()}
        self.running.clear()
        return codes

    def kill(self) -> None:
        for process in self.running.values():
            process.kill()
            process.wait()


@contextmanager
def built(folder: Path, postgresql: PostgreSQL) -> Iterator[Site]:
    found = services(**SECRETS)
    store, ledger = found["store"], found["ledger"]["environment"]
    words = store["command"]
    assert words[0] == "mini"
    options = dict(word.removeprefix("-").split("=", 1) for word in words[1:])
    key, secret = SECRETS["S3_KEY"], SECRETS["S3_SECRET"]
    with (
        postgresql.owned(ledger["POSTGRES_USER"], ledger["POSTGRES_PASSWORD"]) as url,
        mini(options, store["environment"], key, secret) as server,
    ):
        site = Site(folder, server, url)
        try:
            yield site
        finally:
            site.kill()


def test_it_works(tmp_path: Path, postgresql: PostgreSQL, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two workers and the app on PostgreSQL and S3: every file comes in once, marts are built."""
    staging, hours = tmp_path / "staging", ["2026013106", "2026013107", "2026020106"]
    with built(tmp_path, postgresql) as site:
        environment = site.environment("app")
        raw = environment["HAULWATCH_RAW"]
        for name in OURS:
            site.start(name)
        for number, hour in enumerate(hours):  # some lie there, some come while they work
            for device in range(8):
                lines = rows(hour, 90, f"HW-{device}", unitno=f"DT{100 + device}")
                key = deliver(staging, hour, lines, device=f"HW-{device}")
                site.store.put(raw, key, (staging / key).read_bytes())
            if number == 0:
                site.wait(lambda: bool(site.ready()))
        files = len(hours) * 8

        for variable, text in environment.items():
            if variable.startswith(("HAULWATCH_", "PG")):
                monkeypatch.setenv(variable, text)
        settings = load(home=tmp_path / "home")
        ledger = open_ledger(settings)
        site.wait(lambda: _settled(ledger, settings, files))
        ready = site.ready()
        assert ready
        assert ready["worker"]["alive"]
        assert not ready["worker"]["wanted"]
        assert ready["freshness"]["pending_files"] == 0
        assert len(status_of(ledger, settings)["workers"]) == 2
        assert site.check("worker-1") == 0
        ended = site.stop()
        assert ended.pop("app") in (0, -signal.SIGTERM)  # in good order, then by the same signal
        assert ended == {"worker-1": 0, "worker-2": 0}
        assert site.check("worker-1") == 1

        o = t.raw_objects.c
        with ledger.read() as connection:
            query = select(func.count(), func.count(o.key.distinct())).where(o.status == "ok")
            assert tuple(connection.execute(query).one()) == (files, files)
            assert connection.execute(select(func.count()).select_from(t.raw_objects)).scalar() == (
                files
            )
        checked = verify(ledger, settings)
        assert checked.ok, checked.breaches
        assert checked.rows == files * 90
        with open_reader(settings, ledger) as reader:
            found = reader.contract("SELECT sum(observed_s)::INT AS s FROM unit_day").item()
        assert found == files * 90
        ledger.close()


def _settled(ledger: Ledger, settings: Settings, files: int) -> bool:
    shown = status_of(ledger, settings)
    return (
        shown["raw"].get("done") == files
        and shown["days_to_build"] == 0
        and shown["layers"].get("analytics", {}).get("rows", 0) > 0
    )
