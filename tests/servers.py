"""A real S3 server (SeaweedFS) for tests, on loopback, and a link to it that can be cut.

Both are context managers, ready when they are entered and gone when they are left. The server keeps
its files in a folder of its own, and is ended by its process id.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sysconfig
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, build_opener

HOST = "127.0.0.1"
START_SECONDS = 60


def free_port() -> int:
    """A port of loopback where nobody listens now.

    Below those that the system hands out by itself: none of them can be taken by an outgoing
    connection before the server that it is meant for listens.
    """
    for port in random.sample(range(10_000, 20_000), 1_000):
        with suppress(OSError), socket.create_server((HOST, port)):
            return port
    raise RuntimeError("no port is free")


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and is not yet waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Link:
    """A TCP proxy in front of a server: the network, which a test can cut and restore.

    ``cut`` ends what is open and refuses what comes; ``hush`` leaves connections open, but nothing
    comes back any more, as when a cable is cut. With ``after`` both wait until the server has sent
    so many more bytes; ``passed`` counts those that came back. ``restore`` lets everything pass
    again, on the same port.
    """

    def __init__(self, port: int, server: int) -> None:
        self.port = port
        self.endpoint = f"http://{HOST}:{port}"
        self._server = server
        self._lock = threading.RLock()
        self._listener: socket.socket | None = None
        self._ends: set[socket.socket] = set()
        self._left: int | None = None
        self.passed = 0
        self._hushed = False
        self._awake = threading.Event()
        self._threads: list[threading.Thread] = []
        self.restore()

    def cut(self, after: int = 0) -> None:
        """End every connection and refuse new ones, now or ``after`` bytes from the server."""
        with self._lock:
            if after:
                self._left, self._hushed = after, False
                return
            self._wake()
            listener, self._listener = self._listener, None
            if listener is not None:
                _end(listener)
                listener.close()
            for end in self._ends:
                _end(end)

    def hush(self, after: int = 0) -> None:
        """Let nothing back from the server, now or ``after`` bytes from it."""
        with self._lock:
            self._awake.clear()
            self._left, self._hushed = after, True

    def restore(self) -> None:
        """Let everything pass; connections that were hushed are lost."""
        with self._lock:
            self._wake()
            if self._listener is None:
                self._listener = socket.create_server((HOST, self.port))
                self._start(self._accept, self._listener)

    def stop(self) -> None:
        """Cut it for good; nothing of it is left."""
        self.cut()
        for thread in self._threads:
            thread.join(10)

    def _wake(self) -> None:
        self._left, self._hushed = None, False
        self._awake.set()

    def _start(self, work: Any, *values: Any) -> None:
        thread = threading.Thread(target=work, args=values, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection((HOST, self._server))
            except OSError:
                near.close()
                continue
            pair = (near, far)
            with self._lock:
                self._ends.update(pair)
                if self._listener is not listener:
                    for end in pair:
                        _end(end)
                self._start(self._serve, near, far)

    def _serve(self, near: socket.socket, far: socket.socket) -> None:
        up = threading.Thread(target=self._pump, args=(near, far, False), daemon=True)
        up.start()
        self._pump(far, near, True)
        up.join()
        with self._lock:
            self._ends -= {near, far}
        near.close()
        far.close()

    def _pump(self, source: socket.socket, sink: socket.socket, counted: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                allowed = self._allowed(len(data)) if counted else len(data)
                sink.sendall(data[:allowed])
                self.passed += allowed if counted else 0
                if allowed == len(data):
                    continue
                if self._hushed:
                    self._awake.wait()
                    break
                self.cut()
        _end(source)
        _end(sink)

    def _allowed(self, size: int) -> int:
        with self._lock:
            if self._left is None:
                return size
            allowed = min(size, self._left)
            self._left -= allowed
            return allowed


def _end(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)


@dataclass
class Seaweed:
    """A running S3 server. ``bucket`` exists; ``client`` is a plain (botocore) client to it."""

    port: int
    process: subprocess.Popen[bytes]
    key: str
    secret: str
    bucket: str = "haulwatch"
    client: Any = None
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def endpoint(self) -> str:
        """Its address, past any link."""
        return f"http://{HOST}:{self.port}"

    def place(self) -> str:
        """``s3://bucket/prefix`` that no other test has used."""
        return f"s3://{self.bucket}/raw-{next(self._numbers)}"

    def variables(self, url: str, endpoint: str | None = None) -> dict[str, str]:
        """``HAULWATCH_*`` for raw files at the URL."""
        return {
            "HAULWATCH_RAW": url,
            "HAULWATCH_S3_ENDPOINT": endpoint or self.endpoint,
            "HAULWATCH_S3_KEY": self.key,
            "HAULWATCH_S3_SECRET": self.secret,
        }

    def put(self, url: str, key: str, body: bytes) -> None:
        """Write the object ``key`` below ``s3://bucket/prefix``."""
        bucket, _, prefix = url.removeprefix("s3://").partition("/")
        self.client.put_object(Bucket=bucket, Key=f"{prefix}/{key}" if prefix else key, Body=body)

    def put_all(self, url: str, objects: Iterable[tuple[str, bytes]]) -> None:
        """Write many objects, several at a time."""
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda pair: self.put(url, *pair), objects))

    def upload(self, root: Path, url: str) -> None:
        """Write every file below a folder, as a copy of it."""
        files = sorted(path for path in root.rglob("*") if path.is_file())
        self.put_all(url, ((str(path.relative_to(root)), path.read_bytes()) for path in files))

    def delete(self, url: str, key: str) -> None:
        """Delete one object."""
        bucket, _, prefix = url.removeprefix("s3://").partition("/")
        self.client.delete_object(Bucket=bucket, Key=f"{prefix}/{key}" if prefix else key)

    def pause(self) -> None:
        """It takes connections, and says nothing any more."""
        os.kill(self.process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """It goes on where it stopped."""
        os.kill(self.process.pid, signal.SIGCONT)

    @contextmanager
    def link(self) -> Iterator[Link]:
        """A link to it that can be cut; up to four at a time."""
        for port in range(self.port + 5, self.port + 9):
            with suppress(OSError):
                link = Link(port, self.port)
                break
        else:
            raise RuntimeError("no port is left for a link")
        try:
            yield link
        finally:
            link.stop()


@contextmanager
def seaweed() -> Iterator[Seaweed]:
    """An S3 server with one empty bucket; every object is gone at the end. Ready in a second."""
    key, secret = "haulwatch-test", "not-so-secret-4711"
    identity = {
        "name": "test",
        "credentials": [{"accessKey": key, "secretKey": secret}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    with tempfile.TemporaryDirectory(prefix="haulwatch-s3-") as name:
        config = Path(name) / "s3.json"
        config.write_text(json.dumps({"identities": [identity]}))
        options = {
            "s3.config": str(config),
            "s3.port.iceberg": "0",
            "s3.port.lance": "0",
            "s3.allowDeleteBucketNotEmpty": "false",
            "admin.ui": "false",
            "webdav": "false",
            "master.telemetry": "false",
        }
        with mini(options, {"GOMEMLIMIT": "300MiB"}, key, secret) as server:
            server.client.create_bucket(Bucket=server.bucket)
            server.put(f"s3://{server.bucket}", "first", b"")  # makes the volumes: 0.2 s
            server.delete(f"s3://{server.bucket}", "first")
            yield server


@contextmanager
def mini(
    options: Mapping[str, str], environment: Mapping[str, str], key: str, secret: str
) -> Iterator[Seaweed]:
    """``weed mini`` with these options, but on loopback, on free ports, in a folder of its own.

    Whether it has a bucket, and whom it lets in, is up to the options and the environment.
    """
    binary = Path(sysconfig.get_path("scripts")) / "weed"
    folder = Path(tempfile.mkdtemp(prefix="haulwatch-s3-"))
    (folder / "data").mkdir()
    first, flag = _claim_ports()
    ours = {
        "dir": folder / "data",
        "ip": HOST,
        "ip.bind": HOST,
        "s3.port": first,
        "master.port": first + 1,
        "volume.port": first + 2,
        "filer.port": first + 3,
        "admin.port": first + 4,
    }
    words = [f"-{name}={value}" for name, value in {**options, **ours}.items()]
    with closing(flag), (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(binary), "mini", *words],
            cwd=folder,
            env={**os.environ, "TMPDIR": str(folder), **environment},  # for its own logs
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for pytest, which then ends it in order
        )
        try:
            server = Seaweed(first, process, key, secret)
            _wait_for_s3(server, folder / "log")
            with _client(server) as server.client:
                yield server
        finally:
            process.kill()
            process.wait()
            shutil.rmtree(folder, ignore_errors=True)


def _claim_ports() -> tuple[int, socket.socket]:
    """First of ten free ports, and a socket on the last that keeps the others ours while open.

    SeaweedFS also takes each port + 10,000. All lie below the range from which the system takes
    ports for outgoing connections, so nothing can slip in before the server listens.
    """
    for first in random.sample(range(20_000, 22_700, 10), 270):
        flag = socket.socket()
        try:
            flag.bind((HOST, first + 9))
            for port in (*range(first, first + 5), *range(first + 10_000, first + 10_005)):
                with socket.socket() as probe:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind((HOST, port))
        except OSError:
            flag.close()
        else:
            return first, flag
    raise RuntimeError("no ten free ports in a row")


def _wait_for_s3(server: Seaweed, log: Path) -> None:
    opener = build_opener(ProxyHandler({}))
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and server.process.poll() is None:
        try:
            opener.open(server.endpoint, timeout=1).close()
            return
        except HTTPError as error:
            error.close()
            if error.code < 500:  # 403: it is there and wants credentials
                return
        except (URLError, OSError):
            pass
        time.sleep(0.05)
    raise RuntimeError("SeaweedFS did not start:\n" + log.read_text(errors="replace")[-2_000:])


@contextmanager
def _client(server: Seaweed) -> Iterator[Any]:
    from botocore.config import Config
    from botocore.session import get_session

    client = get_session().create_client(
        "s3",
        endpoint_url=server.endpoint,
        aws_access_key_id=server.key,
        aws_secret_access_key=server.secret,
        region_name="us-east-1",
        config=Config(max_pool_connections=16, proxies={}),
    )
    with closing(client):
        yield client
