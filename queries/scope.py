"""What a question is about: it prunes files and ledger rows, and binds the usual parameters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipeline.localtime import next_day, to_us


@dataclass(frozen=True)
class Scope:
    """Local days ``[first, last]``, districts and units; an empty tuple means all of them.

    ``start`` and ``end`` (UTC) narrow the files further for a drill-down into seconds, ``devices``
    those of telemetry: of a mart's files it is not known whose rows they hold.
    """

    first: str | None = None
    last: str | None = None
    districts: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    start: datetime | None = None
    end: datetime | None = None
    devices: tuple[str, ...] = ()

    @property
    def days(self) -> list[str] | None:
        """Every local day of the span, ISO; None when the span is open."""
        if self.first is None or self.last is None:
            return None
        days = [self.first]
        while days[-1] < self.last:
            days.append(next_day(days[-1]))
        return days

    @property
    def files(self) -> dict[str, Any]:
        """Arguments of ``manifest.live`` that leave out files without an answer."""
        return {
            "days": self.days,
            "districts": self.districts or None,
            "units": self.units or None,
            "min_ts": to_us(self.start) if self.start else None,
            "max_ts": to_us(self.end) if self.end else None,
            "devices": self.devices or None,
        }

    @property
    def parameters(self) -> dict[str, Any]:
        """Values that a query may bind by these names."""
        return {
            "first": self.first,
            "last": self.last,
            "districts": list(self.districts),
            "units": list(self.units),
            "start": self.start,
            "end": self.end,
        }


EVERYTHING = Scope()
