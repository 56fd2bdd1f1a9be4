"""What is to be simulated, and the world that follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

#: A local 06:00, the beginning of a day shift, in Asia/Makassar (UTC+8).
DEFAULT_START = datetime(2026, 1, 30, 22, tzinfo=UTC)

FAULTS = ("none", "typical", "storm")
#: How much of the week's trouble a setting brings; rates elsewhere are stated for ``typical``.
SEVERITY = {"none": 0.0, "typical": 1.0, "storm": 8.0}

SECONDS = 3600


@dataclass(frozen=True)
class SimSpec:
    """A simulation. Everything but ``hours`` decides the bytes of an hour.

    ``start`` is aware, on a full hour. ``zones`` maps a district to its IANA zone, ``zone`` is for
    the others. ``fatigue_scale`` multiplies the base rate of about 0.25 fatigue spells per 100
    hours at the wheel. ``districts`` are the codes to spread the units over; none: by their number.
    """

    units: int
    hours: int
    start: datetime
    seed: int = 1
    faults: str = "none"
    zones: Mapping[str, str] = field(default_factory=dict)
    zone: str = "Asia/Makassar"
    fatigue_scale: float = 1.0
    districts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.units < 1:
            raise ValueError(f"units must be at least 1, not {self.units}")
        if self.hours < 0:
            raise ValueError(f"hours must not be negative, not {self.hours}")
        if self.faults not in FAULTS:
            raise ValueError(f"faults must be one of {', '.join(FAULTS)}, not {self.faults!r}")
        if self.start.tzinfo is None or self.start.timestamp() % SECONDS:
            raise ValueError(f"start must be aware and on a full hour, not {self.start}")

    @property
    def epoch(self) -> int:
        """Start in seconds since 1970."""
        return int(self.start.timestamp())

    @property
    def severity(self) -> float:
        """0 without faults, 1 for a typical bad week, more in a storm."""
        return SEVERITY[self.faults]

    def identity(self) -> dict[str, object]:
        """All that fixes the bytes: a folder continues only a simulation with the same identity."""
        found: dict[str, object] = {
            "units": self.units,
            "start": self.start.astimezone(UTC).isoformat(),
            "seed": self.seed,
            "faults": self.faults,
            "zones": dict(sorted(self.zones.items())),
            "zone": self.zone,
            "fatigue_scale": self.fatigue_scale,
        }
        # Named only where it was chosen, so that folders of before can be continued.
        return found | ({"districts": list(self.districts)} if self.districts else {})
