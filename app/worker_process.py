"""The worker beside the server: one child process, started again when it ends, never left behind.

The child ends by itself when its standard input closes, so not even ``kill -9`` of the server
leaves it running.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
from asyncio.subprocess import PIPE, Process
from contextlib import suppress

NO_WORKER = "HAULWATCH_NO_WORKER"
#: Seconds it gets to finish after SIGTERM.
PATIENCE = 10
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
#: One that lived so long had started well: the next pause is the first again.
LIVED_WELL = 60.0

_log = logging.getLogger("haulwatch.worker")


def wanted() -> bool:
    """False when the server was told to run without a worker."""
    return os.environ.get(NO_WORKER, "") in ("", "0")


class Supervisor:
    """Keeps one worker running between ``start`` and ``stop``."""

    def __init__(self) -> None:
        self.restarts = 0
        self._task: asyncio.Task[None] | None = None
        self._process: Process | None = None

    def start(self) -> None:
        """Begin; returns at once."""
        self._task = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """End the worker: SIGTERM, then by force."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        process = self._process
        if process is None or process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), PATIENCE)
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _keep(self) -> None:
        pause = FIRST_PAUSE
        while True:
            began = time.monotonic()
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "app.cli", "worker", "--parent-pipe", stdin=PIPE
            )
            code = await self._process.wait()
            if time.monotonic() - began > LIVED_WELL:
                pause = FIRST_PAUSE
            _log.warning("the worker ended with exit code %s; again in %.0f s", code, pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
            self.restarts += 1
