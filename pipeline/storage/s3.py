"""Raw files in a bucket: any server that speaks S3, AWS included.

A poll must not list years of history. It finds districts and devices by their folders, then lists
each device from an hour on, a few devices at a time. Whatever goes wrong with the store itself is
one StoreUnavailable, so nobody above has to know the stack below (s3fs, botocore, aiohttp).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

import aiohttp
import s3fs
from botocore import exceptions as boto  # type: ignore[import-untyped]
from fsspec.asyn import sync  # type: ignore[import-untyped]

from pipeline.errors import SettingsError, StoreUnavailable
from pipeline.settings import Settings
from pipeline.storage.objects import Entry

CONNECT_SECONDS = 4.0

#: A listing or the head of an object must be here by then; the bytes of an object may take long,
#: but must never stop for so long. A dead link is noticed within this time.
ANSWER_SECONDS = 15.0

#: A failure that took less may be no more than a connection gone stale: it is tried once more.
QUICK_SECONDS = 2.0
PAUSE_SECONDS = 0.3

#: Devices listed at the same time.
LISTERS = 8

T = TypeVar("T")


@dataclass(frozen=True)
class _Page:
    """One answer to a listing; keys and folders without the store's prefix."""

    files: list[Entry]
    folders: list[str]
    token: str | None


@dataclass(frozen=True)
class S3Store:
    """Raw files below ``s3://bucket[/prefix]``: a store as ``objects.Store`` describes it.

    It is a value and can be pickled; each process makes connections of its own when it first asks.
    Without key and secret, those that AWS's own tools would find on this machine are used.
    """

    url: str
    endpoint: str | None = None
    key: str | None = None
    secret: str | None = field(default=None, repr=False)
    region: str | None = None

    @classmethod
    def of(cls, settings: Settings) -> S3Store:
        """The store that the settings name. Raises SettingsError when they do not fit together."""
        endpoint = settings.s3_endpoint
        if endpoint and (
            not endpoint.startswith(("http://", "https://")) or not urlsplit(endpoint).hostname
        ):
            reason = "is no address like https://s3.example.com or http://10.0.0.5:8333"
            raise SettingsError("HAULWATCH_S3_ENDPOINT", reason)
        secret = settings.s3_secret.get_secret_value() if settings.s3_secret else None
        if bool(settings.s3_key) != bool(secret):
            raise SettingsError("HAULWATCH_S3_KEY", "set it and HAULWATCH_S3_SECRET, or neither")
        url = (settings.raw or "").rstrip("/")
        return cls(url, endpoint, settings.s3_key or None, secret or None, settings.s3_region)

    @property
    def bucket(self) -> str:
        """Name of the bucket."""
        return self.url.removeprefix("s3://").partition("/")[0]

    @property
    def prefix(self) -> str:
        """What stands before every key in the bucket: empty, or ending in a slash."""
        prefix = self.url.removeprefix("s3://").partition("/")[2].strip("/")
        return prefix and prefix + "/"

    def entries(self, since: dict[str, str] | None = None) -> Iterator[Entry]:
        """Every object; with ``since`` (``district/device`` → hour) no older hours of a device.

        With ``since``, files that lie beside the devices' folders are still found.
        """
        if since is None:
            for page in self._pages(""):
                yield from page.files
            return
        devices: list[str] = []
        for page in self._pages("", Delimiter="/"):
            yield from page.files
            for district in page.folders:
                for inner in self._pages(district, Delimiter="/"):
                    yield from inner.files
                    devices += inner.folders

        def recent(device: str) -> list[Entry]:
            return self._device(device, since.get(device.rstrip("/"), ""))

        pool = ThreadPoolExecutor(LISTERS, "list-s3")
        try:
            for found in pool.map(recent, devices):
                yield from found
        finally:
            pool.shutdown(cancel_futures=True)

    def stat(self, key: str) -> Entry | None:
        """The key as it is now; None when it is gone."""

        def head(fs: Any) -> Entry:
            found = fs.call_s3("head_object", timeout=ANSWER_SECONDS, **self._at(key))
            return _entry(key, found["ContentLength"], found)

        try:
            return self._try(head, key)
        except FileNotFoundError:
            return None

    def read(self, key: str) -> bytes:
        """The whole object. Raises OSError for this object, StoreUnavailable for the store."""

        async def get(fs: Any) -> bytes:
            asked = fs._call_s3("get_object", **self._at(key))
            answer = await asyncio.wait_for(asked, ANSWER_SECONDS)
            body = answer["Body"]
            try:
                answer["ETag"]  # a sign-in page says 200 too, but has none
                return bytes(await body.read())
            finally:
                body.close()

        return self._try(lambda fs: bytes(sync(fs.loop, get, fs)), key)

    def _at(self, key: str) -> dict[str, str]:
        return {"Bucket": self.bucket, "Key": self.prefix + key}

    def _device(self, device: str, first: str) -> list[Entry]:
        """Objects of one device (``district/device/``) from an hour on; all when it is empty."""
        # The slash matters: after the bare hour, SeaweedFS goes on behind the folder of that name.
        start = {"StartAfter": f"{self.prefix}{device}{first}/"} if first else {}
        return [entry for page in self._pages(device, **start) for entry in page.files]

    def _pages(self, below: str, **more: str) -> Iterator[_Page]:
        page = None
        while page is None or page.token:
            if page and page.token:
                more["ContinuationToken"] = page.token
            page = self._try(lambda fs: self._page(fs, below, more))
            yield page

    def _page(self, fs: Any, below: str, more: dict[str, str]) -> _Page:
        place = {"Bucket": self.bucket, "Prefix": self.prefix + below}
        answer = fs.call_s3("list_objects_v2", timeout=ANSWER_SECONDS, **place, **more)
        files = []
        for found in answer.get("Contents", ()):
            key = found["Key"].removeprefix(self.prefix)
            if key and not key.endswith("/"):  # consoles make empty objects to show a folder
                files.append(_entry(key, found["Size"], found))
        folders = [found["Prefix"] for found in answer.get("CommonPrefixes", ())]
        return _Page(
            files,
            [folder.removeprefix(self.prefix) for folder in folders],
            answer["NextContinuationToken"] if answer["IsTruncated"] else None,
        )

    def _try(self, work: Callable[[Any], T], key: str | None = None) -> T:
        """What the work returns. Raises OSError for the object ``key``, else StoreUnavailable."""
        for again in (True, False):
            began = time.monotonic()
            try:
                return work(self._filesystem())
            except Exception as error:  # three libraries, no common root
                code, status = _answer(error)
                if key is not None and code in ("NoSuchKey", "404"):
                    # The answer to a HEAD does not say whether key or bucket is missing.
                    self._try(self._bucket_is_there)
                    raise FileNotFoundError(f"{self.url}/{key} is gone") from error
                if key is not None and code == "InvalidObjectState":
                    raise OSError(f"{self.url}/{key} is archived") from error
                quick = time.monotonic() - began < QUICK_SECONDS
                if not (again and quick and (status == 0 or status >= 500)):
                    raise StoreUnavailable(self.url, self._reason(error)) from error
            time.sleep(PAUSE_SECONDS)
        raise AssertionError("the second failure was raised")

    def _bucket_is_there(self, fs: Any) -> None:
        fs.call_s3("head_bucket", timeout=ANSWER_SECONDS, Bucket=self.bucket)

    def _filesystem(self) -> Any:
        """The process's own s3fs filesystem for these values: s3fs keeps one of each."""
        fs = s3fs.S3FileSystem(
            key=self.key,
            secret=self.secret,
            endpoint_url=self.endpoint,
            use_listings_cache=False,
            client_kwargs={"region_name": self.region or ("us-east-1" if self.endpoint else None)},
            config_kwargs={
                "connect_timeout": CONNECT_SECONDS,
                "read_timeout": ANSWER_SECONDS,
                "retries": {"total_max_attempts": 1},
                "max_pool_connections": 2 * LISTERS,
            },
        )
        fs.retries = 1  # ``_try`` decides; two libraries that retry in turn take minutes to fail
        return fs

    def _reason(self, error: Exception) -> str:
        """One short clause, made of nothing that could hold a secret."""
        code, status = _answer(error)
        if status == 404:
            return f"there is no bucket {self.bucket}"
        if code == "RequestTimeTooSkewed":
            return "this machine's clock differs from the server's (RequestTimeTooSkewed)"
        if status in (401, 403):
            return f"it refuses our credentials ({code if code != '403' else 'Forbidden'})"
        if status:
            return f"it answers {status} ({code})"
        where = urlsplit(self.endpoint or "https://s3.amazonaws.com")
        host = f"{where.hostname}:{where.port or (80 if where.scheme == 'http' else 443)}"
        for kind, reason in _REASONS:
            if isinstance(error, kind):
                return reason.format(host=host, seconds=ANSWER_SECONDS)
        return f"{host} gives no sensible answer ({type(error).__name__})"


#: Most special first.
_REASONS: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    (
        (boto.NoCredentialsError, boto.PartialCredentialsError),
        "no credentials: set HAULWATCH_S3_KEY and HAULWATCH_S3_SECRET",
    ),
    ((boto.SSLError,), "the certificate of {host} is not accepted"),
    ((boto.ReadTimeoutError, TimeoutError), "no answer from {host} within {seconds:g} s"),
    ((boto.ConnectionError, aiohttp.ClientConnectorError), "no connection to {host}"),
    (
        (boto.HTTPClientError, boto.IncompleteReadError, aiohttp.ClientError, OSError),
        "the connection to {host} broke",
    ),
)


def _answer(error: Exception) -> tuple[str, int]:
    """S3's error code and the HTTP status; ("", 0) when the server did not answer."""
    told = error if isinstance(error, boto.ClientError) else error.__cause__  # s3fs translates
    if not isinstance(told, boto.ClientError):
        return "", 0
    response = told.response
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return str(response.get("Error", {}).get("Code", status)), int(status)


def _entry(key: str, size: int, found: dict[str, Any]) -> Entry:
    # A HEAD tells whole seconds, some listings tell more: both must give the same time.
    modified: datetime = found["LastModified"]
    etag = str(found.get("ETag", "")).strip('"')
    second = int(modified.timestamp())
    # The second belongs to it: the same content sent again is news, and is counted as unchanged.
    return Entry(key, int(size), f"{etag}-{size}-{second}", second * 1_000_000)
