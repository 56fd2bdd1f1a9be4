"""The steps of the pipeline, one at a time."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app import console
from app.console import DONE, FAILED, Day, District, Json

if TYPE_CHECKING:
    from pipeline.ingest.run import IngestResult


def ingest(as_json: Json = False) -> int:
    """Take in the raw files that arrived."""
    from pipeline.flow import Flow

    with console.ledger() as (settings, ledger), Flow(settings, ledger) as flow:
        with console.progress("taking in") as progress:
            result = flow.ingest(progress=progress)
        tell(result)
        shown = result.as_json()
    console.say(shown, as_json, lambda: ingest_text(shown))
    return FAILED if result.failed else DONE


def tell(result: IngestResult) -> None:
    """Name on standard error what a person should look at."""
    for key, reason in result.failed.items():
        print(f"failed: {key}: {reason}", file=sys.stderr)
    for key in result.ignored:
        print(f"ignored: {key} is no district/device/hour/hour.txt.gz", file=sys.stderr)
    for error in dict.fromkeys(result.errors):
        print(f"error: {error}", file=sys.stderr)


def ingest_text(shown: dict[str, Any]) -> str:
    """One pass of ingestion for a person."""
    files = ", ".join(f"{number:,} {state}" for state, number in shown["files"].items() if number)
    lines = shown["lines"]
    return (
        f"files: {files or 'nothing new'}\n"
        f"lines: {lines['total']:,} = {lines['accepted']:,} accepted"
        f" + {lines['duplicate']:,} duplicate + {lines['quarantined']:,} quarantined"
        f" + {lines['blank']:,} blank\n"
        f"overlapped: {shown['overlapped']:,}; backlog: {shown['backlog']:,} files;"
        f" {shown['seconds']:.1f} s"
    )


def compact(day: Day = None, district: District = None, as_json: Json = False) -> int:
    """Merge the files of closed days, and of open ones that are in too many."""
    from pipeline.flow import Flow

    console.check_day(day)
    with (
        console.ledger() as (settings, ledger),
        Flow(settings, ledger) as flow,
        console.progress("compacting") as progress,
    ):
        result = flow.compact(day=day, district=district, progress=progress)
    for name, reason in result.failed.items():
        print(f"failed: {name}: {reason}", file=sys.stderr)
    days = f"{len(result.days)} days, {len(result.rolled)} open ones"
    text = f"{days}: {result.files_before} files → {result.files_after}"
    console.say(result.as_json(), as_json, lambda: f"{text}, {result.seconds:.1f} s")
    return FAILED if result.failed else DONE


def build(day: Day = None, district: District = None, as_json: Json = False) -> int:
    """Build the marts of days that changed, test and publish them."""
    from pipeline.errors import BuildFailed
    from pipeline.flow import Flow
    from pipeline.storage import devices

    console.check_day(day)
    with console.ledger() as (settings, ledger), Flow(settings, ledger) as flow:
        devices.close_hours(ledger, settings)
        try:
            result = flow.build(day=day, district=district)
        except BuildFailed as error:
            text = str(error)
            console.say({"failed": error.failures}, as_json, lambda: text)
            return FAILED
    if result.elsewhere:
        print("haulwatch: another worker is building: nothing was built here", file=sys.stderr)
    shown = {**result.__dict__, "seconds": round(result.seconds, 3)}
    done = f"{result.partitions} days built, {result.tests} tests passed, {result.seconds:.1f} s"
    console.say(shown, as_json, lambda: done)
    return DONE


def reingest(
    key: Annotated[str | None, typer.Option(help="This raw file.")] = None,
    district: District = None,
    device: Annotated[str | None, typer.Option(help="Only this device.")] = None,
    first: Annotated[
        str | None, typer.Option("--from", help="First local day or hour (2026-01-31T06).")
    ] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last local day or hour.")] = None,
    stale_rules: Annotated[
        bool, typer.Option("--stale-rules", help="What was read by older rules.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = (
        False
    ),
    as_json: Json = False,
) -> int:
    """Read raw files again; what they hold stays visible until it is replaced."""
    from pipeline.flow import Flow
    from pipeline.marts.catalogue import MARTS
    from pipeline.reingest import Selection, ask, plan
    from pipeline.storage.objects import open_store

    chosen = Selection(key, district, device, first, last, stale_rules)
    rezone = district if chosen.whole_district else None
    with console.ledger(rezone=rezone) as (settings, ledger):
        planned = plan(ledger, settings, open_store(settings), chosen)
        shown = planned.as_json(list(MARTS)) | {"dry_run": dry_run}
        text = (
            f"{shown['files']:,} files, {shown['rows']:,} rows on {len(planned.days)} days;"
            f" marts of {len(planned.mart_days)} days depend on them"
        )
        if planned.gone:
            text += f"; {len(planned.gone):,} files are gone from the store and stay as they are"
        if dry_run or not planned.keys:
            listed = [text, *planned.keys, *(f"gone: {name}" for name in planned.gone)]
            console.say(shown, as_json, lambda: "\n".join(listed))
            return DONE
        ask(ledger, settings, chosen, planned, console.who())
        with Flow(settings, ledger) as flow, console.progress("reading again") as progress:
            # Another district may wait for its own change of zone: its files are left alone.
            result = flow.ingest(district=rezone, progress=progress)
        tell(result)
        shown |= {"ingest": result.as_json()}
    done = ingest_text(shown["ingest"])
    console.say(shown, as_json, lambda: f"{text}\n{done}\nnext: haulwatch build")
    return FAILED if result.failed else DONE


def gc(as_json: Json = False) -> int:
    """Let go of days older than the settings keep; delete what nobody refers to any more."""
    from pipeline.flow import Flow

    with console.ledger() as (settings, ledger), Flow(settings, ledger) as flow:
        result = flow.gc()
    text = f"{result.files:,} files deleted, {result.bytes / 1e6:,.1f} MB"
    gone = result.expired
    if gone.files:
        counts = ((gone.clean, "clean"), (gone.marts, "marts"), (gone.quarantine, "quarantine"))
        days = ", ".join(f"{len(days)} days of {name}" for days, name in counts if days)
        text = f"expired: {days} ({gone.rows:,} rows)\n{text}"
    console.say(result.as_json(), as_json, lambda: text)
    return DONE
