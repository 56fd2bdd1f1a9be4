"""Around everything the server answers: whose name it is asked by, who may upload, what browsers
are told. Pure ASGI: nothing is read into memory, WebSockets pass as they are.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

import anyio.to_thread
from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import access, identity
from app.backend import backend
from pipeline.errors import HaulwatchError
from pipeline.settings import Settings

LOOPBACK = ("localhost", "127.0.0.1", "::1")
#: Where Streamlit takes files in, from any session, signed in or not.
UPLOADS = "/_stcore/upload_file/"

#: Streamlit's pages need their own inline scripts and styles, ``eval`` for tables and charts, and
#: frames and workers of their own; nothing from elsewhere, and in nobody else's frame.
POLICY = {
    "default-src": "'self'",
    "script-src": "'self' 'unsafe-inline' 'unsafe-eval' blob:",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "media-src": "'self' data: blob:",
    "connect-src": "'self' ws: wss: data: blob:",
    "frame-src": "'self'",
    "worker-src": "'self' blob:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'self'",
}
HEADERS = {
    "Content-Security-Policy": "; ".join(f"{key} {value}" for key, value in POLICY.items()),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}


def hosts(settings: Settings) -> list[str]:
    """Names by which the app may be asked; empty: any.

    Those of the settings. Without any: loopback's where only that is listened on, else all.
    """
    if settings.allowed_hosts:
        return sorted({*settings.allowed_hosts, *LOOPBACK})
    return sorted({settings.host, *LOOPBACK}) if _is_loopback(settings.host) else []


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Guard:
    """Refuses unknown host names and uploads of strangers, and adds headers to every answer."""

    def __init__(self, app: ASGIApp, allowed: Iterable[str] = ()) -> None:
        self._app = app
        self._allowed = tuple(name.lower() for name in allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":  # Streamlit holds WebSockets against the same names
            await self._app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        headers = Headers(scope=scope)
        if not self._knows(headers.get("host", "")):
            await PlainTextResponse("unknown host", 400)(scope, receive, sending)
        elif UPLOADS in scope["path"] and not await _may_upload(headers):
            await PlainTextResponse("sign in first", 403)(scope, receive, sending)
        else:
            await self._app(scope, receive, sending)

    def _knows(self, host: str) -> bool:
        name = (host[1:].partition("]")[0] if host[:1] == "[" else host.partition(":")[0]).lower()
        return (
            not self._allowed
            or "*" in self._allowed
            or name in self._allowed
            or any(entry[:2] == "*." and name.endswith(entry[1:]) for entry in self._allowed)
        )


async def _may_upload(headers: Headers) -> bool:
    token = cookie_parser(headers.get("cookie", "")).get(identity.COOKIE)
    return await anyio.to_thread.run_sync(_uploader, token)


def _uploader(token: str | None) -> bool:
    try:
        user = identity.user_of_cookie(backend(), token)
    except (SQLAlchemyError, HaulwatchError, OSError):
        return False
    return user is not None and any(access.may(user, action) for action in access.UPLOADS)
