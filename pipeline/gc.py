"""Delete what nobody refers to: files of dead claims, and superseded files after the grace.

A file's name begins with the id of the claim that wrote it. It is kept while that claim is held or
ended within the grace, and while any manifest row newer than the grace refers to it.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select

from pipeline import steps
from pipeline.retention import Expired
from pipeline.settings import Settings
from pipeline.storage import sign_in, trim
from pipeline.storage import tables as t
from pipeline.storage.claims import SECOND, expire
from pipeline.storage.lake import open_lake
from pipeline.storage.ledger import Ledger
from pipeline.storage.sql import clock

#: Work that has folders of its own in the scratch folder: ``build-PID-…``.
SCRATCH = ("build", "adopt", "loan", "upload", "duckdb", "sql")


@dataclass
class GcResult:
    """Files deleted and the room that made; before that ``expired``: what retention let go, and
    ``unlinked``: days whose unconfirmed cases lost their operators."""

    files: int = 0
    bytes: int = 0
    seconds: float = 0.0
    expired: Expired = field(default_factory=Expired)
    unlinked: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The object that ``gc --json`` prints."""
        return {
            "files": self.files,
            "bytes": self.bytes,
            "expired": self.expired.as_json(),
            "unlinked": self.unlinked,
            "seconds": round(self.seconds, 3),
        }


def collect(ledger: Ledger, settings: Settings) -> GcResult:
    """One pass over the lake. Manifest rows go first: what stays behind is an orphan at worst."""
    started = time.monotonic()
    result = GcResult()
    # The listing comes before the manifest is read: a file that a commit makes visible in between
    # is then in the manifest, and one that appears afterwards is not in the listing.
    lake = open_lake(settings)
    found = lake.sizes()
    steps.reached("gc.listed")
    with ledger.write() as connection:
        expire(connection)
        before = clock(connection) - int(settings.gc_grace_seconds * SECOND)
        f, c = t.data_files.c, t.claims.c
        old = select(f.id).where(f.superseded_at < before)
        connection.execute(delete(t.file_sources).where(t.file_sources.c.file_id.in_(old)))
        connection.execute(delete(t.data_files).where(f.superseded_at < before))
        kept = {str(row[0]) for row in connection.execute(select(f.path))}
        # A file of a claim that this ledger never saw is not ours to judge: the ledger may be new.
        dead = select(c.id).where(c.outcome.is_not(None), c.ended_at < before)
        owners = {str(row[0]) for row in connection.execute(dead)}
        steps.reached("gc.forgetting")
    for path, size in found.items():
        if path in kept or owner(path) not in owners:
            continue
        steps.reached("gc.deleting")
        lake.remove(path)
        result.files += 1
        result.bytes += size
    sweep_scratch(settings.scratch)
    sign_in.prune(ledger)
    trim.trim(ledger, {owner(path) for path in found})
    steps.reached("gc.deleted")
    result.seconds = time.monotonic() - started
    return result


def sweep_scratch(scratch: Path) -> None:
    """Remove what was left in the scratch folder by processes that are gone."""
    for old in (path for work in SCRATCH for path in scratch.glob(f"{work}-*")):
        pid = old.name.split("-")[1]
        if pid.isdecimal() and not Path(f"/proc/{pid}").exists():
            shutil.rmtree(old, ignore_errors=True)


def owner(path: str) -> str:
    """Id of the claim that wrote a file of the lake."""
    return path.rsplit("/", 1)[-1].lstrip(".").split("-", 1)[0].split(".", 1)[0]


def orphans(ledger: Ledger, settings: Settings) -> list[str]:
    """Files in the lake that the manifest does not know, whatever their age."""
    found = open_lake(settings).sizes()
    with ledger.read() as connection:
        known = {str(row[0]) for row in connection.execute(select(t.data_files.c.path))}
    return [path for path in found if path not in known]
