"""What is logged, in which form, and what never is."""

from __future__ import annotations

import gzip
import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest
import streamlit as st
from streamlit import logger as streamlits
from streamlit.testing.v1 import AppTest

from app import backend
from app import logs as app_logs
from app.text import say
from pipeline import logs
from pipeline.settings import Settings, load
from pipeline.storage import people
from pipeline.storage.ledger import Ledger
from tests.make import deliver, rows
from tests.make import text as lines_of

ROOT = Path(__file__).parent.parent
HOUR = "2026013107"
PASSWORD, WRONG = "correct-horse-battery", "wrong-horse-battery"
OPERATOR = "OP-7731-somebody"
S3_SECRET, HOOK = "s3/cr+t", "json://user:hunter2token@127.0.0.1/x"
DATABASE, IN_URL = "p@ss w0rd", "p%40ss%20w0rd"


@pytest.fixture
def kept() -> Iterator[None]:
    """Logging of this process is afterwards as it was before."""
    root, setup_formatter = logging.getLogger(), streamlits.setup_formatter
    handlers, level = list(root.handlers), root.level
    yield
    logging.captureWarnings(False)
    root.handlers[:] = handlers
    root.setLevel(level)
    streamlits.setup_formatter = setup_formatter
    logging.getLogger(app_logs.ACCESS).disabled = False
    for logger in streamlits._loggers.values():
        logger.propagate = False
    streamlits.update_formatter()


def secretive(settings: Settings, form: str) -> Settings:
    ledger = f"postgresql://haulwatch:{IN_URL}@nowhere.invalid/x"
    return load(home=settings.home, log=form, s3_secret=S3_SECRET, notify=[HOOK], ledger=ledger)


@pytest.mark.parametrize("form", ["text", "json"])
def test_secrets_are_masked_wherever_they_come_from(
    settings: Settings, kept: None, form: str
) -> None:
    stream = io.StringIO()
    logs.configure(secretive(settings, form), ["key-of-cookies"], stream)
    token = jwt.encode({"username": "anna#1"}, "key-of-cookies" * 3, algorithm="HS256")
    log = logging.getLogger("haulwatch.test")
    log.warning("%s %s key-of-cookies ?setup=abc-123 %s", S3_SECRET, HOOK, token)
    try:
        raise OSError(f"cannot connect with {DATABASE} or {IN_URL}")
    except OSError:
        log.exception("the ledger")
    said = stream.getvalue()
    for secret in (S3_SECRET, DATABASE, "p%40ss", "hunter2", "key-of-cookies", "abc-123", token):
        assert secret not in said
    assert said.count(logs.MASK) == 7
    if form == "text":
        assert said.splitlines()[0].endswith("WARNING haulwatch.test: *** *** *** ?setup=*** ***")
        assert "OSError: cannot connect with *** or ***" in said
    else:
        first, second = map(json.loads, said.splitlines())
        assert (first["level"], first["logger"]) == ("warning", "haulwatch.test")
        assert first["at"].endswith("+00:00")
        assert (second["level"], second["message"]) == ("error", "the ledger")
        assert second["error"].endswith("OSError: cannot connect with *** or ***")


def test_what_streamlit_logs_has_the_same_form(
    settings: Settings, kept: None, capsys: pytest.CaptureFixture[str]
) -> None:
    app_logs.begin(load(home=settings.home, log="json"))
    streamlits.get_logger("streamlit.made_later").warning("one\ntwo")
    logging.getLogger("uvicorn.error").error("three")
    streamlits.get_logger(app_logs.ACCESS)  # as Streamlit does
    streamlits.update_formatter()  # as when its configuration is read
    logging.getLogger(app_logs.ACCESS).error("10.0.0.1 - GET /?setup=abc")
    streamlits.get_logger("streamlit.made_later").warning("four")
    said = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [event["message"] for event in said] == ["one\ntwo", "three", "four"]


def test_nothing_of_people_is_logged(
    settings: Settings,
    ledger: Ledger,
    raw: Path,
    kept: None,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A sign-in that fails, one that does not, a page, files of an operator, good and broken."""
    monkeypatch.setenv("HAULWATCH_HOME", str(settings.home))
    monkeypatch.setenv("HAULWATCH_LOG", "json")
    backend.forget()
    people.add_user(ledger, "anna", "Anna Surname", "admin", PASSWORD)
    hashed = people.find(ledger, "anna").password_hash
    app_logs.begin(load())
    # This kind of test has no request, so no address.
    monkeypatch.setattr(type(st.context), "ip_address", "10.0.0.7")
    app = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=120).run()
    for password in (WRONG, PASSWORD):
        app.text_input[0].input("anna")
        app.text_input[1].input(password)
        app.button[0].click().run()
    app.run()  # the browser asks again once it has the cookie
    assert not app.exception
    assert say("sign_out") in [button.label for button in app.button]
    backend.forget()

    people_of = {"operatorid": OPERATOR, "operatorname": OPERATOR}
    deliver(raw, HOUR, rows(HOUR, 60, **people_of), device="HW-4")
    command = [sys.executable, "-m", "app.cli"]
    settings_of = {**os.environ, "HAULWATCH_THREADS": "1", "HAULWATCH_MOST_BYTES": "1000"}
    subprocess.run([*command, "worker", "--once"], cwd=ROOT, env=settings_of, check=False)
    good = lines_of(rows(HOUR, 5, **people_of))
    deliver(raw, HOUR, good + good[:30] + b"\n", device="HW-1")
    deliver(raw, HOUR, gzip.compress(good)[:-60], device="HW-2", packed=False)
    deliver(raw, HOUR, OPERATOR.encode(), device="HW-3", packed=False)
    del settings_of["HAULWATCH_MOST_BYTES"]
    subprocess.run([*command, "ingest"], cwd=ROOT, env=settings_of, check=False)

    said = "".join(capfd.readouterr())
    assert '"logger": "haulwatch.worker"' in said
    assert "HW-4" in said  # a failure is told by its file
    assert "2 corrupt" in said
    for secret in (PASSWORD, WRONG, hashed, OPERATOR, "Surname", "anna", "10.0.0.7"):
        assert secret not in said
