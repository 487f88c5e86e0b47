"""when a worker was last heard of at a job.

Revision: 0002_heard, after 0002_paces.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002_heard"
down_revision = "0002_paces"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("attempts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("heard_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("attempts", schema=None) as batch_op:
        batch_op.drop_column("heard_at")
