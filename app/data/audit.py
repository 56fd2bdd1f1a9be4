"""Who did what, when, with what before and after."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from app import access, identity
from app.backend import backend
from app.data.asking import demand, require
from pipeline.storage import people
from queries import admin
from queries.admin import AuditFilter

PAGE = "audit"


def names() -> tuple[list[str], list[str]]:
    """Who has done something, and what has been done."""
    require(PAGE)
    return admin.audited(backend().ledger)


def entries(wanted: AuditFilter) -> pl.DataFrame:
    """The newest entries that match."""
    require(PAGE)
    return admin.audit(backend().ledger, wanted)


def count(wanted: AuditFilter) -> int:
    """How many match."""
    require(PAGE)
    return admin.audit_count(backend().ledger, wanted)


def exporter(wanted: AuditFilter) -> Callable[[], pl.DataFrame]:
    """What gets every entry that matches when the asker clicks; that is an entry too.

    The click comes without the session, so the asker is looked up once more. Raises Refused.
    """
    asker = identity.of(demand("export audit"))

    def export() -> pl.DataFrame:
        user, ledger = identity.user_of(backend(), asker), backend().ledger
        if user is None or not access.may(user, "export audit"):
            raise access.Refused
        found = admin.audit(ledger, wanted, most=None)
        span = {"from": wanted.start.isoformat(), "to": wanted.end.isoformat()}
        with ledger.write() as connection:
            detail = {**span, "rows": found.height}
            people.audit(connection, user.username, "audit exported", "", detail)
        return found

    return export
