"""Names for the instants of the pipeline at which a crash is most tempting.

The pipeline calls ``reached`` there. In service that does nothing; the crash tests set
``HAULWATCH_TEST_KILL_AT`` to ``name`` or ``name:n`` and the process that gets there for the n-th
time is killed on the spot, as by ``kill -9``. A child takes its worker with it.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import Counter

VARIABLE = "HAULWATCH_TEST_KILL_AT"

#: Every name, in the order in which one file meets them.
STEPS = (
    "ingest.discovered",
    "ingest.claimed",
    "ingest.spooled",
    "ingest.writing",
    "ingest.written",
    "ingest.fields",
    "ingest.committing",
    "ingest.committed",
    "compact.claimed",
    "compact.writing",
    "compact.written",
    "compact.swapping",
    "compact.swapped",
    "build.claimed",
    "build.filled",
    "build.tested",
    "build.writing",
    "build.publishing",
    "build.published",
    "gc.expiring",
    "gc.expired",
    "gc.listed",
    "gc.forgetting",
    "gc.deleting",
    "gc.deleted",
    "adopt.surveyed",
    "adopt.claimed",
    "adopt.writing",
    "adopt.written",
    "adopt.committed",
)

_name, _, _number = os.environ.get(VARIABLE, "").partition(":")
_left = Counter({_name: int(_number or 1)} if _name else {})


def reached(name: str) -> None:
    """Note that the pipeline is at a named step."""
    if not _left or name not in _left:
        return
    _left[name] -= 1
    if _left[name] == 0:
        if multiprocessing.parent_process() is not None:
            os.kill(os.getppid(), signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)
