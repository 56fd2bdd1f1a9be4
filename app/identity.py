"""What a cookie is worth: it names ``user#version``, and the ledger says whether that still holds.

Kept apart from the form: the library behind that must not be loaded before Streamlit runs.
"""

from __future__ import annotations

import time
from typing import Any

import jwt

from app.backend import Backend
from pipeline.storage import people
from pipeline.storage.people import User

COOKIE = "haulwatch"
COOKIE_METHOD = "HS256"


def of(user: User) -> str:
    """What a cookie says about a user: valid until the ledger moves the version on."""
    return f"{user.username}#{user.token_version}"


def user_of(backend: Backend, identity: object) -> User | None:
    """The user whom an identity names, unless it is outdated or the user is shut out."""
    user = people.get(backend.ledger, str(identity).partition("#")[0])
    if user is None or user.disabled or of(user) != identity:
        return None
    return user


def user_of_cookie(backend: Backend, token: str | None) -> User | None:
    """The user whom a cookie names: signed by us, not expired, and still true."""
    claims = _claims(backend, token)
    return None if claims is None else user_of(backend, claims.get("username"))


def end_of_cookie(backend: Backend, token: str) -> float:
    """When a cookie expires, in seconds since 1970; 0 for one that is worth nothing."""
    claims = _claims(backend, token)
    return 0.0 if claims is None else float(claims["exp_date"])


def _claims(backend: Backend, token: str | None) -> dict[str, Any] | None:
    """What a cookie says, if we signed it and it has not expired."""
    if not token:
        return None
    try:
        claims: dict[str, Any] = jwt.decode(token, backend.cookie_key, algorithms=[COOKIE_METHOD])
    except jwt.PyJWTError:
        return None
    expires = claims.get("exp_date")
    if not isinstance(expires, int | float) or expires < time.time():
        return None
    return claims
