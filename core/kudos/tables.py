"""Table of kudos that users gave each other."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from core.columns import Base, Moment, RowId


class Transfer(Base):
    """Kudos that one user gave another."""

    __tablename__ = "transfers"
    __table_args__ = (
        CheckConstraint("amount > 0", name="moves_something"),
        Index("ix_transfers_key", "giver_id", "client_key", unique=True),
        Index("ix_transfers_giver_id_receiver_id_at", "giver_id", "receiver_id", "at"),
    )

    id: Mapped[int] = mapped_column(RowId, Identity(), primary_key=True)
    giver_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    receiver_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    target: Mapped[str] = mapped_column(String(255))
    """The receiver as the giver named them: an alias, or one of their shared keys."""
    amount: Mapped[int] = mapped_column(BigInteger)
    """Hundredths of a kudos."""
    client_key: Mapped[str] = mapped_column(String(64))
    """Digest of the client's Idempotency-Key, or random if it sent none."""
    at: Mapped[datetime] = mapped_column(Moment)
