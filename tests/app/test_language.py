"""Two languages from one module: the same sentences, each session in its own."""

from __future__ import annotations

import re
import threading
from contextvars import copy_context
from pathlib import Path
from string import Formatter

import plotly.graph_objects as go
import pytest
from streamlit.testing.v1 import AppTest

from app import state, text
from app.charts import palette
from app.text import EN, ID, columns, home, say, shell
from pipeline import marts
from pipeline.settings import Settings


def fields(sentence: str) -> set[tuple[str, str]]:
    """Names of the values that a sentence takes, and how they are written."""
    return {
        (name, form or "") for _, name, form, _ in Formatter().parse(sentence) if name is not None
    }


def test_both_languages_take_the_same_values() -> None:
    assert len(ID) > 500
    assert {key: fields(ID[key]) for key in ID} == {key: fields(EN[key]) for key in ID}


@pytest.mark.parametrize("module", [shell, home, columns])
def test_the_frame_and_the_overview_are_whole_in_both(module: object) -> None:
    english, indonesian = module.EN, module.ID  # type: ignore[attr-defined]
    assert english.keys() == indonesian.keys()
    assert sum(english[key] == indonesian[key] for key in english) < len(english) / 3


def test_what_speaks_for_a_cause_is_told_in_both() -> None:
    """The mart's own sentences: one that is reworded there has to be here as well."""
    model = Path(marts.__file__).parent / "dbt" / "models" / "marts" / "device_hour.sql"
    rows = re.findall(r"^ +\('[^']+', '\w+', [\d.]+, '([^']+)'\)", model.read_text(), re.M)
    assert len(rows) > 10
    for sentence in rows:
        key = f"evidence.{sentence}"
        assert EN[key] == sentence
        assert ID[key] != sentence


def test_threads_do_not_change_each_others_language() -> None:
    both = threading.Barrier(3)
    heard = {}

    def speaks(name: str, chosen: str | None) -> None:
        if chosen:
            text.speak(chosen)
        both.wait()  # everybody has chosen before anybody speaks
        heard[name] = say("home.title")

    threads = [
        threading.Thread(target=speaks, args=words)
        for words in (("one", "id"), ("two", "en"), ("three", None))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert heard == {"one": "Ringkasan", "two": "Overview", "three": "Overview"}


def test_what_a_language_lacks_is_said_in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(ID, "home.title")
    speaking = threading.Thread(target=lambda: (text.speak("id"), heard.append(say("home.title"))))
    heard: list[str] = []
    speaking.start()
    speaking.join()
    assert heard == ["Overview"]


@pytest.mark.parametrize(
    ("english", "indonesian"),
    [
        ("1,234.5 of 12,000,000 h", "1.234,5 of 12.000.000 h"),
        ("0.6 × 99.9 %, +3,000", "0,6 × 99,9 %, +3.000"),
        ("12 of 34 · 10:05 · 2026-01-31", "12 of 34 · 10:05 · 2026-01-31"),
        ("v3.1 · 3.1.2 · 10.0.0.5 · 1,2,3", "v3.1 · 3.1.2 · 10.0.0.5 · 1,2,3"),
    ],
)
def test_numbers_as_each_language_writes_them(english: str, indonesian: str) -> None:
    def written(language: str) -> tuple[str, str]:
        text.speak(language)
        return text.spelled(english), palette.base(go.Figure(), False, 90).layout.separators

    assert copy_context().run(written, "en") == (english, ".,")
    assert copy_context().run(written, "id") == (indonesian, ",.")


def start(script: str, **params: str) -> AppTest:
    app = AppTest.from_file(script, default_timeout=120)
    app.session_state[state.SIGNED_IN] = True
    app.session_state[state.IDENTITY] = "admin#1"
    for name, value in params.items():
        app.query_params[name] = value
    return app.run()


def test_a_session_speaks_what_the_address_says_until_it_is_switched(
    filled: Settings, script: str
) -> None:
    app = start(script, lang="id")
    assert app.header[0].value == "Ringkasan"
    other = start(script)
    assert other.header[0].value == "Overview"
    app.button(key="speak-en").click().run()
    assert app.header[0].value == "Overview"
    assert app.query_params[state.LANGUAGE] in ("en", ["en"])
    other.button(key="speak-id").click().run()
    assert other.header[0].value == "Ringkasan"
    assert app.run().header[0].value == "Overview"


@pytest.mark.parametrize("asked", ["xx", "<script>", ""])
def test_a_language_that_is_none_changes_nothing(filled: Settings, script: str, asked: str) -> None:
    app = start(script, lang=asked)
    assert app.header[0].value == "Overview"
    assert not app.exception
