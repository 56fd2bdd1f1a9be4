"""Child processes that simulate chunks; they end when their parent does, however it ends."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Protocol

from .spec import SimSpec

#: What a chunk-hour hands back: a pickled ``Outcome`` of ``stage``, made late on purpose so that
#: children set their thread limit before Polars is loaded.
Job = tuple[SimSpec, Path, int, int]


class Runner(Protocol):
    """Runs jobs, here or elsewhere."""

    def submit(self, job: Job) -> Future[bytes]:
        """Begin a chunk-hour."""

    def close(self) -> None:
        """End what was begun."""


def work(job: Job) -> bytes:
    """Simulate one chunk-hour into the stage; the outcome, pickled."""
    from .stage import fill

    return pickle.dumps(fill(*job))


class Inline:
    """No processes: for small fleets and tests."""

    def submit(self, job: Job) -> Future[bytes]:
        """Do the job at once."""
        done: Future[bytes] = Future()
        done.set_result(work(job))
        return done

    def close(self) -> None:
        """Nothing to end."""


class Children:
    """A pool by spawn. Each child watches a pipe whose only write end is the parent's."""

    def __init__(self, processes: int) -> None:
        context = multiprocessing.get_context("spawn")
        watch, self._held = context.Pipe(duplex=False)
        self._pool = ProcessPoolExecutor(processes, context, _start_child, (watch,))

    def submit(self, job: Job) -> Future[bytes]:
        """Queue the job. Children start with Ctrl-C held back until they ignore it."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            return self._pool.submit(work, job)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def close(self) -> None:
        """Wait for running jobs, drop queued ones."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._held.close()


def runner(processes: int | None, chunks: int) -> Runner:
    """As many children as there is work and cores for; none where one process is enough."""
    count = min(processes or min(2, os.cpu_count() or 1), chunks)
    return Inline() if count <= 1 else Children(count)


def _start_child(watch: Connection) -> None:
    # Ctrl-C reaches the whole terminal's group; the parent decides when its children end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    os.environ["POLARS_MAX_THREADS"] = "1"
    threading.Thread(target=_exit_with_parent, args=(watch,), daemon=True).start()


def _exit_with_parent(watch: Connection) -> None:
    try:
        watch.recv()
    except (EOFError, OSError):
        os._exit(1)
