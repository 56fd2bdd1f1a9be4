"""Telling people of trouble: an outbox in the ledger, and a sender that can hold up nothing.

Whoever meets trouble calls a function of ``trouble`` inside its ledger transaction. The worker's
``Notifier`` sends what waits, many notices in one message, through Apprise.
"""

from pipeline.notify.outbox import forget, note, safely
from pipeline.notify.sender import Notifier
from pipeline.notify.trouble import (
    failed,
    fatigue_case,
    new_fields,
    partial,
    set_aside,
    silence,
    task_failed,
    task_well,
    tests_failed,
)

__all__ = [
    "Notifier",
    "failed",
    "fatigue_case",
    "forget",
    "new_fields",
    "note",
    "partial",
    "safely",
    "set_aside",
    "silence",
    "task_failed",
    "task_well",
    "tests_failed",
]
