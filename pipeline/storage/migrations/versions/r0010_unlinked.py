"""When the operators of a day's cases were let go, and that of each."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Every case still says whose it is; the next pass of gc sees to those that are too old."""
    op.add_column("fatigue_cases", sa.Column("unlinked_at", sa.BigInteger()))
    op.add_column("partitions", sa.Column("unlinked_at", sa.BigInteger()))
