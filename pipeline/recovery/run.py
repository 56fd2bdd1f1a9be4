"""``haulwatch restore`` and ``haulwatch rebuild-ledger``, from the first step to the last."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import make_url

from pipeline.errors import UsageError
from pipeline.recovery import copies
from pipeline.recovery.disown import Unclaimed, disown
from pipeline.recovery.reconcile import Reconciled, reconcile
from pipeline.settings import Settings
from pipeline.storage import backup
from pipeline.storage.backup import Saved
from pipeline.storage.ledger import Ledger
from pipeline.storage.people import audit

if TYPE_CHECKING:
    from pipeline.flow import Flow
    from pipeline.ingest.run import IngestResult, Progress

#: What a rebuilt ledger begins with, where that is no copy.
PRESENT, RAW_ALONE = "the ledger that is there", "raw files alone"


@dataclass
class Recovered:
    """What ``restore`` and ``rebuild-ledger`` did.

    ``source``: the copy that the ledger comes from, or what it began with without one; ``kept``:
    where the ledger before it is now; ``damaged``: newer copies that were passed over.
    """

    source: str
    kept: str | None
    damaged: tuple[str, ...]
    reconciled: Reconciled
    ingest: IngestResult
    unclaimed: Unclaimed

    def as_json(self) -> dict[str, Any]:
        """The object that both commands print."""
        return {
            "source": self.source,
            "kept": self.kept,
            "damaged": list(self.damaged),
            "reconciled": asdict(self.reconciled),
            "ingest": self.ingest.as_json(),
            "unclaimed": asdict(self.unclaimed),
        }


def restore(flow: Flow, copy: Saved, who: str, progress: Progress | None = None) -> Recovered:
    """Bring a copy back in place of what the ledger holds, which is copied first.

    ``copy`` was looked over (``backup.look``). Raises UsageError while a worker is alive.
    """
    refuse_company(flow.ledger)
    kept = None
    if not backup.is_empty(flow.ledger):
        kept = copies.folder(flow.settings) / f"before-restore-{_stamp()}.db"
        kept.parent.mkdir(parents=True, exist_ok=True)
        backup.save(flow.ledger, kept)
    backup.load(flow.ledger, flow.settings, copy.file)
    return _recover(flow, "restore", str(copy.file), kept, (), who, progress)


def rebuild(
    flow: Flow, aside: Path | None, who: str, progress: Progress | None = None
) -> Recovered:
    """A ledger that is empty begins with the newest copy in the lake; then everything is checked.

    ``aside``: where ``set_aside`` put a damaged one. What is in order stays as it is, so this may
    be done at any time. Raises UsageError while a worker is alive.
    """
    refuse_company(flow.ledger)
    source, damaged = PRESENT, tuple[str, ...]()
    if backup.is_empty(flow.ledger):
        with copies.newest(flow.settings) as found:
            if found is not None:
                backup.load(flow.ledger, flow.settings, found.file)
                damaged = found.damaged
            source = found.name if found else RAW_ALONE
    return _recover(flow, "rebuild-ledger", source, aside, damaged, who, progress)


def _recover(
    flow: Flow,
    what: str,
    source: str,
    before: Path | None,
    damaged: tuple[str, ...],
    who: str,
    progress: Progress | None,
) -> Recovered:
    kept = str(before) if before else None
    reconciled = reconcile(flow.ledger, flow.settings)
    with flow.ledger.write() as connection:
        detail = {"kept": kept, "files": reconciled.files, "rows": reconciled.rows}
        audit(connection, who, what, source, detail)
    ingest = flow.ingest(progress=progress)
    left = disown(flow.ledger, flow.settings, flow.worker)
    return Recovered(source, kept, damaged, reconciled, ingest, left)


def refuse_company(ledger: Ledger) -> None:
    """Raise UsageError while a worker is at work with this ledger."""
    if found := backup.alive(ledger):
        names = ", ".join(found)
        raise UsageError(f"{names} works with this ledger; stop every app and worker first")


def set_aside(settings: Settings) -> Path | None:
    """Rename a ledger's file that SQLite cannot read; where to, or None when there is none."""
    url = make_url(settings.ledger_url)
    if url.get_backend_name() != "sqlite" or not url.database:
        return None
    file = Path(url.database)
    if not file.exists() or _is_sound(file):
        return None
    aside = file.with_name(f"{file.name}.damaged-{_stamp()}")
    for suffix in ("-wal", "-shm", ""):
        part = file.with_name(file.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    return aside


def _is_sound(file: Path) -> bool:
    try:
        with closing(sqlite3.connect(file)) as database:
            return bool(database.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
    except sqlite3.OperationalError:
        return True  # locked, or not ours to read: opening it says what is wrong
    except sqlite3.DatabaseError:
        return False


def _stamp() -> str:
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}"
