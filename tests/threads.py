"""Work done at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable


def together(*works: Callable[[], object]) -> None:
    """Run in threads that begin at one moment; the first error is raised."""
    gate, errors = threading.Barrier(len(works)), list[BaseException]()

    def one(work: Callable[[], object]) -> None:
        try:
            gate.wait(120)
            work()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=one, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
