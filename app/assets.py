"""Streamlit's own scripts and styles, packed: it sends 7 MB as they are to a new browser.

On the link of a tablet in a pickup that is what a first visit waits for. Each file is packed once,
when it is asked for first, and kept; together they come to less than a third.
"""

from __future__ import annotations

import gzip
import re
from functools import lru_cache
from pathlib import Path

import anyio.to_thread
import streamlit
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

STATIC = Path(streamlit.__file__).parent / "static"
KINDS = {"js": "text/javascript", "css": "text/css"}
#: Their names tell of their content: what a browser has once, it need not ask for again.
NAME = re.compile(r"/static/(js|css)/[\w.-]+\.\1")
FOREVER = "public, immutable, max-age=31536000"
MOST_FILES = 512


class Packed:
    """Answers for these files itself where the browser takes gzip; all else goes on."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        answer = None
        if scope["type"] == "http" and scope["method"] == "GET" and NAME.fullmatch(scope["path"]):
            headers = Headers(scope=scope)
            if "gzip" in headers.get("accept-encoding", "") and "range" not in headers:
                answer = await anyio.to_thread.run_sync(_packed, scope["path"])
        if answer is None:
            await self._app(scope, receive, send)
            return
        headers_of = {
            "Content-Encoding": "gzip",
            "Cache-Control": FOREVER,
            "Vary": "Accept-Encoding",
        }
        kind = KINDS[scope["path"].rpartition(".")[2]]
        await Response(answer, headers=headers_of, media_type=kind)(scope, receive, send)


@lru_cache(MOST_FILES)
def _packed(name: str) -> bytes | None:
    try:
        return gzip.compress((STATIC / name[1:]).read_bytes(), 6, mtime=0)
    except OSError:
        return None
