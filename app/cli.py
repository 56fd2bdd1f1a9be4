"""The command line. Every command: ``--json`` for machines, exit 0 done, 1 failed, 2 wrong use.

Heavy imports are made inside the commands: ``haulwatch --help`` must answer at once.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from pipeline.errors import HaulwatchError, UsageError

if TYPE_CHECKING:
    from pipeline.settings import Settings
    from pipeline.storage.ledger import Ledger

DONE, FAILED, WRONG = 0, 1, 2

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
app.add_typer(user_app, name="user")
app.add_typer(device_app, name="device")

Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
Day = Annotated[str | None, typer.Option("--date", help="Only this local day (2026-01-31).")]
District = Annotated[str | None, typer.Option(help="Only this district.")]
Units = Annotated[int, typer.Option(min=1, max=5000, help="Vehicles.")]
Port = Annotated[int | None, typer.Option(min=1, max=65535, help="Port to listen on.")]


#: Typer carries its own click; this is the public way to that click's UsageError.
ClickUsageError: type[Exception] = typer.BadParameter.__bases__[0]


def main() -> NoReturn:
    """Entry of the console script: every failure is one clear line, never a traceback."""
    try:
        code = app(standalone_mode=False)
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


def _settings(**overrides: Any) -> Settings:
    from pipeline.settings import load, unknown_variables

    for sentence in unknown_variables(os.environ):
        print(f"haulwatch: {sentence}", file=sys.stderr)
    return load(**overrides)


@contextmanager
def _ledger() -> Iterator[tuple[Settings, Ledger]]:
    """Settings and the open ledger; both are fit for use or the command ends with exit 2."""
    from pipeline.storage.ledger import open_ledger

    settings = _settings()
    ledger = open_ledger(settings)
    try:
        yield settings, ledger
    finally:
        ledger.close()


def _print(result: dict[str, Any], as_json: bool, text: Callable[[], str]) -> None:
    print(json.dumps(result, default=str) if as_json else text())


@contextmanager
def _progress(label: str) -> Iterator[Callable[[int, int], None]]:
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


def _check_day(day: str | None) -> None:
    if day is not None:
        try:
            datetime.strptime(day, "%Y-%m-%d")
        except ValueError:
            raise UsageError(f"--date {day!r} is no date like 2026-01-31") from None


@app.command()
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

    return Demo(_settings(), units=units, hours=hours).run(
        serve=not no_serve, port=port, as_json=as_json
    )


@app.command()
def serve(
    port: Port = None,
    no_worker: Annotated[bool, typer.Option("--no-worker", help="Only the pages.")] = False,
    as_json: Json = False,
) -> int:
    """Serve the pages, with the worker beside them."""
    from app.serve import check_port
    from app.serve import serve as run_server

    chosen = port or _settings().port
    check_port(_settings().host, chosen)
    with _ledger() as (settings, _):
        url = f"http://{settings.host}:{chosen}"
        _print({"url": url}, as_json, lambda: f"Haulwatch is at {url}")
        sys.stdout.flush()
    return run_server(settings, settings.host, chosen, worker=not no_worker)


@app.command()
def worker(
    only_once: Annotated[bool, typer.Option("--once", help="What is due now, then end.")] = False,
    parent_pipe: Annotated[
        bool, typer.Option("--parent-pipe", hidden=True, help="End when standard input closes.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Take in files, compact and build, over and over."""
    from pipeline.worker import Worker, once

    def log(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    with _ledger() as (settings, ledger):
        if only_once:
            failed = once(settings, ledger, log)
            _print({"failed": failed}, as_json, lambda: f"done; {failed} files failed")
            return FAILED if failed else DONE
        work = Worker(settings, ledger, log)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: work.stopping.set())
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


@app.command()
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

    with _progress("simulating") as progress:
        truth = simulate_into(
            _settings(),
            out,
            units=units,
            hours=hours,
            start=start,
            seed=seed,
            faults=faults,
            progress=progress,
        )
    text = f"{truth['files_delivered']:,} files, {truth['lines']:,} lines in {out / 'raw'}"
    _print(truth, as_json, lambda: text)
    return DONE


@app.command()
def ingest(as_json: Json = False) -> int:
    """Take in the raw files that arrived."""
    from pipeline.flow import Flow

    with _ledger() as (settings, ledger), Flow(settings, ledger) as flow:
        with _progress("taking in") as progress:
            result = flow.ingest(progress=progress)
        for key, reason in result.failed.items():
            print(f"failed: {key}: {reason}", file=sys.stderr)
        for key in result.ignored:
            print(f"ignored: {key} is no district/device/hour/hour.txt.gz", file=sys.stderr)
        shown = result.as_json()
    _print(shown, as_json, lambda: _ingest_text(shown))
    return FAILED if shown["files"]["failed"] or result.errors else DONE


def _ingest_text(shown: dict[str, Any]) -> str:
    files = ", ".join(f"{number:,} {state}" for state, number in shown["files"].items() if number)
    lines = shown["lines"]
    return (
        f"files: {files or 'nothing new'}\n"
        f"lines: {lines['total']:,} = {lines['accepted']:,} accepted"
        f" + {lines['duplicate']:,} duplicate + {lines['quarantined']:,} quarantined"
        f" + {lines['blank']:,} blank\n"
        f"backlog: {shown['backlog']:,} files; {shown['seconds']:.1f} s"
    )


@app.command()
def compact(day: Day = None, district: District = None, as_json: Json = False) -> int:
    """Merge the files of closed days."""
    from pipeline.flow import Flow

    _check_day(day)
    with (
        _ledger() as (settings, ledger),
        Flow(settings, ledger) as flow,
        _progress("compacting") as progress,
    ):
        result = flow.compact(day=day, district=district, progress=progress)
    text = f"{len(result.days)} days: {result.files_before} files → {result.files_after}"
    _print(result.as_json(), as_json, lambda: f"{text}, {result.seconds:.1f} s")
    return DONE


@app.command()
def build(day: Day = None, district: District = None, as_json: Json = False) -> int:
    """Build the marts of days that changed, test and publish them."""
    from pipeline.errors import BuildFailed
    from pipeline.flow import Flow
    from pipeline.storage import devices

    _check_day(day)
    with _ledger() as (settings, ledger), Flow(settings, ledger) as flow:
        devices.close_hours(ledger, settings)
        try:
            result = flow.build(day=day, district=district)
        except BuildFailed as error:
            text = str(error)
            _print({"failed": error.failures}, as_json, lambda: text)
            return FAILED
    shown = {**result.__dict__, "seconds": round(result.seconds, 3)}
    done = f"{result.partitions} days built, {result.tests} tests passed, {result.seconds:.1f} s"
    _print(shown, as_json, lambda: done)
    return DONE


@app.command()
def verify(
    deep: Annotated[bool, typer.Option("--deep", help="Read the raw files again too.")] = False,
    as_json: Json = False,
) -> int:
    """Check that every line is accounted for and every row visible exactly once."""
    from pipeline.verify import verify as check

    with _ledger() as (settings, ledger):
        result = check(ledger, settings, deep=deep)
    lines = [f"BREACH {f.check}: {f.about}: {f.text}" for f in result.breaches]
    lines += [f"notice {f.check}: {f.about}: {f.text}" for f in result.notices]
    word = "holds" if result.ok else "is BROKEN"
    lines.append(
        f"{result.objects:,} objects, {result.files:,} files, {result.rows:,} rows: {word}"
    )
    _print(result.as_json(), as_json, lambda: "\n".join(lines))
    return DONE if result.ok else FAILED


@app.command()
def status(as_json: Json = False) -> int:
    """What is where, how fresh, what runs."""
    from app.status import as_text, status_of

    with _ledger() as (settings, ledger):
        shown = status_of(ledger, settings)
    _print(shown, as_json, lambda: as_text(shown))
    return DONE


@app.command()
def gc(as_json: Json = False) -> int:
    """Delete what nobody refers to any more."""
    from pipeline.flow import Flow

    with _ledger() as (settings, ledger), Flow(settings, ledger) as flow:
        result = flow.gc()
    text = f"{result.files:,} files deleted, {result.bytes / 1e6:,.1f} MB"
    _print(result.as_json(), as_json, lambda: text)
    return DONE


@app.command()
def sql(
    query: Annotated[str, typer.Argument(help="SELECT … over telemetry, the marts, the ledger.")],
    form: Annotated[str, typer.Option("--format", help="table, json, csv or parquet")] = "table",
    as_json: Json = False,
) -> int:
    """Ask a question in SQL; nothing can be changed."""
    from app.ask import FORMATS, ask

    form = "json" if as_json else form
    if form not in FORMATS:
        raise UsageError(f"--format {form!r} is none of {', '.join(FORMATS)}")
    with _ledger() as (settings, ledger):
        ask(ledger, settings, query, form)
    return DONE


@app.command()
def config(as_json: Json = False) -> int:
    """The settings in force; secrets are masked."""
    from pipeline.settings import variable_of

    settings = _settings()
    shown = {variable_of(name): value for name, value in settings.model_dump(mode="json").items()}
    shown["HAULWATCH_LEDGER"] = _without_password(settings.ledger_url)
    shown["HAULWATCH_S3_KEY"] = "***" if settings.s3_key else None
    width = max(map(len, shown))
    _print(shown, as_json, lambda: "\n".join(f"{n:{width}}  {_plain(v)}" for n, v in shown.items()))
    return DONE


def _plain(value: Any) -> str:
    if value is None:
        return "-"
    return json.dumps(value) if isinstance(value, dict) else str(value)


def _without_password(url: str) -> str:
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return "***"


@app.command()
def docs(
    out: Annotated[Path | None, typer.Option(help="Folder; default: docs in the home.")] = None,
    as_json: Json = False,
) -> int:
    """Make the documentation of the marts (dbt docs)."""
    from pipeline.marts.docs import docs as make
    from pipeline.settings import ready_home

    settings = _settings()
    index = make(settings, out or ready_home(settings) / "docs")
    _print({"folder": str(index)}, as_json, lambda: f"open {index / 'index.html'}")
    return DONE


@user_app.command("add")
def user_add(
    username: str,
    role: Annotated[str, typer.Option(help="supervisor, fleet_manager or admin")],
    name: Annotated[str, typer.Option(help="Full name; default: the user name.")] = "",
    district: Annotated[
        list[str] | None, typer.Option(help="Only this district; may be repeated.")
    ] = None,
    as_json: Json = False,
) -> int:
    """Add a person; the password is asked for, or read from standard input."""
    from pipeline.storage import people

    with _ledger() as (_, ledger):
        people.check_new(ledger, username, role)
        password = _password()
        people.add_user(ledger, username, name or username, role, password, district or ())
    _print({"username": username, "role": role}, as_json, lambda: f"{username} may sign in")
    return DONE


@user_app.command("passwd")
def user_passwd(username: str, as_json: Json = False) -> int:
    """Give a person a new password; every open session of theirs ends."""
    from pipeline.storage import people

    with _ledger() as (_, ledger):
        people.find(ledger, username)
        people.set_password(ledger, username, _password())
    _print({"username": username}, as_json, lambda: f"{username} has a new password")
    return DONE


@user_app.command("role")
def user_role(username: str, role: str, as_json: Json = False) -> int:
    """Give a person another role."""
    from pipeline.storage import people

    with _ledger() as (_, ledger):
        people.set_role(ledger, username, role)
    _print({"username": username, "role": role}, as_json, lambda: f"{username} is {role} now")
    return DONE


@user_app.command("disable")
def user_disable(username: str, as_json: Json = False) -> int:
    """Shut a person out at the next click."""
    from pipeline.storage import people

    with _ledger() as (_, ledger):
        people.disable(ledger, username)
    _print({"username": username}, as_json, lambda: f"{username} is shut out")
    return DONE


@user_app.command("list")
def user_list(as_json: Json = False) -> int:
    """Who may sign in."""
    from pipeline.storage import people

    with _ledger() as (_, ledger):
        users = people.list_users(ledger)
    shown = [
        {
            "username": u.username,
            "name": u.name,
            "role": u.role,
            "districts": list(u.districts),
            "disabled": u.disabled,
        }
        for u in users
    ]
    text = "\n".join(
        f"{u['username']:20} {u['role']:14} {'disabled' if u['disabled'] else ''}" for u in shown
    )
    _print({"users": shown}, as_json, lambda: text or "nobody yet: haulwatch user add --help")
    return DONE


def _password() -> str:
    """A password typed twice on a terminal, or the first line of standard input."""
    import getpass

    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    first = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != first:
        raise UsageError("the two passwords differ")
    return first


@device_app.command("import")
def device_import(file: Path, as_json: Json = False) -> int:
    """Read the device register from a CSV file."""
    from pipeline.storage import devices

    with _ledger() as (_, ledger):
        result = devices.import_csv(ledger, file)
    for error in result.errors:
        print(f"{file}: {error}", file=sys.stderr)
    text = f"{result.imported} devices imported"
    if result.errors:
        text = f"nothing imported: {len(result.errors)} rows are wrong"
    _print(result.__dict__, as_json, lambda: text)
    return FAILED if result.errors else DONE


if __name__ == "__main__":
    main()
