"""The ladder of actions, from the page that sets it to the form that offers it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from streamlit.testing.v1 import AppTest

from app.figures.administration import steps
from app.figures.fatigue import GROUPS
from app.text import say, speak
from pipeline.settings import Settings
from pipeline.storage import ladder, reviews
from pipeline.storage import tables as t
from pipeline.storage.ladder import USUAL
from pipeline.storage.ledger import Ledger
from pipeline.storage.reviews import Review
from tests.app.fabricate_fatigue import watched
from tests.app.test_access import open_page
from tests.app.test_fatigue_page import everything, opened, say_of
from tests.app.test_pages import texts

HOSTILE = "<script>x</script> [a](http://b) $c$ | d"


def sent(app: AppTest, text: str, reason: str = "drill") -> AppTest:
    """Fill the form and send it."""
    app.text_area[0].set_value(text)
    app.text_input[-1].set_value(reason)
    buttons = [button for button in app.button if button.label == say("thresholds.change")]
    buttons[-1].click().run()
    assert not app.exception
    return app


def in_force(ledger: Ledger) -> tuple[str, ...]:
    with ledger.read() as connection:
        return ladder.in_force(connection)


def test_an_admin_sets_it_and_the_form_offers_it(
    home: Settings, ledger: Ledger, script: str
) -> None:
    watched(home, ledger)
    reviews.add(ledger, "F-1", Review("acknowledged", action="visit"), "supervisor")
    app = open_page(script, "thresholds", "admin#1")
    assert app.text_area[0].value == "Radio call\nVisit\nRest\nOff the truck"
    app = sent(app, f"{HOSTILE}\n\nrest\n")
    assert app.success[0].value == say("ladder.changed")
    assert in_force(ledger) == (HOSTILE, "rest")  # what the languages have a word for keeps that
    assert app.text_area[0].value == f"{HOSTILE}\nRest"
    assert "<script" not in texts(app).replace("\\<", "")
    history = app.dataframe[-1].value
    assert history[say("column.ladder")].to_list() == [f"{HOSTILE} → Rest"]
    app = opened(script, case="F-1")
    assert app.selectbox[0].options == [HOSTILE, "Rest"]
    assert app.selectbox[0].placeholder == say("review.action.advised", action=HOSTILE)
    assert "Visit" in texts(app)
    app.selectbox[0].set_value(HOSTILE)
    app = say_of(app, "acknowledged")
    assert "\\<script\\>x" in texts(app)
    said = [entry.review.action for entry in reviews.history(ledger, "F-1")]
    assert said == ["visit", HOSTILE]
    # On which of both lists it stands depends on whether its shift is over by now.
    lists = [everything(opened(script, contacts=group)) for group in GROUPS]
    assert any(HOSTILE in shown for shown in lists)


def test_what_is_wrong_is_said_and_stays_to_be_mended(
    home: Settings, script: str, ledger: Ledger
) -> None:
    app = open_page(script, "thresholds", "admin#1")
    for text, reason, why, step in (
        (" \n ", "drill", "none", ""),
        ("x" * 61, "drill", "long", "x" * 60),
        ("Rest\nistirahat", "drill", "twice", "rest"),  # one step in two languages
        ("Radio call\nVisit\nRest\nOff the truck", "drill", "same", ""),
        ("Rest", " ", "reason", ""),
    ):
        app = sent(app, text, reason)
        told = say(f"ladder.refused.{why}", step=step, most=8, longest=60)
        assert app.error[0].value.replace("\\", "") == told
        assert app.text_area[0].value == text
    assert in_force(ledger) == USUAL


def test_two_admins_at_once(home: Settings, script: str, ledger: Ledger) -> None:
    app = open_page(script, "thresholds", "admin#1")
    ladder.change(ledger, ("rest",), "other", "drill", seen=USUAL)
    app = sent(app, "Visit")
    assert app.error[0].value.replace("\\", "") == say("ladder.refused.meanwhile")
    assert app.text_area[0].value == "Visit"
    sent(app, "Visit")
    assert in_force(ledger) == ("visit",)


def test_a_form_that_was_open_while_the_ladder_changed(
    home: Settings, ledger: Ledger, script: str
) -> None:
    watched(home, ledger)
    app = opened(script, case="F-1")
    app.selectbox[0].set_value("visit")
    ladder.change(ledger, ("Call", "rest"), "admin", "drill", seen=USUAL)
    app = say_of(app, "acknowledged", note="went there")
    assert app.error[0].value == say("review.refused.ladder")
    assert reviews.history(ledger, "F-1") == ()
    app.selectbox[0].set_value("rest")
    app = say_of(app, "acknowledged", note="went there")
    assert [entry.review.action for entry in reviews.history(ledger, "F-1")] == ["rest"]


def test_who_may_not_change_thresholds_may_not_set_the_ladder(
    home: Settings, script: str, ledger: Ledger
) -> None:
    app: Any = open_page(script, "thresholds", "supervisor#1")
    assert not app.text_area
    with ledger.read() as connection:
        assert connection.execute(select(t.ladders)).first() is None


def test_lines_are_known_in_either_language() -> None:
    speak("id")
    try:
        assert steps("Panggil Radio\r\nvisit\n Tidur ") == ["radio_call", "visit", "Tidur"]
    finally:
        speak("en")
