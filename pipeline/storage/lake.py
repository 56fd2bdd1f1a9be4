"""Where the lake's files lie: in a folder, or in a bucket. Each is written once, never changed.

Paths are relative to the lake, with slashes (``parquet.partition_path``). Who reads whole files
gets a folder in which they lie (``loan``, ``cached``), so that DuckDB needs no filesystem of ours;
who needs a few row groups reads them through pyarrow's ``filesystem``.
"""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pipeline.errors import StoreUnavailable
from pipeline.storage.records import NewFile, Trouble

if TYPE_CHECKING:
    from pyarrow import fs as pafs

    from pipeline.settings import Settings

LAYERS = ("clean", "analytics", "quarantine")


@dataclass(frozen=True)
class Loan:
    """A folder laid out as the lake is. A value too: children may fetch into it."""

    root: Path

    def fetch(self, paths: Iterable[str]) -> None:
        """See that these files lie in it. Raises FileNotFoundError for one that is gone."""
        del paths


class Lake(Hashable, Protocol):
    """A lake is a value: it can be pickled, and children open connections of their own."""

    @property
    def trouble(self) -> Trouble | None:
        """What went wrong when this process last asked for something; None when nothing did."""

    def probe(self) -> Trouble | None:
        """Ask for a sign of life: what is wrong, or None."""

    def temporary(self, path: str) -> Path:
        """Where a file is written before ``publish``; its folder is there."""

    def publish(self, temporary: Path, path: str) -> int:
        """Bring a finished file under its name, all of it or nothing; return its size in bytes."""

    def remove(self, path: str) -> None:
        """Delete a file; nothing happens when it is gone."""

    def sizes(self) -> dict[str, int]:
        """Bytes of every file that is there, unfinished ones included."""

    def below(self, folder: str) -> list[str]:
        """Paths of the finished files in a folder of the lake's, whatever they are."""

    def filesystem(self) -> pafs.FileSystem:
        """pyarrow's view, rooted at the lake; it tells every trouble as OSError."""

    def reading(self) -> AbstractContextManager[pafs.FileSystem]:
        """The same, and a store that cannot be reached is StoreUnavailable within."""

    def loan(self) -> AbstractContextManager[Loan]:
        """A folder for whole files, for as long as it is held."""

    def cached(self, paths: Iterable[str]) -> Path:
        """A folder that holds these files, kept for the next time as long as there is room."""


def open_lake(settings: Settings) -> Lake:
    """The lake that the settings name. Raises SettingsError when it cannot be one."""
    if settings.lake_is_remote:
        from pipeline.storage.s3_lake import S3Lake  # a second of imports

        return S3Lake.of(settings)
    return DiskLake(settings.lake_root)


def discard(lake: Lake, files: Iterable[NewFile]) -> None:
    """Remove what nobody will refer to: it may stand in the way. What resists is left to gc."""
    for file in files:
        with suppress(OSError, StoreUnavailable):
            lake.remove(file.path)


@dataclass(frozen=True)
class DiskLake:
    """A lake below a folder."""

    root: Path

    @property
    def trouble(self) -> Trouble | None:
        """None: a folder that is gone is no passing trouble."""
        return None

    def probe(self) -> Trouble | None:
        """None."""
        return None

    def temporary(self, path: str) -> Path:
        """Beside its final name, hidden from globs."""
        final = self.root / path
        final.parent.mkdir(parents=True, exist_ok=True)
        return final.with_name(f".{final.name}.tmp")

    def publish(self, temporary: Path, path: str) -> int:
        """Rename it, flushed to the disk."""
        final = self.root / path
        _publish(temporary, final)
        return final.stat().st_size

    def remove(self, path: str) -> None:
        """Delete a file; nothing happens when it is gone."""
        (self.root / path).unlink(missing_ok=True)

    def sizes(self) -> dict[str, int]:
        """Bytes of every Parquet file of the lake's layers."""
        found = {}
        for layer in LAYERS:
            for folder, _, names in os.walk(self.root / layer):
                for name in names:
                    if name.endswith((".parquet", ".parquet.tmp")):
                        path = os.path.join(folder, name)
                        try:
                            size = os.stat(path).st_size
                        except FileNotFoundError:
                            continue
                        found[os.path.relpath(path, self.root).replace(os.sep, "/")] = size
        return found

    def below(self, folder: str) -> list[str]:
        """Its files, hidden ones left out."""
        with suppress(FileNotFoundError):
            return [f"{folder}/{name}" for name in os.listdir(self.root / folder) if name[0] != "."]
        return []

    def filesystem(self) -> pafs.FileSystem:
        """The local one, rooted at the lake."""
        from pyarrow import fs as pafs

        return pafs.SubTreeFileSystem(str(self.root), pafs.LocalFileSystem())

    def reading(self) -> AbstractContextManager[pafs.FileSystem]:
        """The same."""
        return nullcontext(self.filesystem())

    def loan(self) -> AbstractContextManager[Loan]:
        """The lake itself."""
        return nullcontext(Loan(self.root))

    def cached(self, paths: Iterable[str]) -> Path:
        """The lake itself."""
        del paths
        return self.root


def _publish(temporary: Path, final: Path) -> None:
    """Bring a finished file under its final name so that a crash leaves all of it or nothing."""
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.rename(final)
    folder = os.open(final.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
