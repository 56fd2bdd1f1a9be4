"""What goes to a child process and comes back: free of Polars, so that the parent starts fast."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pipeline.ingest.unpack import source_id
from pipeline.storage.lake import Lake
from pipeline.storage.objects import Store
from pipeline.storage.records import Claim, NewFile


@dataclass(frozen=True)
class Job:
    """Everything a child needs: it opens no ledger and reads no settings."""

    claim: Claim
    store: Store
    lake: Lake
    zones: dict[str, str]
    extra: dict[str, str]
    window_start: int
    most_bytes: int
    most_line_bytes: int
    #: Content hashes of live versions by key, with their arrival: the same content again is not
    #: read again …
    known: dict[str, dict[str, int]] = field(default_factory=dict)
    #: … unless it was asked for.
    reread: frozenset[str] = frozenset()
    #: How many versions of a key had a content, the dead ones included.
    versions: dict[tuple[str, str], int] = field(default_factory=dict)
    #: False when no more fields can become columns today: what is unknown goes to ``_rescued``.
    ask_for_fields: bool = True

    def source_id(self, key: str, sha256: str) -> int:
        """``_src`` of the version that this content makes."""
        return source_id(key, sha256, self.versions.get((key, sha256), 0))


@dataclass
class Converted:
    """What became of a claim: rows of ``raw_objects``, files, and keys left for another time."""

    objects: list[dict[str, Any]] = field(default_factory=list)
    files: list[NewFile] = field(default_factory=list)
    #: Keys whose content is in already, with its arrival.
    unchanged: dict[str, int] = field(default_factory=dict)
    changing: list[str] = field(default_factory=list)
    #: Keys that were read again because a person asked for it.
    reread: frozenset[str] = frozenset()
    #: Fields the ledger does not know yet, with the key that holds them. Nothing of such files was
    #: written: the fields are recorded first, then the files are claimed again.
    unknown: dict[str, tuple[str, str]] = field(default_factory=dict)


def work(job: Job) -> Converted:
    """``convert.convert``; what it needs is loaded where it runs."""
    from pipeline.ingest.convert import convert

    return convert(job)
