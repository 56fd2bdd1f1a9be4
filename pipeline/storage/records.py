"""What steps and ledger hand to each other. Free of SQLAlchemy: child processes load this alone."""

from __future__ import annotations

from dataclasses import dataclass, field

CLEAN = "clean"
ANALYTICS = "analytics"
QUARANTINE = "quarantine"
TELEMETRY = "telemetry"

#: How the error of a file begins that the store would not hand out; it is tried again later.
UNREADABLE = "cannot be read"
#: … and of one that was tried too often.
WORN_OUT = "set aside: "


@dataclass(frozen=True)
class RawFile:
    """One raw key as discovery saw it; times in microseconds, ``etag`` tells versions apart."""

    key: str
    district: str
    deviceid: str
    hour: str
    etag: str
    size: int
    arrived_at: int


@dataclass(frozen=True)
class Claim:
    """The right to work on some raw files until ``expires_at``."""

    id: str
    files: tuple[RawFile, ...]


@dataclass(frozen=True)
class Held:
    """Rows of one object version in a file; ``hidden`` of them are dead or beaten."""

    deviceid: str
    rows: int
    min_ts: int
    max_ts: int
    hidden: int = 0


@dataclass(frozen=True)
class NewFile:
    """A finished file that a claim wants to make visible. ``sources``: by object version."""

    layer: str
    dataset: str
    path: str
    hiveperiod: str
    dstrct_code: str
    rows: int
    bytes: int
    min_ts: int | None = None
    max_ts: int | None = None
    units: tuple[str, ...] = ()
    compacted: bool = False
    sources: dict[int, Held] = field(default_factory=dict)


@dataclass(frozen=True)
class DataFile:
    """A file in the manifest. ``path`` is relative to the lake's root; times in microseconds.

    ``hidden`` of its ``rows`` are not to be seen.
    """

    id: int
    path: str
    hiveperiod: str
    dstrct_code: str
    rows: int
    bytes: int
    min_ts: int | None
    max_ts: int | None
    units: tuple[str, ...]
    compacted: bool
    hidden: int


@dataclass(frozen=True)
class Partition:
    """A local day of a district and the data version at which it was looked at."""

    hiveperiod: str
    dstrct_code: str
    data_version: int


@dataclass(frozen=True)
class Hidden:
    """Rows to leave out: all of ``dead`` versions, and (version, from, to) spans of beaten ones."""

    dead: frozenset[int] = frozenset()
    beaten: frozenset[tuple[int, int, int]] = frozenset()


@dataclass(frozen=True)
class Trouble:
    """Why a store cannot be used, since when, and when that was last seen (epoch, seconds)."""

    reason: str
    since: float
    seen: float
