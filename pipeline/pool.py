"""Child processes for heavy work. They end when their parent does, however it ends.

Each child keeps the read end of a pipe whose only write end is the parent's: when the parent is
gone, even by SIGKILL, the read returns and the child exits. (``prctl`` would tie the child to the
parent's *thread*.) This module stays free of heavy imports: children set their thread limits
before Polars is loaded.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import threading
from collections.abc import Collection
from concurrent.futures import Future, ProcessPoolExecutor, wait
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import TypeVar

T = TypeVar("T")

#: glibc's names for these are M_….
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3


def _start_child(watch: Connection, threads: int) -> None:
    # Ctrl-C reaches the whole terminal's group; the parent decides when its children end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["POLARS_MAX_THREADS"] = str(threads)
    _keep_freed_memory()
    threading.Thread(target=_exit_with_parent, args=(watch,), daemon=True).start()


def _keep_freed_memory() -> None:
    """Let Arrow's columns of one unit take the room of the last one's.

    Arrow's own allocator hands pages back and asks for them anew, unit after unit: merging took a
    fifth longer, and a quarter more memory. Where there is no ``mallopt``, nothing is gained.
    """
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    with suppress(OSError, AttributeError, TypeError):
        libc = ctypes.CDLL(None)
        libc.mallopt(_MMAP_THRESHOLD, 32 << 20)
        libc.mallopt(_TRIM_THRESHOLD, 256 << 20)


def give_memory_back() -> None:
    """Hand pages that are free to the system, after a large piece of work that has an end."""
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def _exit_with_parent(watch: Connection) -> None:
    try:
        watch.recv()
    except (EOFError, OSError):
        os._exit(1)


class Pool(ProcessPoolExecutor):
    """A process pool by spawn whose children never outlive the parent."""

    def __init__(self, processes: int, threads_each: int = 1) -> None:
        context = multiprocessing.get_context("spawn")
        # Non-inheritable by default, so only the explicit argument reaches a child.
        watch, self._held = context.Pipe(duplex=False)
        super().__init__(processes, context, _start_child, (watch, threads_each))


def abandoned(futures: Collection[Future[T]]) -> list[T]:
    """Results that nobody will use: what has not begun is cancelled, the rest is waited for."""
    for future in futures:
        future.cancel()
    wait(futures)
    return [f.result() for f in futures if not f.cancelled() and not f.exception()]
