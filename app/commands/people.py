"""Users, the device register, the downtime log."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from app import console
from app.console import DONE, FAILED, Json
from pipeline.errors import UsageError


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

    with console.ledger() as (_, ledger):
        people.check_new(ledger, username, role)
        password = _password()
        people.add_user(
            ledger, username, name or username, role, password, district or (), who=console.who()
        )
    console.say({"username": username, "role": role}, as_json, lambda: f"{username} may sign in")
    return DONE


def user_passwd(username: str, as_json: Json = False) -> int:
    """Give a person a new password; every open session of theirs ends."""
    from pipeline.storage import people

    with console.ledger() as (_, ledger):
        people.find(ledger, username)
        people.set_password(ledger, username, _password(), who=console.who())
    console.say({"username": username}, as_json, lambda: f"{username} has a new password")
    return DONE


def user_role(username: str, role: str, as_json: Json = False) -> int:
    """Give a person another role."""
    from pipeline.storage import people

    with console.ledger() as (_, ledger):
        people.set_role(ledger, username, role, who=console.who())
    console.say({"username": username, "role": role}, as_json, lambda: f"{username} is {role} now")
    return DONE


def user_disable(username: str, as_json: Json = False) -> int:
    """Shut a person out at the next click."""
    from pipeline.storage import people

    with console.ledger() as (_, ledger):
        people.disable(ledger, username, who=console.who())
    console.say({"username": username}, as_json, lambda: f"{username} is shut out")
    return DONE


def user_enable(username: str, as_json: Json = False) -> int:
    """Let a person in again who was shut out, with the password they had."""
    from pipeline.storage import people

    with console.ledger() as (_, ledger):
        people.enable(ledger, username, who=console.who())
    console.say({"username": username}, as_json, lambda: f"{username} may sign in again")
    return DONE


def user_districts(
    username: str,
    district: Annotated[
        list[str] | None, typer.Argument(help="The districts they may see; none: all.")
    ] = None,
    as_json: Json = False,
) -> int:
    """Bind a person to districts; it counts from their next click on."""
    from pipeline.storage import people

    with console.ledger() as (_, ledger):
        people.set_districts(ledger, username, district or (), who=console.who())
        names = list(people.find(ledger, username).districts)
    text = f"{username} sees {', '.join(names) or 'every district'}"
    console.say({"username": username, "districts": names}, as_json, lambda: text)
    return DONE


def user_list(as_json: Json = False) -> int:
    """Who may sign in."""
    from pipeline.storage import people

    with console.ledger() as (_, ledger):
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
    console.say({"users": shown}, as_json, lambda: text or "nobody yet: haulwatch user add --help")
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


def device_import(file: Path, as_json: Json = False) -> int:
    """Read the device register from a CSV file."""
    from pipeline.storage import devices

    with console.ledger() as (_, ledger):
        result = devices.import_csv(ledger, file, who=console.who())
    for error in result.errors:
        print(f"{file}: {error}", file=sys.stderr)
    text = f"{result.imported} devices imported"
    if result.errors:
        text = f"nothing imported: {len(result.errors)} rows are wrong"
    console.say(result.__dict__, as_json, lambda: text)
    return FAILED if result.errors else DONE


def downtime_import(
    file: Path,
    first: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], help="First local day that it covers."),
    ] = None,
    last: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last local day.")
    ] = None,
    as_json: Json = False,
) -> int:
    """Read the downtime log from a CSV file: unit,start,end,code,note.

    It covers the days from its first start to its last end, unless --from and --to say more.
    """
    from pipeline.storage import downtime

    days = [None if moment is None else moment.date() for moment in (first, last)]
    with console.ledger() as (settings, ledger):
        result = downtime.import_csv(
            ledger, settings, file, who=console.who(), first=days[0], last=days[1]
        )
    for error in result.errors:
        print(f"{file}: {error}", file=sys.stderr)
    text = (
        f"{result.imported} rows imported, {result.unchanged} were in; {result.days} days to build"
    )
    if result.errors:
        text = f"nothing imported: {len(result.errors)} rows are wrong"
    console.say(result.__dict__, as_json, lambda: text)
    return FAILED if result.errors else DONE
