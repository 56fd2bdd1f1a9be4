"""Every address and route on a fresh process, with cookies that are worth nothing any more."""

from __future__ import annotations

import time
from http.client import HTTPConnection

import jwt
import pytest
from playwright.sync_api import Browser

from app import access
from app.identity import COOKIE, COOKIE_METHOD
from app.text import say
from pipeline.settings import load
from pipeline.storage import people
from pipeline.storage.ledger import open_ledger
from tests.browser.conftest import PASSWORD, Demo, Visit, serving, watch
from tests.browser.test_browser import only_sign_in

pytestmark = pytest.mark.browser

UPLOAD = "/_stcore/upload_file/a/b"
REFUSED = b"sign in first"
#: What is worth most; test_browser asks for every address without a cookie.
ADDRESSES = [page.name for page in access.PAGES if page.section == access.ADMINISTRATION]


def token(key: str, identity: str, valid_s: float = 600) -> str:
    claims = {"username": identity, "exp_date": time.time() + valid_s}
    return jwt.encode(claims, key, COOKIE_METHOD)


def edited(text: str, identity: str) -> str:
    """Another name under the same signature."""
    head, _, signature = text.split(".")
    return ".".join((head, token("k" * 64, identity).split(".")[1], signature))


def answer(
    url: str, path: str, method: str = "GET", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    connection = HTTPConnection(url.removeprefix("http://"), timeout=20)
    connection.request(method, path, headers=headers)
    response = connection.getresponse()
    body = response.read()
    assert b"MLKB" not in body
    connection.close()
    return response.status, {name.lower(): value for name, value in response.getheaders()}, body


def test_cookies_that_are_worth_nothing_open_nothing(demo_home: Demo, browser: Browser) -> None:
    ledger = open_ledger(load(home=demo_home.home))
    names = ("stale", "copied", "edited", "gone", "good")
    known = {user.username for user in people.list_users(ledger)}
    for name in {f"c-{name}" for name in names} - known:
        people.add_user(ledger, name, name, access.ADMIN, PASSWORD)
    people.set_password(ledger, "c-stale", PASSWORD + "2")
    people.disable(ledger, "c-gone")
    with serving(demo_home.home, "--no-worker") as fresh:
        key = (demo_home.home / "secrets" / "cookie.key").read_text().strip()
        version = people.find(ledger, "c-copied").token_version
        copied = token(key, f"c-copied#{version}")
        good = token(key, f"c-good#{people.find(ledger, 'c-good').token_version}")
        assert answer(fresh.url, "/docs/", Cookie=f"{COOKIE}={copied}")[0] in (200, 202)
        people.sign_out(ledger, "c-copied")
        cookies = {
            "stale": token(key, "c-stale#1"),
            "copied after sign-out": copied,
            "edited": edited(copied, "c-good#1"),
            "expired": token(key, "c-good#1", -1),
            "disabled": token(key, f"c-gone#{people.find(ledger, 'c-gone').token_version}"),
        }
        # Each address with one of them, all at once, among the first that the process sees.
        visits = []
        for number, address in enumerate(ADDRESSES):
            value = list(cookies.values())[number % len(cookies)]
            context = browser.new_context()
            context.add_cookies([{"name": COOKIE, "value": value, "url": fresh.url}])
            visit = Visit(context.new_page(), fresh.url)
            watch(visit)
            visit.page.goto(f"{fresh.url}/{address}", wait_until="commit")
            visits.append(visit)
        for visit in visits:
            only_sign_in(visit)
            assert not visit.complaints
            visit.page.context.close()
        # Each route of ours with each of them.
        for value in cookies.values():
            for path, roles in access.ROUTES.items():
                address = path.replace("{name:path}", "index.html")
                status, headers, _ = answer(fresh.url, address, Cookie=f"{COOKIE}={value}")
                assert (status == 303) == (roles is not None), address
                assert headers["x-content-type-options"] == "nosniff"
                assert headers["x-frame-options"] in ("DENY", "SAMEORIGIN")
            status, _, body = answer(fresh.url, UPLOAD, "PUT", Cookie=f"{COOKIE}={value}")
            assert (status, body) == (403, REFUSED)
        # A good one passes the same gates; what follows them is Streamlit's own.
        with_good = {"Cookie": f"{COOKIE}={good}"}
        assert answer(fresh.url, "/docs/", **with_good)[0] in (200, 202)
        assert answer(fresh.url, UPLOAD, "PUT", **with_good)[2] != REFUSED
        # An unknown host name is nobody's, and nobody believes what a client says of its address.
        assert answer(fresh.url, "/", Host="evil.example")[0] == 400
        context = browser.new_context(extra_http_headers={"X-Forwarded-For": "203.0.113.9"})
        visit = Visit(context.new_page(), fresh.url)
        visit.open("users")
        visit.page.get_by_label(say("sign_in.user")).wait_for()
        visit._settled()
        visit.page.get_by_label(say("sign_in.user")).fill("c-good")
        visit.page.get_by_label(say("sign_in.password"), exact=True).fill(PASSWORD)
        visit.page.get_by_role("button", name=say("sign_in.submit")).click()
        visit.heading(say("users.title"))
        context.close()
    with ledger.read() as connection:
        seen = connection.exec_driver_sql("SELECT DISTINCT address FROM sign_ins").scalars().all()
    assert "203.0.113.9" not in seen
    assert "local" in seen
    ledger.close()
