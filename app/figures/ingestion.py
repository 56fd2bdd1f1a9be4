"""Worker, backlog, set aside, accepted. No Streamlit here."""

from __future__ import annotations

import polars as pl

from app import meaning
from app.text import say
from app.tiles import NOTHING, Tile, share, span
from queries.operations import Progress, Vitals


def tiles(now: Vitals, lines: dict[str, int], devices: pl.DataFrame) -> list[Tile]:
    """Worker, backlog here and on devices (one row a device), set aside, accepted."""
    progress = now.progress
    return [
        _worker(now),
        Tile(
            say("ingestion.files_in"),
            f"{progress.done:,}",
            say("ingestion.backlog.of", total=progress.total),
        ),
        Tile(
            say("ingestion.backlog"),
            f"{progress.pending:,}",
            _oldest(progress),
        ),
        _on_devices(devices),
        Tile(
            say("ingestion.failed"),
            f"{progress.failed:,}",
            say("ingestion.failed.of", total=progress.total),
        ),
        Tile(
            say("ingestion.accepted"),
            share(lines["accepted"], lines["lines"]),
            say("ingestion.accepted.of", accepted=lines["accepted"], lines=lines["lines"]),
            meaning.of("ingestion.accepted"),
        ),
    ]


def _worker(now: Vitals) -> Tile:
    label = say("ingestion.worker")
    if now.worker_seen_s is None:
        return Tile(label, say("ingestion.worker.gone"), say("ingestion.worker.none"))
    key = "ingestion.worker.alive" if now.worker_alive else "ingestion.worker.dead"
    state = (now.worker_state or NOTHING) if now.worker_alive else say("ingestion.worker.gone")
    return Tile(label, state.capitalize(), say(key, seconds=f"{now.worker_seen_s:.0f}"))


def _on_devices(devices: pl.DataFrame) -> Tile:
    """Files that devices said they still hold, as far as any of them said something."""
    waiting = devices.filter(pl.col("files") > 0)
    return Tile(
        say("delivery.backlog"),
        f"{int(waiting['files'].sum()):,}" if devices.height else NOTHING,
        say("ingestion.devices.of", waiting=waiting.height, said=devices.height),
        meaning.of("delivery.backlog", say("delivery.backlog.help")),
    )


def _oldest(progress: Progress) -> str:
    if progress.oldest_s is None:
        return say("ingestion.oldest.none")
    return f"{say('ingestion.oldest')}: {span(progress.oldest_s)}"
