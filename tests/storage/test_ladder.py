"""The ladder of actions: what may stand on it, and what a change of it leaves as it was."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from pipeline.storage import ladder, reviews
from pipeline.storage import tables as t
from pipeline.storage.ladder import USUAL, LadderRefused
from pipeline.storage.ledger import Ledger, data_version
from pipeline.storage.reviews import Review, ReviewRefused
from tests.storage.test_reviews import audits, case, newest

__all__ = ["case"]  # a fixture

NEW = ("Call on channel 3", "rest")


def in_force(ledger: Ledger) -> tuple[str, ...]:
    with ledger.read() as connection:
        return ladder.in_force(connection)


def test_a_new_ladder_is_audited_beside_the_old_one(any_ledger: Ledger) -> None:
    assert in_force(any_ledger) == ("radio_call", "visit", "rest", "off_truck")
    version = data_version(any_ledger)
    ladder.change(any_ledger, ("  Call on\tchannel 3 ", "", "rest"), "ada", " drill ", seen=USUAL)
    assert in_force(any_ledger) == NEW
    assert data_version(any_ledger) > version
    ladder.change(any_ledger, ("rest",), "bob", "enough", seen=NEW)
    assert in_force(any_ledger) == ("rest",)
    assert audits(any_ledger, "action ladder") == [
        ("ada", "", {"before": list(USUAL), "after": list(NEW), "reason": "drill"}),
        ("bob", "", {"before": list(NEW), "after": ["rest"], "reason": "enough"}),
    ]
    with any_ledger.read() as connection:
        kept = connection.execute(select(t.ladders.c.steps).order_by(t.ladders.c.id)).scalars()
        assert [json.loads(text) for text in kept] == [list(NEW), ["rest"]]


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ((), "none"),
        (("", " \t"), "none"),
        (tuple("abcdefghi"), "many"),
        (("x" * 61,), "long"),
        (("Call", "CALL"), "twice"),
        (("Call", "\uff23all"), "twice"),  # a wide C
        (("Call \u202egnp.exe",), "odd"),  # turns what follows around
        (("Call\x00",), "odd"),
        (("\u200b",), "odd"),  # has no width
        (("—",), "odd"),
    ],
)
def test_what_is_no_ladder_is_refused(lines: tuple[str, ...], why: str) -> None:
    with pytest.raises(LadderRefused) as refused:
        ladder.cleaned(lines)
    assert refused.value.why == why


def test_markup_is_only_words(ledger: Ledger) -> None:
    steps = ("<script>alert(1)</script>", "'; DROP TABLE ladders; --", "**rest** | $x$", "توقف")
    ladder.change(ledger, steps, "ada", "because", seen=USUAL)
    assert in_force(ledger) == steps


def test_what_is_refused_leaves_no_trace(ledger: Ledger) -> None:
    for lines, reason, seen, why in (
        (("rest",), " ", USUAL, "reason"),
        (("rest",), "because", NEW, "meanwhile"),
        (USUAL, "because", USUAL, "same"),
        (("x" * 61,), "because", USUAL, "long"),
    ):
        with pytest.raises(LadderRefused) as refused:
            ladder.change(ledger, lines, "ada", reason, seen=seen)
        assert refused.value.why == why
    assert in_force(ledger) == USUAL
    assert audits(ledger, "action ladder") == []


def test_a_review_keeps_its_step_and_takes_one_in_force(any_ledger: Ledger, case: str) -> None:
    reviews.add(any_ledger, case, Review("acknowledged", action="visit"), "ana")
    ladder.change(any_ledger, NEW, "ada", "drill", seen=USUAL)
    seen = newest(any_ledger, case)
    with pytest.raises(ReviewRefused) as refused:
        reviews.add(any_ledger, case, Review("acknowledged", action="visit"), "ben", seen=seen)
    assert refused.value.why == "ladder"
    reviews.add(any_ledger, case, Review("acknowledged", action=NEW[0]), "ben", seen=seen)
    said = [entry.review.action for entry in reviews.history(any_ledger, case)]
    assert said == ["visit", NEW[0]]
