"""Names of fatigue cases: minted in the ledger, found again by overlap.

A rebuild may move a case's ends, split it or merge it: what overlaps most keeps the name. So a
review stays with what was reviewed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from pipeline.storage import reviews
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger
from pipeline.storage.records import Partition
from pipeline.storage.sql import clock


@dataclass(frozen=True)
class Found:
    """A case as a build found it; ``name`` is the build's own, times in µs."""

    name: str
    hiveperiod: str
    dstrct_code: str
    unitno: str
    operator: str
    started_at: int
    ended_at: int


def named(
    ledger: Ledger,
    parts: Iterable[Partition],
    found: Sequence[Found],
    past: Collection[tuple[str, str]] = (),
) -> dict[str, str]:
    """The lasting name of each case, by the build's own.

    New ones are minted; those of these days that nothing overlaps any more are withdrawn. ``past``:
    days of which confirmed cases alone keep their operator.
    """
    with ledger.write() as connection:
        known = _known(connection, parts)
        ids = _matched(known, found)
        now = clock(connection)
        c = t.fatigue_cases.c
        kept = {case.number for case in reviews.linked(connection, past)}
        for case in found:
            values = {
                name: getattr(case, name)
                for name in ("hiveperiod", "dstrct_code", "unitno", "operator")
            } | {"started_at": case.started_at, "ended_at": case.ended_at}
            if (case.hiveperiod, case.dstrct_code) in past and ids.get(case.name) not in kept:
                values |= {"operator": "", "unlinked_at": now}
            if case.name in ids:
                here = update(t.fatigue_cases).where(c.id == ids[case.name])
                connection.execute(here.values(**values, withdrawn_at=None))
            else:
                minted = connection.execute(
                    insert(t.fatigue_cases).values(**values, minted_at=now).returning(c.id)
                )
                ids[case.name] = int(minted.scalar_one())
        gone = sorted(set(known) - set(ids.values()))
        connection.execute(
            update(t.fatigue_cases)
            .where(c.id.in_(gone), c.withdrawn_at.is_(None))
            .values(withdrawn_at=now)
        )
    return {name: f"F-{number}" for name, number in ids.items()}


def _known(connection: Connection, parts: Iterable[Partition]) -> dict[int, Found]:
    found = {}
    c = t.fatigue_cases.c
    for part in parts:
        query = select(t.fatigue_cases).where(
            c.hiveperiod == part.hiveperiod, c.dstrct_code == part.dstrct_code
        )
        for row in connection.execute(query):
            values = {
                name: getattr(row, name) for name in Found.__dataclass_fields__ if name != "name"
            }
            found[int(row.id)] = Found("", **values)
    return found


def _matched(known: dict[int, Found], found: Sequence[Found]) -> dict[str, int]:
    """Pairs of one unit and operator, the longest overlap first; nobody twice.

    A case whose operator was let go is found by its unit alone.
    """
    pairs = [
        (-_overlap(old, new), number, new.name)
        for number, old in known.items()
        for new in found
        if (old.dstrct_code, old.unitno) == (new.dstrct_code, new.unitno)
        and old.operator in ("", new.operator)
        and _overlap(old, new) > 0
    ]
    ids: dict[str, int] = {}
    taken = set[int]()
    for _, number, name in sorted(pairs):
        if number not in taken and name not in ids:
            ids[name] = number
            taken.add(number)
    return ids


def _overlap(old: Found, new: Found) -> int:
    return min(old.ended_at, new.ended_at) - max(old.started_at, new.started_at)
