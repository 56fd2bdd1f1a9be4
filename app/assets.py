"""Streamlit's own scripts and styles, packed: it sends 7 MB as they are to a new browser.

On the link of a tablet in a pickup that is what a first visit waits for. Each file is packed once,
when it is asked for first, and kept; together they come to less than a third. Plotly's is not sent
as it is: ``app.plotly_script``.
"""

from __future__ import annotations

import gzip
import hashlib
import logging
import re
import threading
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import anyio.to_thread
import streamlit
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app import plotly_script

STATIC = Path(streamlit.__file__).parent / "static"
KINDS = {"js": "text/javascript", "css": "text/css"}
#: Their names tell of their content: what a browser has once, it need not ask for again.
NAME = re.compile(r"/static/(js|css)/[\w.-]+\.\1")
FOREVER = "public, immutable, max-age=31536000"
#: What we have changed has its name from Streamlit: the name does not tell of our next change.
ASK_AGAIN = "no-cache"
MOST_FILES = 512

#: Held while Plotly's script is cut: whoever asks meanwhile waits for what comes of it.
_cutting = threading.Lock()
_log = logging.getLogger("haulwatch.assets")


class Packed:
    """Answers for these files itself where the browser takes gzip; all else goes on."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        packed, has = None, ""
        if scope["type"] == "http" and scope["method"] == "GET" and NAME.fullmatch(scope["path"]):
            headers = Headers(scope=scope)
            has = headers.get("if-none-match", "")
            if "gzip" in headers.get("accept-encoding", "") and "range" not in headers:
                packed = await anyio.to_thread.run_sync(_packed, scope["path"])
        if packed is None:
            await self._app(scope, receive, send)
        elif packed.tag in has:
            await Response(status_code=304, headers=packed.headers)(scope, receive, send)
        else:
            kind = KINDS[scope["path"].rpartition(".")[2]]
            headers_of = {"Content-Encoding": "gzip", **packed.headers}
            answer = Response(packed.body, headers=headers_of, media_type=kind)
            await answer(scope, receive, send)


class _Packed(NamedTuple):
    body: bytes
    tag: str
    cache: str

    @property
    def headers(self) -> dict[str, str]:
        return {
            "Cache-Control": self.cache,
            "ETag": self.tag,
            "Vary": "Accept-Encoding",
        }


@lru_cache(MOST_FILES)
def _packed(name: str) -> _Packed | None:
    path = STATIC / name[1:]
    try:
        if plotly_script.NAME.fullmatch(path.name):
            with _cutting:
                content, cache = _lean(path), ASK_AGAIN
        else:
            content, cache = path.read_bytes(), FOREVER
    except OSError:
        return None
    body = gzip.compress(content, 6, mtime=0)
    return _Packed(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"', cache)


@lru_cache(1)
def _lean(path: Path) -> bytes:
    whole = path.read_bytes()
    lean = plotly_script.lean(whole.decode())
    if lean is None:
        _log.warning("Plotly's script in this Streamlit is built otherwise: sent whole")
        return whole
    return lean.encode()
