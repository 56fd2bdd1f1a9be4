"""People who may sign in. Every change is audited; nobody can shut themselves out."""

from __future__ import annotations

import polars as pl

from app.backend import backend
from app.data.asking import demand, require
from pipeline.errors import UsageError
from pipeline.storage import people
from queries import admin, operations

PAGE = "users"


def everybody() -> pl.DataFrame:
    """One row a person, without the hash."""
    require(PAGE)
    return admin.people(backend().ledger)


def districts() -> list[str]:
    """Districts to which people can be bound."""
    require(PAGE)
    return operations.districts(backend().ledger)


def add(username: str, name: str, role: str, password: str, bound: list[str]) -> None:
    """Add a person. Raises UsageError and Refused."""
    who = demand("change users").username
    people.add_user(backend().ledger, username, name or username, role, password, bound, who=who)


def set_password(username: str, password: str) -> None:
    """Give a person another password; their sessions end. Raises UsageError and Refused."""
    who = demand("change users").username
    people.set_password(backend().ledger, username, password, who=who)


def set_role(username: str, role: str) -> None:
    """Give another person another role. Raises UsageError and Refused."""
    people.set_role(backend().ledger, username, role, who=_another(username))


def set_districts(username: str, bound: list[str]) -> None:
    """Bind another person to districts (none: all). Raises UsageError and Refused."""
    people.set_districts(backend().ledger, username, bound, who=_another(username))


def set_disabled(username: str, disabled: bool) -> None:
    """Shut another person out, or let them in again. Raises UsageError and Refused."""
    change = people.disable if disabled else people.enable
    change(backend().ledger, username, who=_another(username))


def _another(username: str) -> str:
    """Who asks; Raises UsageError when that is the person themselves."""
    who = demand("change users").username
    if who == username.strip().lower():
        raise UsageError("nobody changes their own rights; ask another administrator")
    return who
