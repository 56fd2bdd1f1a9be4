"""Serving: Streamlit's configuration in one table, and the process that listens."""

from __future__ import annotations

import os
import socket
import sys
from typing import Any

from app.backend import cookie_key
from app.guard import hosts
from app.worker_process import NO_WORKER
from pipeline.errors import PortBusy
from pipeline.settings import Settings

#: The same stands in .streamlit/config.toml for ``streamlit run`` (a test compares them).
OPTIONS: dict[str, Any] = {
    "browser.gatherUsageStats": False,
    "client.showErrorDetails": "none",
    "client.toolbarMode": "viewer",
    "logger.enableRich": False,
    "logger.hideWelcomeMessage": True,
    "logger.level": "warning",
    "runner.postScriptGC": False,
    "server.enableCORS": True,
    "server.enableXsrfProtection": True,
    "server.fileWatcherType": "none",
    "server.headless": True,
    "server.maxUploadSize": 4,
    "server.xsrfCookieSameSite": "strict",
    "theme.baseRadius": "0.35rem",
    "theme.codeFont": "ui-monospace, monospace",
    "theme.font": "system-ui, sans-serif",
    "theme.headingFont": "system-ui, sans-serif",
    "theme.headingFontSizes": ["1.9rem", "1.6rem", "1.2rem", "1.1rem", "1rem", "1rem"],
    "theme.metricValueFontSize": "1.9rem",
    "theme.light.primaryColor": "#0072B2",
    "theme.dark.backgroundColor": "#0E1318",
    "theme.dark.primaryColor": "#56B4E9",
    "theme.dark.secondaryBackgroundColor": "#1A222B",
}


def check_port(host: str, port: int) -> None:
    """Raise PortBusy unless one could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortBusy(port) from error


def believed(settings: Settings) -> str:
    """Peers whose X-Forwarded-For counts, as uvicorn reads them; without any: nobody's address.

    Of what such a peer forwards, the right-most address that is not believed itself is the client.
    """
    return ",".join(settings.trusted_proxies) or "255.255.255.255"


def answer_at_once() -> None:
    """Let the server's sockets send what is written when it is written (TCP_NODELAY).

    Streamlit binds its socket without a protocol's number, so asyncio does not know it for one of
    TCP and leaves Nagle's algorithm on: the body of each answer waits 40 ms for the browser to
    acknowledge its head (decision 027). Connections inherit what the listening socket is told.
    """
    from streamlit.web.server.starlette import starlette_server

    bind = starlette_server._bind_socket

    def bind_without_delay(address: str, port: int, backlog: int) -> socket.socket:
        listening = bind(address, port, backlog)
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listening

    starlette_server._bind_socket = bind_without_delay


def serve(settings: Settings, host: str, port: int, worker: bool) -> int:
    """Serve until told to stop; the exit code. Raises PortBusy before anything has started.

    Ends the process when that is by Ctrl-C.
    """
    check_port(host, port)
    os.environ[NO_WORKER] = "0" if worker else "1"
    os.environ["FORWARDED_ALLOW_IPS"] = believed(settings)
    # Sensitive options are taken from the environment only.
    os.environ["STREAMLIT_SERVER_COOKIE_SECRET"] = cookie_key(settings)
    from app.server import app

    answer_at_once()
    own = {"server.address": host, "server.port": port, "server.allowedHosts": hosts(settings)}
    try:
        app.run(config={**OPTIONS, **own})
    except KeyboardInterrupt:  # the server and its worker have ended in order by now
        print("haulwatch: stopped", file=sys.stderr, flush=True)
        # Not by way of the interpreter's end: DuckDB's binding fills the terminal there.
        os._exit(0)
    return 0
