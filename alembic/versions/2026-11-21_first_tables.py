"""first tables.

Revision: 0001, after .
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "accounts",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            sa.Identity(always=False, start=100),
            nullable=False,
        ),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("floor", sa.BigInteger(), nullable=False),
        sa.Column("balance", sa.BigInteger(), nullable=False),
        sa.Column("held", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "kind <> 'system' OR (balance = 0 AND held = 0)",
            name=op.f("ck_accounts_system_not_stored"),
        ),
        sa.CheckConstraint(
            "kind = 'system' OR balance - held >= floor", name=op.f("ck_accounts_covers_its_holds")
        ),
        sa.CheckConstraint("held >= 0", name=op.f("ck_accounts_held_not_negative")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("accounts", schema=None) as batch_op:
        batch_op.create_index("ix_accounts_kind_balance", ["kind", "balance", "id"], unique=False)

    op.create_table(
        "address_timeouts",
        sa.Column("network", sa.String(length=43), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_block", sa.Boolean(), nullable=False),
        sa.Column("offences", sa.SmallInteger(), nullable=False),
        sa.Column("offended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("network", name=op.f("pk_address_timeouts")),
    )
    with op.batch_alter_table("address_timeouts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_address_timeouts_until"), ["until"], unique=False)

    op.create_table(
        "filter_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_filter_version")),
    )
    op.create_table(
        "kudos_counted",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("last_entry_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kudos_counted")),
    )
    op.create_table(
        "lane_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lane_version")),
    )
    op.create_table(
        "lanes",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column(
            "needs",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lanes")),
        sa.UniqueConstraint("key", name=op.f("uq_lanes_key")),
    )
    op.create_table(
        "leases",
        sa.Column("duty", sa.String(length=40), nullable=False),
        sa.Column("holder", sa.String(length=80), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("duty", name=op.f("pk_leases")),
    )
    op.create_table(
        "ledger_events",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            sa.Identity(always=False),
            nullable=False,
        ),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_events")),
        sa.UniqueConstraint("key", name=op.f("uq_ledger_events_key")),
    )
    op.create_table(
        "login_attempts",
        sa.Column("state_hash", sa.String(length=64), nullable=False),
        sa.Column("visitor_hash", sa.String(length=64), nullable=False),
        sa.Column("provider", sa.String(length=20), nullable=False),
        sa.Column("verifier", sa.String(length=128), nullable=False),
        sa.Column("page", sa.String(length=20), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("state_hash", name=op.f("pk_login_attempts")),
    )
    with op.batch_alter_table("login_attempts", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_login_attempts_expires_at"), ["expires_at"], unique=False
        )

    op.create_table(
        "model_reference",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("url", sa.String(length=1024), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_reference")),
    )
    op.create_table(
        "model_totals",
        sa.Column("span", sa.String(length=6), nullable=False),
        sa.Column("start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("model", sa.String(length=255), nullable=False),
        sa.Column("made", sa.BigInteger(), nullable=False),
        sa.Column("things", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("span", "start", "kind", "model", name=op.f("pk_model_totals")),
    )
    with op.batch_alter_table("model_totals", schema=None) as batch_op:
        batch_op.create_index(
            "ix_model_totals_span_kind_start", ["span", "kind", "start"], unique=False
        )

    op.create_table(
        "modes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("maintenance", sa.Boolean(), nullable=False),
        sa.Column("invite_only", sa.Boolean(), nullable=False),
        sa.Column("raid", sa.Boolean(), nullable=False),
        sa.Column("anonymous", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_modes")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("url", sa.String(length=1024), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_outbox_due_at"), ["due_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_outbox_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index("ix_outbox_host_due_at", ["host", "due_at"], unique=False)

    op.create_table(
        "problem_jobs",
        sa.Column("attempt_id", sa.Uuid(), nullable=False),
        sa.Column("worker_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("proxied_account", sa.String(length=255), nullable=True),
        sa.Column("network", sa.String(length=43), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("attempt_id", name=op.f("pk_problem_jobs")),
    )
    with op.batch_alter_table("problem_jobs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_problem_jobs_at"), ["at"], unique=False)
        batch_op.create_index("ix_problem_jobs_network_at", ["network", "at"], unique=False)
        batch_op.create_index(
            "ix_problem_jobs_user_id_proxied_account_at",
            ["user_id", "proxied_account", "at"],
            unique=False,
        )

    op.create_table(
        "kudos_totals",
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("gained", sa.BigInteger(), nullable=False),
        sa.Column("lost", sa.BigInteger(), nullable=False),
        sa.Column("gains", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_kudos_totals_account_id")
        ),
        sa.PrimaryKeyConstraint("account_id", "kind", name=op.f("pk_kudos_totals")),
    )
    op.create_table(
        "ledger_checkpoints",
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "last_entry_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("balance", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_ledger_checkpoints_account_id")
        ),
        sa.PrimaryKeyConstraint("account_id", "last_entry_id", name=op.f("pk_ledger_checkpoints")),
    )
    op.create_table(
        "ledger_entries",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            sa.Identity(always=False),
            nullable=False,
        ),
        sa.Column("event_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_ledger_entries_moves_something")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_ledger_entries_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["event_id"], ["ledger_events.id"], name=op.f("fk_ledger_entries_event_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entries")),
    )
    with op.batch_alter_table("ledger_entries", schema=None) as batch_op:
        batch_op.create_index("ix_ledger_entries_account_id_id", ["account_id", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_ledger_entries_event_id"), ["event_id"], unique=False)

    op.create_table(
        "ledger_holds",
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_ledger_holds_amount_not_negative")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_ledger_holds_account_id")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_ledger_holds")),
    )
    with op.batch_alter_table("ledger_holds", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_ledger_holds_account_id"), ["account_id"], unique=False
        )

    op.create_table(
        "style_uses",
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("style_id", sa.Uuid(), nullable=False),
        sa.Column("collection_id", sa.Uuid(), nullable=True),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_style_uses_account_id")
        ),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_style_uses")),
    )
    with op.batch_alter_table("style_uses", schema=None) as batch_op:
        batch_op.create_index("ix_style_uses_at", ["at"], unique=False)
        batch_op.create_index(
            "ix_style_uses_uncounted",
            ["at"],
            unique=False,
            postgresql_where=sa.text("NOT counted"),
            sqlite_where=sa.text("NOT counted"),
        )

    op.create_table(
        "users",
        sa.Column("id", sa.Integer(), sa.Identity(always=False, start=1), nullable=False),
        sa.Column("username", sa.String(length=50), nullable=False),
        sa.Column("oauth_id", sa.String(length=50), nullable=False),
        sa.Column("key_hash", sa.String(length=80), nullable=True),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("escrow_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("roles", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_active_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("concurrency", sa.Integer(), nullable=False),
        sa.Column("worker_invited", sa.Integer(), nullable=False),
        sa.Column("usage_multiplier", sa.Double(), nullable=False),
        sa.Column("monthly_kudos", sa.BigInteger(), nullable=False),
        sa.Column("monthly_received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("public_workers", sa.Boolean(), nullable=False),
        sa.Column("contact", sa.String(length=500), nullable=True),
        sa.Column("admin_comment", sa.Text(), nullable=True),
        sa.Column("passkey_hash", sa.String(length=80), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_users_account_id")),
        sa.ForeignKeyConstraint(["escrow_id"], ["accounts.id"], name=op.f("fk_users_escrow_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("account_id", name=op.f("uq_users_account_id")),
        sa.UniqueConstraint("escrow_id", name=op.f("uq_users_escrow_id")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_users_key_hash")),
        sa.UniqueConstraint("oauth_id", name=op.f("uq_users_oauth_id")),
        sa.UniqueConstraint("passkey_hash", name=op.f("uq_users_passkey_hash")),
    )
    op.create_table(
        "collections",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("name_key", sa.String(length=300), nullable=False),
        sa.Column("info", sa.Text(), nullable=True),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("use_count", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_collections_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_collections")),
        sa.UniqueConstraint("user_id", "name_key", name=op.f("uq_collections_user_id_name_key")),
    )
    with op.batch_alter_table("collections", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_collections_name_key"), ["name_key"], unique=False)

    op.create_table(
        "filters",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("regex", sa.Text(), nullable=False),
        sa.Column("filter_type", sa.SmallInteger(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("replacement", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_filters_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_filters")),
    )
    with op.batch_alter_table("filters", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_filters_filter_type"), ["filter_type"], unique=False)

    op.create_table(
        "login_codes",
        sa.Column("name", sa.String(length=4), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_login_codes_user_id")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_login_codes")),
        sa.UniqueConstraint("user_id", name=op.f("uq_login_codes_user_id")),
    )
    with op.batch_alter_table("login_codes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_login_codes_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "reports",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            sa.Identity(always=False),
            nullable=False,
        ),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.String(length=36), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Integer(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["closed_by"], ["users.id"], name=op.f("fk_reports_closed_by")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_reports_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reports")),
    )
    with op.batch_alter_table("reports", schema=None) as batch_op:
        batch_op.create_index("ix_reports_closed_at", ["closed_at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_reports_user_id"), ["user_id"], unique=False)

    op.create_table(
        "requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("client_agent", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("faulted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("n", sa.SmallInteger(), nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column(
            "params",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "needs",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "terms",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column("proxied_account", sa.String(length=255), nullable=True),
        sa.Column("webhook", sa.String(length=1024), nullable=True),
        sa.Column("address", sa.String(length=45), nullable=True),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_requests_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_requests")),
    )
    with op.batch_alter_table("requests", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_requests_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_requests_user_id"), ["user_id"], unique=False)

    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("oauth_id", sa.String(length=50), nullable=True),
        sa.Column("is_program", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(user_id IS NULL) <> (oauth_id IS NULL)", name=op.f("ck_sessions_one_person")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sessions_user_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sessions")),
    )
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sessions_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_sessions_user_id"), ["user_id"], unique=False)

    op.create_table(
        "shared_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("budget", sa.BigInteger(), nullable=True),
        sa.Column("held", sa.BigInteger(), nullable=False),
        sa.Column("utilized", sa.BigInteger(), nullable=False),
        sa.Column("max_image_pixels", sa.Integer(), nullable=False),
        sa.Column("max_image_steps", sa.Integer(), nullable=False),
        sa.Column("max_text_tokens", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_shared_keys_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shared_keys")),
    )
    with op.batch_alter_table("shared_keys", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_shared_keys_user_id"), ["user_id"], unique=False)

    op.create_table(
        "shared_pictures",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("model", sa.String(length=255), nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column(
            "params",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("nsfw", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rating_count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_shared_pictures_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shared_pictures")),
    )
    with op.batch_alter_table("shared_pictures", schema=None) as batch_op:
        batch_op.create_index(
            "ix_shared_pictures_model_rated", ["model", "rating_count", "id"], unique=False
        )
        batch_op.create_index("ix_shared_pictures_rated", ["rating_count", "id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_shared_pictures_request_id"), ["request_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_shared_pictures_user_id"), ["user_id"], unique=False)

    op.create_table(
        "suspicions",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("worker_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.SmallInteger(), nullable=False),
        sa.Column("times", sa.SmallInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_suspicions_user_id")),
        sa.PrimaryKeyConstraint("user_id", "worker_id", "reason", name=op.f("pk_suspicions")),
    )
    with op.batch_alter_table("suspicions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_suspicions_at"), ["at"], unique=False)

    op.create_table(
        "teams",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("name_key", sa.String(length=300), nullable=False),
        sa.Column("info", sa.Text(), nullable=True),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fulfilled", sa.BigInteger(), nullable=False),
        sa.Column("kudos", sa.BigInteger(), nullable=False),
        sa.Column("uptime_seconds", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_teams_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_teams")),
        sa.UniqueConstraint("name_key", name=op.f("uq_teams_name_key")),
    )
    with op.batch_alter_table("teams", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_teams_user_id"), ["user_id"], unique=False)

    op.create_table(
        "transfers",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            sa.Identity(always=False),
            nullable=False,
        ),
        sa.Column("giver_id", sa.Integer(), nullable=False),
        sa.Column("receiver_id", sa.Integer(), nullable=False),
        sa.Column("target", sa.String(length=255), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("client_key", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_transfers_moves_something")),
        sa.ForeignKeyConstraint(["giver_id"], ["users.id"], name=op.f("fk_transfers_giver_id")),
        sa.ForeignKeyConstraint(
            ["receiver_id"], ["users.id"], name=op.f("fk_transfers_receiver_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfers")),
    )
    with op.batch_alter_table("transfers", schema=None) as batch_op:
        batch_op.create_index(
            "ix_transfers_giver_id_receiver_id_at", ["giver_id", "receiver_id", "at"], unique=False
        )
        batch_op.create_index("ix_transfers_key", ["giver_id", "client_key"], unique=True)

    op.create_table(
        "user_totals",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("requested", sa.BigInteger(), nullable=False),
        sa.Column("requested_things", sa.BigInteger(), nullable=False),
        sa.Column("fulfilled", sa.BigInteger(), nullable=False),
        sa.Column("fulfilled_things", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_user_totals_user_id")),
        sa.PrimaryKeyConstraint("user_id", "kind", name=op.f("pk_user_totals")),
    )
    op.create_table(
        "jobs",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            sa.Identity(always=False),
            nullable=False,
        ),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("lane_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("rank", sa.BigInteger(), nullable=False),
        sa.Column("things", sa.BigInteger(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("feature", sa.String(length=64), nullable=True),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("faults", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"], ["requests.id"], name=op.f("fk_jobs_request_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.create_index(
            "ix_jobs_processing",
            ["lane_id"],
            unique=False,
            postgresql_where=sa.text("state = 1"),
            sqlite_where=sa.text("state = 1"),
        )
        batch_op.create_index("ix_jobs_request_id", ["request_id", "number"], unique=True)
        batch_op.create_index(
            "ix_jobs_waiting",
            ["lane_id", "rank", "id"],
            unique=False,
            postgresql_where=sa.text("state = 0"),
            sqlite_where=sa.text("state = 0"),
        )
        batch_op.create_index(
            "ix_jobs_waiting_of_user",
            ["user_id", "rank", "id"],
            unique=False,
            postgresql_where=sa.text("state = 0"),
            sqlite_where=sa.text("state = 0"),
        )

    op.create_table(
        "ratings",
        sa.Column("picture_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("rating", sa.SmallInteger(), nullable=True),
        sa.Column("artifacts", sa.SmallInteger(), nullable=True),
        sa.Column("best", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("artifacts BETWEEN 0 AND 5", name=op.f("ck_ratings_artifacts_in_range")),
        sa.CheckConstraint("rating BETWEEN 1 AND 10", name=op.f("ck_ratings_rating_in_range")),
        sa.CheckConstraint("rating IS NOT NULL OR best", name=op.f("ck_ratings_says_something")),
        sa.ForeignKeyConstraint(
            ["picture_id"],
            ["shared_pictures.id"],
            name=op.f("fk_ratings_picture_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_ratings_user_id")),
        sa.PrimaryKeyConstraint("picture_id", "user_id", name=op.f("pk_ratings")),
    )
    with op.batch_alter_table("ratings", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ratings_user_id"), ["user_id"], unique=False)

    op.create_table(
        "shared_key_holds",
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("shared_key_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["shared_key_id"],
            ["shared_keys.id"],
            name=op.f("fk_shared_key_holds_shared_key_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_shared_key_holds")),
    )
    with op.batch_alter_table("shared_key_holds", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_shared_key_holds_shared_key_id"), ["shared_key_id"], unique=False
        )

    op.create_table(
        "styles",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("name_key", sa.String(length=300), nullable=False),
        sa.Column("info", sa.Text(), nullable=True),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column(
            "params",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("nsfw", sa.Boolean(), nullable=False),
        sa.Column("shared_key_id", sa.Uuid(), nullable=True),
        sa.Column("use_count", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["shared_key_id"],
            ["shared_keys.id"],
            name=op.f("fk_styles_shared_key_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_styles_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_styles")),
        sa.UniqueConstraint("user_id", "name_key", name=op.f("uq_styles_user_id_name_key")),
    )
    with op.batch_alter_table("styles", schema=None) as batch_op:
        batch_op.create_index("ix_styles_age", ["kind", "public", "created_at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_styles_name_key"), ["name_key"], unique=False)
        batch_op.create_index(
            "ix_styles_popular", ["kind", "public", "use_count", "id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_styles_shared_key_id"), ["shared_key_id"], unique=False
        )

    op.create_table(
        "workers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("name_key", sa.String(length=200), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("threads", sa.SmallInteger(), nullable=False),
        sa.Column(
            "offer",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column("team_id", sa.Uuid(), nullable=True),
        sa.Column("address", sa.String(length=45), nullable=True),
        sa.Column("info", sa.Text(), nullable=True),
        sa.Column("maintenance", sa.Boolean(), nullable=False),
        sa.Column("maintenance_message", sa.Text(), nullable=True),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("speed", sa.Float(), nullable=True),
        sa.Column("uptime_seconds", sa.BigInteger(), nullable=False),
        sa.Column("uptime_rewarded_seconds", sa.BigInteger(), nullable=False),
        sa.Column("fulfilled", sa.BigInteger(), nullable=False),
        sa.Column("uncompleted", sa.Integer(), nullable=False),
        sa.Column("things", sa.BigInteger(), nullable=False),
        sa.Column("kudos_generated", sa.BigInteger(), nullable=False),
        sa.Column("kudos_uptime", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name=op.f("fk_workers_team_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_workers_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workers")),
        sa.UniqueConstraint("name_key", name=op.f("uq_workers_name_key")),
    )
    with op.batch_alter_table("workers", schema=None) as batch_op:
        batch_op.create_index("ix_workers_kind_seen_at", ["kind", "seen_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_workers_team_id"), ["team_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_workers_user_id"), ["user_id"], unique=False)

    op.create_table(
        "attempts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("job_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("worker_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("model", sa.String(length=255), nullable=False),
        sa.Column("things", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deadline", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.SmallInteger(), nullable=False),
        sa.Column("reward", sa.BigInteger(), nullable=False),
        sa.Column("charge", sa.BigInteger(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=True),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name=op.f("fk_attempts_job_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
    )
    with op.batch_alter_table("attempts", schema=None) as batch_op:
        batch_op.create_index(
            "ix_attempts_alive",
            ["deadline"],
            unique=False,
            postgresql_where=sa.text("outcome IN (0, 4)"),
            sqlite_where=sa.text("outcome IN (0, 4)"),
        )
        batch_op.create_index("ix_attempts_ended_at", ["ended_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_attempts_job_id"), ["job_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_attempts_request_id"), ["request_id"], unique=False)
        batch_op.create_index(
            "ix_attempts_uncounted",
            ["id"],
            unique=False,
            postgresql_where=sa.text("NOT counted AND outcome NOT IN (0, 4)"),
            sqlite_where=sa.text("NOT counted AND outcome NOT IN (0, 4)"),
        )
        batch_op.create_index(
            "ix_attempts_worker_id_ended_at", ["worker_id", "ended_at"], unique=False
        )

    op.create_table(
        "collection_styles",
        sa.Column("collection_id", sa.Uuid(), nullable=False),
        sa.Column("style_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["collection_id"],
            ["collections.id"],
            name=op.f("fk_collection_styles_collection_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["style_id"],
            ["styles.id"],
            name=op.f("fk_collection_styles_style_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("collection_id", "style_id", name=op.f("pk_collection_styles")),
    )
    with op.batch_alter_table("collection_styles", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_collection_styles_style_id"), ["style_id"], unique=False
        )

    op.create_table(
        "style_examples",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("style_id", sa.Uuid(), nullable=False),
        sa.Column("url", sa.String(length=2048), nullable=False),
        sa.Column("is_primary", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["style_id"], ["styles.id"], name=op.f("fk_style_examples_style_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_style_examples")),
        sa.UniqueConstraint("style_id", "url", name=op.f("uq_style_examples_style_id_url")),
    )
    op.create_table(
        "style_labels",
        sa.Column("style_id", sa.Uuid(), nullable=False),
        sa.Column("what", sa.String(length=5), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("label", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(
            ["style_id"], ["styles.id"], name=op.f("fk_style_labels_style_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("style_id", "what", "position", name=op.f("pk_style_labels")),
    )
    with op.batch_alter_table("style_labels", schema=None) as batch_op:
        batch_op.create_index("ix_style_labels_what_label", ["what", "label"], unique=False)

    op.create_table(
        "worker_messages",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("worker_id", sa.Uuid(), nullable=True),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("origin", sa.String(length=255), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_worker_messages_user_id")),
        sa.ForeignKeyConstraint(
            ["worker_id"],
            ["workers.id"],
            name=op.f("fk_worker_messages_worker_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_worker_messages")),
    )
    with op.batch_alter_table("worker_messages", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_worker_messages_expires_at"), ["expires_at"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_worker_messages_user_id"), ["user_id"], unique=False)
        batch_op.create_index(
            "ix_worker_messages_worker_id_expires_at", ["worker_id", "expires_at"], unique=False
        )

    op.create_table(
        "generations",
        sa.Column("attempt_id", sa.Uuid(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("worker_id", sa.Uuid(), nullable=False),
        sa.Column("worker_name", sa.String(length=100), nullable=False),
        sa.Column("model", sa.String(length=255), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("censored", sa.Boolean(), nullable=False),
        sa.Column(
            "gen_metadata",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column(
            "form",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=True,
        ),
        sa.ForeignKeyConstraint(
            ["attempt_id"],
            ["attempts.id"],
            name=op.f("fk_generations_attempt_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["requests.id"],
            name=op.f("fk_generations_request_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("attempt_id", name=op.f("pk_generations")),
    )
    with op.batch_alter_table("generations", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_generations_request_id"), ["request_id"], unique=False)

    accounts = sa.table("accounts", *map(sa.column, ("id", "kind", "floor", "balance", "held")))
    op.bulk_insert(
        accounts,
        [{"id": i, "kind": "system", "floor": 0, "balance": 0, "held": 0} for i in range(1, 8)],
    )
    if op.get_bind().dialect.name == "sqlite":  # it knows no start of an identity
        op.execute("UPDATE sqlite_sequence SET seq = 99 WHERE name = 'accounts'")
    anonymous = {
        "id": 0,
        "username": "Anonymous",
        "oauth_id": "anon",
        "account_id": 7,
        "roles": 0,
        "created_at": datetime(2022, 8, 1, tzinfo=UTC),
        "last_active_at": datetime(2022, 8, 1, tzinfo=UTC),
        "concurrency": 500,
        "worker_invited": 0,
        "usage_multiplier": 1.0,
        "monthly_kudos": 0,
        "public_workers": True,
    }
    moment = sa.DateTime(timezone=True)
    columns = (sa.column(name, moment if name.endswith("_at") else None) for name in anonymous)
    op.bulk_insert(sa.table("users", *columns), [anonymous])
    op.bulk_insert(
        sa.table("lane_version", *map(sa.column, ("id", "version"))), [{"id": 1, "version": 0}]
    )
    op.bulk_insert(
        sa.table("filter_version", *map(sa.column, ("id", "version"))),
        [{"id": 1, "version": 0}],
    )
    modes = {"id": 1, "maintenance": False, "invite_only": False, "raid": False, "anonymous": True}
    op.bulk_insert(sa.table("modes", *map(sa.column, modes)), [modes])


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("generations", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_generations_request_id"))

    op.drop_table("generations")
    with op.batch_alter_table("worker_messages", schema=None) as batch_op:
        batch_op.drop_index("ix_worker_messages_worker_id_expires_at")
        batch_op.drop_index(batch_op.f("ix_worker_messages_user_id"))
        batch_op.drop_index(batch_op.f("ix_worker_messages_expires_at"))

    op.drop_table("worker_messages")
    with op.batch_alter_table("style_labels", schema=None) as batch_op:
        batch_op.drop_index("ix_style_labels_what_label")

    op.drop_table("style_labels")
    op.drop_table("style_examples")
    with op.batch_alter_table("collection_styles", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_collection_styles_style_id"))

    op.drop_table("collection_styles")
    with op.batch_alter_table("attempts", schema=None) as batch_op:
        batch_op.drop_index("ix_attempts_worker_id_ended_at")
        batch_op.drop_index(
            "ix_attempts_uncounted",
            postgresql_where=sa.text("NOT counted AND outcome NOT IN (0, 4)"),
            sqlite_where=sa.text("NOT counted AND outcome NOT IN (0, 4)"),
        )
        batch_op.drop_index(batch_op.f("ix_attempts_request_id"))
        batch_op.drop_index(batch_op.f("ix_attempts_job_id"))
        batch_op.drop_index("ix_attempts_ended_at")
        batch_op.drop_index(
            "ix_attempts_alive",
            postgresql_where=sa.text("outcome IN (0, 4)"),
            sqlite_where=sa.text("outcome IN (0, 4)"),
        )

    op.drop_table("attempts")
    with op.batch_alter_table("workers", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_workers_user_id"))
        batch_op.drop_index(batch_op.f("ix_workers_team_id"))
        batch_op.drop_index("ix_workers_kind_seen_at")

    op.drop_table("workers")
    with op.batch_alter_table("styles", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_styles_shared_key_id"))
        batch_op.drop_index("ix_styles_popular")
        batch_op.drop_index(batch_op.f("ix_styles_name_key"))
        batch_op.drop_index("ix_styles_age")

    op.drop_table("styles")
    with op.batch_alter_table("shared_key_holds", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_shared_key_holds_shared_key_id"))

    op.drop_table("shared_key_holds")
    with op.batch_alter_table("ratings", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ratings_user_id"))

    op.drop_table("ratings")
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_jobs_waiting_of_user",
            postgresql_where=sa.text("state = 0"),
            sqlite_where=sa.text("state = 0"),
        )
        batch_op.drop_index(
            "ix_jobs_waiting",
            postgresql_where=sa.text("state = 0"),
            sqlite_where=sa.text("state = 0"),
        )
        batch_op.drop_index("ix_jobs_request_id")
        batch_op.drop_index(
            "ix_jobs_processing",
            postgresql_where=sa.text("state = 1"),
            sqlite_where=sa.text("state = 1"),
        )

    op.drop_table("jobs")
    op.drop_table("user_totals")
    with op.batch_alter_table("transfers", schema=None) as batch_op:
        batch_op.drop_index("ix_transfers_key")
        batch_op.drop_index("ix_transfers_giver_id_receiver_id_at")

    op.drop_table("transfers")
    with op.batch_alter_table("teams", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_teams_user_id"))

    op.drop_table("teams")
    with op.batch_alter_table("suspicions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_suspicions_at"))

    op.drop_table("suspicions")
    with op.batch_alter_table("shared_pictures", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_shared_pictures_user_id"))
        batch_op.drop_index(batch_op.f("ix_shared_pictures_request_id"))
        batch_op.drop_index("ix_shared_pictures_rated")
        batch_op.drop_index("ix_shared_pictures_model_rated")

    op.drop_table("shared_pictures")
    with op.batch_alter_table("shared_keys", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_shared_keys_user_id"))

    op.drop_table("shared_keys")
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sessions_user_id"))
        batch_op.drop_index(batch_op.f("ix_sessions_expires_at"))

    op.drop_table("sessions")
    with op.batch_alter_table("requests", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_requests_user_id"))
        batch_op.drop_index(batch_op.f("ix_requests_expires_at"))

    op.drop_table("requests")
    with op.batch_alter_table("reports", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_reports_user_id"))
        batch_op.drop_index("ix_reports_closed_at")

    op.drop_table("reports")
    with op.batch_alter_table("login_codes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_login_codes_expires_at"))

    op.drop_table("login_codes")
    with op.batch_alter_table("filters", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_filters_filter_type"))

    op.drop_table("filters")
    with op.batch_alter_table("collections", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_collections_name_key"))

    op.drop_table("collections")
    op.drop_table("users")
    with op.batch_alter_table("style_uses", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_style_uses_uncounted",
            postgresql_where=sa.text("NOT counted"),
            sqlite_where=sa.text("NOT counted"),
        )
        batch_op.drop_index("ix_style_uses_at")

    op.drop_table("style_uses")
    with op.batch_alter_table("ledger_holds", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ledger_holds_account_id"))

    op.drop_table("ledger_holds")
    with op.batch_alter_table("ledger_entries", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ledger_entries_event_id"))
        batch_op.drop_index("ix_ledger_entries_account_id_id")

    op.drop_table("ledger_entries")
    op.drop_table("ledger_checkpoints")
    op.drop_table("kudos_totals")
    with op.batch_alter_table("problem_jobs", schema=None) as batch_op:
        batch_op.drop_index("ix_problem_jobs_user_id_proxied_account_at")
        batch_op.drop_index("ix_problem_jobs_network_at")
        batch_op.drop_index(batch_op.f("ix_problem_jobs_at"))

    op.drop_table("problem_jobs")
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_index("ix_outbox_host_due_at")
        batch_op.drop_index(batch_op.f("ix_outbox_expires_at"))
        batch_op.drop_index(batch_op.f("ix_outbox_due_at"))

    op.drop_table("outbox")
    op.drop_table("modes")
    with op.batch_alter_table("model_totals", schema=None) as batch_op:
        batch_op.drop_index("ix_model_totals_span_kind_start")

    op.drop_table("model_totals")
    op.drop_table("model_reference")
    with op.batch_alter_table("login_attempts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_login_attempts_expires_at"))

    op.drop_table("login_attempts")
    op.drop_table("ledger_events")
    op.drop_table("leases")
    op.drop_table("lanes")
    op.drop_table("lane_version")
    op.drop_table("kudos_counted")
    op.drop_table("filter_version")
    with op.batch_alter_table("address_timeouts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_address_timeouts_until"))

    op.drop_table("address_timeouts")
    with op.batch_alter_table("accounts", schema=None) as batch_op:
        batch_op.drop_index("ix_accounts_kind_balance")

    op.drop_table("accounts")
