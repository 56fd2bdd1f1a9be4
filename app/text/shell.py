"""Sentences of the frame around every page, and of what pages share."""

from __future__ import annotations

EN = {
    "app.name": "Haulwatch",
    "app.tagline": "Who is tired, what is running, what never arrived.",
    "sign_in.title": "Sign in",
    "sign_in.user": "User name",
    "sign_in.password": "Password",
    "sign_in.submit": "Sign in",
    "sign_in.wrong": "User name or password is wrong.",
    "sign_in.wait": "Too many tries. Try again in {seconds} s.",
    "sign_out": "Sign out",
    "sign_out.help": "Ends your sessions on every device.",
    "access.refused": "This page is not part of your role.",
    "access.back": "Go to the overview",
    "role.supervisor": "Supervisor",
    "role.fleet_manager": "Fleet manager",
    "role.admin": "Administrator",
    "docs.title": "Documentation",
    "docs.link": "What the figures mean",
    "docs.link.help": "Every mart and column, and how it is computed; opens in a new tab.",
    "docs.making": (
        "The documentation of the marts is being made, as haulwatch docs does; that takes some ten "
        "seconds. This page shows it as soon as it is there."
    ),
    "docs.missing": (
        "The documentation of the marts is missing and could not be made. Run haulwatch docs on "
        "the machine of the app: it says what is wrong."
    ),
    "docs.nothing": "There is no such page.",
    "filter.district": "District",
    "filter.all_districts": "All districts",
    "filter.first": "From local day",
    "filter.last": "To local day",
    "filter.too_long": "At most {days} days are shown; the span starts later than asked.",
    "header.scope": "{districts} · {span} · times in {zone}",
    "header.system": "Whole system · times in {zone}",
    "header.own": "{districts} · times in {zone}",
    "header.now": "now {clock} {zone}",
    "header.day": "{first}",
    "header.days": "{first} to {last}",
    "progress": "Taking in files: {done:,} of {total:,}. Figures grow until this is done.",
    "progress.stopped": (
        "{pending:,} files wait and no worker gives a sign of life. "
        "Figures stand still until one runs."
    ),
    "empty.nothing": (
        "No data in this span yet. Choose other days or another district, or wait for the first "
        "files."
    ),
    "empty.no_data": "No telemetry was received for this selection: that is unknown, not zero.",
    "error.query": "This part could not be loaded. It is tried again at the next refresh.",
    "error.slow": "This took longer than allowed. Choose fewer days.",
    "error.lake": (
        "These figures are not held on this machine, and the lake's store cannot be reached."
    ),
    "lake.away": (
        "The lake's store cannot be reached since {since} ({zone}): {reason}. Shown is what this "
        "machine holds; nothing new comes in until it is back."
    ),
    "download": "Download CSV",
}

ID: dict[str, str] = {}
