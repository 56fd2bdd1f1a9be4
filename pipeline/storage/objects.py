"""Raw files as delivered. We list and read them; we never change or delete one."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pipeline import localtime

if TYPE_CHECKING:
    from pipeline.settings import Settings

_DEVICE_HOUR = re.compile(r"([^/]+)/([^/]+)/(\d{10})/\3\.txt\.gz", re.ASCII)

#: Hours that a device's clock may name, were it reset or run wild. Beyond them is no time at all,
#: and at the ends of the calendar there is none in every zone.
FIRST_HOUR, LAST_HOUR = "1970010100", "2199123123"


@dataclass(frozen=True)
class Entry:
    """What the store shows of one key. ``etag`` changes with the content; times in microseconds.

    ``spelt`` is False where the name is no text: the key then only shows it, and cannot be read.
    """

    key: str
    size: int
    etag: str
    modified_at: int
    spelt: bool = True

    @property
    def place(self) -> tuple[str, str, str] | None:
        """(district, device, local hour); None when it is no device-hour."""
        return parse_key(self.key) if self.spelt else None


def parse_key(key: str) -> tuple[str, str, str] | None:
    """(district, device, local hour) of a raw key; None when it is no device-hour."""
    match = _DEVICE_HOUR.fullmatch(key)
    if match is None:
        return None
    district, device, hour = match.groups()
    if not FIRST_HOUR <= hour <= LAST_HOUR:
        return None
    try:
        localtime.hour_start(hour, "UTC")
    except ValueError:
        return None
    return district, device, hour


class Store(Protocol):
    """Where raw files lie. Stores can be pickled: children read through a copy of their own."""

    def entries(self, since: dict[str, str] | None = None) -> Iterator[Entry]:
        """Every object; with ``since`` (``district/device`` → hour) no older hours of a device."""

    def stat(self, key: str) -> Entry | None:
        """The key as it is now; None when it is gone."""

    def read(self, key: str) -> bytes:
        """The whole object. Raises OSError for this object, StoreUnavailable for the store."""


def open_store(settings: Settings) -> Store:
    """The store that the settings name. Raises SettingsError when it cannot be one."""
    if settings.raw_is_remote:
        from pipeline.storage.s3 import S3Store  # a second of imports, and it imports this module

        return S3Store.at(settings.raw or "", settings)
    return DiskStore(settings.raw_root)


class DiskStore:
    """Raw files below a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def entries(self, since: dict[str, str] | None = None) -> Iterator[Entry]:
        """Every file below the root.

        With ``since`` (``district/device`` → hour) a device's older hour folders are passed over,
        so a poll does not look at the whole history.
        """
        for folder, names, files in os.walk(self.root):
            place = os.path.relpath(folder, self.root)
            if since is not None and place.count(os.sep) == 1:
                first = since.get(place.replace(os.sep, "/"), "")
                names[:] = [name for name in names if name >= first]
            names.sort()
            for name in sorted(files):
                path = os.path.join(folder, name)
                key = os.path.relpath(path, self.root).replace(os.sep, "/")
                entry = self._entry(key, path)
                if entry is not None:
                    yield entry

    def stat(self, key: str) -> Entry | None:
        """The key as it is now; None when it is gone."""
        return self._entry(key, str(self.root / key))

    def read(self, key: str) -> bytes:
        """The whole object. Raises OSError."""
        return (self.root / key).read_bytes()

    def _entry(self, key: str, path: str) -> Entry | None:
        try:
            info = os.stat(path)
        except OSError:  # gone, or in a folder that may not be entered: not there for us
            return None
        text = os.fsencode(key).decode("utf-8", "backslashreplace")
        etag = f"{info.st_size}-{info.st_mtime_ns}"
        return Entry(text, info.st_size, etag, info.st_mtime_ns // 1000, spelt=text == key)
