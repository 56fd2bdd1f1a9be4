"""Days that are let go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Nothing has expired yet; runs of beaten rows end with their local day."""
    number = sa.BigInteger()
    op.add_column("raw_objects", sa.Column("expired", number, nullable=False, server_default="0"))
    op.add_column("partitions", sa.Column("clean_expired_at", number))
    op.add_column("partitions", sa.Column("marts_expired_at", number))
    connection = op.get_bind()
    for row in connection.execute(sa.text(_CROSSING)).all():
        _divide(connection, row.src)


def _divide(connection: Any, src: int) -> None:
    """Cut a version's runs at its days. How many rows each part has follows from the days' sums."""
    days = connection.execute(sa.text(_DAYS), {"src": src}).all()
    runs = connection.execute(sa.text(_RUNS), {"src": src}).all()
    parts = [{"src": src, "lo": lo, "hi": hi, "rows": rows} for lo, hi, rows in _parts(days, runs)]
    connection.execute(sa.text("DELETE FROM beaten WHERE src = :src"), {"src": src})
    insert = "INSERT INTO beaten (src, lo, hi, rows) VALUES (:src, :lo, :hi, :rows)"
    connection.execute(sa.text(insert), parts)


def _parts(days: Sequence[Any], runs: Sequence[Any]) -> list[tuple[int, int, int]]:
    """(lo, hi, rows) by day: what a day hides beside its whole runs is of the one that goes on."""
    left = [[run.lo, run.hi, run.rows] for run in runs]
    parts = []
    for day in days:
        hidden = int(day.hidden)
        while left and left[0][0] <= day.max_ts:
            lo, hi, rows = left[0]
            lo = max(lo, day.min_ts)
            if hi <= day.max_ts:
                parts.append((lo, hi, rows))
                hidden -= rows
                left.pop(0)
                continue
            parts.append((lo, day.max_ts, hidden))
            left[0] = [day.max_ts + 1, hi, rows - hidden]
    return parts + [(lo, hi, rows) for lo, hi, rows in left]


_CROSSING = """
SELECT DISTINCT b.src FROM beaten b
JOIN file_sources s ON s.src = b.src AND s.min_ts <= b.hi AND s.max_ts >= b.lo
JOIN data_files f ON f.id = s.file_id
WHERE f.superseded_at IS NULL
GROUP BY b.src, b.lo HAVING count(DISTINCT f.hiveperiod) > 1
"""
_DAYS = """
SELECT sum(s.hidden) AS hidden, min(s.min_ts) AS min_ts, max(s.max_ts) AS max_ts FROM file_sources s
JOIN data_files f ON f.id = s.file_id
WHERE s.src = :src AND f.superseded_at IS NULL
GROUP BY f.hiveperiod ORDER BY f.hiveperiod
"""
_RUNS = "SELECT lo, hi, rows FROM beaten WHERE src = :src ORDER BY lo"
