"""Reviews of fatigue cases, and when a person first opened one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Cases that are there already are new, and nobody has opened them."""
    text = sa.String()
    op.add_column("fatigue_cases", sa.Column("opened_at", sa.BigInteger()))
    op.add_column("fatigue_cases", sa.Column("opened_by", text))
    op.create_table(
        "case_reviews",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            primary_key=True,
            autoincrement=True,
        ),
        sa.Column("case_number", sa.Integer(), sa.ForeignKey("fatigue_cases.id"), nullable=False),
        sa.Column("state", text, nullable=False),
        sa.Column("basis", text),
        sa.Column("action", text),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("fit_to_work", sa.Boolean()),
        sa.Column("sleep_h", sa.Float()),
        sa.Column("who", text, nullable=False),
        sa.Column("reviewed_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("case_reviews_of_a_case", "case_reviews", ["case_number"])
