"""Take over what exists."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from app import console
from app.console import DONE, FAILED, Json


def adopt(
    url: Annotated[str, typer.Argument(help="Folder of the lake, or s3://bucket/prefix.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = (
        False
    ),
    as_json: Json = False,
) -> int:
    """Take over an existing Parquet lake: every row dated by its heartbeat and accounted for."""
    from pipeline.adopt.lake import find
    from pipeline.flow import Flow

    with console.ledger() as (settings, ledger), Flow(settings, ledger) as flow:
        lake = find(url, settings)
        with console.progress("adopting") as progress:
            result = flow.adopt(lake, dry_run=dry_run, who=console.who(), progress=progress)
        for name, reason in result.failed.items():
            print(f"failed: {name}: {reason}", file=sys.stderr)
        shown = result.as_json()
    console.say(shown, as_json, lambda: _text(shown))
    return FAILED if result.failed else DONE


def _text(shown: dict[str, Any]) -> str:
    files = ", ".join(f"{number:,} {state}" for state, number in shown["files"].items() if number)
    rows = shown["rows"]
    lines = [
        f"files: {files}; {len(shown['skipped']):,} others lie about",
        f"rows: {rows['total']:,} = {rows['accepted']:,} accepted"
        f" + {rows['duplicate']:,} duplicate + {rows['quarantined']:,} quarantined"
        f" + {rows['blank']:,} blank",
        f"raw files they came from: {shown['objects']:,}; rows whose raw file is in already:"
        f" {shown['replaced']:,}",
    ]
    if shown["overlapped"] is not None:
        lines.append(f"overlapped: {shown['overlapped']:,}")
    if shown["known"]:
        lines.append(f"in already, from an adoption that was cut off: {shown['known']:,} rows")
    if shown["rescued"]:
        lines.append(f"rows with a value that fits no field or limit: {shown['rescued']:,}")
    if shown["datetime_wita_differs"]:
        lines.append(
            f"datetime_wita contradicts heartbeat: {shown['datetime_wita_differs']:,} rows"
        )
    lines += [f"quarantined, {why}: {number:,}" for why, number in shown["quarantined"].items()]
    lines += console.some(
        [f"dated anew: {day['from']} → {day['to']}: {day['rows']:,}" for day in shown["redated"]]
    )
    lines += console.some(
        [f"unknown column: {n} {kind}" for n, kind in shown["unknown_columns"].items()]
    )
    lines += console.some([f"passed over: {name}: {why}" for name, why in shown["skipped"].items()])
    lines.append("nothing was changed" if shown["dry_run"] else "next: haulwatch build")
    return "\n".join([*lines, f"{shown['seconds']:.1f} s"])
