"""Raw files in a bucket.

A poll must not list years of history. It finds districts and devices by their folders, then lists
each device from an hour on, a few devices at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipeline.storage.bucket import AT_ONCE, Bucket
from pipeline.storage.objects import Entry


@dataclass(frozen=True)
class S3Store(Bucket):
    """Raw files below ``s3://bucket[/prefix]``: a store as ``objects.Store`` describes it."""

    def entries(self, since: dict[str, str] | None = None) -> Iterator[Entry]:
        """Every object; with ``since`` (``district/device`` → hour) no older hours of a device.

        With ``since``, files that lie beside the devices' folders are still found.
        """
        if since is None:
            yield from self._entries("")
            return
        devices: list[str] = []
        for page in self.pages("", Delimiter="/"):
            yield from (_entry(*found) for found in page.objects)
            for district in page.folders:
                for inner in self.pages(district, Delimiter="/"):
                    yield from (_entry(*found) for found in inner.objects)
                    devices += inner.folders

        def recent(device: str) -> list[Entry]:
            return self._device(device, since.get(device.rstrip("/"), ""))

        pool = ThreadPoolExecutor(AT_ONCE, "list-s3")
        try:
            for found in pool.map(recent, devices):
                yield from found
        finally:
            pool.shutdown(cancel_futures=True)

    def stat(self, key: str) -> Entry | None:
        """The key as it is now; None when it is gone."""
        found = self.head(key)
        return None if found is None else _entry(key, found)

    def read(self, key: str) -> bytes:
        """The whole object. Raises OSError for this object, StoreUnavailable for the store."""
        return self.get(key)

    def _device(self, device: str, first: str) -> list[Entry]:
        """Objects of one device (``district/device/``) from an hour on; all when it is empty."""
        # The slash matters: after the bare hour, SeaweedFS goes on behind the folder of that name.
        start = {"StartAfter": f"{self.prefix}{device}{first}/"} if first else {}
        return list(self._entries(device, **start))

    def _entries(self, below: str, **more: str) -> Iterator[Entry]:
        for page in self.pages(below, **more):
            yield from (_entry(*found) for found in page.objects)


def _entry(key: str, found: dict[str, Any]) -> Entry:
    # A HEAD tells whole seconds, some listings tell more: both must give the same time.
    modified: datetime = found["LastModified"]
    etag = str(found.get("ETag", "")).strip('"')
    size, second = found["Size"], int(modified.timestamp())
    # The second belongs to it: the same content sent again is news, and is counted as unchanged.
    return Entry(key, size, f"{etag}-{size}-{second}", second * 1_000_000)
