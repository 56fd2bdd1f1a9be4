"""What a request is about, how far it is and what came of it; raw keys are found by hour."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Requests that were taken before ended with the step that took them."""
    for column in (
        sa.Column("state", sa.String(), nullable=False, server_default="asked"),
        sa.Column("detail", sa.Text(), nullable=False, server_default="{}"),
        sa.Column("result", sa.Text(), nullable=False, server_default="{}"),
        sa.Column("error", sa.Text()),
        sa.Column("worker", sa.String()),
        sa.Column("ended_at", sa.BigInteger()),
    ):
        op.add_column("requests", column)
    op.create_index("raw_keys_hour", "raw_keys", ["hour", "district"])
    op.execute("UPDATE requests SET state = 'done', ended_at = taken_at WHERE taken_at IS NOT NULL")
