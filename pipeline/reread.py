"""Read raw files again as somebody asked on a page: planned, in portions, watched, cancelled.

A request may name a month of a fleet. It is read in portions, oldest hour first, so new files wait
for one portion and no longer, people see how far it is, and cancelling it leaves only the portion
that is being read. Where it stands is in the ledger: whichever worker leads goes on from there.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

from sqlalchemy import func, select

from pipeline.errors import UsageError
from pipeline.reingest import ReingestPlan, Selection, chosen_keys, mark, words
from pipeline.settings import Settings
from pipeline.storage import requests
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger
from pipeline.storage.objects import open_store
from pipeline.storage.requests import REREAD, Request

#: Files that are marked at a time: some seconds of work, and what a cancellation still lets pass.
PORTION = 200

PLANNED = "planned"


def ask(ledger: Ledger, chosen: Selection, planned: ReingestPlan, who: str) -> int:
    """Leave a request with what the dry run said; audited. Returns its id."""
    shown = {"files": len(planned.keys), "rows": planned.rows, "days": len(planned.days)}
    detail = chosen.as_json() | {PLANNED: shown}
    with ledger.write() as connection:
        return requests.ask(
            connection, REREAD, who, detail, what="reingest asked", subject=words(chosen)
        )


def advance(ledger: Ledger, settings: Settings, worker: str) -> bool:
    """Take the oldest request a portion further, if the last one is read; True while it is open.

    Only the worker that leads calls this. A request that makes no sense fails with its error.
    """
    with ledger.read() as connection:
        request = requests.oldest(connection, REREAD)
    if request is None:
        return False
    try:
        return _advance(ledger, settings, worker, request)
    except UsageError as error:
        with ledger.write() as connection:
            requests.end(connection, [request.id], str(error))
        return False


def _advance(ledger: Ledger, settings: Settings, worker: str, request: Request) -> bool:
    done = request.result
    portion: list[str] = done.get("portion", [])
    if unread(ledger, portion):
        return True
    chosen = Selection(**{name: v for name, v in request.detail.items() if name != PLANNED})
    with ledger.read() as connection:
        after = tuple(done["after"]) if "after" in done else None
        found = list(islice(chosen_keys(connection, settings, chosen, after), PORTION))
        k = t.raw_keys.c
        broken = select(func.count()).where(k.key.in_(portion), k.state == "failed")
        failed = int(connection.execute(broken).scalar_one())
    store = open_store(settings)
    there = [key for _, key in found if store.stat(key)]
    result: dict[str, Any] = {
        "done": done.get("done", 0) + len(portion),
        "failed": done.get("failed", 0) + failed,
        "gone": done.get("gone", 0) + len(found) - len(there),
    }
    with ledger.write() as connection:
        if not found:
            requests.end(connection, [request.id], result=result)
            return False
        result |= {"portion": there, "after": list(found[-1])}
        if requests.go_on(connection, request, worker, result):
            # The zone of a district stays: the app does not open a ledger whose zones differ.
            mark(connection, there)
            return True
    return False


def unread(ledger: Ledger, portion: list[str]) -> int:
    """How many files of a portion still wait to be read again."""
    k = t.raw_keys.c
    query = select(func.count()).where(k.key.in_(portion), k.state == "pending", k.reread)
    with ledger.read() as connection:
        return int(connection.execute(query).scalar_one())
