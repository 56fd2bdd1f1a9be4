"""A lake in a bucket: files are uploaded whole, and kept here while there is room."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from fsspec.asyn import sync  # type: ignore[import-untyped]
from pyarrow import fs as pafs

from pipeline.errors import StoreUnavailable
from pipeline.settings import Settings
from pipeline.storage import bucket
from pipeline.storage.bucket import AT_ONCE, Bucket
from pipeline.storage.lake import LAYERS, Loan

#: Share of the cache that stays when it is full: not every file has to make room for itself.
STAYS = 0.9
#: Seconds in which a server that did not answer is not asked again for a page: it would hang.
PATIENCE = 15.0


@dataclass(frozen=True)
class S3Lake(Bucket):
    """A lake as ``lake.Lake`` describes it. ``home`` is this machine's folder for copies."""

    home: Path = field(default=Path())
    most_bytes: int = 0

    @classmethod
    def of(cls, settings: Settings) -> S3Lake:
        """The lake that the settings name. Raises SettingsError."""
        found = cls.at(settings.lake or "", settings)
        most = int(settings.cache_gb * 1_000_000_000)
        return replace(found, home=settings.home.absolute(), most_bytes=most)

    @property
    def cache(self) -> Path:
        """Copies of whole files, laid out as the lake is."""
        place = urlsplit(self.endpoint or "").netloc.replace(":", "_") or "aws"
        return self.home / "cache" / place / self.bucket / self.prefix.replace("/", "_")

    def temporary(self, path: str) -> Path:
        """In the home, until it is uploaded."""
        folder = self.home / "tmp" / f"upload-{os.getpid()}"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{uuid.uuid4().hex}-{path.rsplit('/', 1)[-1]}"

    def publish(self, temporary: Path, path: str) -> int:
        """Upload it; it appears whole or not at all. What pages read stays here as a copy."""
        size = temporary.stat().st_size
        target = f"{self.bucket}/{self.prefix}{path}"
        self.attempt(lambda fs: sync(fs.loop, fs._put_file, str(temporary), target))
        if path.startswith("clean/"):
            temporary.unlink()
        else:
            final = self.cache / path
            final.parent.mkdir(parents=True, exist_ok=True)
            temporary.rename(final)
        return size

    def remove(self, path: str) -> None:
        """Delete it; S3 does not say whether it was there."""
        self.attempt(
            lambda fs: fs.call_s3(
                "delete_object",
                timeout=bucket.ANSWER_SECONDS,
                Bucket=self.bucket,
                Key=self.prefix + path,
            )
        )
        (self.cache / path).unlink(missing_ok=True)

    def sizes(self) -> dict[str, int]:
        """Bytes of every Parquet file of the lake's layers."""
        return {
            path: int(found["Size"])
            for layer in LAYERS
            for page in self.pages(f"{layer}/")
            for path, found in page.objects
            if path.endswith(".parquet")
        }

    def below(self, folder: str) -> list[str]:
        """Keys with that prefix."""
        return [path for page in self.pages(f"{folder}/") for path, _ in page.objects]

    def filesystem(self) -> pafs.FileSystem:
        """The process's own connection, rooted at the lake."""
        root = f"{self.bucket}/{self.prefix}".rstrip("/")
        return pafs.SubTreeFileSystem(root, _connect(self))

    @contextmanager
    def reading(self) -> Iterator[pafs.FileSystem]:
        """The same, and StoreUnavailable when it is the store's trouble."""
        try:
            yield self.filesystem()
        except OSError as error:
            trouble = self.probe()
            if trouble is None:
                raise
            raise StoreUnavailable(self.url, trouble.reason) from error

    @contextmanager
    def loan(self) -> Iterator[Loan]:
        """A folder in the home, gone afterwards."""
        parent = self.home / "tmp"
        parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f"loan-{os.getpid()}-", dir=parent))
        try:
            yield S3Loan(folder, self)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def cached(self, paths: Iterable[str]) -> Path:
        """The cache, with these files in it. Raises FileNotFoundError, StoreUnavailable."""
        root, wanted = self.cache, list(paths)
        missing = []
        for path in wanted:
            try:
                os.utime(root / path)  # used last: goes last
            except FileNotFoundError:
                missing.append(path)
        if missing:
            trouble = self.trouble
            if trouble and time.time() - trouble.seen < PATIENCE:
                raise StoreUnavailable(self.url, trouble.reason)
            self.fetch(missing, root)
            self._make_room(wanted)
        return root

    def fetch(self, paths: Iterable[str], root: Path) -> None:
        """Copy files below a folder, several at a time; one that is there already is left."""

        def one(path: str) -> None:
            final = root / path
            if final.exists():
                return
            final.parent.mkdir(parents=True, exist_ok=True)
            temporary = final.with_name(f".{uuid.uuid4().hex}.tmp")
            try:
                self.download(path, temporary)
                temporary.rename(final)
            finally:
                temporary.unlink(missing_ok=True)

        with ThreadPoolExecutor(AT_ONCE, "fetch-s3") as pool:
            list(pool.map(one, paths))

    def _make_room(self, wanted: Iterable[str]) -> None:
        """Delete what was not used for longest, once the cache is larger than it may be."""
        root, keep = self.cache, set(wanted)
        found = []
        for folder, _, names in os.walk(root):
            for name in names:
                path = os.path.join(folder, name)
                with suppress(FileNotFoundError):
                    info = os.stat(path)
                    found.append((info.st_mtime, info.st_size, path))
        total = sum(size for _, size, _ in found)
        if total <= self.most_bytes:
            return
        for _, size, path in sorted(found):
            if total <= STAYS * self.most_bytes:
                return
            if os.path.relpath(path, root).replace(os.sep, "/") not in keep:
                Path(path).unlink(missing_ok=True)
                total -= size


@dataclass(frozen=True)
class S3Loan(Loan):
    """A folder into which files of a bucket are fetched."""

    lake: S3Lake

    def fetch(self, paths: Iterable[str]) -> None:
        """See that these files lie in it; those that are cached are only linked."""
        missing = []
        for path in paths:
            final = self.root / path
            final.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(self.lake.cache / path, final)
            except FileExistsError:
                pass
            except OSError:
                missing.append(path)
        self.lake.fetch(missing, self.root)


@cache
def _connect(lake: S3Lake) -> pafs.S3FileSystem:
    address = urlsplit(lake.endpoint or "")
    return pafs.S3FileSystem(
        access_key=lake.key,
        secret_key=lake.secret,
        region=lake.region or ("us-east-1" if lake.endpoint else None),
        endpoint_override=address.netloc or None,
        scheme=address.scheme or "https",
        connect_timeout=bucket.CONNECT_SECONDS,
        request_timeout=bucket.ANSWER_SECONDS,
        retry_strategy=pafs.AwsStandardS3RetryStrategy(max_attempts=2),
    )
