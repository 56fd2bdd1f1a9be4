"""How processes log: one event after the other on standard error, for people or for machines.

Standard error is the place because whoever runs the processes (systemd, Docker) keeps, rotates and
forwards it already; two processes that rotate one file lose lines. What is secret is masked here,
in the finished text, whatever part of the program put it there.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Collection
from datetime import UTC, datetime
from typing import TextIO
from urllib.parse import unquote, urlsplit

from pipeline.settings import Settings

MASK = "***"
#: What signs people in: cookies of ours, and links that make the first administrator.
_TOKENS = re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]+|(?<=[?&]setup=)[\w-]+")


class _Masked(logging.Formatter):
    """Base of both forms: times in UTC, secrets replaced in all of the text."""

    def __init__(self, secrets: Collection[str]) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        # The longest first: one may be part of another.
        self._secrets = sorted((text for text in secrets if text), key=len, reverse=True)

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802
        """ISO 8601 with milliseconds."""
        del datefmt
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")

    def masked(self, text: str) -> str:
        """The text without any secret."""
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        return _TOKENS.sub(MASK, text)


class Text(_Masked):
    """For people; a traceback follows on lines of its own."""

    def format(self, record: logging.LogRecord) -> str:
        """The event."""
        return self.masked(super().format(record))


class Json(_Masked):
    """For machines: one object a line with ``at, level, logger, message`` and maybe ``error``."""

    def format(self, record: logging.LogRecord) -> str:
        """The event."""
        event = {
            "at": self.formatTime(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self.masked(record.getMessage()),
        }
        if record.exc_info:
            event["error"] = self.masked(self.formatException(record.exc_info))
        return json.dumps(event, ensure_ascii=False)


FORMS: dict[str, type[_Masked]] = {"text": Text, "json": Json}


def secrets_of(settings: Settings) -> set[str]:
    """What no line may show: keys, passwords, addresses of services."""
    found = {address.get_secret_value() for address in settings.notify}
    if settings.s3_secret:
        found.add(settings.s3_secret.get_secret_value())
    password = urlsplit(settings.ledger or "").password or ""
    return {text for text in (*found, password, unquote(password)) if text}


def configure(
    settings: Settings, also_secret: Collection[str] = (), stream: TextIO | None = None
) -> None:
    """Log in the form that the settings name, on standard error; nothing else logs there."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(FORMS[settings.log]({*secrets_of(settings), *also_secret}))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.captureWarnings(True)
