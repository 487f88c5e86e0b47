"""The tables. Ids of Discord are snowflakes: 64 bits; keys are stored sealed."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    DateTime,
    Dialect,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Moment(TypeDecorator[datetime]):
    """An aware UTC time on both engines; SQLite has no time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store it as UTC."""
        if value is None or dialect.name != "sqlite":
            return value
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give SQLite's naive times their zone back."""
        del dialect
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


class Base(DeclarativeBase):
    """Base of all tables."""

    metadata = MetaData(naming_convention=NAMING)


RowId = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers only INTEGER keys by itself


class JobRow(Base):
    """A request of the horde that somebody waits for, and what came of it."""

    __tablename__ = "jobs"
    __table_args__ = (
        Index("ix_jobs_state", "state"),
        Index("ix_jobs_user_id_created", "user_id", "created"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    interaction_id: Mapped[int] = mapped_column(BigInteger, unique=True)
    """Discord may tell of an interaction twice."""
    kind: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16))
    request_id: Mapped[str | None] = mapped_column(String(64))
    user_id: Mapped[int] = mapped_column(BigInteger)
    guild_id: Mapped[int | None] = mapped_column(BigInteger)
    channel_id: Mapped[int] = mapped_column(BigInteger)
    message_id: Mapped[int | None] = mapped_column(BigInteger)
    token: Mapped[str] = mapped_column(String(512))
    """Of the interaction: edits its reply until `token_until`."""
    token_until: Mapped[datetime] = mapped_column(Moment)
    size_limit: Mapped[int] = mapped_column(BigInteger)
    """Bytes of files that the place takes."""
    wanted: Mapped[dict[str, Any]] = mapped_column(JSON)
    results: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    spoiler: Mapped[bool] = mapped_column(Boolean)
    party_id: Mapped[int | None] = mapped_column(BigInteger)
    created: Mapped[datetime] = mapped_column(Moment)


class LoginRow(Base):
    """A Discord user's login at the horde."""

    __tablename__ = "logins"

    user_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    sealed: Mapped[str] = mapped_column(Text)
    alias: Mapped[str] = mapped_column(String(150))
    horde_id: Mapped[int] = mapped_column(BigInteger)
    created: Mapped[datetime] = mapped_column(Moment)


class GuildRow(Base):
    """What a guild's moderators have set."""

    __tablename__ = "guilds"

    guild_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    rules: Mapped[dict[str, Any]] = mapped_column(JSON)


class PresetRow(Base):
    """A user's settings of pictures; the ones in use have an empty name."""

    __tablename__ = "presets"

    user_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(50), primary_key=True)
    options: Mapped[dict[str, Any]] = mapped_column(JSON)


class GiftRow(Base):
    """Kudos given by a reaction, once for each giver, message and emoji."""

    __tablename__ = "gifts"
    __table_args__ = (
        UniqueConstraint("giver_id", "message_id", "emoji"),
        Index("ix_gifts_receiver_id_state", "receiver_id", "state"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    giver_id: Mapped[int] = mapped_column(BigInteger)
    receiver_id: Mapped[int] = mapped_column(BigInteger)
    message_id: Mapped[int] = mapped_column(BigInteger)
    channel_id: Mapped[int] = mapped_column(BigInteger)
    emoji: Mapped[str] = mapped_column(String(100))
    amount: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(String(16))
    created: Mapped[datetime] = mapped_column(Moment)


class PromptRow(Base):
    """What somebody asked for, for a guild's moderators; kept for some days."""

    __tablename__ = "prompts"
    __table_args__ = (Index("ix_prompts_guild_id_created", "guild_id", "created"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    guild_id: Mapped[int] = mapped_column(BigInteger)
    user_id: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(String(16))
    prompt: Mapped[str] = mapped_column(Text)
    created: Mapped[datetime] = mapped_column(Moment)


class PartyRow(Base):
    """A thread in which everybody asks by one style, for an award."""

    __tablename__ = "parties"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    guild_id: Mapped[int] = mapped_column(BigInteger)
    thread_id: Mapped[int] = mapped_column(BigInteger, unique=True)
    host_id: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str] = mapped_column(String(100))
    style: Mapped[str] = mapped_column(String(255))
    words: Mapped[list[str]] = mapped_column(JSON)
    award: Mapped[int] = mapped_column(Integer)
    every: Mapped[bool] = mapped_column(Boolean)
    sealed_key: Mapped[str | None] = mapped_column(Text)
    """A shared key of the host, if the host pays."""
    ends: Mapped[datetime] = mapped_column(Moment)
    is_over: Mapped[bool] = mapped_column(Boolean)


class NoteRow(Base):
    """Small things to remember: what the command tree was, the last news that was told."""

    __tablename__ = "notes"

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    value: Mapped[str] = mapped_column(Text)
