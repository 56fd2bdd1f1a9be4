"""The image's recipe: what can be known of it without containers, and its steps done for real.

The steps run as they stand in the Dockerfile, in a folder instead of a root file system, as
somebody who may write nothing else; then what the image would run is run there.
"""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.servers import free_port

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "Dockerfile").read_text()
IGNORE = (ROOT / ".dockerignore").read_text()
#: Who the steps run as where we are root.
NOBODY = 65_534
#: Options of ours that name another index than pip's own.
INDEXES = re.compile(
    r"--(extra-)?index-url|--find-links|--trusted-host|PIP_\w*INDEX|PIP_FIND_LINKS"
)


@dataclass
class Stage:
    """What follows one FROM."""

    base: str
    name: str
    steps: list[tuple[str, str]] = field(default_factory=list)

    def last(self, word: str) -> str:
        """What the last such instruction says."""
        return [rest for found, rest in self.steps if found == word][-1]


def stages(text: str) -> list[Stage]:
    """The recipe, instruction by instruction; comments are left out, long lines are whole."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    found: list[Stage] = []
    for line in re.sub(r"\\\n\s*", " ", "\n".join(lines)).splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            found.append(Stage(base, name))
        elif word:
            found[-1].steps.append((word, rest.strip()))
    return found


STAGES = stages(TEXT)
FINAL = STAGES[-1]


def complaints(text: str) -> list[str]:
    """What is wrong with a recipe."""
    found = stages(text)
    final, every = found[-1], [step for stage in found for step in stage.steps]
    said = []
    if len(found) < 2 or not any(f"--from={s.name} " in r for s in found for _, r in final.steps):
        said.append("tools of the build stay in the image")
    for stage in found:
        if not re.fullmatch(r"[\w./-]+:(?!latest$)[\w.-]*\d[\w.-]*(@sha256:\w+)?", stage.base):
            said.append(f"{stage.base} is another image tomorrow")
    users = [rest for word, rest in final.steps if word == "USER"]
    if not users or users[-1].partition(":")[0] in ("root", "0"):
        said.append("runs as root")
    words = [word for word, _ in final.steps]
    for word in ("ENTRYPOINT", "CMD", "HEALTHCHECK", "STOPSIGNAL", "VOLUME", "EXPOSE"):
        if word not in words:
            said.append(f"no {word}")
    for word, rest in final.steps:
        shown = rest.partition("CMD ")[2] if word == "HEALTHCHECK" else rest
        if word in ("ENTRYPOINT", "CMD", "HEALTHCHECK") and not _is_list(shown):
            said.append(f"{word} goes through a shell, which keeps signals to itself")
    for word, rest in every:
        if word == "ADD" or (word == "COPY" and "." in rest.split()[:-1]):
            said.append(f"{word} {rest} takes in whatever lies there")
        if word in ("ENV", "ARG") and re.search(r"PASSWORD|SECRET|TOKEN|KEY", rest):
            said.append(f"{word} {rest} keeps a secret in the image")
        if word == "RUN" and "pip install" in rest:
            if "--require-hashes" not in rest or "-r requirements.lock" not in rest:
                said.append("installs what no lock names")
            if "--no-cache-dir" not in rest:
                said.append("keeps pip's cache")
    if INDEXES.search(text) or re.search(r"https?://(?!127\.0\.0\.1)", text):
        said.append("names an address from which packages come")
    return said


def _is_list(text: str) -> bool:
    try:
        return isinstance(json.loads(text), list)
    except ValueError:
        return False


class TestRecipe:
    def test_nothing_is_wrong_with_it(self) -> None:
        assert complaints(TEXT) == []

    @pytest.mark.parametrize(
        ("old", "new", "complaint"),
        [
            ("COPY --from=build ", "COPY ", "tools of the build"),
            ("FROM python:3.11-slim-bookworm\n", "FROM python:latest\n", "another image"),
            ("FROM python:3.11-slim-bookworm\n", "FROM python\n", "another image"),
            ("USER haulwatch\n", "", "runs as root"),
            ("USER haulwatch\n", "USER haulwatch\nUSER 0:0\n", "runs as root"),
            ("HEALTHCHECK", "# HEALTHCHECK", "no HEALTHCHECK"),
            ("STOPSIGNAL SIGTERM\n", "", "no STOPSIGNAL"),
            ('CMD ["serve"]', "CMD serve", "CMD goes through a shell"),
            ('CMD ["python", "-c"', 'CMD python -c ["', "HEALTHCHECK goes through a shell"),
            ("COPY app app", "COPY . .", "whatever lies there"),
            ("EXPOSE 8501", "ENV S3_SECRET=x\nEXPOSE 8501", "keeps a secret"),
            ("--require-hashes ", "", "no lock"),
            ("-r requirements.lock", "-r requirements.lock --index-url x", "an address"),
            ("--no-cache-dir ", "", "cache"),
        ],
    )
    def test_a_complaint_can_be_had(self, old: str, new: str, complaint: str) -> None:
        assert old in TEXT
        assert any(complaint in text for text in complaints(TEXT.replace(old, new)))

    def test_every_package_is_locked_by_hash(self) -> None:
        lock = (ROOT / "requirements.lock").read_text()
        packages = re.split(r"\n(?=\S)", re.sub(r"^\s*#.*\n", "", lock, flags=re.M).strip())
        assert len(packages) > 50
        for package in packages:
            assert re.match(r"[\w.\[\],-]+==\S+", package), package[:80]
            assert "--hash=sha256:" in package, package[:80]
        assert not INDEXES.search(lock)

    @pytest.mark.parametrize(
        "path",
        [
            *("var/ledger.db", ".git/config", ".venv/bin/python", ".env", "haulwatch.toml"),
            *("tests/make.py", "test-artefacts/x.png", "app/__pycache__/cli.cpython-311.pyc"),
            *("pipeline/marts/dbt/__pycache__/x.pyc", "secrets/cookie.key", "Dockerfile"),
        ],
    )
    def test_what_no_image_needs_is_not_sent(self, path: str) -> None:
        assert not is_sent(path)

    def test_what_it_needs_is_sent(self) -> None:
        copied = [rest for stage in STAGES for word, rest in stage.steps if word == "COPY"]
        sources = [s for rest in copied if "--from" not in rest for s in rest.split()[:-1]]
        assert len(sources) > 5
        for source in sources:
            assert is_sent(source), source
        for path in (ROOT / "queries").rglob("*.sql"):
            assert is_sent(str(path.relative_to(ROOT)))


def is_sent(path: str) -> bool:
    """Whether ``.dockerignore`` lets a path through: the last line that fits it counts."""
    sent = True
    for line in IGNORE.split():
        pattern = line.removeprefix("!")
        parts = Path(path).parts
        above = ["/".join(parts[: i + 1]) for i in range(len(parts))]
        anywhere = pattern.removeprefix("**/")
        fits = any(
            fnmatch.fnmatch(place, anywhere if pattern == place else pattern)
            or (pattern.startswith("**/") and fnmatch.fnmatch(place.rpartition("/")[2], anywhere))
            for place in above
        )
        if fits:
            sent = line.startswith("!")
    return sent


# ── its steps, in a folder ───────────────────────────────────────────────────────────────────────


class Image:
    """A folder that stands for the root file system, and the recipe's steps done in it.

    ``fresh``: packages are installed as the recipe says; else those of this environment serve.
    """

    def __init__(self, folder: Path, *, fresh: bool) -> None:
        self.folder, self.fresh = folder, fresh
        self.user = NOBODY if os.geteuid() == 0 else os.geteuid()
        self.tools = folder / "tools"
        self.tools.mkdir()
        self._tool(
            "useradd", "exit 0"
        )  # nobody makes users here; whose the files are is our matter
        # As nobody may give files away, folders are made for who makes them.
        self._tool("install", 'while [ $# -gt 1 ]; do shift; done; mkdir -p "$1"')
        self.python = _reachable_python(folder, self.user)
        self._tool("python", f'exec {self.python} "$@"')
        self.env = {
            "PATH": f"{self.tools}:/usr/bin:/bin",
            "HOME": str(folder / "nowhere"),
            "LD_LIBRARY_PATH": str(self.python.parent.parent / "lib"),
        }
        if os.geteuid() == 0:
            os.chown(folder, self.user, self.user)

    def _tool(self, name: str, body: str) -> None:
        path = self.tools / name
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)

    def place(self, path: str, base: str = "/") -> Path:
        """Where a path of the image is."""
        return self.folder / "root" / os.path.normpath(os.path.join(base, path)).lstrip("/")

    def adapted(self, text: str) -> str:
        """A command with the image's own folders where they are here."""
        own = r"(?<![\w/])/(opt|srv|build|var/lib)(?=/|\b)"
        return re.sub(own, lambda m: str(self.place(m[0])), text)

    def run(self, command: str | list[str], cwd: Path, **env: str) -> subprocess.Popen[str]:
        """Start something as the image's user."""
        as_root = {"user": self.user, "group": self.user, "extra_groups": []}
        return subprocess.Popen(
            command,
            cwd=cwd,
            env={**self.env, **env},
            shell=isinstance(command, str),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **(as_root if os.geteuid() == 0 else {}),  # type: ignore[arg-type]
        )

    def make(self) -> None:
        """Every step of every stage, in turn."""
        for stage in STAGES:
            cwd = "/"
            for word, rest in stage.steps:
                if word == "WORKDIR":
                    cwd = rest
                    self._do(f"mkdir -p {self.place(cwd)}", self.folder)
                elif word == "COPY":
                    self._copy(rest, cwd)
                elif word == "RUN":
                    for step in rest.split(" && "):
                        self._step(step.strip(), self.place(cwd))
                elif word == "USER":
                    self._keep()

    def _step(self, step: str, cwd: Path) -> None:
        if "pip install" in step and not self.fresh:
            found = next(self.place("/opt").rglob("site-packages"))
            text = sysconfig.get_path("purelib")
            self._do(f"echo {shlex.quote(text)} > {found / 'here.pth'}", cwd)
            return
        if "-m venv" in step and not self.fresh:
            step += " --without-pip"
        self._do(self.adapted(step), cwd)

    def _do(self, command: str, cwd: Path) -> None:
        cwd.mkdir(parents=True, exist_ok=True)
        process = self.run(command, cwd, HOME=str(self.folder))
        said, _ = process.communicate(timeout=600)
        assert process.returncode == 0, f"{command}\n{said}"

    def _copy(self, rest: str, cwd: str) -> None:
        *words, target = rest.split()
        inner = [word for word in words if word.startswith("--from=")]
        for source in (word for word in words if not word.startswith("--")):
            found = self.place(source) if inner else ROOT / source
            to = self.place(target, cwd)
            if target.endswith("/") or (len(words) > 1 and not inner):
                to /= found.name
            if found == to:
                continue
            if found.is_dir():
                gone = shutil.ignore_patterns("__pycache__")
                shutil.copytree(found, to, symlinks=True, ignore=gone, dirs_exist_ok=True)
            else:
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(found, to)

    def _keep(self) -> None:
        """From USER on nothing but the volume may be written to, as with a read-only root."""
        for name in ("/opt", "/srv"):
            for path in (self.place(name), *self.place(name).rglob("*")):
                if not path.is_symlink():
                    path.chmod(path.stat().st_mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))
                    if os.geteuid() == 0:
                        os.chown(path, 0, 0)
        if os.geteuid() == 0:
            os.chown(self.folder, 0, 0)

    def files(self) -> set[Path]:
        """All there is but what lies in the volume."""
        volume = self.place(FINAL.last("VOLUME"))
        return {path for path in self.folder.rglob("*") if not path.is_relative_to(volume)}

    def started(self, port: int) -> subprocess.Popen[str]:
        """What the image runs when nothing else is asked for."""
        words = json.loads(FINAL.last("ENTRYPOINT")) + json.loads(FINAL.last("CMD"))
        return self.run(words, self.place(FINAL.last("WORKDIR")), **self.variables(port))

    def variables(self, port: int) -> dict[str, str]:
        """The image's environment, on a free port of loopback."""
        text = self.adapted(FINAL.last("ENV")).replace("$PATH", self.env["PATH"])
        found = dict(word.split("=", 1) for word in shlex.split(text))
        return {**found, "HAULWATCH_HOST": "127.0.0.1", "HAULWATCH_PORT": str(port)}

    def healthy(self, port: int) -> bool:
        """What the image's own health check says."""
        shown = FINAL.last("HEALTHCHECK").partition("CMD ")[2].replace("8501", str(port))
        cwd = self.place(FINAL.last("WORKDIR"))
        process = self.run(json.loads(shown), cwd, **self.variables(port))
        process.communicate(timeout=60)
        return process.returncode == 0


def _reachable_python(folder: Path, user: int) -> Path:
    """An interpreter that the user may run: this one, or a copy where that is somebody's own."""
    here = Path(sys.executable).resolve()
    with_rights: dict[str, Any] = {"user": user} if os.geteuid() == 0 else {}
    try:
        subprocess.run([here, "-c", ""], check=True, **with_rights)
    except (OSError, subprocess.CalledProcessError):
        unneeded = shutil.ignore_patterns(
            "test", "__pycache__", "site-packages", "share", "include"
        )
        shutil.copytree(sys.base_prefix, folder / "python", symlinks=True, ignore=unneeded)
        return folder / "python" / here.relative_to(Path(sys.base_prefix).resolve())
    return here


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that anybody may look into; pytest's own are ours alone."""
    made = Path(tempfile.mkdtemp(prefix="haulwatch-image-"))
    made.chmod(0o755)
    yield made
    for path in (made, *made.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)
    shutil.rmtree(made)


@pytest.mark.parametrize("fresh", [False, pytest.param(True, marks=pytest.mark.long)])
@pytest.mark.timeout(900)
def test_its_steps_make_something_that_serves(folder: Path, fresh: bool) -> None:
    image = Image(folder, fresh=fresh)
    image.make()
    before = image.files()
    port = free_port()
    process = image.started(port)
    try:
        ready = _ready(process, port)
        assert ready["worker"] == {**ready["worker"], "wanted": True, "alive": True}
        assert image.healthy(port)
    finally:
        process.send_signal(getattr(signal, FINAL.last("STOPSIGNAL")))
        said, _ = process.communicate(timeout=120)
    assert "Traceback" not in said
    assert not image.healthy(port)
    assert image.files() == before
    assert (image.place(FINAL.last("VOLUME")) / "ledger.db").is_file()


def _ready(process: subprocess.Popen[str], port: int) -> dict[str, Any]:
    end = time.monotonic() + 240
    while time.monotonic() < end:
        assert process.poll() is None, process.communicate()[0]
        try:
            with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as reply:
                found: dict[str, Any] = json.load(reply)
                return found
        except (URLError, OSError):
            time.sleep(0.3)
    raise AssertionError("not ready within 240 s")
