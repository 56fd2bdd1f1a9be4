"""``haulwatch status``: what is where, how fresh, what runs."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from pipeline.localtime import from_us
from pipeline.settings import Settings
from pipeline.storage import manifest
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger, this_host
from pipeline.storage.sql import clock, count_by, counter


def status_of(ledger: Ledger, settings: Settings) -> dict[str, Any]:
    """Counts, ages and workers, from the ledger alone."""
    with ledger.read() as connection:
        now = clock(connection)
        o, f, k = t.raw_objects.c, t.data_files.c, t.raw_keys.c
        live = select(f.layer, func.count(), func.sum(f.rows), func.sum(f.bytes))
        live = live.where(f.superseded_at.is_(None)).group_by(f.layer)
        newest: int | None = connection.execute(select(func.max(o.max_ts))).scalar_one()
        oldest = select(func.min(k.arrived_at)).where(k.state == "pending")
        waiting: int | None = connection.execute(oldest).scalar_one()
        r = t.runs.c
        runs = connection.execute(
            select(r.kind, r.status, r.started_at, r.ended_at).order_by(r.id.desc()).limit(5)
        )
        return {
            "home": str(settings.home.absolute()),
            "raw": count_by(connection, k.state),
            "objects": count_by(connection, o.status),
            "layers": {
                str(row[0]): {"files": int(row[1]), "rows": int(row[2]), "bytes": int(row[3])}
                for row in connection.execute(live)
            },
            "newest_row": from_us(newest).isoformat() if newest else None,
            "oldest_waiting_seconds": round((now - waiting) / 1e6) if waiting else None,
            "days_to_build": len(manifest.dirty(connection, t.partitions.c.built_version)),
            "data_version": counter(connection, "data"),
            "workers": [
                {"id": row.id, "state": row.state, "seen_seconds_ago": (now - row.seen_at) // 10**6}
                for row in connection.execute(select(t.workers))
            ],
            "runs": [
                {
                    "kind": row.kind,
                    "status": row.status,
                    "started": from_us(row.started_at).isoformat(),
                    "seconds": round((row.ended_at - row.started_at) / 1e6, 1)
                    if row.ended_at
                    else None,
                }
                for row in runs
            ],
        }


def works_here(shown: dict[str, Any]) -> bool:
    """Whether a worker of this host has given a sign of life of late."""
    from queries.operations import WORKER_DEAD_S

    return any(
        worker["id"].startswith(this_host()) and worker["seen_seconds_ago"] < WORKER_DEAD_S
        for worker in shown["workers"]
    )


def as_text(shown: dict[str, Any]) -> str:
    """The same for a person."""
    raw = ", ".join(f"{number:,} {state}" for state, number in shown["raw"].items())
    lines = [f"home      {shown['home']}", f"raw       {raw or 'no files yet'}"]
    for layer, figures in shown["layers"].items():
        lines.append(
            f"{layer:9} {figures['rows']:,} rows in {figures['files']:,} files, "
            f"{figures['bytes'] / 1e6:,.1f} MB"
        )
    lines.append(f"newest    {shown['newest_row'] or '-'}")
    lines.append(f"to build  {shown['days_to_build']} days")
    for worker in shown["workers"]:
        seen = worker["seen_seconds_ago"]
        lines.append(f"worker    {worker['id']}: {worker['state']} ({seen} s ago)")
    if not shown["workers"]:
        lines.append("worker    none runs")
    for run in shown["runs"]:
        lines.append(f"run       {run['started']} {run['kind']}: {run['status']}")
    return "\n".join(lines)
