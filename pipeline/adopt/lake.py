"""An existing lake as it lies there: which files, of which day and district. Only read, ever."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import fields
from pipeline.errors import Terminal, UsageError
from pipeline.settings import Settings
from pipeline.storage.records import ANALYTICS, CLEAN, QUARANTINE

#: What the lake's writer added to the device's fields. Partition columns rule by their folder.
DAY, DISTRICT, LOCAL_TIME = "hiveperiod", "dstrct_code", "datetime_wita"
#: The raw file of a row, under either name: the seed's statement left DuckDB's own column beside.
SOURCES = ("source_file", "filename")

LAYOUT = f"{DAY}=2026-01-31/{DISTRICT}=MLKB/*.parquet with a column {fields.TIME_FIELD}"

#: A name that hive writes where it had none.
NOWHERE = "__HIVE_DEFAULT_PARTITION__"


class Unreadable(Terminal):
    """A file of the lake cannot be taken over; the others can."""


@dataclass(frozen=True)
class LakeFile:
    """A Parquet file of the lake. ``name`` is its path below the lake; times in microseconds."""

    path: str
    name: str
    day: str
    district: str
    size: int
    modified_at: int

    @property
    def key(self) -> str:
        """Under which the ledger knows the file itself, beside the raw files in it."""
        return f"adopted/{self.name}"

    @property
    def hour(self) -> str:
        """First local path hour of its partition."""
        try:
            return date.fromisoformat(self.day).strftime("%Y%m%d") + "00"
        except ValueError:
            return "1970010100"


@dataclass
class Lake:
    """Files to take over, by partition, and what else lies about: path → why it is passed over."""

    root: Path
    files: list[LakeFile] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)


def find(url: str, settings: Settings) -> Lake:
    """The lake at a folder or ``file://`` URL. Raises UsageError when there is none."""
    root = _folder(url)
    place = (settings.home if settings.lake_is_remote else settings.lake_root).resolve()
    own = {place / layer for layer in (CLEAN, ANALYTICS, QUARANTINE)}
    if any(root.is_relative_to(layer) for layer in own):
        raise UsageError(f"{url} is a part of this home's own lake")
    lake = Lake(root)
    for folder, names, files in os.walk(root, onerror=_cannot_list):
        names[:] = sorted(name for name in names if Path(folder, name).resolve() not in own)
        for name in sorted(files):
            _add(lake, Path(folder) / name)
    if not lake.files:
        raise UsageError(f"{url} is no lake to adopt: no file fits {LAYOUT}")
    if not any(_has_time(file) for file in lake.files):
        raise UsageError(f"{url} is no lake to adopt: no file has a column {fields.TIME_FIELD}")
    return lake


def _folder(url: str) -> Path:
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        url = unquote(parts.path)
    elif "://" in url:
        raise UsageError(f"{url}: only folders can be adopted so far; copy the lake to a disk")
    root = Path(url)
    if not root.is_dir():
        raise UsageError(f"{url} is no folder")
    return root.resolve()


def _cannot_list(error: OSError) -> None:
    """A folder that may not be listed may hold rows: not to be passed over in silence."""
    raise error


def _add(lake: Lake, path: Path) -> None:
    name = path.relative_to(lake.root).as_posix()
    place = _place(path.relative_to(lake.root).parts[:-1]) or _place(path.parent.parts[-2:])
    if path.name.startswith((".", "_")) or path.suffix.lower() not in (".parquet", ".parq"):
        lake.skipped[name] = "no Parquet file by its name"
    elif place is None:
        lake.skipped[name] = f"not in a folder {DAY}=…/{DISTRICT}=…"
    else:
        info = path.stat()
        times = info.st_mtime_ns // 1000
        lake.files.append(LakeFile(str(path), name, *place, info.st_size, times))


def _place(folders: tuple[str, ...]) -> tuple[str, str] | None:
    """(day, district) by the names of the folders."""
    found = {
        match[1].lower(): unquote(match[2])
        for match in (re.fullmatch(r"([^=]+)=(.+)", name) for name in folders)
        if match
    }
    if DAY not in found or found.get(DISTRICT, NOWHERE) == NOWHERE:
        return None
    return found[DAY], found[DISTRICT]


def _has_time(file: LakeFile) -> bool:
    """False for a file that can be read and has no heartbeat; a broken one proves nothing."""
    try:
        return column_of(pq.read_schema(file.path), fields.TIME_FIELD) is not None
    except (OSError, pa.ArrowException):
        return True


def column_of(schema: pa.Schema, *names: str) -> int | None:
    """Position of a column whatever its case; of several the last. The first name that is there."""
    for name in names:
        found = [i for i, own in enumerate(schema.names) if own.casefold() == name]
        if found:
            return found[-1]
    return None
