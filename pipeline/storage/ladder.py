"""The ladder of actions: what is done the first time in a shift, the second, …

It is kept in versions, as thresholds are. A review keeps the words of its step, so a ladder that
was changed changes nothing of what was said.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence

from sqlalchemy import Connection, insert, select

from pipeline.errors import UsageError
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger
from pipeline.storage.people import audit
from pipeline.storage.sql import clock, step

#: Until somebody sets another; pages know the words of these in each language.
USUAL = ("radio_call", "visit", "rest", "off_truck")

MOST_STEPS = 8
LONGEST_STEP = 60
LONGEST_REASON = 500


class LadderRefused(UsageError):
    """A ladder that may not be; why: none, many, long, odd, twice, same, reason, meanwhile.

    ``step``: which of its steps is meant, where one is.
    """

    def __init__(self, why: str, message: str, step: str = "") -> None:
        self.why, self.step = why, step
        super().__init__(message)


def in_force(connection: Connection) -> tuple[str, ...]:
    """Its steps, the first one first."""
    newest = select(t.ladders.c.steps).order_by(t.ladders.c.id.desc()).limit(1)
    text = connection.execute(newest).scalar_one_or_none()
    return USUAL if text is None else tuple(map(str, json.loads(text)))


def cleaned(lines: Sequence[str]) -> tuple[str, ...]:
    """The steps as they are kept: without white space around and without empty lines.

    Raises LadderRefused.
    """
    steps = tuple(text for line in lines if (text := " ".join(line.split())))
    if not steps:
        raise LadderRefused("none", "a ladder needs a step")
    if len(steps) > MOST_STEPS:
        raise LadderRefused("many", f"a ladder has at most {MOST_STEPS} steps, not {len(steps)}")
    seen = set[str]()
    for one in steps:
        _check(one)
        same = unicodedata.normalize("NFKC", one).casefold()
        if same in seen:
            raise LadderRefused("twice", f"{one!r} is there twice", one)
        seen.add(same)
    return steps


def change(
    ledger: Ledger, lines: Sequence[str], who: str, reason: str, *, seen: Sequence[str]
) -> None:
    """Put another ladder in force, audited with the one before; open pages learn of it.

    ``seen``: the ladder that it is to replace. Raises LadderRefused.
    """
    steps = cleaned(lines)
    if not reason.strip():
        raise LadderRefused("reason", "say why: whoever reads reviews later has to know")
    with ledger.write() as connection:
        step(connection, "data")  # first of all: two who change it take turns here
        before = in_force(connection)
        if before != tuple(seen):
            raise LadderRefused("meanwhile", "somebody else changed the ladder meanwhile")
        if before == steps:
            raise LadderRefused("same", "that is the ladder in force")
        row = {"steps": json.dumps(steps, ensure_ascii=False), "set_by": who}
        row["reason"] = reason.strip()[:LONGEST_REASON]
        connection.execute(insert(t.ladders).values(**row, set_at=clock(connection)))
        detail = {"before": before, "after": steps, "reason": row["reason"]}
        audit(connection, who, "action ladder", "", detail)


def _check(one: str) -> None:
    """Raise LadderRefused for a step that is too long, or that nobody could read."""
    if len(one) > LONGEST_STEP:
        short = one[:LONGEST_STEP]
        raise LadderRefused("long", f"a step has at most {LONGEST_STEP} characters: {short}", short)
    kinds = {unicodedata.category(sign)[0] for sign in one}
    # C: control signs, and those that nobody sees but that turn the direction of what follows
    if "C" in kinds or kinds.isdisjoint("LN"):
        raise LadderRefused("odd", f"{one!r} has signs that cannot be read, or no words", one)
