"""What arrived: compare the store with the ledger and note new and changed keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from sqlalchemy import Connection, func, select, update

from pipeline import localtime
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger
from pipeline.storage.objects import Entry, Store
from pipeline.storage.records import UNREADABLE
from pipeline.storage.sql import clock, upsert

#: A poll looks at each device's hours from its newest one minus this; the rest waits for a full
#: listing. Uploads are late by hours, seldom by days.
LOOK_BACK = timedelta(days=7)

#: Local hours are ahead of UTC by 14 at most.
AHEAD = timedelta(days=1)

CHUNK = 2_000

_UNREADABLE = (t.raw_keys.c.state == "failed") & t.raw_keys.c.error.startswith(UNREADABLE)


@dataclass(frozen=True)
class Discovery:
    """Keys found by one listing: how many are to be read, and those that are no device-hour."""

    pending: int
    ignored: list[str]


def discover(ledger: Ledger, store: Store, *, full: bool) -> Discovery:
    """List the store (recent hours, or everything) and record what is new or has changed.

    A full listing also brings back what the store would not hand out before.
    """
    since = None if full else _since(ledger)
    pending, ignored = 0, []
    for chunk in _batched(store.entries(since)):
        with ledger.read() as connection:
            known = _known(connection, [entry.key for entry in chunk], again=full)
        fresh = [entry for entry in chunk if known.get(entry.key) != entry.etag]
        ignored += [entry.key for entry in chunk if entry.place is None]
        if fresh:
            with ledger.write() as connection:
                pending += _record(connection, fresh)
    return Discovery(pending, ignored)


def look_again(ledger: Ledger, store: Store, keys: list[str]) -> None:
    """Record keys anew that changed, or went, while they were read."""
    with ledger.read() as connection:
        before = clock(connection)
    entries = {key: store.stat(key) for key in keys}
    k = t.raw_keys.c
    with ledger.write() as connection:
        _record(connection, [entry for entry in entries.values() if entry is not None])
        gone = [key for key, entry in entries.items() if entry is None]
        connection.execute(
            update(t.raw_keys)
            .where(k.key.in_(gone), k.state == "pending", k.seen_at <= before)
            .values(state="failed", error=f"{UNREADABLE}: gone from the store")
        )


def _since(ledger: Ledger) -> dict[str, str]:
    """Where to begin, by ``district/device``. Hours yet to come do not count: a clock ran ahead."""
    k = t.raw_keys.c
    query = select(k.district, k.deviceid, func.max(k.hour)).where(k.state != "ignored")
    with ledger.read() as connection:
        latest = localtime.from_us(clock(connection)) + AHEAD
        query = query.where(k.hour <= localtime.path_hour(latest, "UTC"))
        newest = connection.execute(query.group_by(k.district, k.deviceid)).all()
    return {f"{district}/{device}": _minus(str(hour)) for district, device, hour in newest}


def _minus(hour: str) -> str:
    try:
        return (datetime.strptime(hour, "%Y%m%d%H") - LOOK_BACK).strftime("%Y%m%d%H")
    except OverflowError:
        return ""


def _known(connection: Connection, keys: list[str], *, again: bool) -> dict[str, str]:
    k = t.raw_keys.c
    query = select(k.key, k.etag).where(k.key.in_(keys))
    if again:
        query = query.where(~func.coalesce(_UNREADABLE, False))
    rows = connection.execute(query)
    return {str(row[0]): str(row[1]) for row in rows}


def _record(connection: Connection, entries: list[Entry]) -> int:
    """Write new keys as pending and changed ones as pending again; a changed key starts afresh."""
    now = clock(connection)
    rows = []
    for entry in entries:
        place = entry.place
        district, device, hour = place or (None, None, None)
        rows.append(
            {
                "key": entry.key,
                "district": district,
                "deviceid": device,
                "hour": hour,
                "etag": entry.etag,
                "size": entry.size,
                "arrived_at": entry.modified_at,
                "seen_at": now,
                "state": "ignored" if place is None else "pending",
                "suspect": False,
                "attempts": 0,
                "error": None,
            }
        )
    # What another worker recorded meanwhile, and may have read already, stays as it is.
    changed = t.raw_keys.c.etag
    upsert(connection, t.raw_keys, rows, only=lambda new: (changed != new.etag) | _UNREADABLE)
    return sum(row["state"] == "pending" for row in rows)


def _batched(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    source = iter(entries)
    while chunk := list(islice(source, CHUNK)):
        yield chunk
