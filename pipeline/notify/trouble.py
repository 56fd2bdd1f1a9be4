"""What people are told, in words for whoever runs the mine: what it is, why, and the way out."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, case, func, select

from pipeline import localtime
from pipeline.notify.outbox import Notice, forget, note, note_all, safely
from pipeline.settings import Settings
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger
from pipeline.storage.records import WORN_OUT
from pipeline.storage.sql import clock

SILENCE = "silence"

_TASK = "task/"

_MINUTE = 60_000_000


def failed(connection: Connection, key: str, reason: str) -> None:
    """A raw file could not be taken in at all."""
    note_all(connection, [_failed(key, reason)])


def partial(connection: Connection, key: str, text: str) -> None:
    """A raw file was damaged, and only a part of it could be taken in."""
    way_out = (
        "What could be read is in. Have the whole file delivered again under the same name: it is"
        " read anew by itself."
    )
    title = f"Raw file {key} is damaged"
    note(connection, "partial", f"partial/{key}", title, f"{_line(text)}\n{way_out}")


def new_fields(connection: Connection, names: Iterable[str]) -> None:
    """Devices sent fields that the dictionary does not have."""
    reason = "sent for the first time; its values are kept in a column of that name"
    way_out = (
        "If a new field is no surprise (a firmware update), nothing has to be done. If it is, ask"
        " whoever looks after the devices."
    )
    note_all(
        connection,
        [
            Notice("fields", f"fields/{name}", f"New field {_line(name)}", f"{reason}\n{way_out}")
            for name in names
        ],
    )


def tests_failed(connection: Connection, failures: Iterable[str]) -> None:
    """Marts did not pass their tests: ``failures`` as in BuildFailed, ``test: message``.

    Without any, the marts are well again: a test that fails later is told at once.
    """
    way_out = (
        "The pages go on showing the last figures that passed. The tests' results are on the"
        " Ingestion page; marts are built anew by themselves until they pass."
    )
    notices = []
    for failure in failures:
        test, _, message = failure.partition(": ")
        body = f"{_line(message) or 'no message'}\n{way_out}"
        notices.append(Notice("tests", f"tests/{test}", f"Data test {_line(test)} failed", body))
    if notices:
        note_all(connection, notices)
    else:
        n = t.notices.c
        found = connection.execute(select(n.topic).where(n.kind == "tests"))
        forget(connection, [str(row[0]) for row in found])


def task_failed(connection: Connection, task: str, reason: str) -> None:
    """A task of an orchestrator failed, and was not (or no longer) tried again."""
    way_out = (
        "Nothing is lost: the next run takes up the same work. If it fails again, look into the"
        " task's log in the orchestrator."
    )
    title = f"Task {_line(task)} failed"
    note(connection, "task", f"{_TASK}{task}", title, f"{_line(reason) or 'no reason'}\n{way_out}")


def task_well(connection: Connection, task: str) -> None:
    """The task works again: should it fail later, that is told at once."""
    forget(connection, [f"{_TASK}{task}"])


def fatigue_case(connection: Connection, case_id: str, unit: str, text: str) -> None:
    """A critical fatigue case of a unit's operator; ``case_id`` makes it one case."""
    way_out = "Call the operator now. The camera's events are on the Fatigue events page."
    title = f"Critical fatigue case on {_line(unit)}"
    note(connection, "fatigue", f"fatigue/{case_id}", title, f"{_line(text)}\n{way_out}")


def set_aside(ledger: Ledger) -> None:
    """Note the files that were tried too often: no commit ever speaks of them."""
    k, n = t.raw_keys.c, t.notices.c
    noted = select(n.topic).where(n.topic == "failed/" + k.key).exists()
    query = select(k.key, k.error).where(
        k.state == "failed", k.error.startswith(WORN_OUT, autoescape=True), ~noted
    )
    with ledger.read() as connection:
        found = [_failed(str(row[0]), str(row[1])) for row in connection.execute(query)]
    if found:
        safely(ledger, lambda connection: note_all(connection, found))


def silence(ledger: Ledger, settings: Settings, now: datetime) -> datetime:
    """Note when no file has arrived for ``silence_minutes``; forget it when one comes again.

    Nothing is said before the first file ever. Returns from when on it is worth looking again.
    """
    at, allowed = localtime.to_us(now), int(settings.silence_minutes * _MINUTE)
    k, n = t.raw_keys.c, t.notices.c
    # A file with a date in the future arrived when it was seen.
    arrived = func.max(case((k.arrived_at > k.seen_at, k.seen_at), else_=k.arrived_at))
    with ledger.read() as connection:
        newest = _number(connection.execute(select(arrived).where(k.state != "ignored")).scalar())
        query = select(n.last_at).where(n.topic == SILENCE)
        noted = _number(connection.execute(query).scalar())
        # Still silent is counted now and then, so that it is told again after the repeat time.
        rested = noted is None or clock(connection) - noted > 10 * _MINUTE
    if not allowed or newest is None or at - newest <= allowed:
        if noted is not None:
            safely(ledger, lambda connection: forget(connection, [SILENCE]))
        return localtime.from_us(max(at + _MINUTE, (newest or at) + allowed))
    if rested:
        notice = _silence(newest, settings)
        safely(ledger, lambda connection: note_all(connection, [notice]))
    return localtime.from_us(at + _MINUTE)


def _number(value: Any) -> int | None:
    """What an aggregate found, or None when there were no rows."""
    return None if value is None else int(value)


def _silence(newest: int, settings: Settings) -> Notice:
    since = local(newest, settings.zone)
    body = (
        f"no file has arrived for more than {settings.silence_minutes:g} minutes\n"
        "Look whether the devices have network, and whether what copies their files still runs."
    )
    return Notice("silence", SILENCE, f"No raw file since {since}", body)


def _failed(key: str, reason: str) -> Notice:
    way_out = (
        "Nothing was taken from what failed; it is kept as delivered, and the Ingestion page lists"
        " it. Have it delivered again under the same name: it is read anew by itself."
    )
    return Notice(
        "failed", f"failed/{key}", f"Raw file {key} failed", f"{_line(reason)}\n{way_out}"
    )


def local(microseconds: int, zone: str) -> str:
    """A moment as people there read it, with the zone's name."""
    moment = localtime.from_us(microseconds).astimezone(ZoneInfo(zone))
    return f"{moment:%Y-%m-%d %H:%M} ({zone})"


def _line(text: str) -> str:
    """Text on one line: the first line of a body is its reason."""
    return " ".join(str(text).split())
