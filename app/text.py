"""Every sentence a person sees, by key; one table a language.

Values are put in by ``say``; what comes from devices goes through ``plain`` first wherever the
text is read as Markdown.
"""

from __future__ import annotations

import re

LANGUAGE = "en"

EN: dict[str, str] = {
    "app.name": "Haulwatch",
    "app.tagline": "Who is tired, what is running, what never arrived.",
    # sign-in and access
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
    # documentation
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
    # shared
    "filter.district": "District",
    "filter.all_districts": "All districts",
    "filter.first": "From local day",
    "filter.last": "To local day",
    "filter.too_long": "At most {days} days are shown; the span starts later than asked.",
    "header.scope": "{districts} · {span} · times in {zone}",
    "header.system": "Whole system · times in {zone}",
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
    "state.moving": "Moving",
    "state.idle": "Idle",
    "state.off": "Engine off",
    "state.inferred": "Engine off (by counters)",
    "state.unknown": "Unknown",
    "state.none": "No data",
    # overview
    "home.title": "Overview",
    "home.sentence": (
        "**{reporting} of {registered}** registered units report now. "
        "Fatigue cases: **{cases}**. Files delivered: **{delivery}**{missing}."
    ),
    "home.cases.of": "units: {units}; all unreviewed",
    "home.missing": ", device-hours missing: **{missing:,}**",
    "home.chart": "What every unit does now, by district",
    "home.chart.help": ("Units that report: most of the last minute seen. The others: {others}"),
    "home.units": "units",
    "home.attention": "Units that need a look",
    "home.attention.none": "No unit is late, silent or never seen.",
    # fatigue
    "fatigue_events.title": "Fatigue events",
    "fatigue.banner": (
        "Files come once an hour: the in-cab alarm is the first defence. A case is evidence to "
        "talk about, never the sole ground for discipline; an operator may see and contest it."
    ),
    "fatigue.cases": "Cases",
    "fatigue.cases.of": "all unreviewed",
    "fatigue.units": "Units with a case",
    "fatigue.units.of": "of {units} with data",
    "fatigue.blind": "Moving unseen",
    "fatigue.blind.of": "{blind} of {moving} h moving",
    "fatigue.blind.help": "Camera down or blocked, no face, sunglasses.",
    "fatigue.no_data": "No data",
    "fatigue.no_data.of": "{hours} of {day} unit-hours",
    "fatigue.no_data.help": "Distance driven meanwhile, by odometer: {km} km.",
    "fatigue.strip": "Units with a case, most metres with eyes closed first",
    "fatigue.strip.seen": "Moving, eyes seen",
    "fatigue.strip.blind": "Moving unseen (blind)",
    "fatigue.strip.none": "No data",
    "fatigue.strip.help": "The larger a mark, the more metres.",
    "fatigue.table": "Cases",
    "fatigue.table.hint": "Select a row to open the case.",
    "fatigue.none.but": (
        "No case was found in {seen} h of moving with eyes seen; {blind} h moving were unseen and "
        "{none} h brought no data. That does not show that nobody was tired."
    ),
    "fatigue.case": "Case: {kind} · {unit} · {time} {zone}",
    "fatigue.operator": "Operator",
    "fatigue.operator.none": "nobody signed on",
    "fatigue.trace": "Eyes and speed, second by second",
    "fatigue.trace.ear": "Eye aspect ratio",
    "fatigue.trace.level": "Open-eye level",
    "fatigue.trace.rule": "0.60 × open",
    "fatigue.trace.closed": "Share of frames closed",
    "fatigue.trace.speed": "Speed (km/h)",
    "fatigue.trace.alarm": "In-cab alarm",
    "fatigue.trace.case": "case",
    "fatigue.trace.none": "The seconds of this case are not available.",
    "kind.microsleep": "Microsleep",
    "kind.drowsy": "Drowsy",
    "kind.device_alarm": "Device alarm",
    "kind.yawn": "Yawning",
    "kind.distraction": "Distraction",
    "kind.not_tracked": "Driver not tracked",
    "evidence.closure": "closure, by the device",
    "evidence.ear_snapshot": "closure, from eye aspect",
    "evidence.closed_share": "closed share, 5 min",
    "evidence.device": "device alarm",
    # fleet
    "fleet_health.title": "Fleet health",
    "fleet.of": "of {units} registered",
    "status.reporting": "Reporting",
    "status.reporting.help": "Every closed hour has arrived: last second no older than 75 minutes.",
    "status.late": "Late",
    "status.late.help": "A closed hour has not arrived; within the two hours of grace.",
    "status.silent": "Silent",
    "status.silent.help": "Last seen with the engine on, nothing since the grace ran out.",
    "status.parked": "Parked",
    "status.parked.help": "Last seen with the engine off. No fault.",
    "status.never_seen": "Never seen",
    "status.never_seen.help": "Registered, but no file has ever come.",
    "fleet.hours": "Each unit's hours, most hours lost first",
    "fleet.hours.help": (
        "Every column is one local hour, filled from the bottom: moving, idle, engine off, off by "
        "counters, unknown. Lost: idle or unknown."
    ),
    "fleet.more": "{shown} of {all} units are drawn; the table has all.",
    "fleet.table": "Units",
    "fleet.uptime.help": "Share of the observed hours beside it.",
    # engine
    "engine_telemetry.title": "Engine telemetry",
    "engine.unit": "Unit",
    "engine.signals": "Signals",
    "engine.detail": "Detail",
    "engine.detail.minutes": "Minutes of the span",
    "engine.detail.seconds": "Seconds of {hour}",
    "engine.mean": "mean",
    "engine.chart": "Signals of {unit}",
    "engine.chart.help": (
        "Line: mean of a minute; shade: lowest to highest second of it, so a peak of one second "
        "survives. Lines stop where data is missing. Limits hold only under their condition."
    ),
    "engine.exceedances": "Exceedances",
    "engine.exceedances.none": "No limit was exceeded for 10 s or more in the observed time.",
    "engine.gap": "GPS against wheel speed",
    "engine.gap.help": "By minute, above the satellites in use.",
    "engine.gap.mean": "mean gap (km/h)",
    "engine.gap.max": "largest gap (km/h)",
    "engine.gap.satellites": "satellites",
    "engine.observed": "Observed",
    "engine.observed.of": "of {span} h in the span",
    "engine.exceeded.of": "{crit} critical",
    "engine.gap.of": "largest in a minute: {largest} km/h",
    "engine.no_units": "No unit has telemetry in this span.",
    # delivery
    "data_delivery.title": "Data delivery",
    "delivery.fulfilment": "Files delivered",
    "delivery.fulfilment.of": "{delivered:,} of {expected:,} device-hours",
    "delivery.fulfilment.help": (
        "Expected: all hours but those pending or of devices not registered. Without hours proven "
        "off: {without}."
    ),
    "delivery.rows": "Rows delivered",
    "delivery.rows.of": "{rows:,} of {expected:,} s",
    "delivery.rows.help": "Accepted less overlapped, of 3,600 s for every expected device-hour.",
    "delivery.missing": "Missing",
    "delivery.missing.of": "device-hours; {pending:,} pending",
    "delivery.delay": "Arrival delay, median",
    "delivery.delay.of": "95 % within {p95}",
    "delivery.delay.help": "Hours that have not come count as infinite.",
    "delivery.never": "not yet",
    "delivery.beyond": "more than {longest} (some not delivered)",
    "delivery.late": "Late",
    "delivery.late.of": "of {delivered:,} delivered",
    "delivery.grid": "Device by hour, longest outage first",
    "delivery.grid.help": (
        "A vertical stripe is a site, a horizontal one a device. ╱ missing, ◐ partial, ✕ corrupt, "
        "▫ pending, L late, ? not registered."
    ),
    "delivery.delays": "Arrival delay of delivered hours",
    "delivery.delays.axis": "minutes after the end of the hour",
    "delivery.delays.count": "device-hours",
    "delivery.table": "Device-hours that need a look",
    "delivery.table.none": "Every expected device-hour is complete and on time.",
    "cell.complete": "Complete",
    "cell.partial": "Partial",
    "cell.corrupt": "Corrupt",
    "cell.missing": "Missing",
    "cell.pending": "Pending",
    "cell.proven_off": "Proven off",
    "cell.not_registered": "Not registered",
    # ingestion
    "ingestion.title": "Ingestion",
    "ingestion.worker": "Worker",
    "ingestion.worker.alive": "seen {seconds} s ago",
    "ingestion.worker.dead": "last seen {seconds} s ago",
    "ingestion.worker.none": "none runs",
    "ingestion.worker.gone": "None",
    "ingestion.backlog": "Backlog",
    "ingestion.backlog.of": "of {total:,} files found",
    "ingestion.oldest": "Oldest waiting file",
    "ingestion.oldest.none": "nothing waits",
    "ingestion.accepted": "Lines accepted",
    "ingestion.accepted.of": "{accepted:,} of {lines:,}",
    "ingestion.failed": "Files set aside",
    "ingestion.failed.of": "of {total:,} files found",
    "ingestion.files_in": "Files taken in",
    "ingestion.lines": "Where every line went",
    "ingestion.lines.help": "For every file: lines = accepted + duplicate + quarantined + blank.",
    "ingestion.run.ingest": "Take in files",
    "ingestion.run.build": "Build marts",
    "ingestion.run.compact": "Compact days",
    "ingestion.asked": "Asked for. The worker takes it up at its next step.",
    "ingestion.runs": "Latest runs",
    "ingestion.runs.none": "Nothing has run yet.",
    "ingestion.files": "Files",
    "ingestion.files.status": "Status",
    "ingestion.files.text": "Key contains",
    "ingestion.files.none": "No file matches.",
    "ingestion.fields": "New fields",
    "ingestion.fields.none": "Devices sent no field that the dictionary does not know.",
    "ingestion.notices": "Notices",
    "ingestion.notices.help": "Trouble worth telling: files that did not come in whole, new fields,"
    " failed tests, silence. Where HAULWATCH_NOTIFY is set, each is sent once.",
    "ingestion.notices.none": "Nothing to report.",
    "ingestion.tests": "Failed tests of the marts",
    "ingestion.tests.none": "All {tests} tests of the latest build passed.",
    "ingestion.tests.never": "No mart has been built yet.",
    "lines.accepted": "Accepted",
    "lines.duplicate": "Duplicate",
    "lines.quarantined": "Quarantined",
    "lines.blank": "Blank",
    # columns of tables
    "column.district": "District",
    "column.unit": "Unit",
    "column.type": "Type",
    "column.device": "Device",
    "column.status": "Status",
    "column.last_seen": "Last seen",
    "column.hour": "Hour (local)",
    "column.arrived": "Arrived",
    "column.delay": "Delay (min)",
    "column.lines": "Lines",
    "column.accepted": "Accepted",
    "column.key": "Key",
    "column.started": "Started",
    "column.ended": "Ended",
    "column.kind": "Kind",
    "column.evidence": "Evidence",
    "column.closure": "Closure (s)",
    "column.speed": "Speed (km/h)",
    "column.metres": "Metres closed",
    "column.agrees": "Device agrees",
    "column.observed": "Observed (h)",
    "column.moving": "Moving (h)",
    "column.idle": "Idle (h)",
    "column.unknown": "Unknown (h)",
    "column.km": "Distance (km)",
    "column.unobserved": "Unobserved (km)",
    "column.fuel": "Fuel (L)",
    "column.fuel_level": "Fuel level",
    "column.hour_meter": "Hour meter (h)",
    "column.service": "To service (km)",
    "column.trips": "Trips",
    "column.cab_camera": "Cab camera",
    "column.front_camera": "Front camera",
    "column.gps": "GPS fix",
    "column.exceedances": "Exceedances",
    "column.signal": "Signal",
    "column.level": "Level",
    "column.limit": "Limit",
    "column.worst": "Worst",
    "column.duration": "Duration (s)",
    "column.fault": "Fault code",
    "column.condition": "While",
    "column.worker": "Worker",
    "column.seconds": "Seconds",
    "column.detail": "Detail",
    "column.flags": "Flags",
    "column.error": "Error",
    "column.size": "Size (kB)",
    "column.overlapped": "Overlapped",
    "column.noted": "Last noted",
    "column.notice": "Notice",
    "column.times": "Times",
    "column.told": "Told",
    "column.quarantined": "Quarantined",
    "column.duplicate": "Duplicate",
    "column.name": "Name",
    "column.first_key": "First seen in",
    "column.model": "Mart",
    "column.test": "Test",
    "column.failures": "Failures",
    "column.run": "Run",
}

TABLES: dict[str, dict[str, str]] = {"en": EN}


def say(key: str, **values: object) -> str:
    """The sentence of a key, its values put in; English where a language lacks it."""
    return TABLES[LANGUAGE].get(key, EN[key]).format(**values)


def known(key: str, otherwise: str) -> str:
    """The sentence of a key that devices may extend; their own word where there is none."""
    return TABLES[LANGUAGE].get(key, EN.get(key, otherwise))


def plain(text: object, longest: int = 120) -> str:
    """Text from outside, for a place that reads Markdown: shown as it is, short, on one line."""
    line = re.sub(r"\s+", " ", str(text))[:longest]
    return re.sub(r"([\\`*_{}\[\]()<>#+\-.!|~$:&])", r"\\\1", line)


def markless(text: object) -> str:
    """Text from outside, for Plotly, which reads a few HTML tags: they lose their brackets."""
    line = re.sub(r"\s+", " ", str(text))[:60]
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
