"""When people looked at the overview last."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Nobody has been here before."""
    number = sa.BigInteger()
    op.create_table(
        "visits",
        sa.Column("username", sa.String(), primary_key=True),
        sa.Column("before_at", number),
        sa.Column("seen_at", number, nullable=False),
    )
