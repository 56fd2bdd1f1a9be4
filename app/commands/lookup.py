"""What is there, whether it is sound, and questions in SQL."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from app import console
from app.console import DONE, FAILED, Json
from pipeline.errors import UsageError


def verify(
    deep: Annotated[bool, typer.Option("--deep", help="Read the raw files again too.")] = False,
    as_json: Json = False,
) -> int:
    """Check that every line is accounted for and every row visible exactly once."""
    from pipeline.verify import verify as check

    with console.ledger() as (settings, ledger):
        result = check(ledger, settings, deep=deep)
    lines = [f"BREACH {f.check}: {f.about}: {f.text}" for f in result.breaches]
    lines += [f"notice {f.check}: {f.about}: {f.text}" for f in result.notices]
    word = "holds" if result.ok else "is BROKEN"
    lines.append(
        f"{result.objects:,} objects, {result.files:,} files, {result.rows:,} rows: {word}"
    )
    console.say(result.as_json(), as_json, lambda: "\n".join(lines))
    return DONE if result.ok else FAILED


def status(
    alive: Annotated[
        bool, typer.Option("--alive", help="Fail unless a worker of this host is alive.")
    ] = False,
    as_json: Json = False,
) -> int:
    """What is where, how fresh, what runs."""
    from app.status import as_text, status_of, works_here

    with console.ledger() as (settings, ledger):
        shown = status_of(ledger, settings)
    console.say(shown, as_json, lambda: as_text(shown))
    return FAILED if alive and not works_here(shown) else DONE


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
    with console.ledger() as (settings, ledger):
        ask(ledger, settings, query, form)
    return DONE


def config(as_json: Json = False) -> int:
    """The settings in force; secrets are masked."""
    from pipeline.settings import check_home, variable_of

    settings = console.settings()
    check_home(settings)
    shown = {variable_of(name): value for name, value in settings.model_dump(mode="json").items()}
    shown["HAULWATCH_LEDGER"] = _without_password(settings.ledger_url)
    shown["HAULWATCH_S3_KEY"] = "***" if settings.s3_key else None
    width = max(map(len, shown))
    console.say(
        shown, as_json, lambda: "\n".join(f"{n:{width}}  {_plain(v)}" for n, v in shown.items())
    )
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


def docs(
    out: Annotated[Path | None, typer.Option(help="Folder; default: docs in the home.")] = None,
    as_json: Json = False,
) -> int:
    """Make the documentation of the marts (dbt docs)."""
    from pipeline.marts import docs as marts_docs
    from pipeline.settings import ready_home

    settings = console.settings()
    if out is None:
        ready_home(settings)
    index = marts_docs.docs(settings, out or marts_docs.folder(settings))
    console.say({"folder": str(index)}, as_json, lambda: f"open {index / 'index.html'}")
    return DONE
