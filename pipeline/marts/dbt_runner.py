"""dbt in process, over a scratch DuckDB: nothing is written into the project's folder."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pipeline.errors import BuildFailed
from pipeline.marts.catalogue import PROJECT


@dataclass(frozen=True)
class TestResult:
    """One data test: ``status`` is pass, warn, fail or error; ``failures`` counts rows."""

    test: str
    model: str
    severity: str
    status: str
    failures: int
    message: str | None

    __test__ = False


def run(
    scratch: Path, command: str, limits: dict[str, Any], keep: Path | None = None
) -> list[TestResult]:
    """Run ``dbt build`` or ``dbt docs generate`` over ``scratch/scratch.duckdb``.

    ``keep``: a folder of ours where the parsed project is found, or left for the next process.
    Returns the test results. Raises BuildFailed when a model cannot be built.
    """
    from dbt.cli.main import dbtRunner

    manifest = known(keep) if keep else parsed()
    (scratch / "profiles.yml").write_text(json.dumps(_profile(scratch, limits)))
    words = [
        *command.split(),
        *_places(scratch),
        *(() if command.startswith("docs") else ("--no-write-json",)),
    ]
    try:
        outcome = dbtRunner(manifest=manifest).invoke(words)
    finally:
        _forget_connections()
    if outcome.exception is not None:
        raise BuildFailed([" ".join(str(outcome.exception).split())[:500]])
    results = getattr(outcome.result, "results", None) or []
    broken = [
        f"{r.node.name}: {' '.join(str(r.message).split())[:500]}"
        for r in results
        if str(r.node.resource_type) == "model" and str(r.status) not in ("success", "skipped")
    ]
    if broken:
        raise BuildFailed(broken)
    return [_test(r) for r in results if str(r.node.resource_type) in ("test", "unit_test")]


@cache
def known(folder: Path) -> Any:
    """The project as dbt knows it, kept in a folder of ours: parsing takes each process 3 s.

    In dbt's own form, read in a tenth of that. Its pickled form comes back wrong: dbt 1.11's
    ``Manifest.__reduce_ex__`` leaves two of its fields out, and those behind them change places.
    """
    from dbt.contracts.graph.manifest import Manifest
    from dbt.parser.manifest import extended_mashumaro_encoder, extended_mashumuro_decoder

    if parsed.cache_info().currsize:
        return parsed()
    path = folder / f"dbt-{_digest()}.msgpack"
    with suppress(OSError, ValueError, LookupError, TypeError):  # whatever is wrong: parse again
        return Manifest.from_msgpack(path.read_bytes(), decoder=extended_mashumuro_decoder)
    found = parsed()
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("dbt-*.msgpack"):
            old.unlink(missing_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        temporary.write_bytes(found.to_msgpack(extended_mashumaro_encoder))
        temporary.replace(path)
    return found


def _digest() -> str:
    """Of all that parsing depends on."""
    digest = hashlib.sha256()
    for package in ("dbt-core", "dbt-duckdb"):
        digest.update(version(package).encode())
    for path in sorted(path for path in PROJECT.rglob("*") if path.is_file()):
        digest.update(str(path).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


@cache
def parsed() -> Any:
    """The project as dbt knows it, once a process: it does not change, and parsing takes seconds.

    Raises BuildFailed when it cannot be read.
    """
    from dbt.cli.main import dbtRunner

    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        (scratch / "profiles.yml").write_text(json.dumps(_profile(scratch, {})))
        try:
            outcome = dbtRunner().invoke(["parse", "--no-write-json", *_places(scratch)])
        finally:
            _forget_connections()
    if outcome.exception is not None:
        raise BuildFailed([" ".join(str(outcome.exception).split())[:500]])
    return outcome.result


def _places(scratch: Path) -> list[str]:
    """Options of every command: dbt is quiet, and writes into the scratch folder alone."""
    return [
        *("--project-dir", str(PROJECT)),
        *("--profiles-dir", str(scratch)),
        *("--target-path", str(scratch / "target")),
        *("--log-path", str(scratch / "logs")),
        "--no-use-colors",
        "--no-version-check",
        "--quiet",
        "--no-send-anonymous-usage-stats",
        "--no-partial-parse",
        *("--log-level", "none"),
    ]


def together(tests: Iterable[TestResult]) -> list[TestResult]:
    """One result a test: what was asked in parts counts what was found in all of them."""
    found: dict[str, TestResult] = {}
    for test in tests:
        other = found.get(test.test, replace(test, failures=0))
        worse = max(other, test, key=lambda x: (x.status != "pass", x.failures))
        found[test.test] = replace(worse, failures=other.failures + test.failures)
    return list(found.values())


def _test(result: Any) -> TestResult:
    node = result.node
    about = getattr(node, "attached_node", None) or next(iter(node.depends_on.nodes), "")
    return TestResult(
        test=node.name,
        model=about.split(".")[-1],
        severity=str(node.config.severity).lower() if hasattr(node.config, "severity") else "error",
        status=str(result.status),
        failures=int(result.failures or 0),
        message=result.message,
    )


def _profile(scratch: Path, limits: dict[str, Any]) -> dict[str, Any]:
    target = {
        "type": "duckdb",
        "path": str(scratch / "scratch.duckdb"),
        "threads": 1,  # DuckDB uses the cores by itself; two models at once would double memory
        "settings": {
            "TimeZone": "UTC",
            **{name: limits[name] for name in ("memory_limit", "threads") if name in limits},
            "temp_directory": str(scratch / "spill"),
            "preserve_insertion_order": False,
        },
    }
    return {"haulwatch": {"target": "scratch", "outputs": {"scratch": target}}}


def _forget_connections() -> None:
    """dbt-duckdb keeps its DuckDB in a class attribute; the next scratch needs a new one."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.adapters.factory import reset_adapters

    DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
    DuckDBConnectionManager._ENV = None
    reset_adapters()  # type: ignore[no-untyped-call]
