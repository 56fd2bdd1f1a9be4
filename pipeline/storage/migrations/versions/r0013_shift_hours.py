"""Marts that know in which hour of a shift the eyes of operators were seen."""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Days that still have their rows are built again; of the others the hours are not known."""
    op.execute("UPDATE partitions SET built_version = 0 WHERE clean_expired_at IS NULL")
