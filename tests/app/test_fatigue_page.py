"""The page of fatigue events: cases by link, their reviews, and who gets to know what."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
import streamlit as st
from sqlalchemy import select
from streamlit.testing.v1 import AppTest

from app import access, daylight, meaning, state
from app.panels import fatigue_shift as panels
from app.text import EN, say
from pipeline.localtime import from_us, next_day
from pipeline.marts.catalogue import words
from pipeline.settings import Settings
from pipeline.storage import people, reviews
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger
from pipeline.storage.reviews import Review
from tests.app.fabricate import DISTRICT
from tests.app.fabricate_fatigue import OPERATOR, publish, watched
from tests.app.test_pages import HOSTILE, texts

PAGE = str(access.BY_NAME["fatigue_events"].path)


@pytest.fixture
def page(home: Settings, ledger: Ledger, script: str) -> Any:
    """Opens the page as somebody at an address."""
    watched(home, ledger)
    return lambda who="supervisor", **address: opened(script, who, **address)


def opened(script: str, who: str = "supervisor", **address: str) -> AppTest:
    app = AppTest.from_file(script, default_timeout=120)
    app.session_state[state.SIGNED_IN] = True
    app.session_state[state.IDENTITY] = f"{who}#1"
    app.run()
    app.switch_page(PAGE)
    for name, value in address.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    assert not app.warning
    return app


def everything(app: AppTest) -> str:
    """All that a page shows or sends along: sentences, tables, figures."""
    frames = [str(frame.value.to_dict()) for frame in app.dataframe]
    charts = [part.proto.spec for part in app.get("plotly_chart")]
    return "\n".join([texts(app), *frames, *charts])


def say_of(app: AppTest, result: str, basis: str | None = None, note: str = "") -> AppTest:
    """Fill the form and send it."""
    radios = {radio.label: radio for radio in app.radio}
    radios[say("review.state")].set_value(result)
    if basis:
        radios[say("review.basis")].set_value(basis)
    app.text_area[0].set_value(note)
    next(b for b in app.button if b.label == say("review.send")).click().run()
    assert not app.exception
    return app


def tile(app: AppTest, key: str) -> tuple[str, str]:
    found = next(metric for metric in app.metric if metric.label == say(key))
    return found.value, found.delta


def test_a_case_from_its_link_to_its_verdict(page: Any, ledger: Ledger) -> None:
    app = page(case="F-1")
    assert "F\\-1" in app.subheader[0].value
    assert "DT\\-101" in app.subheader[0].value
    assert OPERATOR.replace("-", "\\-") in texts(app)
    assert say("review.nothing") in texts(app)
    app = say_of(app, "acknowledged", note="called, *answered*")
    assert "called, \\*answered\\*" in texts(app)
    app = say_of(app, "confirmed")
    assert app.error[0].value == say("review.refused.basis")
    app = say_of(app, "confirmed", "data_only")
    assert app.error[0].value == say("review.refused.data_only")
    app = say_of(app, "confirmed", "face_to_face")
    assert not app.error
    assert [e.review.state for e in reviews.history(ledger, "F-1")] == ["acknowledged", "confirmed"]
    assert {e.who for e in reviews.history(ledger, "F-1")} == {"supervisor"}
    next(b for b in app.button if b.label == say("fatigue.back")).click().run()
    assert state.CASE not in app.query_params
    assert tile(app, "fatigue.waiting")[0] == "1"
    assert tile(app, "fatigue.reviewed") == ("1", "of 2 cases")
    assert tile(app, "fatigue.false") == ("0 %", "0 of 1 reviewed")


def test_a_review_that_somebody_overtook_is_not_added(page: Any, ledger: Ledger) -> None:
    app = page(case="F-1")
    reviews.add(ledger, "F-1", Review("false_alarm", "clip"), "admin")
    app = say_of(app, "confirmed", "clip", "I saw it")
    assert app.error[0].value == say("review.refused.meanwhile")
    assert [e.who for e in reviews.history(ledger, "F-1")] == ["admin", "admin"]
    assert app.text_area[0].value == "I saw it"  # nothing that was filled in is lost
    app = say_of(app, "confirmed", "clip", "I saw it")
    assert not app.error
    assert reviews.history(ledger, "F-1")[-1].who == "supervisor"


def test_looking_is_on_record_once_a_session(page: Any, ledger: Ledger) -> None:
    app = page(case="F-1")
    app.run()
    page("admin", case="F-1")
    page(case="F-2")
    a = t.audit.c
    query = select(a.who, a.subject).where(a.what == "operator of case seen").order_by(a.id)
    with ledger.read() as connection:
        seen = [tuple(row) for row in connection.execute(query)]
        first = connection.execute(select(t.fatigue_cases.c.opened_by).order_by("id")).scalars()
        assert list(first) == ["supervisor", "supervisor"]
    assert seen == [("supervisor", "F-1"), ("admin", "F-1"), ("supervisor", "F-2")]


@pytest.mark.parametrize("view", ["now", "patterns", "what_if"])
def test_no_operator_outside_of_an_opened_case(page: Any, ledger: Ledger, view: str) -> None:
    shown = everything(page("admin", view=view))
    assert OPERATOR not in shown.replace("\\", "")
    with ledger.read() as connection:
        audited = connection.execute(select(t.audit.c.what)).scalars().all()
    assert "operator of case seen" not in audited


def test_an_old_case_names_an_operator_only_if_it_was_confirmed(
    home: Settings, ledger: Ledger, script: str
) -> None:
    """Also while no pass of gc has taken the operators out."""
    watched(home, ledger, now=datetime.now(UTC) - timedelta(days=32))
    reviews.add(ledger, "F-2", Review("confirmed", "clip"), "ana")
    old, confirmed = opened(script, case="F-1"), opened(script, case="F-2")
    assert OPERATOR not in everything(old).replace("\\", "")
    assert say("fatigue.operator.gone", days=30) in texts(old)
    assert say("fatigue.operator.seen") not in texts(old)
    assert say("action.radio_call") in old.selectbox[0].placeholder  # of nobody's roster
    assert OPERATOR in texts(confirmed).replace("\\", "")
    with ledger.read() as connection:
        seen = connection.execute(
            select(t.audit.c.subject).where(t.audit.c.what == "operator of case seen")
        )
        assert seen.scalars().all() == ["F-2"]


def test_the_case_of_another_district_is_not_there(page: Any, ledger: Ledger, script: str) -> None:
    people.add_user(ledger, "far", "Far", "supervisor", "correct-horse-battery", ["OTHR"])
    for case in ("F-1", "F-999", "nonsense", "F-1' OR 1=1"):
        app = page("far", case=case)
        assert say("fatigue.case.none") in texts(app)
        assert OPERATOR not in everything(app).replace("\\", "")
        assert not app.text_area
    with ledger.read() as connection:
        audited = connection.execute(select(t.audit.c.what)).scalars().all()
    assert "operator of case seen" not in audited


def test_who_may_do_what() -> None:
    may = {
        action: {role for role in people.ROLES if role in access.ACTIONS[action].roles}
        for action in ("review cases", "try thresholds")
    }
    assert may == {"review cases": {"supervisor", "admin"}, "try thresholds": {"admin"}}


def test_other_thresholds_are_for_admins(page: Any) -> None:
    app = page(view="what_if")
    assert say("fatigue.contacts") in texts(app)
    assert say("fatigue.what_if") not in texts(app)
    app = page("admin", view="what_if")
    assert say("fatigue.what_if") in texts(app)
    assert len(app.number_input) == 9


def test_a_try_of_other_thresholds_changes_nothing(page: Any, ledger: Ledger) -> None:
    app = page("admin", view="what_if")
    next(n for n in app.number_input if n.label.startswith(say("threshold.closure_s"))).set_value(4)
    next(b for b in app.button if b.label == say("fatigue.try")).click().run()
    assert not app.exception
    # There is no evidence in this lake: none of its cases would be found again.
    counts = {"kept": 0, "gone": 2, "new": 0, "wrong": 0, "right": 0, "unjudged": 2}
    assert say("fatigue.tried", **counts) in texts(app)
    with ledger.read() as connection:
        assert connection.execute(select(t.thresholds)).first() is None


def test_patterns_withhold_what_few_operators_make_up(page: Any) -> None:
    app = page(view="patterns")
    assert say("fatigue.rate.shifts") in texts(app)
    assert "withheld" in texts(app)


def test_a_link_says_which_view_shift_and_list(page: Any) -> None:
    app = page(contacts="for_record")
    assert say("group.for_record.none") in texts(app)
    app = page(contacts="nonsense", shift="nonsense", view="nonsense")
    assert app.dataframe[0].value[say("column.unit")].to_list() == ["WT-201", "DT-101"]
    assert app.get("plotly_chart")


def strip_of(app: AppTest) -> Any:
    return json.loads(app.get("plotly_chart")[0].proto.spec)


def test_what_is_no_case_is_seen_beside_the_cases(
    home: Settings, ledger: Ledger, script: str
) -> None:
    lake = watched(home, ledger)
    day, at = placed(ledger)
    looks = [("DT-101", "distraction"), ("DT-102", "not_tracked"), ("DT-102", "not_tracked")]
    episodes = [
        {
            **{"hiveperiod": day, "dstrct_code": DISTRICT, "unitno": unit, "kind": kind},
            **{"operatorid": OPERATOR, "operator": OPERATOR},
            **{"started_at": at + timedelta(minutes=i), "ended_at": at + timedelta(minutes=i + 1)},
        }
        for i, (unit, kind) in enumerate(looks)
    ]
    with ledger.write() as connection:
        publish(lake, connection, "fatigue_episode", episodes)
    spec = strip_of(opened(script))
    names = [trace.get("name") for trace in spec["data"]]
    assert say("kind.distraction") in names
    assert say("kind.not_tracked") not in names  # of a unit without a case
    app = opened(script, kinds="not_tracked,microsleep,nonsense")
    spec = strip_of(app)
    names = [trace.get("name") for trace in spec["data"]]
    assert {say("kind.not_tracked"), say("kind.microsleep")} <= set(names)
    assert not {say("kind.distraction"), say("kind.drowsy")} & set(names)
    assert set(spec["layout"]["yaxis"]["ticktext"]) == {"DT-101", "DT-102"}
    assert say("fatigue.kinds.of", n=1, all=2) in texts(app)
    assert app.dataframe[0].value[say("column.unit")].to_list() == ["DT-101"]
    assert tile(app, "fatigue.waiting")[0] == "2"  # tiles are of all of them
    assert OPERATOR not in everything(app).replace("\\", "")
    app = opened(script, view="patterns")
    assert say("fatigue.driving.none") in texts(app)  # no shift of this lake moved


def test_the_handover_that_is_handed_out_tells_how_its_shift_was_driven(
    home: Settings, ledger: Ledger, script: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = watched(home, ledger)
    day, at = placed(ledger)
    _, number = lake.production_shift(at)
    where = {"hiveperiod": day, "dstrct_code": DISTRICT}
    moved = [
        {**where, "unitno": "DT-101", "shift": number, "moving_s": 7200, "blind_moving_s": 720},
        {**where, "unitno": "DT-102", "shift": 3 - number, "moving_s": 36_000},
    ]
    away = [
        {
            **{**where, "unitno": "DT-101", "kind": "distraction", "operator": OPERATOR},
            **{"started_at": at + timedelta(minutes=i), "ended_at": at + timedelta(minutes=i + 1)},
        }
        for i in range(2)
    ]
    with ledger.write() as connection:
        publish(lake, connection, "unit_shift", moved)
        publish(lake, connection, "fatigue_episode", away)
    pages = []

    def hand_out(label: str, made: Any, **_: Any) -> None:
        if label == say("handover.download"):
            pages.append(made())

    monkeypatch.setattr(st, "download_button", hand_out)
    opened(script)
    assert say("handover.title", day=day, shift=number) in pages[-1]
    assert f"{say('handover.away')}<b>2 / 2.0 h</b>" in pages[-1]
    cells = ("DT-101", "0.0 / 120", "0", "–", "2", "0.2 / 2.0")
    assert "".join(f"<td>{cell}</td>" for cell in cells) in pages[-1]
    assert "DT-102" not in pages[-1]
    assert OPERATOR not in pages[-1]


def placed(ledger: Ledger) -> tuple[str, datetime]:
    """Production day of F-1, and a moment in its shift."""
    with ledger.read() as connection:
        row = connection.execute(select(t.fatigue_cases).order_by("id").limit(1)).one()
    return row.hiveperiod, from_us(row.started_at)


def test_the_days_of_ramadan_are_told_and_can_be_looked_at_alone(
    home: Settings, monkeypatch: pytest.MonkeyPatch, ledger: Ledger, script: str
) -> None:
    watched(home, ledger)
    day, _ = placed(ledger)
    other = next_day(day)
    page = partial(opened, script)
    monkeypatch.setattr(daylight, "ramadan_day", {day: 3}.get)
    app = page(view="patterns", **{state.FIRST: day, state.LAST: other})
    assert say("fatigue.ramadan", n=1, all=2, first=day, last=day) in texts(app)
    assert app.get("plotly_chart")
    app = page(view="patterns", season="other_days", **{state.FIRST: day, state.LAST: other})
    assert "Ramadan:" not in texts(app)
    assert say("fatigue.profile.none") in texts(app)


@pytest.mark.parametrize("chart", ["fatigue.trace", "fatigue.place"])
def test_the_help_of_a_chart_of_a_case(page: Any, chart: str) -> None:
    app = page(case="F-1")
    told = meaning.of(chart, say("fatigue.trace.help") if chart == "fatigue.trace" else "")
    assert words(meaning.SOURCES[chart][0]).split()[0] in told
    assert told in [part.proto.help for part in app.subheader]


@pytest.mark.parametrize("chart", ["fatigue.profile", "fatigue.days"])
def test_the_help_of_a_chart_of_patterns(page: Any, chart: str) -> None:
    told = meaning.of(chart, say(f"{chart}.help"))
    assert words(meaning.SOURCES[chart][0]).split()[0] in told
    assert told in [part.proto.help for part in page(view="patterns").subheader]


@pytest.mark.parametrize("unit", HOSTILE)
def test_hostile_names_in_a_case_and_its_reviews(
    home: Settings, ledger: Ledger, script: str, unit: str
) -> None:
    watched(home, ledger, units=(unit,))
    reviews.add(ledger, "F-1", Review("acknowledged", note=unit[:2_000]), unit)
    app = opened(script, case="F-1")
    assert app.text_area
    for part in (*app.markdown, *app.subheader, *app.caption):
        assert not re.search(r"(?<!\\)<script|(?<!\\)\]\(", str(part.value))


def test_each_sentence_is_there_in_both_languages() -> None:
    from app.text import fatigue

    assert set(fatigue.ID) == set(fatigue.EN)
    for key, text in fatigue.EN.items():
        assert sorted(re.findall(r"\{\w+\}", text)) == sorted(
            re.findall(r"\{\w+\}", fatigue.ID[key])
        ), key
    assert {
        f"review.refused.{why}" for why in ("basis", "data_only", "reason", "meanwhile")
    } <= set(EN)
    assert panels.TICK_S <= 60
