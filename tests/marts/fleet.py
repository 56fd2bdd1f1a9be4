"""When the fleet of these tests drives."""

from __future__ import annotations

from datetime import timedelta

from pipeline.simulator import DEFAULT_START

#: From 04:00 local to 08:00: over the border of two production days.
START = DEFAULT_START - timedelta(hours=2)
NOW = START + timedelta(hours=30)
DAYS = ("2026-01-30", "2026-01-31")
