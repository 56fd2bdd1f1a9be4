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
import sys
import threading
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, wait
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from typing import ParamSpec, TypeVar

STOPS = (signal.SIGINT, signal.SIGTERM)

T = TypeVar("T")
P = ParamSpec("P")

#: A parent that must end at once leaves its semaphores to Python's tracker, which removes them. It
#: takes over these options; what it would say of it is no news to anybody.
_QUIET = "ignore:resource_tracker:UserWarning"

#: glibc's names for these are M_….
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3


def _start_child(watch: Connection, threads: int) -> None:
    # Ctrl-C reaches the whole terminal's group; the parent decides when its children end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
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
        if _QUIET not in sys.warnoptions:
            sys.warnoptions.append(_QUIET)
        super().__init__(processes, context, _start_child, (watch, threads_each))

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Queue the work. The first call starts the children."""
        with _held_back():
            return super().submit(fn, *args, **kwargs)

    def end(self) -> None:
        """End the children now, whatever they are at; what they wrote is nobody's."""
        self._held.close()
        self.shutdown(cancel_futures=True)


@contextmanager
def _held_back() -> Iterator[None]:
    """Ctrl-C and SIGTERM wait until children are started, and in these until they are awake.

    One that is still importing would die of it with a traceback, and so would one whose parent is
    torn away while it tells the child what to do. The mask is what children inherit; but another
    thread may get the signal, and what it means is done in the main one.
    """
    late: list[int] = []
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    ours = {number: signal.getsignal(number) for number in STOPS}
    swapped = threading.current_thread() is threading.main_thread() and None not in ours.values()
    if swapped:
        for number in STOPS:
            signal.signal(number, lambda found, _: late.append(found))
    try:
        yield
    finally:
        if swapped:
            for number, handler in ours.items():
                signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    for found in late:
        signal.raise_signal(found)


def abandoned(futures: Collection[Future[T]]) -> list[T]:
    """Results that nobody will use: what has not begun is cancelled, the rest is waited for."""
    for future in futures:
        future.cancel()
    wait(futures)
    return [f.result() for f in futures if not f.cancelled() and not f.exception()]
