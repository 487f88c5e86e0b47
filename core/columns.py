"""What tables are made of: their base, and types of columns that are the same on both engines."""

from datetime import UTC, datetime

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Integer, MetaData
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator


class Base(DeclarativeBase):
    """Base of all tables; constraints are named by convention, so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Moment(TypeDecorator[datetime]):
    """An aware UTC time on both engines (SQLite has no time zones: stored as UTC, read back so)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times, which are a defect of the caller."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a naive time: {value}")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give SQLite's naive times their zone back."""
        if value is not None and dialect.name == "sqlite":
            return value.replace(tzinfo=UTC)
        return value


RowId = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers only INTEGER keys by itself
Document = JSON().with_variant(JSONB(), "postgresql")
"""A JSON value: JSONB on PostgreSQL, text on SQLite."""
