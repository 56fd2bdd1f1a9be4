"""What the hours of a day were made of; thresholds; fatigue cases that keep their names."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Nothing is known of hours that were built before: they are built once more."""
    number = sa.BigInteger()
    op.add_column("partitions", sa.Column("hours", sa.Text()))
    op.create_index("raw_objects_time", "raw_objects", ["district", "max_ts"])
    op.create_table(
        "thresholds",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("set_at", number, nullable=False),
        sa.Column("set_by", sa.String(), nullable=False),
    )
    op.create_table(
        "fatigue_cases",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("hiveperiod", sa.String(), nullable=False),
        sa.Column("dstrct_code", sa.String(), nullable=False),
        sa.Column("unitno", sa.String(), nullable=False),
        sa.Column("operator", sa.String(), nullable=False),
        sa.Column("started_at", number, nullable=False),
        sa.Column("ended_at", number, nullable=False),
        sa.Column("minted_at", number, nullable=False),
        sa.Column("withdrawn_at", number),
    )
    op.create_index("fatigue_cases_of_a_day", "fatigue_cases", ["dstrct_code", "hiveperiod"])
    # Made of other hours than before (production days): every day is built once more.
    op.execute("UPDATE partitions SET built_version = 0 WHERE clean_expired_at IS NULL")
