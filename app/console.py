"""What all commands share: exit codes, common options, settings and ledger, how they speak."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.errors import UsageError

if TYPE_CHECKING:
    from pipeline.settings import Settings
    from pipeline.storage.ledger import Ledger

DONE, FAILED, WRONG = 0, 1, 2

#: Lines of one kind that a person is shown; ``--json`` has all.
MOST = 20

Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
Day = Annotated[str | None, typer.Option("--date", help="Only this local day (2026-01-31).")]
District = Annotated[str | None, typer.Option(help="Only this district.")]
Units = Annotated[int, typer.Option(min=1, max=5000, help="Vehicles.")]
Port = Annotated[int | None, typer.Option(min=1, max=65535, help="Port to listen on.")]


def settings(**overrides: Any) -> Settings:
    """The settings in force; misspelt variables are named on standard error."""
    from pipeline.settings import load, unknown_variables

    for sentence in unknown_variables(os.environ):
        print(f"haulwatch: {sentence}", file=sys.stderr)
    return load(**overrides)


@contextmanager
def ledger(
    *, rezone: str | None = None, unchecked: bool = False
) -> Iterator[tuple[Settings, Ledger]]:
    """Settings and the open ledger; both are fit for use or the command ends with exit 2."""
    from pipeline.storage.ledger import open_ledger

    chosen = settings()
    opened = open_ledger(chosen, rezone=rezone, unchecked=unchecked)
    before = signal.signal(signal.SIGTERM, _stop)  # what is held is given back, as after Ctrl-C
    try:
        yield chosen, opened
    finally:
        signal.signal(signal.SIGTERM, before)
        opened.close()


def _stop(*_: object) -> None:
    raise KeyboardInterrupt


def say(result: dict[str, Any], as_json: bool, text: Callable[[], str]) -> None:
    """Print a command's result, for a machine or for a person."""
    print(json.dumps(result, default=str) if as_json else text())


def some(lines: list[str]) -> list[str]:
    """The first lines of one kind, and how many more there are."""
    if len(lines) <= MOST:
        return lines
    return [*lines[:MOST], f"… and {len(lines) - MOST:,} more (--json)"]


@contextmanager
def progress(label: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on a terminal, nothing elsewhere; always on standard error."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda *_: None
        return
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def check_day(day: str | None) -> None:
    """Raise UsageError unless the option is absent or a date."""
    if day is not None:
        try:
            if datetime.strptime(day, "%Y-%m-%d").strftime("%Y-%m-%d") != day:
                raise ValueError(day)  # 2026-1-31 is a date, and the name of no day
        except ValueError:
            raise UsageError(f"--date {day!r} is no date like 2026-01-31") from None


def who() -> str:
    """Who uses the command line, for the audit."""
    import getpass

    try:
        return f"{getpass.getuser()} (command line)"
    except (OSError, KeyError):
        return "command line"
