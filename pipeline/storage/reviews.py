"""Reviews of fatigue cases: what people did about one, and what it turned out to be.

A case is new until somebody takes it on (acknowledged: the operator was contacted, or is about to
be); then it is confirmed, a false alarm, or not assessable. Whatever is said is added to what was
said before: a verdict that was wrong is followed by another one, with the reason, and stays.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, Select, func, insert, select, update

from pipeline.errors import UsageError
from pipeline.localtime import from_us, next_day
from pipeline.storage import ladder
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger
from pipeline.storage.people import audit
from pipeline.storage.sql import clock, step

NEW, ACKNOWLEDGED, CONFIRMED = "new", "acknowledged", "confirmed"
FALSE_ALARM, NOT_ASSESSABLE = "false_alarm", "not_assessable"

#: States that say what the case was.
VERDICTS = (CONFIRMED, FALSE_ALARM, NOT_ASSESSABLE)
STATES = (ACKNOWLEDGED, *VERDICTS)

#: What a verdict rests on. Data alone cannot confirm: only a look at, or a word with, a person can.
DATA_ONLY = "data_only"
BASES = ("clip", "radio", "face_to_face", DATA_ONLY)

LONGEST_NOTE = 2_000
MOST_SLEEP_H = 24


class ReviewRefused(UsageError):
    """A review that may not be; why: basis, data_only, reason, ladder, meanwhile,
    unknown, value."""

    def __init__(self, why: str, message: str) -> None:
        self.why = why
        super().__init__(message)


@dataclass(frozen=True)
class Review:
    """What a person says of a case. ``action``: a step of the ladder; ``sleep_h``: hours slept
    before the shift."""

    state: str
    basis: str | None = None
    action: str | None = None
    note: str = ""
    fit_to_work: bool | None = None
    sleep_h: float | None = None


@dataclass(frozen=True)
class Entry:
    """A review as it stands in the history; ``at`` is UTC, ``number`` its place in the ledger."""

    number: int
    review: Review
    who: str
    at: datetime


@dataclass(frozen=True)
class Linked:
    """A case that keeps its operator however old it is; times in µs."""

    number: int
    dstrct_code: str
    unitno: str
    started_at: int
    ended_at: int


def check(review: Review, actions: Sequence[str]) -> None:
    """Raise ReviewRefused for one that says nothing, too much, or what its basis cannot show.

    ``actions``: steps of the ladder in force.
    """
    choices = (("state", review.state, STATES), ("basis", review.basis, (None, *BASES)))
    for name, value, known in choices:
        if value not in known:
            raise ReviewRefused("value", f"{name} {value!r} is none of {known}")
    if review.action is not None and review.action not in actions:
        raise ReviewRefused("ladder", f"{review.action!r} is no step of the ladder")
    if review.state in VERDICTS and review.basis is None:
        raise ReviewRefused("basis", "a verdict needs a basis")
    if review.state == CONFIRMED and review.basis == DATA_ONLY:
        raise ReviewRefused("data_only", "data alone cannot confirm a case")
    if len(review.note) > LONGEST_NOTE:
        raise ReviewRefused("value", f"a note has at most {LONGEST_NOTE:,} characters")
    if review.sleep_h is not None and not 0 <= review.sleep_h <= MOST_SLEEP_H:
        raise ReviewRefused("value", f"hours of sleep lie between 0 and {MOST_SLEEP_H}")


def add(
    ledger: Ledger,
    case_id: str,
    review: Review,
    who: str,
    *,
    districts: Collection[str] = (),
    seen: int = 0,
) -> None:
    """Add a review to a case's history, audited; pages learn of it at once.

    ``seen``: number of the newest entry that the reviewer knew of (0: none). ``districts``: those
    of the reviewer, empty for all. A verdict on a new case takes it on as well, so that the time
    until somebody did is known of each. Raises ReviewRefused for what ``check`` refuses, for a case
    that is not there or not theirs or was reviewed meanwhile, and for another verdict without a
    note.
    """
    with ledger.write() as connection:
        step(connection, "data")  # first of all: two reviewers take turns here
        check(review, ladder.in_force(connection))
        number = _known(connection, case_id, districts)
        before = _entries(connection, number)
        if (before[-1].number if before else 0) != seen:
            raise ReviewRefused("meanwhile", f"{case_id} was reviewed by somebody else meanwhile")
        if before and before[-1].review.state in VERDICTS and not review.note.strip():
            raise ReviewRefused("reason", "another verdict needs a note that says why")
        now = clock(connection)
        steps = [review]
        if not before and review.state in VERDICTS:
            steps.insert(0, Review(ACKNOWLEDGED, action=review.action))
        for one in steps:
            row = {"case_number": number, "who": who, "reviewed_at": now}
            connection.execute(insert(t.case_reviews).values(**asdict(one), **row))
        said = {"state": review.state, "basis": review.basis, "action": review.action}
        audit(connection, who, "case reviewed", case_id, said)


def opened(ledger: Ledger, case_id: str, who: str) -> None:
    """Record that a person looked at a case and its operator; the first time is kept with it."""
    c = t.fatigue_cases.c
    with ledger.write() as connection:
        number = number_of(case_id)
        if number is not None:
            first = update(t.fatigue_cases).where(c.id == number, c.opened_at.is_(None))
            connection.execute(first.values(opened_at=clock(connection), opened_by=who))
        audit(connection, who, "operator of case seen", case_id)


def history(ledger: Ledger, case_id: str) -> tuple[Entry, ...]:
    """What was said of a case, oldest first; empty while it is new."""
    number = number_of(case_id)
    if number is None:
        return ()
    with ledger.read() as connection:
        return tuple(_entries(connection, number))


def confirmed() -> Select[tuple[int]]:
    """Numbers of the cases whose last word is that they were."""
    r = t.case_reviews.c
    last = select(func.max(r.id)).group_by(r.case_number)
    return select(r.case_number).where(r.id.in_(last), r.state == CONFIRMED)


def linked(connection: Connection, days: Collection[tuple[str, str]]) -> list[Linked]:
    """Confirmed cases of some (production day, district)s, and of the days before these.

    One that was confirmed when its operator had been let go is not among them.
    """
    wide = {(next_day(day, -by), district) for day, district in days for by in (0, 1)}
    c = t.fatigue_cases.c
    columns = [c[name] for name in Linked.__dataclass_fields__ if name != "number"]
    query = select(c.hiveperiod, c.id, *columns).where(c.id.in_(confirmed()))
    query = query.where(c.unlinked_at.is_(None), c.hiveperiod.in_({day for day, _ in wide}))
    rows = connection.execute(query.order_by(c.id)).all()
    return [Linked(*row[1:]) for row in rows if (row.hiveperiod, row.dstrct_code) in wide]


def place_of(ledger: Ledger, case_id: str) -> tuple[str, str] | None:
    """Production day and district of a case, None where there is no such case."""
    c = t.fatigue_cases.c
    with ledger.read() as connection:
        query = select(c.hiveperiod, c.dstrct_code).where(c.id == number_of(case_id))
        row = connection.execute(query).first()
    return None if row is None else (str(row.hiveperiod), str(row.dstrct_code))


def number_of(case_id: str) -> int | None:
    """The ledger's number of a case, None for a text that names none."""
    prefix, _, digits = case_id.partition("-")
    # Longer than any number that a ledger can hold
    fits = digits.isascii() and digits.isdecimal() and len(digits) < 10
    return int(digits) if prefix == "F" and fits else None


def _known(connection: Connection, case_id: str, districts: Collection[str]) -> int:
    c = t.fatigue_cases.c
    number = number_of(case_id)
    query = select(c.id).where(c.id == number)
    if districts:
        query = query.where(c.dstrct_code.in_(districts))
    if number is None or connection.execute(query).first() is None:
        raise ReviewRefused("unknown", f"there is no case {case_id!r}")
    return number


def _entries(connection: Connection, number: int) -> list[Entry]:
    r = t.case_reviews.c
    query = select(t.case_reviews).where(r.case_number == number).order_by(r.id)
    return [_entry(row) for row in connection.execute(query)]


def _entry(row: Row[tuple[object, ...]]) -> Entry:
    values = {name: getattr(row, name) for name in Review.__dataclass_fields__}
    return Entry(row.id, Review(**values), row.who, from_us(row.reviewed_at))
