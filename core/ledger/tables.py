"""Tables of the ledger. All amounts are integers: hundredths of a kudos."""

from datetime import datetime
from enum import IntEnum, StrEnum

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from core.columns import Base, Moment, RowId
from core.db import now


class AccountKind(StrEnum):
    """Whose kudos an account holds."""

    SYSTEM = "system"
    """The source or sink of kudos; its balance is not stored but summed from its entries."""
    SPENDABLE = "spendable"
    """Kudos that a user can spend."""
    ESCROW = "escrow"
    """What an untrusted worker's owner has earned and gets once trusted."""


class SystemAccount(IntEnum):
    """The system accounts by their fixed ids. None of them has a stored balance: no row is hot."""

    FLOORS = 1
    """Mints the floor that a new account starts with."""
    UPTIME = 2
    """Mints what workers get for being there."""
    REWARDS = 3
    """Mints the part of a worker's reward that its requester does not pay."""
    GRANTS = 4
    """Mints monthly kudos, awards and what admins give."""
    TAX = 5
    """Burns what requesters pay on top of the worker's reward."""
    FORGIVENESS = 6
    """Pays at settlement what a payer lacks."""
    ANONYMOUS = 7
    """Kudos used by the anonymous user; shown to clients as a constant."""


FIRST_USER_ACCOUNT = 100


def is_stored(account_id: int) -> bool:
    """Whether the account's balance is kept in its row, as every account of a user is."""
    return account_id >= FIRST_USER_ACCOUNT


class Account(Base):
    """A ledger account, never a person."""

    __tablename__ = "accounts"
    __table_args__ = (
        CheckConstraint("kind = 'system' OR balance - held >= floor", name="covers_its_holds"),
        CheckConstraint("held >= 0", name="held_not_negative"),
        CheckConstraint("kind <> 'system' OR (balance = 0 AND held = 0)", name="system_not_stored"),
        Index("ix_accounts_kind_balance", "kind", "balance", "id"),  # for the richest users
        {"sqlite_autoincrement": True},  # else SQLite numbers from the last system account on
    )

    id: Mapped[int] = mapped_column(RowId, Identity(start=FIRST_USER_ACCOUNT), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    floor: Mapped[int] = mapped_column(BigInteger, default=0)
    balance: Mapped[int] = mapped_column(BigInteger, default=0)
    held: Mapped[int] = mapped_column(BigInteger, default=0)


class Event(Base):
    """Something that moved kudos, once: `key` names the business event and is unique."""

    __tablename__ = "ledger_events"

    id: Mapped[int] = mapped_column(RowId, Identity(), primary_key=True)
    kind: Mapped[str] = mapped_column(String(24))
    key: Mapped[str] = mapped_column(String(160), unique=True)
    at: Mapped[datetime] = mapped_column(Moment, default=now)


class Entry(Base):
    """One account's part in an event; an event's entries sum to zero. Never changed or deleted."""

    __tablename__ = "ledger_entries"
    __table_args__ = (
        CheckConstraint("amount <> 0", name="moves_something"),
        Index("ix_ledger_entries_account_id_id", "account_id", "id"),
    )

    id: Mapped[int] = mapped_column(RowId, Identity(), primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("ledger_events.id"), index=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    amount: Mapped[int] = mapped_column(BigInteger)


class Hold(Base):
    """Kudos set aside for a purpose; they are still the account's, and part of its `held`."""

    __tablename__ = "ledger_holds"
    __table_args__ = (CheckConstraint("amount >= 0", name="amount_not_negative"),)

    key: Mapped[str] = mapped_column(String(160), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    amount: Mapped[int] = mapped_column(BigInteger)


class Checkpoint(Base):
    """The sum of a system account's entries up to one of them, so that summing stays cheap."""

    __tablename__ = "ledger_checkpoints"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    last_entry_id: Mapped[int] = mapped_column(RowId, primary_key=True)
    balance: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime] = mapped_column(Moment, default=now)
