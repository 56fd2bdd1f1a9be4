"""Overlapping objects, re-reading, and messages."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Columns get a value in every old row; spans are those of the object within the file."""
    number, text = sa.BigInteger(), sa.String()
    _add("raw_keys", "reread", sa.Boolean(), sa.false())
    _add("raw_objects", "rank_at", number, "0")
    op.execute("UPDATE raw_objects SET rank_at = arrived_at")
    _add("data_files", "hidden", number, "0")
    for name, kind, default in (
        ("deviceid", text, ""),
        ("hidden", number, "0"),
        ("min_ts", number, "0"),
        ("max_ts", number, "0"),
    ):
        _add("file_sources", name, kind, default)
    op.execute(_SPANS)
    op.create_index("file_sources_device", "file_sources", ["deviceid", "min_ts"])
    op.create_table(
        "beaten",
        sa.Column("src", number, nullable=False),
        sa.Column("lo", number, nullable=False),
        sa.Column("hi", number, nullable=False),
        sa.Column("rows", number, nullable=False),
        sa.PrimaryKeyConstraint("src", "lo"),
    )
    op.create_table(
        "notices",
        sa.Column("topic", text, primary_key=True),
        sa.Column("kind", text, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("first_at", number, nullable=False),
        sa.Column("last_at", number, nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("sent_at", number),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text()),
    )


def _add(table: str, name: str, kind: Any, default: Any) -> None:
    op.add_column(table, sa.Column(name, kind, nullable=False, server_default=default))


_SPANS = """
UPDATE file_sources SET
    deviceid = (SELECT o.deviceid FROM raw_objects o WHERE o.id = src),
    min_ts = (
        SELECT CASE WHEN f.min_ts > o.min_ts THEN f.min_ts ELSE o.min_ts END
        FROM raw_objects o, data_files f WHERE o.id = src AND f.id = file_id
    ),
    max_ts = (
        SELECT CASE WHEN f.max_ts < o.max_ts THEN f.max_ts ELSE o.max_ts END
        FROM raw_objects o, data_files f WHERE o.id = src AND f.id = file_id
    )
"""
