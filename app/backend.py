"""What one server process has once: settings, ledger, reader, the cookie's key."""

from __future__ import annotations

import os
import secrets
import threading
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pipeline.settings import Settings, load, ready_home
from pipeline.storage.ledger import Ledger, open_ledger
from queries.connect import Reader, open_reader

KEY_BYTES = 32

_lock = threading.Lock()


@dataclass
class Backend:
    """Opened at the first use and kept; safe to share by the sessions' threads."""

    settings: Settings

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger, its schema up to date. Raises UsageError."""
        return open_ledger(self.settings)

    @cached_property
    def reader(self) -> Reader:
        """DuckDB over what is visible."""
        return open_reader(self.settings, self.ledger)

    @cached_property
    def cookie_key(self) -> str:
        """The secret that signs cookies."""
        return cookie_key(self.settings)

    def close(self) -> None:
        """Give everything back."""
        self.reader.close()
        self.ledger.close()


_backend: Backend | None = None


def backend() -> Backend:
    """This process's backend, by the settings of its environment."""
    global _backend  # noqa: PLW0603 — one process, one ledger
    with _lock:
        if _backend is None:
            found = Backend(load())
            # Opened under the lock: two first sessions must not both upgrade the schema.
            _ = found.ledger, found.reader
            _backend = found
        return _backend


def forget() -> None:
    """Close and drop the backend; the next call opens another (for tests)."""
    global _backend  # noqa: PLW0603
    with _lock:
        if _backend is not None:
            _backend.close()
            _backend = None


def cookie_key(settings: Settings) -> str:
    """The key in the home, made at the first use; readable by nobody else.

    Of two processes that start together one writes the file and both read it.
    """
    path = ready_home(settings) / "secrets" / "cookie.key"
    path.parent.mkdir(mode=0o700, exist_ok=True)
    if not path.exists():
        _write_once(path, secrets.token_hex(KEY_BYTES))
    return path.read_text(encoding="ascii").strip()


def _write_once(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(file, text.encode("ascii"))
        os.fsync(file)
    finally:
        os.close(file)
    try:
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
