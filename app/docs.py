"""The documentation of the marts, for whoever is signed in; made at the first demand.

It is made by a process of its own: dbt keeps state in its process and would slow every page down.
Not by the worker: that may run on another machine, or not at all.
"""

from __future__ import annotations

import hashlib
import logging
import re
import subprocess
import sys
import threading
from base64 import b64encode
from html import escape
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from app import access, identity
from app.backend import backend
from app.meaning import DOCS
from app.text import say
from pipeline.errors import HaulwatchError
from pipeline.marts import docs

#: How it is listed in ``app/access.py``.
ROUTE = f"{DOCS}{{name:path}}"
TYPES = {"index.html": "text/html", "manifest.json": "application/json"}
TYPES["catalog.json"] = TYPES["manifest.json"]
#: Seconds after which the page that waits asks again, and that a made one gets to end.
AGAIN_S, PATIENCE_S = 2, 5


_log = logging.getLogger("haulwatch.docs")
_SCRIPT = re.compile(r"<script[^>]*>(.*?)</script>", re.S)


def answer(request: Request) -> Response:
    """A file of the documentation; without a valid sign-in the way to it, whatever is asked for."""
    try:
        house = backend()
        user = identity.user_of_cookie(house, request.cookies.get(identity.COOKIE))
        if user is None or not access.may_ask(user, ROUTE):
            return RedirectResponse("/", status_code=303, headers=_headers())
        if request.url.path == DOCS.rstrip("/"):
            return RedirectResponse(DOCS, status_code=308, headers=_headers())
        return _file(docs.folder(house.settings), request.path_params["name"] or docs.FILES[0])
    except (SQLAlchemyError, HaulwatchError, OSError):
        _log.exception("documentation")
        return _page(503, say("error.query"))


def _file(folder: Path, name: str) -> Response:
    """One of the three files by its name, which is compared and never made a path of."""
    if name not in docs.FILES:
        return _page(404, say("docs.nothing"))
    if not docs.is_current(folder) and maker.works():
        return _page(202, say("docs.making"), again=True)
    if not docs.is_current(folder):
        return _page(404, say("docs.missing"))
    text = (folder / name).read_text(encoding="utf-8")
    script = text if TYPES[name] == "text/html" else ""
    return Response(text, media_type=TYPES[name], headers=_headers(script))


def _page(status: int, sentence: str, again: bool = False) -> Response:
    """A sentence in place of the documentation."""
    title = escape(f"{say('app.name')} · {say('docs.title')}")
    # By script: a <meta> refresh of an address with a fragment only scrolls, and never asks again.
    refresh = f"<script>setTimeout(() => location.reload(), {AGAIN_S * 1000})</script>"
    refresh *= again
    body = (
        f'<!doctype html><html lang="en"><meta charset="utf-8">{refresh}<title>{title}</title>'
        "<style>:root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;"
        f"max-width:40rem;margin:4rem auto;padding:0 1rem}}</style><h1>{title}</h1>"
        f"<p>{escape(sentence)}</p></html>"
    )
    return HTMLResponse(body, status_code=status, headers=_headers(refresh))


def _headers(page: str = "") -> dict[str, str]:
    """Nothing from outside, no script but the page's own, in nobody's frame, kept by nobody."""
    hashes = (hashlib.sha256(script.encode()).digest() for script in _SCRIPT.findall(page))
    scripts = " ".join(f"'sha256-{b64encode(digest).decode()}'" for digest in hashes)
    policy = {
        "default-src": "'none'",
        "script-src": scripts or "'none'",
        "style-src": "'unsafe-inline'",  # Angular and the page's modules write their styles
        "img-src": "data:",
        "font-src": "data:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{key} {value}" for key, value in policy.items()),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",  # not even the way back shows it after signing out
    }


class Maker:
    """Runs ``haulwatch docs``: once at a time, and not again for models with which it failed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._tried = ""

    def works(self) -> bool:
        """Whether the documentation is being made; begun by the first who asks."""
        wanted = docs.made_from()
        with self._lock:
            ended = self._process.poll() if self._process else 0
            if ended is None:
                return True
            if ended and self._tried == wanted:
                return False
            command = [sys.executable, "-m", "app.cli", "docs", "--json"]
            quiet = subprocess.DEVNULL
            self._process = subprocess.Popen(command, stdin=quiet, stdout=quiet)
            self._tried = wanted
            return True

    def stop(self) -> None:
        """End what is being made."""
        with self._lock:
            if self._process is not None and self._process.poll() is None:
                self._process.terminate()
                try:
                    self._process.wait(PATIENCE_S)
                except subprocess.TimeoutExpired:
                    self._process.kill()
                    self._process.wait()


maker = Maker()
