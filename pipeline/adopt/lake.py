"""An existing lake as it lies there: which files, of which day and district. Only read, ever."""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import fields
from pipeline.errors import Terminal, UsageError
from pipeline.settings import Settings
from pipeline.storage.bucket import Bucket
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
    """A Parquet file of the lake. ``name`` is its path below the lake; times in microseconds.

    ``path`` is empty for one in a ``bucket`` until it is fetched.
    """

    path: str
    name: str
    day: str
    district: str
    size: int
    modified_at: int
    bucket: Bucket | None = None

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

    def version(self) -> tuple[int, int]:
        """Size and time that the lake tells of the file now. Raises OSError when it is gone."""
        if self.bucket is None:
            info = os.stat(self.path)
            return info.st_size, info.st_mtime_ns // 1000
        found = self.bucket.head(self.name)
        if found is None:
            raise FileNotFoundError(f"{self.name} is gone")
        return found["Size"], _time(found)

    def fetched(self, scratch: Path) -> LakeFile:
        """The file where it can be read: a copy in ``scratch`` of one in a bucket.

        Raises OSError for this file, StoreUnavailable for the server.
        """
        if self.bucket is None:
            return self
        scratch.mkdir(parents=True, exist_ok=True)
        path = scratch / f"{uuid.uuid4().hex}.parquet"
        try:
            self.bucket.download(self.name, path)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return replace(self, path=str(path))

    def forget(self) -> None:
        """Remove the copy, if it is one."""
        if self.bucket is not None and self.path:
            Path(self.path).unlink(missing_ok=True)


@dataclass
class Lake:
    """Files to take over, by partition, and what else lies about: path → why it is passed over."""

    root: str
    files: list[LakeFile] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)


def find(url: str, settings: Settings) -> Lake:
    """The lake at a folder, a ``file://`` or an ``s3://`` URL.

    Raises UsageError when there is none, StoreUnavailable when a bucket does not answer.
    """
    lake = _in_bucket(url, settings) if url.startswith("s3://") else _on_disk(url, settings)
    if not lake.files:
        raise UsageError(f"{url} is no lake to adopt: no file fits {LAYOUT}")
    if not any(_has_time(file, settings.scratch) for file in lake.files):
        raise UsageError(f"{url} is no lake to adopt: no file has a column {fields.TIME_FIELD}")
    return lake


_LAYERS = (CLEAN, ANALYTICS, QUARANTINE)


def _on_disk(url: str, settings: Settings) -> Lake:
    root = _folder(url)
    place = (settings.home if settings.lake_is_remote else settings.lake_root).resolve()
    own = {place / layer for layer in _LAYERS}
    if any(root.is_relative_to(layer) for layer in own):
        raise UsageError(f"{url} is a part of this home's own lake")
    lake = Lake(str(root))
    for folder, names, files in os.walk(root, onerror=_cannot_list):
        names[:] = sorted(name for name in names if Path(folder, name).resolve() not in own)
        for name in sorted(files):
            path = Path(folder) / name
            below = path.relative_to(root).as_posix()
            if place_ := _fits(lake, below, path.parent.parts):
                info = path.stat()
                times = info.st_mtime_ns // 1000
                lake.files.append(LakeFile(str(path), below, *place_, info.st_size, times))
    return lake


def _in_bucket(url: str, settings: Settings) -> Lake:
    if not urlsplit(url).netloc:
        raise UsageError(f"{url} names no bucket: s3://bucket/prefix")
    bucket = Bucket.at(url, settings)
    own: tuple[str, ...] = ()
    if settings.lake_is_remote:
        at = f"{str(settings.lake).rstrip('/')}/"
        own = tuple(f"{at}{layer}/" for layer in _LAYERS)
    if f"{bucket.url}/".startswith(own or ("\0",)):
        raise UsageError(f"{url} is a part of this home's own lake")
    lake = Lake(bucket.url)
    above = tuple(bucket.prefix.strip("/").split("/"))
    for page in bucket.pages(""):
        for name, told in page.objects:
            if own and f"{bucket.url}/{name}".startswith(own):
                continue
            folders = (*above, *PurePosixPath(name).parent.parts)
            if place := _fits(lake, name, folders):
                found = LakeFile("", name, *place, told["Size"], _time(told), bucket)
                lake.files.append(found)
    return lake


def _time(told: dict[str, Any]) -> int:
    """µs of an object, in whole seconds: a listing may tell more than a HEAD."""
    modified: datetime = told["LastModified"]
    return int(modified.timestamp()) * 1_000_000


def _folder(url: str) -> Path:
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        url = unquote(parts.path)
    elif "://" in url:
        raise UsageError(f"{url}: a lake is in a folder or in a bucket, s3://bucket/prefix")
    root = Path(url)
    if not root.is_dir():
        raise UsageError(f"{url} is no folder")
    return root.resolve()


def _cannot_list(error: OSError) -> None:
    """A folder that may not be listed may hold rows: not to be passed over in silence."""
    raise error


def _fits(lake: Lake, name: str, folders: tuple[str, ...]) -> tuple[str, str] | None:
    """(day, district) of a file to take over; None for another, which is noted with the reason.

    ``name`` below the lake, ``folders`` from the top: the lake may be a part of a larger one.
    """
    path = PurePosixPath(name)
    place = _place(path.parent.parts) or _place(folders[-2:])
    if path.name.startswith((".", "_")) or path.suffix.lower() not in (".parquet", ".parq"):
        lake.skipped[name] = "no Parquet file by its name"
    elif place is None:
        lake.skipped[name] = f"not in a folder {DAY}=…/{DISTRICT}=…"
    else:
        return place
    return None


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


def _has_time(file: LakeFile, scratch: Path) -> bool:
    """False for a file that can be read and has no heartbeat; a broken one proves nothing."""
    try:
        with at_hand(file, scratch) as here:
            return column_of(pq.read_schema(here.path), fields.TIME_FIELD) is not None
    except (OSError, pa.ArrowException):
        return True


@contextmanager
def at_hand(file: LakeFile, scratch: Path) -> Iterator[LakeFile]:
    """The file where it can be read, as long as the block lasts."""
    here = file.fetched(scratch)
    try:
        yield here
    finally:
        here.forget()


def column_of(schema: pa.Schema, *names: str) -> int | None:
    """Position of a column whatever its case; of several the last. The first name that is there."""
    for name in names:
        found = [i for i, own in enumerate(schema.names) if own.casefold() == name]
        if found:
            return found[-1]
    return None
