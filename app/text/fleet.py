"""Sentences of the page of fleet health, and names of states and statuses."""

from __future__ import annotations

EN = {
    "state.moving": "Moving",
    "state.idle": "Idle",
    "state.off": "Engine off",
    "state.inferred": "Engine off (by counters)",
    "state.unknown": "Unknown",
    "state.none": "No data",
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
}

ID: dict[str, str] = {}
