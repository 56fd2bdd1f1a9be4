"""Thresholds of the fatigue figures: defaults, what they mean, and how far they may be moved."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from pipeline.errors import UsageError
from pipeline.storage import manifest
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger
from pipeline.storage.people import audit
from pipeline.storage.sql import clock


@dataclass(frozen=True)
class Threshold:
    """One number that decides what is shown; ``low`` and ``high`` are the limits for an admin.

    ``step``: evidence is kept for values so far apart from ``low`` on, and for none between them.
    """

    name: str
    default: float
    low: float
    high: float
    unit: str
    description: str
    step: float | None = None


THRESHOLDS = (
    Threshold("closure_s", 1.5, 1.0, 5, "s", "A closure that the device measured is a microsleep"),
    Threshold(
        "closed_ratio", 0.60, 0.50, 0.70, "", "Eyes are closed below this share of open", 0.05
    ),
    Threshold("mean_s", 2, 2, 10, "s", "Closed for so long is a microsleep: mean of the second"),
    Threshold("snapshot_s", 4, 3, 10, "s", "The same where the device samples one frame a second"),
    Threshold("drowsy_valid_s", 240, 120, 300, "s", "Seconds of five minutes that must be seen"),
    Threshold("drowsy_share", 0.10, 0.05, 0.5, "", "Closed share of five minutes, at least"),
    Threshold("drowsy_margin", 0.03, 0, 0.2, "", "Its lower limit lies so far above one's own"),
    Threshold("serious_m", 15, 1, 200, "m", "Severity 2: metres driven with the eyes closed"),
    Threshold("severe_m", 50, 1, 500, "m", "Severity 3"),
)


def defaults() -> dict[str, float]:
    """Every threshold's default, by name."""
    return {threshold.name: threshold.default for threshold in THRESHOLDS}


def current(connection: Connection) -> dict[str, float]:
    """The thresholds in force: the default where none was set."""
    th = t.thresholds.c
    query = select(th.name, th.value).order_by(th.id)
    known = defaults()
    for row in connection.execute(query):
        if row.name in known:
            known[row.name] = row.value
    return known


def check(name: str, value: float) -> None:
    """Raise UsageError for a name that is none, and for a value beyond its limits."""
    found = next((item for item in THRESHOLDS if item.name == name), None)
    if found is None:
        raise UsageError(f"{name!r} is none of {', '.join(item.name for item in THRESHOLDS)}")
    if not found.low <= value <= found.high:
        raise UsageError(f"{name} lies between {found.low:g} and {found.high:g}, not {value:g}")
    steps = (value - found.low) / found.step if found.step else 0
    if abs(steps - round(steps)) > 1e-6:
        raise UsageError(f"{name} goes by steps of {found.step:g}, {value:g} lies between two")


def change(ledger: Ledger, name: str, value: float, who: str, reason: str = "") -> None:
    """Put another value in force, audited; every day that still has its rows is built anew.

    Raises UsageError for a name that is none, and for a value beyond its limits.
    """
    check(name, value)
    with ledger.write() as connection:
        before = current(connection)[name]
        row = {"name": name, "value": value, "set_by": who, "set_at": clock(connection)}
        connection.execute(insert(t.thresholds).values(**row, reason=reason))
        detail = {"before": before, "after": value, "reason": reason}
        audit(connection, who, "threshold", name, detail)
        p = t.partitions.c
        days = connection.execute(select(p.hiveperiod, p.dstrct_code)).all()
        manifest.touch(connection, [(str(day), str(district)) for day, district in days])
