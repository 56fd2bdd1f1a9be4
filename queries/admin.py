"""What administrators look through: register, downtime log, thresholds, people, audit.

Small reads of the ledger that are never cached. Districts: an empty tuple means all.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl
from sqlalchemy import Select, exists, func, select

from pipeline.localtime import to_us
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger
from queries.deliveries import INSTANT

#: Rows of the audit that a page shows; an export has all.
SHOWN = 500


@dataclass(frozen=True)
class AuditFilter:
    """Which entries: ``[start, end)`` in UTC, who, what (each None: all), text in the subject."""

    start: datetime
    end: datetime
    who: str | None = None
    what: str | None = None
    text: str = ""


def devices(ledger: Ledger, districts: Sequence[str]) -> pl.DataFrame:
    """The register, one row per device and first valid day."""
    d = t.devices.c
    query = select(
        d.deviceid, d.unitno, d.unittype, d.dstrct_code, d.model, d.valid_from, d.valid_to
    )
    if districts:
        query = query.where(d.dstrct_code.in_(districts))
    return _frame(ledger, query.order_by(d.dstrct_code, d.unitno, d.valid_from))


def unregistered(ledger: Ledger, districts: Sequence[str]) -> int:
    """Devices that delivered and are not in the register."""
    o = t.raw_objects.c
    # From one device to the next by the index: a DISTINCT reads every file there ever was.
    each = select(func.min(o.deviceid).label("deviceid")).cte("each", recursive=True)
    after = select(func.min(o.deviceid)).where(o.deviceid > each.c.deviceid).scalar_subquery()
    each = each.union_all(select(after).where(each.c.deviceid.is_not(None)))
    name = each.c.deviceid
    query = select(func.count()).where(name.is_not(None), name.not_in(select(t.devices.c.deviceid)))
    if districts:
        query = query.where(exists().where(o.deviceid == name, o.district.in_(districts)))
    with ledger.read() as connection:
        return int(connection.execute(query).scalar_one())


def downtime(
    ledger: Ledger, districts: Sequence[str], start: datetime, end: datetime
) -> pl.DataFrame:
    """Rows of the log that touch ``[start, end)``, newest first."""
    d = t.downtime.c
    query = select(
        d.dstrct_code, d.unitno, d.start_ts, d.end_ts, d.code, d.note, d.imported_at, d.imported_by
    ).where(d.start_ts < to_us(end), d.end_ts > to_us(start))
    if districts:
        query = query.where(d.dstrct_code.in_(districts))
    return _frame(ledger, query.order_by(d.start_ts.desc(), d.unitno))


def covered(ledger: Ledger, districts: Sequence[str]) -> pl.DataFrame:
    """What time the log covers, by district, newest first."""
    s = t.downtime_spans.c
    query = select(s.dstrct_code, s.from_ts, s.to_ts, s.imported_at)
    if districts:
        query = query.where(s.dstrct_code.in_(districts))
    return _frame(ledger, query.order_by(s.dstrct_code, s.from_ts.desc()))


def threshold_history(ledger: Ledger) -> pl.DataFrame:
    """Every value that was ever set, newest first."""
    th = t.thresholds.c
    query = select(th.name, th.value, th.set_at, th.set_by, th.reason)
    return _frame(ledger, query.order_by(th.id.desc()))


def ladder_history(ledger: Ledger) -> pl.DataFrame:
    """Every ladder of actions that was ever set, newest first; ``steps`` is a JSON list."""
    c = t.ladders.c
    return _frame(ledger, select(c.steps, c.set_at, c.set_by, c.reason).order_by(c.id.desc()))


def people(ledger: Ledger) -> pl.DataFrame:
    """Everybody who may or might sign in, with their last sign-in; no hash."""
    u, s = t.users.c, t.sign_ins.c
    last = (
        select(s.username, func.max(s.at).label("at"))
        .where(s.ok.is_(True))
        .group_by(s.username)
        .subquery()
    )
    query = (
        select(u.username, u.name, u.role, u.districts, u.disabled, u.created_at, last.c.at)
        .select_from(t.users.outerjoin(last, last.c.username == u.username))
        .order_by(u.disabled, u.username)
    )
    frame = _frame(ledger, query).rename({"at": "seen_at"})
    bound = [", ".join(json.loads(text)) for text in frame["districts"].to_list()]
    return frame.with_columns(
        pl.col("seen_at").cast(pl.Int64).cast(INSTANT),
        pl.col("disabled").cast(pl.Boolean),
        pl.Series("districts", bound, dtype=pl.String),
    )


def audited(ledger: Ledger) -> tuple[list[str], list[str]]:
    """Who has done something, and what has been done, by name."""
    a = t.audit.c
    with ledger.read() as connection:
        who, what = (
            [str(row[0]) for row in connection.execute(select(c).distinct().order_by(c))]
            for c in (a.who, a.what)
        )
    return who, what


def audit(ledger: Ledger, wanted: AuditFilter, most: int | None = SHOWN) -> pl.DataFrame:
    """Entries, newest first: at, who, what, subject, before, after, detail (the rest, as JSON)."""
    query = _matching(select(*(t.audit.c[name] for name in _ENTRY)), wanted)
    frame = _frame(ledger, query.order_by(t.audit.c.id.desc()).limit(most))
    split = [_split(text) for text in frame["detail"].to_list()]
    columns = {name: [row[i] for row in split] for i, name in enumerate(_DETAIL)}
    return frame.drop("detail").with_columns(
        pl.Series(name, values, dtype=pl.String) for name, values in columns.items()
    )


def audit_count(ledger: Ledger, wanted: AuditFilter) -> int:
    """How many entries there are."""
    with ledger.read() as connection:
        query = _matching(select(func.count()).select_from(t.audit), wanted)
        return int(connection.execute(query).scalar_one())


_ENTRY = ("at", "who", "what", "subject", "detail")
_DETAIL = ("before", "after", "rest")


def _matching(query: Select[Any], wanted: AuditFilter) -> Select[Any]:
    a = t.audit.c
    query = query.where(a.at >= to_us(wanted.start), a.at < to_us(wanted.end))
    if wanted.who:
        query = query.where(a.who == wanted.who)
    if wanted.what:
        query = query.where(a.what == wanted.what)
    if wanted.text:
        query = query.where(a.subject.contains(wanted.text, autoescape=True))
    return query


def _split(text: str) -> tuple[str | None, str | None, str | None]:
    """What was before, what is after, and what else was recorded."""
    found = json.loads(text)
    before, after = (_words(found.pop(name, None)) for name in _DETAIL[:2])
    return before, after, _words(found or None)


def _words(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _frame(ledger: Ledger, query: Select[Any]) -> pl.DataFrame:
    """Rows as a frame; instants are UTC, everything else is text or a number."""
    with ledger.read() as connection:
        result = connection.execute(query)
        names = list(result.keys())
        rows = [tuple(row) for row in result]
    frame = pl.DataFrame(rows, schema=names, orient="row", infer_schema_length=None)
    times = {name for name in names if name == "at" or name.endswith(("_at", "_ts"))}
    empty = {name for name, kind in frame.schema.items() if kind == pl.Null} - times
    return frame.with_columns(
        *(pl.col(name).cast(pl.Int64).cast(INSTANT) for name in times),
        *(pl.col(name).cast(pl.String) for name in empty),
    )
