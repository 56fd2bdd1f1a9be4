"""The addresses of ``HAULWATCH_NOTIFY``, each called in a thread that nobody has to wait for.

Apprise's own pool is avoided: its threads would keep the process from ending while one hangs. Of
what goes wrong only our own words are passed on, for the addresses hold passwords.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Sequence
from typing import Any

from pydantic import SecretStr


class Services:
    """The services and what they are at: one that hangs is left alone until it answers."""

    def __init__(self, addresses: Sequence[SecretStr]) -> None:
        self._addresses = addresses
        self._calls: dict[int, threading.Thread] = {}

    def deliver(self, title: str, body: str, limit: float) -> tuple[int, list[str]]:
        """Hand a message to all services at once, within ``limit`` seconds altogether.

        Returns how many took it, and a few words about each that did not.
        """
        _quiet()
        deadline = time.monotonic() + limit
        answers: dict[int, str] = {}
        names, calls = dict[int, str](), dict[int, threading.Thread]()
        for number, address in enumerate(self._addresses, 1):
            names[number] = f"number {number}"
            if number in self._calls and self._calls[number].is_alive():
                answers[number] = "is still busy with the message before"
                continue
            service = _service(address)
            if service is None:
                answers[number] = "is no address for Apprise"
                continue
            names[number] = f"{service.service_name} (number {number})"
            arguments = (service, address, title, body, answers, number)
            calls[number] = threading.Thread(target=_call, args=arguments, daemon=True)
            calls[number].start()
        self._calls |= calls
        for call in calls.values():
            call.join(max(0.0, deadline - time.monotonic()))
        # Asked once: an answer that comes later must not change what is counted.
        said = {n: answers.get(n, f"did not answer within {limit:g} s") for n in names}
        errors = [f"{names[n]} {text}" for n, text in said.items() if text]
        return len(said) - len(errors), errors


def _service(address: SecretStr) -> Any:
    import apprise

    # Nothing is kept on disk, and no picture is fetched from elsewhere.
    asset = apprise.AppriseAsset(
        app_id="Haulwatch",
        app_desc="Haulwatch",
        image_url_mask="",
        image_url_logo="",
        storage_mode=apprise.PersistentStoreMode.MEMORY,
    )
    return apprise.Apprise.instantiate(address.get_secret_value(), asset=asset)


def _call(
    service: Any, address: SecretStr, title: str, body: str, answers: dict[int, str], number: int
) -> None:
    """Send and note the answer: nothing when it was taken, else what is wrong."""
    import apprise

    _codes.mine.code = ""
    # Too long for a service: cut, unless the address wants it in pieces.
    overflow = None if "overflow=" in address.get_secret_value() else apprise.OverflowMode.TRUNCATE
    answer = "did not take it: no connection, or refused"
    try:
        taken = service.notify(
            title=title,
            body=body,
            notify_type=apprise.NotifyType.WARNING,
            body_format=apprise.NotifyFormat.TEXT,
            overflow=overflow,
        )
        if taken:
            answer = ""
        elif _codes.mine.code:
            answer = f"did not take it: HTTP {_codes.mine.code}"
    except Exception as error:
        answer = f"did not take it: {type(error).__name__}"
    answers[number] = answer


class _Codes(logging.Handler):
    """Picks the HTTP status out of what Apprise logs, by thread; the rest may hold secrets."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.mine = threading.local()

    def emit(self, record: logging.LogRecord) -> None:
        """Note the status, if the record has one."""
        found = re.search(r"\berror=(\d{3})\b", record.getMessage())
        if found:
            self.mine.code = found[1]


_codes = _Codes()


def _quiet() -> None:
    """Keep what Apprise logs to ourselves."""
    logger = logging.getLogger("apprise")
    logger.propagate = False
    logger.addHandler(_codes)
