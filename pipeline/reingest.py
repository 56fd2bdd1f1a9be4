"""Read raw files again: after a change of rules or of a zone, or because somebody doubts a figure.

``plan`` says what would happen and changes nothing. ``ask`` marks the files, in one audited
transaction; the next pass of ingestion reads them. What they hold stays visible until the new
version takes its place in one commit, so nothing is ever missing in between.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, select, update

from pipeline import fields, localtime
from pipeline.errors import UsageError
from pipeline.settings import Settings
from pipeline.storage import claims
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger
from pipeline.storage.objects import Store
from pipeline.storage.people import audit
from pipeline.storage.sql import chunks


@dataclass(frozen=True)
class Selection:
    """Which raw files: one key, or those of a district, a device, a span, or of older rules.

    ``first`` and ``last`` are local dates (``2026-01-31``) or hours (``2026-01-31T06``), both
    included; a file belongs to a span by its path or by its rows.
    """

    key: str | None = None
    district: str | None = None
    device: str | None = None
    first: str | None = None
    last: str | None = None
    stale_rules: bool = False

    def __post_init__(self) -> None:
        place = any((self.district, self.device, self.first, self.last))
        if not (self.key or place or self.stale_rules):
            raise UsageError(
                "say which files: --key, --district, --device, --from, --to or --stale-rules"
            )
        if self.key and (place or self.stale_rules):
            raise UsageError("--key names one file: leave the other options out")
        low, high = self.hours
        if low > high:
            raise UsageError(f"--from {self.first} lies after --to {self.last}")

    @property
    def hours(self) -> tuple[str, str]:
        """First and last path hour of the span."""
        return (
            _hour("--from", self.first, "00") or "1970010100",
            _hour("--to", self.last, "23") or "9000123123",
        )

    def as_json(self) -> dict[str, Any]:
        """What was chosen, for a request; ``Selection(**…)`` is the same again."""
        return {name: value for name, value in asdict(self).items() if value}

    @property
    def whole_district(self) -> bool:
        """True when every file of a district is meant: only then may its zone change."""
        return bool(self.district) and self == Selection(district=self.district)


def _hour(option: str, text: str | None, default: str) -> str | None:
    if text is None:
        return None
    match = re.fullmatch(r"(\d{4})-?(\d\d)-?(\d\d)(?:[T ]?(\d\d)(?::00)?)?", text)
    hour = "".join(part or default for part in match.groups()) if match else ""
    try:
        localtime.hour_start(hour, "UTC")
    except ValueError:
        raise UsageError(f"{option} {text!r} is no date or hour like 2026-01-31T06") from None
    return hour


@dataclass
class ReingestPlan:
    """Files to be read again, and what is built on their rows.

    ``gone`` files are no longer in the store, or hold other content by now: their rows stay as
    they are. ``days`` are (day, district), ``mart_days`` those and their neighbours.
    """

    keys: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    rows: int = 0
    days: list[tuple[str, str]] = field(default_factory=list)
    mart_days: list[tuple[str, str]] = field(default_factory=list)

    def as_json(self, marts: Sequence[str]) -> dict[str, Any]:
        """The object that ``reingest --json`` prints."""
        return {
            "files": len(self.keys),
            "keys": self.keys,
            "gone": self.gone,
            "rows": self.rows,
            "days": [f"{day}/{district}" for day, district in self.days],
            "marts": list(marts) if self.mart_days else [],
            "mart_days": [f"{day}/{district}" for day, district in self.mart_days],
        }


def plan(ledger: Ledger, settings: Settings, store: Store, chosen: Selection) -> ReingestPlan:
    """What reading the chosen files again would touch. Raises UsageError when none is known."""
    with ledger.read() as connection:
        keys = [key for _, key in chosen_keys(connection, settings, chosen)]
        if not keys and not chosen.stale_rules:
            raise UsageError(f"no raw file is known that fits {words(chosen)}")
        result = ReingestPlan()
        for key in keys:
            (result.keys if store.stat(key) else result.gone).append(key)
        result.rows, days = _touched(connection, result.keys)
        p = t.partitions.c
        known = {
            (str(a), str(b)) for a, b in connection.execute(select(p.hiveperiod, p.dstrct_code))
        }
    beside = {(localtime.next_day(day, by), at) for day, at in days for by in (-1, 1)}
    result.days, result.mart_days = sorted(days), sorted(days | (beside & known))
    return result


def ask(
    ledger: Ledger, settings: Settings, chosen: Selection, planned: ReingestPlan, who: str
) -> None:
    """Mark the planned files to be read again; recorded with who asked. Raises nothing new."""
    with ledger.write() as connection:
        mark(connection, planned.keys)
        if chosen.whole_district and chosen.district:
            zone = settings.zone_of(chosen.district)
            z = t.zones.c
            connection.execute(
                update(t.zones).where(z.district == chosen.district).values(zone=zone)
            )
        detail = {"files": len(planned.keys), "rows": planned.rows}
        audit(connection, who, "reingest", words(chosen), detail)


def mark(connection: Connection, chosen: Sequence[str]) -> None:
    """Have these raw keys read again by the next pass of ingestion."""
    k = t.raw_keys.c
    for keys in chunks(sorted(chosen)):
        claims.lock_keys(connection, k.key.in_(keys))
        connection.execute(
            update(t.raw_keys)
            .where(k.key.in_(keys))
            .values(state="pending", reread=True, suspect=False, attempts=0, error=None)
        )


def words(chosen: Selection) -> str:
    """A selection as the audit names it."""
    named = {
        "key": chosen.key,
        "district": chosen.district,
        "device": chosen.device,
        "from": chosen.first,
        "to": chosen.last,
        "stale-rules": "yes" if chosen.stale_rules else None,
    }
    return ", ".join(f"{name} {value}" for name, value in named.items() if value)


def chosen_keys(
    connection: Connection,
    settings: Settings,
    chosen: Selection,
    after: tuple[str, str] | None = None,
) -> Iterator[tuple[str, str]]:
    """(hour, key) of the chosen files, oldest hour first; ``after``: only what follows that."""
    k, o = t.raw_keys.c, t.raw_objects.c
    query = select(k.key, k.hour, k.district, o.min_ts, o.max_ts, o.rules_version)
    query = query.outerjoin(t.raw_objects, (o.key == k.key) & o.dead_at.is_(None))
    query = query.where(k.state != "ignored").order_by(k.hour, k.key)
    for column, value in (
        (k.key, chosen.key),
        (k.district, chosen.district),
        (k.deviceid, chosen.device),
    ):
        if value:
            query = query.where(column == value)
    if chosen.stale_rules:
        query = query.where(o.rules_version != fields.RULES_VERSION)
    if after:
        query = query.where((k.hour > after[0]) | ((k.hour == after[0]) & (k.key > after[1])))
    first, last = chosen.hours
    spans = dict[str, tuple[int, int]]()
    found: str | None = None
    for row in connection.execute(query):
        inside = first <= row.hour <= last
        if not inside and row.min_ts is not None:
            if row.district not in spans:
                spans[row.district] = _span(first, last, settings.zone_of(row.district))
            low, high = spans[row.district]
            inside = row.min_ts < high and row.max_ts >= low
        if inside and row.key != found:  # several live versions of a key follow each other
            found = row.key
            yield row.hour, row.key


def _span(first: str, last: str, zone: str) -> tuple[int, int]:
    """[start, end) in µs of the path hours."""
    low, high = (localtime.to_us(localtime.hour_start(hour, zone)) for hour in (first, last))
    return low, high + timedelta(hours=1) // localtime.MICROSECOND


def _touched(connection: Connection, keys: Sequence[str]) -> tuple[int, set[tuple[str, str]]]:
    """Accepted rows of the keys' live versions, and the partitions that hold them."""
    o, s, f = t.raw_objects.c, t.file_sources.c, t.data_files.c
    rows, days = 0, set[tuple[str, str]]()
    for chunk in chunks(keys):
        live = (o.key.in_(chunk), o.dead_at.is_(None))
        rows += sum(row.accepted for row in connection.execute(select(o.accepted).where(*live)))
        held = (
            select(f.hiveperiod, f.dstrct_code)
            .join(t.file_sources, s.file_id == f.id)
            .join(t.raw_objects, o.id == s.src)
            .where(*live, f.superseded_at.is_(None))
        )
        days |= {(str(a), str(b)) for a, b in connection.execute(held.distinct())}
    return rows, days
