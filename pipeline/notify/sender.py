"""The worker's side: look for silence, and send what waits without ever holding up a step.

One sender at a time, over all workers: the lease *notify*. When nobody could be reached it is
simply not given back: it runs out when the next try is due, for every worker.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from pipeline.notify import outbox, trouble
from pipeline.notify.message import compose
from pipeline.notify.outbox import Notice
from pipeline.notify.services import Services
from pipeline.settings import Settings
from pipeline.storage import claims
from pipeline.storage.ledger import Ledger, worker_name
from pipeline.storage.sql import clock

#: Seconds within which every service must have answered.
LIMIT = 20.0
#: Seconds until the second try; twice as long for each further one, up to the last.
FIRST_WAIT, LAST_WAIT = 30.0, 900.0

LEASE = "notify"

Log = Callable[[str], None]


class Notifier:
    """What one worker does about notices. Nothing it does raises; troubles go to the log."""

    def __init__(self, settings: Settings, ledger: Ledger, log: Log = print) -> None:
        self.settings, self.ledger, self.log = settings, ledger, log
        self._services = Services(settings.notify)
        self._thread: threading.Thread | None = None
        self._look_at = datetime.min.replace(tzinfo=UTC)
        self._count_at = datetime.min.replace(tzinfo=UTC)

    def step(self, now: datetime) -> None:
        """Note what nobody else notes, and start sending if something is due; returns at once."""
        try:
            if now >= self._count_at:
                trouble.set_aside(self.ledger)
                self._count_at = now + timedelta(minutes=1)
            if now >= self._look_at:
                self._look_at = trouble.silence(self.ledger, self.settings, now)
            if self.settings.notify and not self._busy() and self._due()[1]:
                # A thread only when there is something to say.
                self._thread = threading.Thread(target=self._send_guarded, daemon=True)
                self._thread.start()
        except Exception as error:
            self._complain(error)

    def finish(self, now: datetime) -> None:
        """A last step, waited for: seconds, at most those that the services are given."""
        self.step(now)
        self.close()

    def close(self, seconds: float | None = None) -> None:
        """Wait for what is being sent, at most so long."""
        if self._thread is not None:
            self._thread.join(LIMIT + 5 if seconds is None else seconds)

    def send(self) -> int:
        """Send everything that is due in one message, now; returns how many notices that told.

        Takes no longer than LIMIT, beside the ledger. Raises SQLAlchemyError.
        """
        if not self.settings.notify:
            return 0
        # Of this one attempt: while it waits for the next try, not even we may send.
        holder, wait = worker_name(), 0.0
        if not claims.lease(self.ledger, LEASE, holder, LIMIT + 60):
            return 0
        try:
            at, notices = self._due()
            if not notices:
                return 0
            title, body = compose(notices, self.settings.zone)
            taken, errors = self._services.deliver(title, body, LIMIT)
            wait = 0.0 if taken else _wait(notices)
            self._record(at, notices, errors, taken, wait)
            return len(notices) if taken else 0
        finally:
            if wait:
                claims.lease(self.ledger, LEASE, holder, wait)
            else:
                claims.give_back(self.ledger, LEASE, holder)

    def _busy(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _due(self) -> tuple[int, list[Notice]]:
        """The ledger's time, and what is due at it."""
        repeat = int(self.settings.notify_repeat_hours * 3_600_000_000)
        with self.ledger.read() as connection:
            at = clock(connection)
            return at, outbox.due(connection, at, repeat)

    def _record(
        self, at: int, notices: Sequence[Notice], errors: list[str], taken: int, wait: float
    ) -> None:
        """Told is what at least one service took: the others would get it twice otherwise."""
        text = "; ".join(errors)
        with self.ledger.write() as connection:
            if taken:
                outbox.told(connection, notices, at, text or None)
            else:
                outbox.untold(connection, notices, text)
        if not taken:
            text += f"; next try in {wait:g} s"
        if errors:
            self.log(f"notify: {text}")

    def _send_guarded(self) -> None:
        try:
            self.send()
        except Exception as error:
            self._complain(error)

    def _complain(self, error: Exception) -> None:
        self.log(f"notify: {type(error).__name__}: {str(error).partition(chr(10))[0]}")


def _wait(notices: Sequence[Notice]) -> float:
    """Seconds until the next try, by how often these were tried before."""
    tries = max(notice.tries for notice in notices)
    return float(min(LAST_WAIT, FIRST_WAIT * 2 ** min(tries, 20)))
