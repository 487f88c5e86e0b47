"""requests that may be asked for again by their Idempotency-Key.

Revision: 0002_client_keys, after 0002_waiting_in_order.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002_client_keys"
down_revision = "0002_waiting_in_order"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    for name in ("client_key", "body_digest"):
        op.add_column("requests", sa.Column(name, sa.String(64), nullable=True))
    op.create_index(
        "ix_requests_client_key",
        "requests",
        ["user_id", "client_key"],
        unique=True,
        postgresql_where=sa.text("client_key IS NOT NULL"),
        sqlite_where=sa.text("client_key IS NOT NULL"),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_index("ix_requests_client_key", table_name="requests")
    with op.batch_alter_table("requests", schema=None) as batch_op:
        batch_op.drop_column("body_digest")
        batch_op.drop_column("client_key")
