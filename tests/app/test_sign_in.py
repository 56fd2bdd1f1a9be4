"""How fast one may guess, and what that costs others; set-up links; the length of a session."""

from __future__ import annotations

import asyncio
import statistics
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import DBAPIError
from streamlit.testing.v1 import AppTest
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app import auth, guard, serve, state
from app.text import say
from pipeline.errors import SettingsError, UsageError
from pipeline.settings import Settings, load
from pipeline.storage import people, setup, sign_in
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger
from queries import operations
from tests.app.conftest import PASSWORD
from tests.app.test_pages import open_page

MINUTE = 60 * sign_in.SECOND


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The passwords that were looked at; hashes are cheap (their cost: test_people)."""
    seen: list[str] = []
    salt, check = sign_in.bcrypt.gensalt, sign_in.bcrypt.checkpw

    def counted(password: bytes, hashed: bytes) -> bool:
        seen.append(password.decode())
        return bool(check(password, hashed))

    monkeypatch.setattr(people.bcrypt, "gensalt", lambda: salt(4))
    monkeypatch.setattr(sign_in.bcrypt, "checkpw", counted)
    cheap = sign_in.bcrypt.hashpw(b"nobody knows", salt(4)).decode()
    monkeypatch.setattr(sign_in, "NOBODY", cheap)
    return seen


def add(ledger: Ledger, *names: str) -> None:
    for name in names:
        people.add_user(ledger, name, name, people.ROLES[0], PASSWORD)


def age(ledger: Ledger, microseconds: int) -> None:
    """Let time pass: everything that was tried lies further back."""
    with ledger.write() as connection:
        connection.execute(update(t.sign_ins).values(at=t.sign_ins.c.at - microseconds))


def test_a_thousand_tries_in_a_minute(ledger: Ledger, hashes: list[str]) -> None:
    """From one address over many names: few are looked at, and nobody else notices."""
    names = [f"user{number:02}" for number in range(20)]
    add(ledger, *names)
    began, slowest = time.process_time(), []
    with ThreadPoolExecutor(16) as pool:
        tries = [
            pool.submit(sign_in.sign_in, ledger, f"user{n % 40:02}", "6.6.6.6", f"guess {n}")
            for n in range(1_000)
        ]
        while len(slowest) < 3 or not all(one.done() for one in tries):
            start = time.monotonic()
            operations.vitals(ledger)
            slowest.append(time.monotonic() - start)
            time.sleep(0.02)
            if len(slowest) == 3:
                right = sign_in.sign_in(ledger, "user00", "1.1.1.1", PASSWORD)
                assert right.user is not None
    assert time.process_time() - began < 60
    # Of one moment a busy machine tells nothing; the long form asks a whole server over minutes.
    assert statistics.median(slowest) < 10
    guesses = [password for password in hashes if password != PASSWORD]
    assert sign_in.FREE_TRIES_ADDRESS <= len(guesses) <= sign_in.FREE_TRIES_ADDRESS + 6
    outcomes = [one.result() for one in tries]
    assert not any(outcome.user for outcome in outcomes)
    assert sum(outcome.wait_s > 0 for outcome in outcomes) == 1_000 - len(guesses)
    with ledger.read() as connection:
        assert connection.execute(select(func.count()).select_from(t.sign_ins)).scalar_one() == (
            len(guesses) + 1
        )


def test_tries_at_the_same_moment_count_too(ledger: Ledger, hashes: list[str]) -> None:
    add(ledger, "anna")
    together = threading.Barrier(12)

    def guess(number: int) -> sign_in.Attempt:
        together.wait()
        return sign_in.sign_in(ledger, "anna", "6.6.6.6", f"guess {number}")

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(guess, range(12)))
    assert len(hashes) == sign_in.FREE_TRIES


@pytest.mark.parametrize("name", ["anna", "nobody"])
def test_waits_double_whether_the_name_exists_or_not(
    ledger: Ledger, hashes: list[str], name: str
) -> None:
    add(ledger, "anna")
    waits = []
    for _ in range(14):
        attempt = sign_in.sign_in(ledger, name, "6.6.6.6", "wrong")
        if attempt.wait_s:
            waits.append(round(attempt.wait_s))
            age(ledger, int(attempt.wait_s * sign_in.SECOND) + 1)
    assert waits == [2, 4, 8, 16, 32, 64]  # 3 free tries, then 11 of which each other one waits
    assert sign_in._wait(100, 0, 3, 0) == sign_in.LONGEST_WAIT_S


def test_a_user_is_delayed_from_elsewhere_and_never_kept_out(
    ledger: Ledger, hashes: list[str]
) -> None:
    add(ledger, "anna")
    slept: list[float] = []
    assert sign_in.sign_in(ledger, "anna", "1.1.1.1", PASSWORD, sleep=slept.append).user
    for number in range(40):
        address = f"6.6.{number}.6"
        attempt = sign_in.sign_in(ledger, "anna", address, "wrong", sleep=slept.append)
        assert attempt == sign_in.Attempt()
    assert len(slept) == 40 - sign_in.FREE_TRIES_USER
    assert slept == sorted(slept)
    assert slept[-1] == sign_in.LONGEST_DELAY_S
    assert sign_in.sign_in(ledger, "anna", "9.9.9.9", PASSWORD, sleep=slept.append).user
    before = len(slept)
    assert sign_in.sign_in(ledger, "anna", "1.1.1.1", PASSWORD, sleep=slept.append).user
    assert len(slept) == before


def test_a_flood_from_the_next_desk(ledger: Ledger, hashes: list[str]) -> None:
    """Behind one address: a stranger there has to wait, who has signed in from there need not."""
    add(ledger, "anna", "budi")
    assert sign_in.sign_in(ledger, "anna", "10.0.0.1", PASSWORD).user
    age(ledger, 5 * 24 * 60 * MINUTE)
    for number in range(sign_in.FREE_TRIES_ADDRESS):
        sign_in.sign_in(ledger, f"name{number}", "10.0.0.1", "wrong")
    assert sign_in.sign_in(ledger, "budi", "10.0.0.1", PASSWORD).wait_s > 0
    assert sign_in.sign_in(ledger, "anna", "10.0.0.1", PASSWORD).user
    age(ledger, (sign_in.MEMORY_S + 1) * sign_in.SECOND)
    assert sign_in.sign_in(ledger, "budi", "10.0.0.1", PASSWORD).user


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("1.2.3.4", "1.2.3.4"),
        ("::ffff:1.2.3.4", "1.2.3.4"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("local", "local"),
        ("x" * 1_000, "x" * 64),
    ],
)
def test_what_an_address_is_counted_by(address: str, counted: str) -> None:
    assert sign_in.network(address) == counted


def test_old_tries_are_forgotten(ledger: Ledger, hashes: list[str]) -> None:
    add(ledger, "anna")
    sign_in.sign_in(ledger, "anna", "1.1.1.1", PASSWORD)
    sign_in.sign_in(ledger, "anna", "1.1.1.1", "wrong")
    assert sign_in.prune(ledger) == 0
    age(ledger, 25 * 60 * MINUTE)
    assert sign_in.prune(ledger) == 1
    age(ledger, 30 * 24 * 60 * MINUTE)
    assert sign_in.prune(ledger) == 1


def test_the_audit_is_only_added_to(ledger: Ledger) -> None:
    add(ledger, "anna")
    for change in (update(t.audit).values(who="x"), delete(t.audit)):
        with pytest.raises(DBAPIError, match="only added to"), ledger.write() as connection:
            connection.execute(change)


# The set-up link.


def late(ledger: Ledger, token: str) -> None:
    with ledger.write() as connection:
        connection.execute(update(t.setup_links).values(expires_at=1))


def taken(ledger: Ledger, token: str) -> None:
    setup.use(ledger, token, "first", PASSWORD)


def beaten(ledger: Ledger, token: str) -> None:
    add(ledger, "anna")


def renewed(ledger: Ledger, token: str) -> None:
    assert setup.link_token(ledger) not in (None, token)


@pytest.mark.parametrize("change", [late, taken, beaten, renewed])
def test_a_link_is_good_once_and_for_a_while(
    ledger: Ledger, hashes: list[str], change: Callable[[Ledger, str], None]
) -> None:
    token = setup.link_token(ledger)
    assert token is not None
    assert setup.is_open(ledger, token)
    assert not setup.is_open(ledger, token + "x")
    change(ledger, token)
    assert not setup.is_open(ledger, token)
    before = [user.username for user in people.list_users(ledger)]
    with pytest.raises(UsageError, match="used or has expired"):
        setup.use(ledger, token, "second", PASSWORD)
    assert [user.username for user in people.list_users(ledger)] == before


def test_the_token_is_not_kept(ledger: Ledger) -> None:
    token = setup.link_token(ledger)
    with ledger.read() as connection:
        row = connection.execute(select(t.setup_links)).one()
    assert token
    assert token not in str(row)


@pytest.fixture
def nobody(home: Settings, ledger: Ledger) -> Settings:
    with ledger.write() as connection:
        connection.execute(delete(t.users))
    return home


def test_the_first_administrator_comes_by_the_link(
    nobody: Settings, ledger: Ledger, script: str
) -> None:
    app = AppTest.from_file(script, default_timeout=120)
    app.query_params[state.SETUP] = setup.link_token(ledger)
    app.run()
    assert not app.exception
    name, password, again = app.text_input
    name.set_value("Boss")
    password.set_value(PASSWORD)
    again.set_value("another one 123")
    app.button[0].click().run()
    assert say("users.differ") in app.error[0].value
    again = app.text_input[2]
    again.set_value(PASSWORD)
    app.button[0].click().run()
    assert not app.exception
    assert app.success[0].value == say("setup.done")
    assert [field.label for field in app.text_input] == [
        say("sign_in.user"),
        say("sign_in.password"),
    ]
    boss = people.find(ledger, "boss")
    assert (boss.role, boss.districts) == (people.ROLES[-1], ())


def test_a_link_that_is_no_good_says_so_above_the_form(
    home: Settings, ledger: Ledger, script: str
) -> None:
    app = AppTest.from_file(script, default_timeout=120)
    app.query_params[state.SETUP] = "no-such-token"
    app.run()
    assert app.info[0].value == say("setup.gone")
    assert app.text_input[0].label == say("sign_in.user")


# Sessions, hosts, proxies.


def test_a_session_has_an_end(filled: Settings, script: str) -> None:
    app = open_page(script, "home", "admin#1")
    assert app.metric
    left = app.session_state[state.ENDS] - time.time()
    assert filled.session_hours * 3600 - 60 < left <= filled.session_hours * 3600
    app.session_state[state.ENDS] = time.time() - 1
    assert not app.run().metric
    assert app.text_input[0].label == say("sign_in.user")


def test_known_hosts(settings: Settings) -> None:
    def known(name: str, **values: object) -> bool:
        allowed = guard.hosts(settings.model_copy(update=values))
        return guard.Guard(lambda *_: None, allowed)._knows(name)  # type: ignore[arg-type,return-value]

    for name in ("localhost:8501", "127.0.0.1", "[::1]:80", "LOCALHOST"):
        assert known(name), name
        assert known(name, allowed_hosts=["haul.example"]), name
    for name in ("evil.example", "127.0.0.1.evil.example", "", "localhost.evil.example:80"):
        assert not known(name), name
        assert known(name, host="0.0.0.0")
        assert not known(name, host="0.0.0.0", allowed_hosts=["*.haul.example"])
    assert known("a.haul.example", allowed_hosts=["*.haul.example"])
    assert not known("ahaul.example", allowed_hosts=["*.haul.example"])
    assert known("any.thing", allowed_hosts=["*"])


@pytest.mark.parametrize(
    ("proxies", "peer", "forwarded", "client"),
    [
        ([], "127.0.0.1", "203.0.113.9", "127.0.0.1"),
        ([], "10.0.0.5", "203.0.113.9", "10.0.0.5"),
        (["10.0.0.5"], "10.0.0.5", "203.0.113.9", "203.0.113.9"),
        (["10.0.0.5"], "10.0.0.6", "203.0.113.9", "10.0.0.6"),
        (["10.0.0.5"], "10.0.0.5", "1.1.1.1, 203.0.113.9", "203.0.113.9"),
        (["10.0.0.0/24"], "10.0.0.5", "1.1.1.1, 203.0.113.9, 10.0.0.7", "203.0.113.9"),
    ],
)
def test_whose_address_counts(
    settings: Settings, proxies: list[str], peer: str, forwarded: str, client: str
) -> None:
    """By uvicorn's own hand, with what ``serve`` tells it."""
    seen: list[str] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append(scope["client"][0])

    trusted = serve.believed(settings.model_copy(update={"trusted_proxies": proxies}))
    headers = [(b"x-forwarded-for", forwarded.encode())]
    scope = {"type": "websocket", "client": (peer, 1), "headers": headers}
    asked = ProxyHeadersMiddleware(app, trusted)(scope, None, None)  # type: ignore[arg-type]
    with ThreadPoolExecutor(1) as thread:  # a browser test before may have a loop in this one
        thread.submit(asyncio.run, asked).result()
    assert seen == [client]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TRUSTED_PROXIES", '["proxy"]'),
        ("TRUSTED_PROXIES", '["10.0.0.1/24"]'),
        ("ALLOWED_HOSTS", '["https://haul.example"]'),
        ("ALLOWED_HOSTS", '["haul.example:443"]'),
        ("SESSION_HOURS", "0"),
    ],
)
def test_wrong_settings(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv("HAULWATCH_" + name, value)
    with pytest.raises(SettingsError, match=f"^HAULWATCH_{name}: "):
        load()


def test_the_ledger_of_before_keeps_its_people(ledger: Ledger) -> None:
    """The newest revision only adds: rows that were there are read as they were."""
    with ledger.write() as connection:
        row = {"name": "mean_s", "value": 3.0, "set_at": 1, "set_by": "x"}
        connection.execute(insert(t.thresholds).values(**row))
        assert connection.execute(select(t.thresholds.c.reason)).scalar_one() == ""


@pytest.mark.parametrize(
    ("url", "more"),
    [
        ("https://haul.example/", {"secure": True}),
        ("http://127.0.0.1:8501/https:", {}),  # a browser refuses a Secure cookie there
        (None, {}),
    ],
)
def test_the_cookie_of_a_browser_that_came_by_tls_is_sent_by_tls_alone(
    url: str | None, more: dict[str, bool]
) -> None:
    given: list[dict[str, object]] = []
    auth.setter(lambda *_, **options: given.append(options), url)("haulwatch", "token", path="/")
    assert given == [{"path": "/"} | more]
