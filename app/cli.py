"""The command line. Every command: ``--json`` for machines, exit 0 done, 1 failed, 2 wrong use.

Heavy imports are made inside the commands: ``haulwatch --help`` must answer at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import NoReturn

import typer

from app.commands import adopting, keeping, lookup, people, serving, steps
from app.console import DONE, FAILED, WRONG
from pipeline.errors import HaulwatchError, UsageError

app = typer.Typer(
    name="haulwatch",
    help="Operational analytics for open-pit mining fleets.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
user_app = typer.Typer(help="People who may sign in.", no_args_is_help=True, rich_markup_mode=None)
device_app = typer.Typer(help="The device register.", no_args_is_help=True, rich_markup_mode=None)
downtime_app = typer.Typer(help="The downtime log.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(user_app, name="user")
app.add_typer(device_app, name="device")
app.add_typer(downtime_app, name="downtime")
for command in (
    serving.demo,
    serving.serve,
    serving.worker,
    serving.simulate,
    steps.ingest,
    steps.compact,
    steps.build,
    steps.reingest,
    adopting.adopt,
    keeping.backup,
    keeping.restore,
    keeping.rebuild_ledger,
    lookup.verify,
    lookup.status,
    steps.gc,
    lookup.sql,
    lookup.config,
    lookup.docs,
):
    app.command()(command)
USER_COMMANDS: dict[str, Callable[..., int]] = {
    "add": people.user_add,
    "passwd": people.user_passwd,
    "role": people.user_role,
    "districts": people.user_districts,
    "disable": people.user_disable,
    "enable": people.user_enable,
    "list": people.user_list,
}
for name, action in USER_COMMANDS.items():
    user_app.command(name)(action)
device_app.command("import")(people.device_import)
downtime_app.command("import")(people.downtime_import)

#: What Typer makes of Ctrl-C.
INTERRUPTED = 130
#: Typer carries its own click; this is the public way to that click's UsageError.
ClickUsageError: type[Exception] = typer.BadParameter.__bases__[0]


def main() -> NoReturn:
    """Entry of the console script: every failure is one clear line, never a traceback."""
    try:
        code = app(standalone_mode=False)
        if code == INTERRUPTED:
            code = _complain("stopped", FAILED)
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = DONE
    except (Exception, KeyboardInterrupt) as error:
        if sys.flags.dev_mode:
            raise
        code = _explain(error)
    sys.exit(code if isinstance(code, int) else DONE)


def _explain(error: BaseException) -> int:
    """One line about a failure on standard error, and the exit code it deserves."""
    if isinstance(error, HaulwatchError):
        return _complain(str(error), WRONG if isinstance(error, UsageError) else FAILED)
    if isinstance(error, ClickUsageError):
        text, context = error.format_message(), getattr(error, "ctx", None)  # type: ignore[attr-defined]
        if text.startswith("Usage:"):
            print(text)
            return WRONG
        where = context.command_path if context else "haulwatch"
        return _complain(f"{text.rstrip('.')} (see {where} --help)", WRONG)
    if isinstance(error, typer.Abort | KeyboardInterrupt):
        return _complain("stopped", FAILED)
    if isinstance(error, OSError):
        about = f"{error.filename}: " if error.filename else ""
        return _complain(f"{about}{error.strerror or error}", FAILED)
    text = str(error).strip().split("\n")[0]
    return _complain(f"{type(error).__name__}: {text} (python -X dev shows where)", FAILED)


def _complain(text: str, code: int) -> int:
    print(f"haulwatch: {' '.join(text.split())}", file=sys.stderr)
    return code


if __name__ == "__main__":
    main()
