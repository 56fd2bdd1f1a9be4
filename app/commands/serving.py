"""Serving, the worker, and invented fleets."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Annotated

import typer

from app import console
from app.console import DONE, FAILED, Json, Port, Units
from app.state import SETUP


def demo(
    units: Units = 12,
    hours: Annotated[
        int | None, typer.Option(min=1, max=24 * 31, help="Only the last HOURS hours.")
    ] = None,
    port: Port = None,
    no_serve: Annotated[bool, typer.Option("--no-serve", help="Take everything in, then end.")] = (
        False
    ),
    as_json: Json = False,
) -> int:
    """Simulate a fleet into an empty home, and serve it while it is taken in."""
    from app.demo import Demo

    return Demo(console.settings(), units=units, hours=hours).run(
        serve=not no_serve, port=port, as_json=as_json
    )


def serve(
    port: Port = None,
    no_worker: Annotated[bool, typer.Option("--no-worker", help="Only the pages.")] = False,
    as_json: Json = False,
) -> int:
    """Serve the pages, with the worker beside them."""
    from app.serve import check_port
    from app.serve import serve as run_server
    from pipeline.storage import setup

    chosen = port or console.settings().port
    check_port(console.settings().host, chosen)
    with console.ledger() as (settings, ledger):
        url = f"http://{settings.host}:{chosen}"
        token = setup.link_token(ledger)
        shown = {"url": url} | ({"setup": f"{url}/?{SETUP}={token}"} if token else {})
        console.say(shown, as_json, lambda: _served(shown))
        sys.stdout.flush()
    return run_server(settings, settings.host, chosen, worker=not no_worker)


def _served(shown: dict[str, str]) -> str:
    lines = [f"Haulwatch is at {shown['url']}"]
    if SETUP in shown:
        lines += [
            "Nobody can sign in yet. Make the first administrator by this link (once, within an"
            " hour) or by haulwatch user add:",
            shown[SETUP],
        ]
    return "\n".join(lines)


def worker(
    only_once: Annotated[bool, typer.Option("--once", help="What is due now, then end.")] = False,
    parent_pipe: Annotated[
        bool, typer.Option("--parent-pipe", hidden=True, help="End when standard input closes.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Take in files, compact and build, over and over."""
    from pipeline import logs
    from pipeline.worker import Worker, once

    log = logging.getLogger("haulwatch.worker").warning
    with console.ledger() as (settings, ledger):
        logs.configure(settings)
        if only_once:
            failed = once(settings, ledger, log)
            console.say({"failed": failed}, as_json, lambda: f"done; {failed} files failed")
            return FAILED if failed else DONE
        work = Worker(settings, ledger, log)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: work.stopping.set())
        if as_json:
            console.say({"worker": work.name}, as_json, str)
            sys.stdout.flush()
        if parent_pipe:
            threading.Thread(target=_follow_parent, args=(work.stopping,), daemon=True).start()
        work.loop()
    return DONE


def _follow_parent(stopping: threading.Event) -> None:
    """Stop when the parent closes our standard input, and go by force if that takes too long."""
    while os.read(0, 1024):
        pass
    stopping.set()
    threading.Event().wait(10)
    os._exit(1)


def simulate(
    out: Annotated[Path, typer.Option(help="Folder for raw/, truth.json and truth/.")],
    units: Units,
    hours: Annotated[int, typer.Option(min=1, max=24 * 366, help="Hours to simulate.")],
    start: Annotated[str | None, typer.Option(help="First hour, ISO: 2026-01-31T06:00+08:00")] = (
        None
    ),
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same bytes.")] = 1,
    faults: Annotated[str, typer.Option(help="none, typical or storm")] = "none",
    as_json: Json = False,
) -> int:
    """Write raw files of an invented fleet, and the truth about them beside."""
    from app.demo import simulate_into

    with console.progress("simulating") as progress:
        truth = simulate_into(
            console.settings(),
            out,
            units=units,
            hours=hours,
            start=start,
            seed=seed,
            faults=faults,
            progress=progress,
        )
    text = f"{truth['files_delivered']:,} files, {truth['lines']:,} lines in {out / 'raw'}"
    console.say(truth, as_json, lambda: text)
    return DONE
