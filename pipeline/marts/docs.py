"""The documentation of the marts: dbt docs, generated over an empty lake.

It needs nothing from outside: dbt's page is stripped of the addresses that it knows. A stamp beside
the files tells which models they describe.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from pipeline import fields
from pipeline.marts import dbt_runner, sources, thresholds
from pipeline.marts.catalogue import PROJECT
from pipeline.marts.snapshot import nothing
from pipeline.settings import Settings
from pipeline.storage.records import Partition

#: What a browser needs to show the documentation.
FILES = ("index.html", "manifest.json", "catalog.json")
#: Beside them, written last: a hash of all they were made from.
STAMP = "made-from.txt"

#: What is put right in dbt's page (1.11): it can load a tracker, asks for icons by the names of
#: placeholders, and tries ``eval`` to find out whether it may.
_EDITS = (
    (re.compile(r"//[\w.-]+\.cloudfront\.net/[\w./-]+"), ""),
    (re.compile(r"https://fuzzed\.getdbt\.com/"), ""),
    (re.compile(r"\$\{require\('\./assets/favicons/favicon\.ico'\)\}"), "data:,"),
    (re.compile(r'\sxlink:href="(?=\{\{)'), ' ng-attr-href="'),
    (re.compile(r"\A<!doctype html><html "), '<!doctype html><html data-ng-csp="no-unsafe-eval" '),
)


def folder(settings: Settings) -> Path:
    """Where the documentation lies unless somebody asks for another place."""
    return settings.home.absolute() / "docs"


def docs(settings: Settings, out: Path) -> Path:
    """Write the documentation into a folder and return it; open its ``index.html``."""
    now = datetime.now(UTC)
    made_of = made_from()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        database = scratch / "scratch.duckdb"
        empty = nothing(Partition(now.date().isoformat(), "", 0))
        sources.fill(database, empty, settings, thresholds.defaults(), now)
        sources.begin(database, empty.chunks[0])
        for command in ("run", "docs generate"):  # the data tests have nothing to look at here
            dbt_runner.run(scratch, command, settings.duckdb, settings.scratch)
        made = {file: (scratch / "target" / file).read_text(encoding="utf-8") for file in FILES}
    made["index.html"] = _offline(made["index.html"])
    out.mkdir(parents=True, exist_ok=True)
    (out / STAMP).unlink(missing_ok=True)
    for file, text in (*made.items(), (STAMP, made_of)):
        _replace(out / file, text)
    return out


def made_from() -> str:
    """A hash of what documentation would be made from now: models, fields, dbt and this module."""
    models = sorted(path for path in PROJECT.rglob("*") if path.suffix in (".sql", ".yml", ".md"))
    digest = hashlib.sha256(version("dbt-core").encode())
    for path in (*models, Path(fields.__file__).with_name("fields.csv"), Path(__file__)):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def is_current(out: Path) -> bool:
    """Whether a folder holds the documentation of the models that are installed."""
    try:
        stamped = (out / STAMP).read_text(encoding="ascii")
    except (OSError, ValueError):
        return False
    return stamped == made_from() and all((out / file).is_file() for file in FILES)


def _offline(page: str) -> str:
    """dbt's page without an address that it could load something from."""
    for pattern, instead in _EDITS:
        page = pattern.sub(instead, page)
    return page


def _replace(path: Path, text: str) -> None:
    """Whoever reads meanwhile sees the old file or the new one."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
