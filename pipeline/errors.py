"""Every failure that Haulwatch names, in one tree.

HaulwatchError
├── UsageError            the caller asked for something impossible          exit 2
│   ├── SettingsError     a setting is wrong; names its variable             exit 2
│   ├── HomeError         the home cannot be used; names its path            exit 2
│   └── PortBusy          another program listens there                      exit 2
├── Retryable             the same work may succeed later
│   ├── ClaimLost         the lease ended before the commit: nothing written
│   ├── ObjectChanged     the raw object changed while it was read
│   └── StoreUnavailable  the raw store does not answer
└── Terminal              trying again changes nothing
    ├── RefusedByFastPath the strict reader will not vouch for this file
    └── BuildFailed       marts were built, but their tests failed
"""

from __future__ import annotations

from pathlib import Path
from typing import Any


class HaulwatchError(Exception):
    """Root of all failures with a message fit for a person."""

    def __reduce__(self) -> tuple[Any, ...]:
        # Child processes raise these too; pickle would call __init__ with the finished message.
        return _rebuild, (type(self), str(self), self.__dict__)


class UsageError(HaulwatchError):
    """Wrong use of a command: one line, exit 2."""


class SettingsError(UsageError):
    """A setting does not make sense; the message names the variable and the way out."""

    def __init__(self, variable: str, reason: str) -> None:
        self.variable = variable
        super().__init__(f"{variable}: {reason}")


class HomeError(UsageError):
    """The home folder cannot be used."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path = path
        super().__init__(f"HAULWATCH_HOME {path}: {reason}")


class PortBusy(UsageError):
    """The port asked for is taken."""

    def __init__(self, port: int) -> None:
        super().__init__(f"port {port} is in use; choose another with --port")


class Retryable(HaulwatchError):
    """The same work may succeed when it is tried again."""


class ClaimLost(Retryable):
    """A claim expired or was taken over before its commit."""

    def __init__(self, claim_id: str) -> None:
        super().__init__(f"claim {claim_id} is no longer ours; nothing was committed")


class ObjectChanged(Retryable):
    """A raw object was replaced while it was being read."""

    def __init__(self, key: str) -> None:
        super().__init__(f"{key} changed while it was read")


class StoreUnavailable(Retryable):
    """The store of the raw files does not answer, or refuses us; no verdict on any file."""

    def __init__(self, store: str, reason: str) -> None:
        super().__init__(f"{store} cannot be reached: {reason}")


class Terminal(HaulwatchError):
    """Trying the same again changes nothing."""


class RefusedByFastPath(Terminal):
    """The strict reader cannot account for every line and key of a file."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)


class BuildFailed(Terminal):
    """Marts were computed but did not pass their tests; the last good version stays published."""

    def __init__(self, failures: list[str]) -> None:
        self.failures = failures
        super().__init__("tests failed: " + "; ".join(failures))


def _rebuild(kind: type[HaulwatchError], message: str, state: dict[str, Any]) -> HaulwatchError:
    error = kind.__new__(kind)
    error.args = (message,)
    error.__dict__.update(state)
    return error
