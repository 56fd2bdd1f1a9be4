"""Routes for machines: is the process there, is it fit, how is it going. No figure of the fleet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from app import worker_process
from app.backend import backend
from pipeline.errors import HaulwatchError
from queries import operations
from queries.operations import Vitals


def healthz(_: Request) -> Response:
    """200 as long as the process answers."""
    return PlainTextResponse("ok")


def readyz(_: Request) -> Response:
    """200 when the ledger answers and, where a worker is wanted, one is alive; 503 else."""
    try:
        now = operations.vitals(backend().ledger)
    except (SQLAlchemyError, HaulwatchError, OSError) as error:
        body: dict[str, Any] = {"ready": False, "ledger": type(error).__name__}
        return JSONResponse(body, status_code=503)
    wanted, away = worker_process.wanted(), backend().reader.lake.trouble
    ready = now.worker_alive or not wanted
    body = {
        "ready": ready,
        "ledger": "ok",
        "lake": away.reason if away else "ok",  # pages go on without it: still ready
        "worker": {"wanted": wanted, "alive": now.worker_alive, "seen_s": now.worker_seen_s},
        "freshness": {
            "data_version": now.version,
            "newest_day": now.newest_day,
            "pending_files": now.progress.pending,
            "oldest_pending_s": now.progress.oldest_s,
        },
    }
    return JSONResponse(body, status_code=200 if ready else 503)


def metrics(_: Request) -> Response:
    """The same numbers for Prometheus, read from the ledger when asked."""
    registry = CollectorRegistry()
    registry.register(_Ledger(operations.vitals(backend().ledger)))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class _Ledger(Collector):
    """Vitals and counts as metric families."""

    def __init__(self, now: Vitals) -> None:
        self._now = now

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        """One family a number."""
        now, ledger = self._now, backend().ledger
        files = GaugeMetricFamily("haulwatch_raw_files", "Raw files by state", labels=["state"])
        for state in ("done", "failed", "pending"):
            files.add_metric([state], getattr(now.progress, state))
        yield files
        status = GaugeMetricFamily("haulwatch_objects", "Object versions", labels=["status"])
        for name, number in operations.status_counts(ledger).items():
            status.add_metric([name], number)
        yield status
        lines = GaugeMetricFamily("haulwatch_lines", "Lines by outcome", labels=["outcome"])
        for name, number in operations.line_counts(ledger).items():
            lines.add_metric([name], number)
        yield lines
        yield GaugeMetricFamily("haulwatch_data_version", "Moves with each commit", now.version)
        yield GaugeMetricFamily("haulwatch_worker_up", "A worker is alive", int(now.worker_alive))
        lake = int(backend().reader.lake.trouble is None)
        yield GaugeMetricFamily("haulwatch_lake_up", "The lake answered when last asked", lake)
        yield GaugeMetricFamily(
            "haulwatch_oldest_pending_seconds",
            "Age of the raw file that waits longest",
            now.progress.oldest_s or 0,
        )
        signs = operations.signs(ledger)
        for name, about, value in (
            ("worker_seen_seconds", "Since a worker's last sign of life", now.worker_seen_s),
            ("last_ingest_seconds", "Since files were last taken in", signs.ingested_s),
            ("last_build_seconds", "Since marts were last published", signs.built_s),
            ("failed_tests", "Data tests that hold back newer marts", signs.failed_tests),
            ("sign_in_failures", "Failed sign-ins of a quarter of an hour", signs.sign_in_failures),
            ("notices_untold", "Notices that nobody was told of", signs.untold),
        ):
            # What never was has no sample: absent() tells it apart from "just now".
            if value is not None:
                yield GaugeMetricFamily(f"haulwatch_{name}", about, value)
