"""The downtime log, and what time it covers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Nothing is known of any time yet."""
    number, text = sa.BigInteger(), sa.String()
    op.create_table(
        "downtime",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            primary_key=True,
            autoincrement=True,
        ),
        sa.Column("dstrct_code", text, nullable=False),
        sa.Column("unitno", text, nullable=False),
        sa.Column("start_ts", number, nullable=False),
        sa.Column("end_ts", number, nullable=False),
        sa.Column("code", text, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("imported_at", number, nullable=False),
        sa.Column("imported_by", text, nullable=False),
        sa.UniqueConstraint("dstrct_code", "unitno", "start_ts"),
    )
    op.create_table(
        "downtime_spans",
        sa.Column("dstrct_code", text, nullable=False),
        sa.Column("from_ts", number, nullable=False),
        sa.Column("to_ts", number, nullable=False),
        sa.Column("imported_at", number, nullable=False),
        sa.PrimaryKeyConstraint("dstrct_code", "from_ts"),
    )
