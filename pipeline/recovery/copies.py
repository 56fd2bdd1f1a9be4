"""The ledger's daily copies, in the lake: what a machine takes with it is not the only one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipeline.settings import Settings
from pipeline.storage import backup
from pipeline.storage.lake import open_lake
from pipeline.storage.ledger import Ledger

#: Folder of the copies, in the lake.
FOLDER = "backups"
EVERY = timedelta(days=1)

_NAME = "ledger-%Y%m%dT%H%M%SZ.db"


@dataclass(frozen=True)
class Copy:
    """A sound copy as the lake names it, where it can be read, and newer ones that are damaged."""

    name: str
    file: Path
    damaged: tuple[str, ...]


def folder(settings: Settings) -> Path:
    """Where copies lie that are this machine's alone."""
    return settings.home.absolute() / FOLDER


def listed(settings: Settings) -> dict[str, datetime]:
    """The daily copies by path in the lake, oldest first, and when each was made."""
    found = {}
    for path in open_lake(settings).below(FOLDER):
        try:
            made = datetime.strptime(path.rsplit("/", 1)[-1], _NAME)
        except ValueError:  # somebody else's file
            continue
        found[path] = made.replace(tzinfo=UTC)
    return dict(sorted(found.items()))


def keep(ledger: Ledger, settings: Settings, now: datetime) -> str | None:
    """Make the day's copy if it is due, and let go of the oldest; its path, or None."""
    most = settings.backups_kept
    if not most:
        return None
    lake, present = open_lake(settings), listed(settings)
    if any(now - made < EVERY for made in present.values()):
        return None
    path = f"{FOLDER}/{now.astimezone(UTC):{_NAME}}"
    temporary = lake.temporary(path)
    backup.save(ledger, temporary)
    lake.publish(temporary, path)
    for old in [*present, path][:-most]:
        lake.remove(old)
    return path


@contextmanager
def newest(settings: Settings) -> Iterator[Copy | None]:
    """The newest sound copy of the daily ones, here for as long as this lasts; None without any.

    Raises NoCopy when there are copies and none of them is sound: to go on without what people
    entered is for a person to decide. Raises UsageError for one that a later Haulwatch made.
    """
    paths, damaged = list(reversed(listed(settings))), list[str]()
    if not paths:
        yield None
        return
    with open_lake(settings).loan() as loan:
        for path in paths:
            loan.fetch([path])
            try:
                backup.look(loan.root / path)
            except backup.NoCopy:
                damaged.append(path)
                continue
            yield Copy(path, loan.root / path, tuple(damaged))
            return
    raise backup.NoCopy(
        f"every copy of the ledger in the lake is damaged ({', '.join(damaged)}); move them away to"
        " begin with the raw files alone, without what people entered"
    )
