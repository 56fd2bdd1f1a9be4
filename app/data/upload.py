"""A file that somebody handed in: on disk under a name of ours while it is read."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.errors import UsageError
from pipeline.settings import Settings

LONGEST_NAME = 80


@dataclass(frozen=True)
class Upload:
    """Its name as the browser tells it, which is anything at all, and its bytes."""

    name: str
    content: bytes = field(repr=False)

    @property
    def safe_name(self) -> str:
        """The name without anything that leads elsewhere, for the file and for the audit."""
        last = re.split(r"[/\\]", self.name)[-1]
        return re.sub(r"[^\w.-]", "_", last).lstrip(".")[-LONGEST_NAME:] or "upload.csv"

    @contextmanager
    def file(self, settings: Settings) -> Iterator[Path]:
        """A copy in a folder of its own, gone afterwards; errors do not tell where it lay."""
        settings.scratch.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="upload-", dir=settings.scratch) as folder:
            path = Path(folder) / self.safe_name
            path.write_bytes(self.content)
            try:
                yield path
            except UsageError as error:
                raise UsageError(str(error).replace(f"{folder}/", "")) from error
