"""The ladder of actions, as it was set; marts that know how fast units were driven."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """The ladder is the one that stood in the program until somebody sets another."""
    op.create_table(
        "ladders",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("steps", sa.Text(), nullable=False),
        sa.Column("set_at", sa.BigInteger(), nullable=False),
        sa.Column("set_by", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
    )
    # The dictionary has a band for the speed now: days that still have their rows are built again.
    op.execute("UPDATE partitions SET built_version = 0 WHERE clean_expired_at IS NULL")
