"""Raw keys by hour: a page that asks for two days must not look through a year of them."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """An index more."""
    op.create_index("raw_keys_hour", "raw_keys", ["hour", "district"])
