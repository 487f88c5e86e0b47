"""the front of the whole queue.

Revision: 0002_waiting_in_order, after 0002_heard.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002_waiting_in_order"
down_revision = "0002_heard"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_index(
        "ix_jobs_waiting_in_order",
        "jobs",
        ["rank", "id", "lane_id"],
        postgresql_where=sa.text("state = 0 AND lane_id > 0"),
        sqlite_where=sa.text("state = 0 AND lane_id > 0"),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_index("ix_jobs_waiting_in_order", table_name="jobs")
