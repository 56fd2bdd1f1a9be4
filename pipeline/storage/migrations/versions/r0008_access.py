"""Set-up links, reasons of thresholds, and an audit that nobody can change."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_SQLITE = """
CREATE TRIGGER audit_keeps_{event} BEFORE {event} ON audit
BEGIN SELECT RAISE(ABORT, 'the audit is only added to'); END
"""
_FUNCTION = """
CREATE OR REPLACE FUNCTION audit_keeps() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the audit is only added to'; END $$
"""
_POSTGRES = """
CREATE TRIGGER audit_keeps BEFORE UPDATE OR DELETE ON audit
FOR EACH ROW EXECUTE FUNCTION audit_keeps()
"""


def upgrade() -> None:
    """Whoever can write the ledger can still drop the triggers; nobody gets there by mistake."""
    op.create_table(
        "setup_links",
        sa.Column("token_hash", sa.String(), primary_key=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger()),
    )
    op.create_index("sign_ins_at", "sign_ins", ["at"])
    op.create_index("sign_ins_address", "sign_ins", ["address", "at"])
    op.create_index("audit_at", "audit", ["at"])
    op.add_column("thresholds", sa.Column("reason", sa.Text(), nullable=False, server_default=""))
    if op.get_bind().dialect.name == "sqlite":
        for event in ("UPDATE", "DELETE"):
            op.execute(_SQLITE.format(event=event))
    else:
        op.execute(_FUNCTION)
        op.execute(_POSTGRES)
