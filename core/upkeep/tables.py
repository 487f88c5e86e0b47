"""Table of leases."""

from datetime import datetime

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from core.columns import Base, Moment


class Lease(Base):
    """Who has a periodic duty, and until when. `fence` grows with each new holder."""

    __tablename__ = "leases"

    duty: Mapped[str] = mapped_column(String(40), primary_key=True)
    holder: Mapped[str] = mapped_column(String(80))
    until: Mapped[datetime] = mapped_column(Moment)
    fence: Mapped[int] = mapped_column(BigInteger, default=0)
