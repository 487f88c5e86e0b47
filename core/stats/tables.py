"""Tables of roll-ups."""

from datetime import date

from sqlalchemy import BigInteger, Date, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class UserTotal(Base):
    """What a user has asked for and what the user's workers have made, by kind."""

    __tablename__ = "user_totals"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(8), primary_key=True)
    requested: Mapped[int] = mapped_column(Integer, default=0)
    requested_things: Mapped[int] = mapped_column(BigInteger, default=0)
    fulfilled: Mapped[int] = mapped_column(Integer, default=0)
    fulfilled_things: Mapped[int] = mapped_column(BigInteger, default=0)


class DayTotal(Base):
    """What was made of each model on each day (UTC)."""

    __tablename__ = "day_totals"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    kind: Mapped[str] = mapped_column(String(8), primary_key=True)
    model: Mapped[str] = mapped_column(String(255), primary_key=True)
    made: Mapped[int] = mapped_column(Integer, default=0)
    things: Mapped[int] = mapped_column(BigInteger, default=0)
