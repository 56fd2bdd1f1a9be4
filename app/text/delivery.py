"""Sentences of the page of data delivery."""

from __future__ import annotations

EN = {
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
}

ID: dict[str, str] = {}
