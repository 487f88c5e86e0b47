"""opinions of faults, parked requests, prompts in lower case.

Revision: 0002, after visible_names.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "visible_names"
branch_labels = None
depends_on = None

ROWS_AT_ONCE = 1000


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("attempts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("reason", sa.String(length=500), nullable=True))
    with op.batch_alter_table("lane_version", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("parked", sa.BigInteger(), nullable=False, server_default=sa.text("0"))
        )
    with op.batch_alter_table("requests", schema=None) as batch_op:
        batch_op.add_column(sa.Column("words", sa.Text(), nullable=False, server_default=""))
    _fill_words()


def _fill_words() -> None:
    """Fold the prompts of requests that wait, as the server would have."""
    requests = sa.table("requests", *map(sa.column, ("id", "prompt", "words")))
    bind = op.get_bind()
    prompts = bind.execute(sa.select(requests.c.id, requests.c.prompt)).all()
    folded = [{"request": row.id, "folded": row.prompt.lower()} for row in prompts]
    statement = (
        sa.update(requests)
        .where(requests.c.id == sa.bindparam("request"))
        .values(words=sa.bindparam("folded"))
    )
    for start in range(0, len(folded), ROWS_AT_ONCE):
        bind.execute(statement, folded[start : start + ROWS_AT_ONCE])


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("requests", schema=None) as batch_op:
        batch_op.drop_column("words")
    with op.batch_alter_table("lane_version", schema=None) as batch_op:
        batch_op.drop_column("parked")
    with op.batch_alter_table("attempts", schema=None) as batch_op:
        batch_op.drop_column("reason")
