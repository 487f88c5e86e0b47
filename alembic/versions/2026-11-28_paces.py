"""What each model's jobs take a worker.

Revision: 0002_paces, after 0002.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002_paces"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    document = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")
    with op.batch_alter_table("workers", schema=None) as batch_op:
        batch_op.add_column(sa.Column("paces", document, nullable=True))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("workers", schema=None) as batch_op:
        batch_op.drop_column("paces")
