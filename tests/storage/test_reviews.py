"""Reviews of fatigue cases: what may follow what, who is told, and that nothing is ever lost."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from pipeline.localtime import to_us
from pipeline.marts.cases import Found, named
from pipeline.storage import reviews
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger, data_version
from pipeline.storage.records import Partition
from pipeline.storage.reviews import Review, ReviewRefused
from queries.ledger_frames import ledger_frame
from queries.scope import EVERYTHING, Scope
from tests.threads import together

DAY, DISTRICT = "2026-01-31", "MLKB"
START = to_us(datetime(2026, 1, 31, 3, tzinfo=UTC))


def found(name: str = "a", start: int = START, district: str = DISTRICT) -> Found:
    return Found(name, DAY, district, "DT-1", "op-1", start, start + 60_000_000)


@pytest.fixture
def case(any_ledger: Ledger) -> str:
    return named(any_ledger, [Partition(DAY, DISTRICT, 1)], [found()])["a"]


def states(ledger: Ledger, case: str) -> list[str]:
    return [entry.review.state for entry in reviews.history(ledger, case)]


def newest(ledger: Ledger, case: str) -> int:
    return reviews.history(ledger, case)[-1].number


def audits(ledger: Ledger, what: str) -> list[tuple[str, str, dict[str, Any]]]:
    a = t.audit.c
    query = select(a.who, a.subject, a.detail).where(a.what == what).order_by(a.id)
    with ledger.read() as connection:
        return [(row.who, row.subject, json.loads(row.detail)) for row in connection.execute(query)]


def test_from_new_over_acknowledged_to_a_verdict(any_ledger: Ledger, case: str) -> None:
    assert states(any_ledger, case) == []
    version = data_version(any_ledger)
    reviews.add(any_ledger, case, Review("acknowledged", action="radio_call"), "ana")
    assert data_version(any_ledger) > version  # open pages learn of it
    last = newest(any_ledger, case)
    verdict = Review("confirmed", "face_to_face", "rest", "slept badly", False, 4.5)
    reviews.add(any_ledger, case, verdict, "ben", seen=last)
    first, second = reviews.history(any_ledger, case)
    assert (first.who, second.who) == ("ana", "ben")
    assert second.review == verdict
    assert datetime.now(UTC) - second.at < timedelta(minutes=5)
    assert first.at <= second.at
    assert audits(any_ledger, "case reviewed") == [
        ("ana", case, {"state": "acknowledged", "basis": None, "action": "radio_call"}),
        ("ben", case, {"state": "confirmed", "basis": "face_to_face", "action": "rest"}),
    ]


def test_a_verdict_on_a_new_case_takes_it_on_as_well(any_ledger: Ledger, case: str) -> None:
    reviews.add(any_ledger, case, Review("false_alarm", "clip", note="sun"), "ana")
    assert states(any_ledger, case) == ["acknowledged", "false_alarm"]


def test_another_verdict_needs_a_reason_and_the_first_stays(any_ledger: Ledger, case: str) -> None:
    reviews.add(any_ledger, case, Review("false_alarm", "clip"), "ana")
    for note in ("", "  "):
        again = Review("confirmed", "radio", note=note)
        with pytest.raises(ReviewRefused, match="note"):
            reviews.add(any_ledger, case, again, "ben", seen=newest(any_ledger, case))
    again = Review("confirmed", "radio", note="he says he slept")
    reviews.add(any_ledger, case, again, "ben", seen=newest(any_ledger, case))
    assert states(any_ledger, case) == ["acknowledged", "false_alarm", "confirmed"]


@pytest.mark.parametrize(
    "wrong",
    [
        Review("new"),
        Review("confirmed"),
        Review("confirmed", "data_only"),
        Review("confirmed", "hearsay"),
        Review("acknowledged", action="dismissal"),
        Review("acknowledged", note="x" * 2_001),
        Review("acknowledged", sleep_h=-1),
        Review("acknowledged", sleep_h=25),
    ],
)
def test_what_is_refused_leaves_no_trace(any_ledger: Ledger, case: str, wrong: Review) -> None:
    with pytest.raises(ReviewRefused):
        reviews.add(any_ledger, case, wrong, "ana")
    assert states(any_ledger, case) == []
    assert audits(any_ledger, "case reviewed") == []


def test_data_alone_can_show_a_false_alarm(any_ledger: Ledger, case: str) -> None:
    reviews.add(any_ledger, case, Review("false_alarm", "data_only"), "ana")
    assert states(any_ledger, case)[-1] == "false_alarm"


@pytest.mark.parametrize("name", ["F-999", "c1", "F-", "F--1", "F-1; DROP", "F-" + "9" * 30, "F-²"])
def test_a_case_that_is_not_there(any_ledger: Ledger, case: str, name: str) -> None:
    with pytest.raises(ReviewRefused, match="no case"):
        reviews.add(any_ledger, name, Review("acknowledged"), "ana")
    assert reviews.history(any_ledger, name) == ()


def test_a_case_of_another_district_is_not_there(any_ledger: Ledger, case: str) -> None:
    with pytest.raises(ReviewRefused, match="no case"):
        reviews.add(any_ledger, case, Review("acknowledged"), "far", districts=("OTHR",))
    reviews.add(any_ledger, case, Review("acknowledged"), "near", districts=("MLKB", "OTHR"))


def test_of_two_reviewers_at_once_one_is_told_to_look_again(any_ledger: Ledger, case: str) -> None:
    told = []

    def judge(who: str) -> None:
        try:
            reviews.add(any_ledger, case, Review("confirmed", "clip"), who)
        except ReviewRefused as error:
            told.append(error.why)

    together(lambda: judge("ana"), lambda: judge("ben"))
    assert told == ["meanwhile"]
    assert states(any_ledger, case) == ["acknowledged", "confirmed"]


def test_the_first_look_is_kept_and_every_look_is_audited(any_ledger: Ledger, case: str) -> None:
    for who in ("ana", "ben"):
        reviews.opened(any_ledger, case, who)
    with any_ledger.read() as connection:
        row = connection.execute(select(t.fatigue_cases)).one()
    assert row.opened_by == "ana"
    assert row.opened_at >= row.minted_at
    seen = audits(any_ledger, "operator of case seen")
    assert [(who, subject) for who, subject, _ in seen] == [("ana", case), ("ben", case)]


def test_a_rebuild_that_moves_a_case_keeps_its_reviews(any_ledger: Ledger, case: str) -> None:
    reviews.add(any_ledger, case, Review("confirmed", "clip"), "ana")
    later = named(any_ledger, [Partition(DAY, DISTRICT, 2)], [found("b", START + 30_000_000)])
    assert later["b"] == case
    assert states(any_ledger, case) == ["acknowledged", "confirmed"]
    named(any_ledger, [Partition(DAY, DISTRICT, 3)], [])  # found no more: withdrawn, not deleted
    assert states(any_ledger, case) == ["acknowledged", "confirmed"]


def test_what_pages_read_is_cut_to_their_scope(any_ledger: Ledger, case: str) -> None:
    other = named(any_ledger, [Partition(DAY, "OTHR", 1)], [found(district="OTHR")])["a"]
    reviews.add(any_ledger, case, Review("acknowledged", action="visit"), "ana")
    reviews.add(any_ledger, case, Review("confirmed", "clip"), "ben", seen=newest(any_ledger, case))
    with any_ledger.read() as connection:
        every = ledger_frame(connection, "case_states", EVERYTHING)
        mine = ledger_frame(connection, "case_states", Scope(DAY, DAY, (DISTRICT,)))
        said = ledger_frame(connection, "case_reviews", Scope(DAY, DAY, (DISTRICT,)))
        none = ledger_frame(connection, "case_reviews", Scope("2026-02-01", "2026-02-01"))
    assert dict(every.select("case_id", "state").iter_rows()) == {case: "confirmed", other: "new"}
    assert mine.select("case_id", "action", "reviews").rows() == [(case, "visit", 2)]
    first, last = (entry.at for entry in reviews.history(any_ledger, case))
    assert mine.select("acknowledged_at", "reviewed_at").rows() == [(first, last)]
    assert said.select("case_id", "state", "who").rows() == [
        (case, "acknowledged", "ana"),
        (case, "confirmed", "ben"),
    ]
    assert none.is_empty()
    assert none.schema == said.schema


def test_a_withdrawn_case_is_marked(any_ledger: Ledger, case: str) -> None:
    named(any_ledger, [Partition(DAY, DISTRICT, 2)], [])
    with any_ledger.read() as connection:
        frame = ledger_frame(connection, "case_states", EVERYTHING)
    assert frame["withdrawn_at"].null_count() == 0
    reviews.add(any_ledger, case, Review("confirmed", "radio"), "ana")  # it was seen, all the same
    assert states(any_ledger, case) == ["acknowledged", "confirmed"]
