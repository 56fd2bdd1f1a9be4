"""The documentation over real HTTP: for whoever is signed in, and nothing else from there."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path
from typing import Any

import jwt
import pytest
from starlette.requests import Request

from app import docs as served
from app.identity import COOKIE, COOKIE_METHOD
from app.meaning import DOCS
from app.text import say
from pipeline.marts import docs
from pipeline.marts.catalogue import MARTS, PROJECT
from pipeline.settings import Settings, load
from pipeline.storage import people
from pipeline.storage.ledger import Ledger, open_ledger
from tests.app.conftest import PASSWORD
from tests.browser.conftest import Server, serving, wait_until


@dataclass(frozen=True)
class Answer:
    status: int
    headers: HTTPMessage
    text: str


def claims(identity: str, valid_s: float = 60) -> dict[str, Any]:
    return {"username": identity, "exp_date": time.time() + valid_s}


@dataclass
class Site:
    """A server, its home, its ledger and the key that signs its cookies."""

    server: Server
    settings: Settings
    ledger: Ledger
    key: str = field(repr=False)

    def cookie(self, identity: str = "reader#1") -> str:
        return jwt.encode(claims(identity), self.key, COOKIE_METHOD)

    def get(self, path: str, cookie: str | None = None) -> Answer:
        """One request, its path sent as it is; redirects are not followed."""
        host = self.server.url.removeprefix("http://")
        connection = HTTPConnection(host, timeout=60)
        headers = {"Cookie": f"{COOKIE}={cookie}"} if cookie is not None else {}
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        found = Answer(response.status, response.headers, response.read().decode())
        connection.close()
        return found


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """What lies in the folder is the documentation of other models."""
    home = tmp_path_factory.mktemp("docs") / "home"
    settings = load(home=home)
    ledger = open_ledger(settings)
    for name in ("reader", "leaver", "barred"):
        people.add_user(ledger, name, name, "supervisor", PASSWORD)
    people.disable(ledger, "barred")
    docs.folder(settings).mkdir(parents=True)
    for name in (*docs.FILES, docs.STAMP):
        (docs.folder(settings) / name).write_text("of other models")
    with serving(home, "--no-worker") as server:
        yield Site(server, settings, ledger, (home / "secrets" / "cookie.key").read_text().strip())
    ledger.close()


@pytest.fixture(scope="module")
def made(site: Site) -> Site:
    """The documentation, made because somebody asked for it."""
    first = site.get(DOCS, site.cookie())
    assert first.status == 202
    assert say("docs.making") in first.text
    assert "location.reload()" in first.text
    wait_until(lambda: site.get(DOCS, site.cookie()).status == 200, 120, "documentation")
    return site


COOKIES: dict[str, Callable[[Site], str | None]] = {
    "none": lambda _: None,
    "empty": lambda _: "",
    "no token": lambda _: "reader#1",
    "edited": lambda site: edited(site.cookie("leaver#1")),
    "cut": lambda site: site.cookie()[:-2],
    "another key": lambda _: jwt.encode(claims("reader#1"), "k" * 64, COOKIE_METHOD),
    "no signature": lambda _: jwt.encode(claims("reader#1"), None, "none"),
    "expired": lambda site: jwt.encode(claims("reader#1", -1), site.key, COOKIE_METHOD),
    "endless": lambda site: jwt.encode({"username": "reader#1"}, site.key, COOKIE_METHOD),
    "of before": lambda site: site.cookie("reader#0"),
    "no version": lambda site: site.cookie("reader"),
    "nobody": lambda site: site.cookie("nobody#1"),
    "disabled": lambda site: site.cookie("barred#1"),
    "disabled, new version": lambda site: site.cookie("barred#2"),
}


def edited(token: str) -> str:
    """Another user's name under the same signature."""
    head, _, signature = token.split(".")
    body = jwt.encode(claims("reader#1"), "k" * 64, COOKIE_METHOD).split(".")[1]
    return f"{head}.{body}.{signature}"


@pytest.mark.parametrize("cookie", COOKIES.values(), ids=COOKIES)
def test_without_a_valid_sign_in_there_is_only_the_way_to_it(
    made: Site, cookie: Callable[[Site], str | None]
) -> None:
    answers = [
        made.get(path, cookie(made))
        for path in ("/docs", DOCS, *(DOCS + name for name in docs.FILES), f"{DOCS}no-such-file")
    ]
    assert {(a.status, a.headers["Location"], a.text) for a in answers} == {(303, "/", "")}


def test_signing_out_ends_it_at_once(made: Site) -> None:
    cookie = made.cookie("leaver#1")
    assert made.get(DOCS, cookie).status == 200
    people.sign_out(made.ledger, "leaver")
    assert made.get(DOCS, cookie).status == 303


@pytest.mark.parametrize("name", ["", *docs.FILES])
def test_signed_in_the_three_files(made: Site, name: str) -> None:
    found = made.get(DOCS + name, made.cookie())
    html = not name.endswith(".json")
    assert found.status == 200
    assert found.headers["Content-Type"] == (
        "text/html; charset=utf-8" if html else "application/json"
    )
    assert found.headers["X-Content-Type-Options"] == "nosniff"
    assert found.headers["X-Frame-Options"] == "DENY"
    assert found.headers["Cache-Control"] == "no-store"
    policy = found.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    assert ("script-src 'sha256-" in policy) == html
    assert "eval" not in policy
    if html:
        assert "<title>dbt Docs</title>" in found.text
    else:
        models = {key.rpartition(".")[2] for key in json.loads(found.text)["nodes"]}
        assert set(MARTS) <= models


def test_the_page_knows_no_address_to_load_from(made: Site) -> None:
    page = made.get(DOCS, made.cookie()).text
    assert "cloudfront" not in page
    assert "getdbt.com/" not in page
    assert "favicon.ico" not in page
    assert not re.search(
        r"""\s(?:src|(?:xlink:)?href)\s*=\s*["'](?:(?:https?:)?//|\{\{|\$\{)""", page
    )
    assert "data-ng-csp" in page


def test_the_address_without_a_slash_leads_to_the_one_with_it(made: Site) -> None:
    found = made.get("/docs", made.cookie())
    assert (found.status, found.headers["Location"]) == (308, DOCS)


OUTSIDE = (
    "../ledger.db",
    "..%2fledger.db",
    "..%2Fsecrets%2Fcookie.key",
    "%2e%2e/ledger.db",
    "%2e%2e%2fledger.db",
    "..%5cledger.db",
    "..%252fledger.db",
    "index.html/../../ledger.db",
    "/etc/passwd",
    "%2fetc%2fpasswd",
    "index.html%00",
    "./index.html",
    "INDEX.HTML",
    docs.STAMP,
    ".",
)


@pytest.mark.parametrize("path", OUTSIDE)
def test_nothing_else_can_be_had(made: Site, path: str) -> None:
    found = made.get(DOCS + path, made.cookie())
    assert found.status in (400, 404)
    assert "SQLite format" not in found.text
    assert "root:" not in found.text
    assert made.key not in found.text


# In this process, for what a server shows only when something is broken.


def ask(settings: Settings) -> tuple[int, str]:
    key = (settings.home / "secrets" / "cookie.key").read_text()
    token = jwt.encode(claims("admin#1"), key, COOKIE_METHOD)
    scope = {
        "type": "http",
        "method": "GET",
        "path": DOCS,
        "query_string": b"",
        "server": ("localhost", 80),
        "headers": [(b"cookie", f"{COOKIE}={token}".encode())],
        "path_params": {"name": ""},
    }
    found = served.answer(Request(scope))
    return found.status_code, bytes(found.body).decode()


def test_what_cannot_be_made_is_said_and_not_tried_again(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[list[str]] = []
    real = subprocess.Popen

    def failing(command: list[str], **options: Any) -> subprocess.Popen[bytes]:
        started.append(command)
        return real([sys.executable, "-c", "raise SystemExit(1)"], **options)

    monkeypatch.setattr(served, "maker", served.Maker())
    monkeypatch.setattr(served.subprocess, "Popen", failing)
    from app.backend import backend

    assert backend().cookie_key
    assert ask(home)[0] == 202
    wait_until(lambda: ask(home)[0] != 202, 20, "the end of it")
    status, page = ask(home)
    assert status == 404
    assert "haulwatch docs" in page
    assert [command[1:4] for command in started] == [["-m", "app.cli", "docs"]]


def test_documentation_is_of_the_models_that_are_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not docs.is_current(tmp_path)
    for name in docs.FILES:
        (tmp_path / name).write_text("x")
    assert not docs.is_current(tmp_path)
    (tmp_path / docs.STAMP).write_text(docs.made_from())
    assert docs.is_current(tmp_path)
    other = tmp_path / "dbt"
    shutil.copytree(PROJECT, other)
    monkeypatch.setattr(docs, "PROJECT", other)
    assert docs.is_current(tmp_path)
    model = other / "models" / "marts" / "unit_day.yml"
    model.write_text(model.read_text().replace("Distance by the odometer", "Distance"))
    assert not docs.is_current(tmp_path)
