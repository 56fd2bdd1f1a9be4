"""What Streamlit and uvicorn log goes where ours goes, in the same form."""

from __future__ import annotations

import logging

from streamlit import logger as streamlits

from app.backend import cookie_key
from pipeline import logs
from pipeline.settings import Settings

#: Who asked for what is for a proxy to log: addresses are personal, and may hold a set-up link.
ACCESS = "uvicorn.access"
_UVICORNS = ("uvicorn", "uvicorn.error", "uvicorn.asgi")


def begin(settings: Settings) -> None:
    """Once, when the server's parts have set up their own."""
    logs.configure(settings, [cookie_key(settings)])
    # Streamlit gives each of its loggers a handler, also those that it makes later.
    streamlits.setup_formatter = _to_root
    streamlits.update_formatter()
    for name in _UVICORNS:
        logging.getLogger(name).setLevel(logging.WARNING)
        _to_root(logging.getLogger(name))
    logging.getLogger(ACCESS).disabled = True


def _to_root(logger: logging.Logger) -> None:
    logger.handlers.clear()
    logger.propagate = True
