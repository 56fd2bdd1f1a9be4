"""Users in the ledger: passwords, versions, audit; how fast one may guess."""

from __future__ import annotations

import json
import time

import pytest
from sqlalchemy import select

from pipeline.errors import UsageError
from pipeline.storage import people, sign_in
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger

GOOD = "correct-horse-battery"


def anna(ledger: Ledger) -> people.User:
    return people.add_user(ledger, "Anna", "Anna", "supervisor", GOOD, ["MLKB"])


def test_a_user_is_kept_without_the_password(ledger: Ledger) -> None:
    user = anna(ledger)
    assert (user.username, user.role, user.districts) == ("anna", "supervisor", ("MLKB",))
    assert user.password_hash.startswith("$2")
    assert GOOD not in repr(user) + user.password_hash
    assert user.password_hash not in repr(user)
    assert [u.username for u in people.list_users(ledger)] == ["anna"]


@pytest.mark.parametrize(
    ("name", "role", "password"),
    [
        ("x", "admin", GOOD),
        ("a b", "admin", GOOD),
        ("a#1", "admin", GOOD),
        ("bob", "boss", GOOD),
        ("bob", "admin", "short"),
        ("bob", "admin", "x" * 73),
        ("bob", "admin", "bob-is-great"),
        ("bob", "admin", "abababababab"),
        ("bob", "admin", "Password-2026"),
        ("bob", "admin", "1234567890abc"),
        ("anna", "admin", GOOD),
        (" ANNA ", "admin", GOOD),
    ],
)
def test_what_cannot_be_added(ledger: Ledger, name: str, role: str, password: str) -> None:
    anna(ledger)
    with pytest.raises(UsageError):
        people.add_user(ledger, name, name, role, password)


def test_versions_move_when_sessions_must_end(ledger: Ledger) -> None:
    assert anna(ledger).token_version == 1
    people.set_role(ledger, "anna", "admin")
    assert people.find(ledger, "anna").token_version == 1
    people.set_password(ledger, "anna", GOOD + "2")
    people.sign_out(ledger, "anna")
    people.disable(ledger, "anna")
    user = people.find(ledger, "anna")
    assert (user.token_version, user.disabled, user.role) == (4, True, "admin")
    with pytest.raises(UsageError, match="nobody"):
        people.disable(ledger, "nobody")


def test_the_right_password_signs_in_and_a_disabled_user_never(ledger: Ledger) -> None:
    anna(ledger)
    assert sign_in.sign_in(ledger, " ANNA", "1.1.1.1", GOOD).user == people.find(ledger, "anna")
    people.disable(ledger, "anna")
    assert sign_in.sign_in(ledger, "anna", "1.1.1.1", GOOD).user is None


def test_guessing_slows_down_and_nobody_else_is_locked_out(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna(ledger)
    for _ in range(sign_in.FREE_TRIES):
        attempt = sign_in.sign_in(ledger, "anna", "6.6.6.6", "wrong")
        assert attempt == sign_in.Attempt()
    with monkeypatch.context() as patched:  # refused before the hash is computed
        patched.setattr(sign_in.bcrypt, "checkpw", None)
        refused = sign_in.sign_in(ledger, "anna", "6.6.6.6", GOOD)
    assert refused.user is None
    assert 0 < refused.wait_s <= 2
    assert sign_in.sign_in(ledger, "anna", "1.1.1.1", GOOD).user is not None


def test_an_unknown_user_costs_as_much_as_a_wrong_password(ledger: Ledger) -> None:
    anna(ledger)
    times: dict[str, list[float]] = {"anna": [], "nobody": []}
    for name in ("anna", "nobody") * 3:
        began = time.thread_time()  # what others do on the machine counts in neither
        sign_in.sign_in(ledger, name, f"1.1.1.{len(times[name])}", "wrong-password")
        times[name].append(time.thread_time() - began)
    assert min(times["nobody"]) > 0.5 * min(times["anna"])


def test_everything_is_audited(ledger: Ledger) -> None:
    anna(ledger)
    people.set_role(ledger, "anna", "admin", who="root")
    sign_in.sign_in(ledger, "anna", "1.1.1.1", GOOD)
    people.sign_out(ledger, "anna")
    with ledger.read() as connection:
        rows = connection.execute(select(t.audit).order_by(t.audit.c.id)).all()
    assert [row.what for row in rows] == ["user added", "role set", "signed in", "signed out"]
    assert json.loads(rows[0].detail)["after"] == {"role": "supervisor", "districts": ["MLKB"]}
    assert (rows[1].who, json.loads(rows[1].detail)["before"]) == ("root", "supervisor")
    assert not any(GOOD in row.detail for row in rows)
