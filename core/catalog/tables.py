"""Table of the model reference that was fetched last."""

from datetime import datetime

from sqlalchemy import Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.columns import Base, Moment
from core.db import now


class FetchedReference(Base):
    """At most one row: a valid reference, for all processes and for the next start."""

    __tablename__ = "model_reference"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, default=1)
    url: Mapped[str] = mapped_column(String(1024))
    """Its URL; it counts only while that is configured."""
    digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the content, in hexadecimal digits."""
    content: Mapped[str] = mapped_column(Text)
    fetched_at: Mapped[datetime] = mapped_column(Moment, default=now)
