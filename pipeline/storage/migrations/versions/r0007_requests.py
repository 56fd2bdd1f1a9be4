"""What a request is about, how far it is and what came of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Requests that were taken before ended with the step that took them."""
    text = {"type_": sa.Text(), "nullable": False}
    op.add_column(
        "requests", sa.Column("state", sa.String(), nullable=False, server_default="asked")
    )
    op.add_column("requests", sa.Column("detail", **text, server_default="{}"))
    op.add_column("requests", sa.Column("result", **text, server_default="{}"))
    op.add_column("requests", sa.Column("error", sa.Text()))
    op.add_column("requests", sa.Column("worker", sa.String()))
    op.add_column("requests", sa.Column("ended_at", sa.BigInteger()))
    op.execute("UPDATE requests SET state = 'done', ended_at = taken_at WHERE taken_at IS NOT NULL")
