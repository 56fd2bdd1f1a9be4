"""The ledger saved, brought back, made anew."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app import console
from app.commands.steps import ingest_text, tell
from app.console import DONE, FAILED, Json

if TYPE_CHECKING:
    from pipeline.flow import Flow
    from pipeline.ingest.run import Progress
    from pipeline.recovery.run import Recovered

CopyFile = Annotated[Path, typer.Argument(help="A copy of the ledger (one SQLite file).")]


def backup(file: CopyFile, as_json: Json = False) -> int:
    """Save the ledger to a file, from one moment, while everything goes on."""
    from pipeline.storage.backup import save

    with console.ledger() as (_, ledger):
        saved = save(ledger, file.absolute())
    text = f"{saved.file}: {saved.objects:,} objects, {saved.users:,} users"
    console.say(saved.as_json(), as_json, lambda: f"{text}, {saved.bytes / 1e6:,.1f} MB")
    return DONE


def restore(file: CopyFile, as_json: Json = False) -> int:
    """Bring a saved ledger back, and read again what the disk no longer holds for it."""
    from pipeline.recovery import run as recovery
    from pipeline.storage.backup import look

    copy = look(file.absolute())  # before anything is touched
    recovery.set_aside(console.settings())
    return _recovered(
        lambda flow, progress: recovery.restore(flow, copy, console.who(), progress),
        as_json,
    )


def rebuild_ledger(as_json: Json = False) -> int:
    """Make a lost ledger anew, from its newest copy in the lake and from the raw files."""
    from pipeline.recovery import run as recovery

    aside = recovery.set_aside(console.settings())
    return _recovered(
        lambda flow, progress: recovery.rebuild(flow, aside, console.who(), progress), as_json
    )


def _recovered(work: Callable[[Flow, Progress], Recovered], as_json: bool) -> int:
    from pipeline.flow import Flow

    with (
        console.ledger(unchecked=True) as (settings, ledger),
        Flow(settings, ledger) as flow,
        console.progress("reading again") as progress,
    ):
        result = work(flow, progress)
    tell(result.ingest)
    shown = result.as_json()
    console.say(shown, as_json, lambda: _text(shown))
    failed = result.ingest.failed or result.reconciled.gone
    return FAILED if failed else DONE


def _text(shown: dict[str, Any]) -> str:
    changed, left = shown["reconciled"], shown["unclaimed"]
    lines = [f"from {shown['source']}"]
    if shown["kept"]:
        lines.append(f"the ledger before it is kept: {shown['kept']}")
    lines += console.some([f"newer, but damaged: {path}" for path in shown["damaged"]])
    lines.append(
        f"not in the lake as the ledger says: {changed['files']:,} files, {changed['rows']:,} rows;"
        f" {len(changed['reread']):,} raw files read again,"
        f" marts of {len(changed['rebuild']):,} days to be built"
    )
    if changed["gone"]:
        lines.append(f"LOST: rows of {len(changed['gone']):,} raw files, which are gone:")
        lines += console.some(changed["gone"])
    lines.append(ingest_text(shown["ingest"]))
    lines.append(f"of an earlier ledger: {left['files']:,} files are left to gc")
    if left["kept"]:
        lines.append(
            f"kept, but not visible: {len(left['kept']):,} files with {left['rows']:,} rows that no"
            " raw file holds:"
        )
        lines += console.some(left["kept"])
    return "\n".join([*lines, "next: haulwatch verify, haulwatch build"])
