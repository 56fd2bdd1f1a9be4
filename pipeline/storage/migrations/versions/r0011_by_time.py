"""Raw files by time, status and rules: what Ingestion asks costs the same after years."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Indexes alone."""
    op.create_index("raw_keys_arrived", "raw_keys", ["arrived_at"])
    op.create_index("raw_objects_committed", "raw_objects", ["committed_at", "arrived_at"])
    live = sa.text("dead_at IS NULL")
    for name, columns in {"status": ["status", "arrived_at"], "rules": ["rules_version"]}.items():
        op.create_index(
            f"raw_objects_{name}", "raw_objects", columns, sqlite_where=live, postgresql_where=live
        )
