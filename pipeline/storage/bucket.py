"""A bucket of any server that speaks S3, AWS included: what raw store and lake share.

Whatever goes wrong with the server itself is one StoreUnavailable, so nobody above has to know the
stack below (s3fs, botocore, aiohttp). Connections are bounded in time, and tried twice at most.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

import aiohttp
import s3fs
from botocore import exceptions as boto  # type: ignore[import-untyped]
from fsspec.asyn import sync  # type: ignore[import-untyped]

from pipeline.errors import SettingsError, StoreUnavailable
from pipeline.settings import Settings
from pipeline.storage.records import Trouble

CONNECT_SECONDS = 4.0

#: A listing or the head of an object must be here by then; the bytes of an object may take long,
#: but must never stop for so long. A dead link is noticed within this time.
ANSWER_SECONDS = 15.0

#: A failure that took less may be no more than a connection gone stale: it is tried once more.
QUICK_SECONDS = 2.0
PAUSE_SECONDS = 0.3

#: Requests at the same time.
AT_ONCE = 8
#: Bytes of an object that are held at a time while it becomes a file.
PIECE = 1 << 20

T = TypeVar("T")


#: By address: the trouble of this process with it.
_TROUBLE: dict[str, Trouble] = {}


@dataclass(frozen=True)
class Page:
    """One answer to a listing; keys and folders without the prefix, objects as S3 tells them."""

    objects: list[tuple[str, dict[str, Any]]]
    folders: list[str]
    token: str | None


@dataclass(frozen=True)
class Bucket:
    """Objects below ``s3://bucket[/prefix]``, by keys without that prefix.

    It is a value and can be pickled; each process makes connections of its own when it first asks.
    Without key and secret, those that AWS's own tools would find on this machine are used.
    """

    url: str
    endpoint: str | None = None
    key: str | None = None
    secret: str | None = field(default=None, repr=False)
    region: str | None = None

    @classmethod
    def at(cls, url: str, settings: Settings) -> Self:
        """The bucket at an address, with the settings' access.

        Raises SettingsError when they do not fit together.
        """
        endpoint = settings.s3_endpoint
        if endpoint and (
            not endpoint.startswith(("http://", "https://")) or not urlsplit(endpoint).hostname
        ):
            reason = "is no address like https://s3.example.com or http://10.0.0.5:8333"
            raise SettingsError("HAULWATCH_S3_ENDPOINT", reason)
        secret = settings.s3_secret.get_secret_value() if settings.s3_secret else None
        if bool(settings.s3_key) != bool(secret):
            raise SettingsError("HAULWATCH_S3_KEY", "set it and HAULWATCH_S3_SECRET, or neither")
        access = (endpoint, settings.s3_key or None, secret or None, settings.s3_region)
        return cls(url.rstrip("/"), *access)

    @property
    def bucket(self) -> str:
        """Name of the bucket."""
        return self.url.removeprefix("s3://").partition("/")[0]

    @property
    def prefix(self) -> str:
        """What stands before every key in the bucket: empty, or ending in a slash."""
        prefix = self.url.removeprefix("s3://").partition("/")[2].strip("/")
        return prefix and prefix + "/"

    def pages(self, below: str, **more: str) -> Iterator[Page]:
        """Listing of what lies below a prefix, a page at a time."""
        page = None
        while page is None or page.token:
            if page and page.token:
                more["ContinuationToken"] = page.token
            page = self.attempt(lambda fs: self._page(fs, below, more))
            yield page

    def head(self, key: str) -> dict[str, Any] | None:
        """What S3 tells of an object; None when it is gone."""

        def ask(fs: Any) -> dict[str, Any]:
            answer: dict[str, Any] = fs.call_s3(
                "head_object", timeout=ANSWER_SECONDS, **self._at(key)
            )
            return _whole(answer, "ContentLength")

        try:
            return self.attempt(ask, key)
        except FileNotFoundError:
            return None

    def get(self, key: str) -> bytes:
        """The whole object. Raises OSError for this object, StoreUnavailable for the server."""

        async def get(fs: Any) -> bytes:
            asked = fs._call_s3("get_object", **self._at(key))
            answer = await asyncio.wait_for(asked, ANSWER_SECONDS)
            body = answer["Body"]
            try:
                answer["ETag"]  # a sign-in page says 200 too, but has none
                return bytes(await body.read())
            finally:
                body.close()

        return self.attempt(lambda fs: bytes(sync(fs.loop, get, fs)), key)

    def download(self, key: str, target: Path) -> None:
        """The whole object as a file, without holding it in memory. Raises as ``get``."""

        async def get(fs: Any) -> None:
            answer = await asyncio.wait_for(
                fs._call_s3("get_object", **self._at(key)), ANSWER_SECONDS
            )
            body = answer["Body"]
            try:
                answer["ETag"]
                with target.open("wb") as file:
                    while piece := await body.read(PIECE):
                        file.write(piece)
            finally:
                body.close()

        self.attempt(lambda fs: sync(fs.loop, get, fs), key)

    def _at(self, key: str) -> dict[str, str]:
        return {"Bucket": self.bucket, "Key": self.prefix + key}

    def _page(self, fs: Any, below: str, more: dict[str, str]) -> Page:
        place = {"Bucket": self.bucket, "Prefix": self.prefix + below}
        answer = fs.call_s3("list_objects_v2", timeout=ANSWER_SECONDS, **place, **more)
        objects = []
        for found in answer.get("Contents", ()):
            key = found["Key"].removeprefix(self.prefix)
            if key and not key.endswith("/"):  # consoles make empty objects to show a folder
                objects.append((key, _whole(found, "Size")))
        folders = [found["Prefix"] for found in answer.get("CommonPrefixes", ())]
        return Page(
            objects,
            [folder.removeprefix(self.prefix) for folder in folders],
            answer["NextContinuationToken"] if answer["IsTruncated"] else None,
        )

    def attempt(self, work: Callable[[Any], T], key: str | None = None) -> T:
        """What the work returns. Raises OSError for the object ``key``, else StoreUnavailable."""
        for again in (True, False):
            began = time.monotonic()
            try:
                answer = work(self._filesystem())
                _TROUBLE.pop(self.url, None)
                return answer
            except Exception as error:  # three libraries, no common root
                code, status = _answer(error)
                if key is not None and code in ("NoSuchKey", "404"):
                    # The answer to a HEAD does not say whether key or bucket is missing.
                    self.attempt(self._bucket_is_there)
                    raise FileNotFoundError(f"{self.url}/{key} is gone") from error
                if key is not None and code == "InvalidObjectState":
                    raise OSError(f"{self.url}/{key} is archived") from error
                quick = time.monotonic() - began < QUICK_SECONDS
                if not (again and quick and (status == 0 or status >= 500)):
                    reason, now = self._reason(error), time.time()
                    since = _TROUBLE[self.url].since if self.url in _TROUBLE else now
                    _TROUBLE[self.url] = Trouble(reason, since, now)
                    raise StoreUnavailable(self.url, reason) from error
            time.sleep(PAUSE_SECONDS)
        raise AssertionError("the second failure was raised")

    def probe(self) -> Trouble | None:
        """Ask whether the server answers: what is wrong with it, or None."""
        with suppress(StoreUnavailable):
            self.attempt(self._bucket_is_there)
        return self.trouble

    @property
    def trouble(self) -> Trouble | None:
        """What went wrong when this process last asked; None when it was answered."""
        return _TROUBLE.get(self.url)

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
                "max_pool_connections": 2 * AT_ONCE,
            },
        )
        fs.retries = 1  # ``attempt`` decides; two libraries that retry in turn take minutes to fail
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


def _whole(found: dict[str, Any], size: str) -> dict[str, Any]:
    """What is told of an object. Raises KeyError where a sign-in page took the server's place."""
    return {**found, "Size": int(found[size]), "LastModified": found["LastModified"]}


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
