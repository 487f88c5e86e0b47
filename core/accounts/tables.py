"""Tables of logins. None holds a secret: tokens, states and codes are kept as keyed hashes."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from core.columns import Base, Moment


class SignedIn(Base):
    """A session: a browser in which somebody logged in, or a program that exchanged a code."""

    __tablename__ = "sessions"
    __table_args__ = (
        CheckConstraint("(user_id IS NULL) <> (oauth_id IS NULL)", name="one_person"),
    )

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    oauth_id: Mapped[str | None] = mapped_column(String(50))
    """The login of somebody who has not registered yet."""
    is_program: Mapped[bool] = mapped_column(default=False)
    """Whether the token is sent like an API key, and not as a cookie."""
    created_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment, index=True)


class LoginAttempt(Base):
    """Somebody was sent to a login service and has not come back yet."""

    __tablename__ = "login_attempts"

    state_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    visitor_hash: Mapped[str] = mapped_column(String(64))
    """Hash of the cookie of the browser that began the login: no other browser can finish it."""
    provider: Mapped[str] = mapped_column(String(20))
    verifier: Mapped[str] = mapped_column(String(128))
    """PKCE's (RFC 7636). Useless without the code that the service gives the browser."""
    page: Mapped[str] = mapped_column(String(20))
    """The page to return to, by its name."""
    expires_at: Mapped[datetime] = mapped_column(Moment, index=True)


class LoginCode(Base):
    """A code that a user was shown, for a program to log in with, once."""

    __tablename__ = "login_codes"

    name: Mapped[str] = mapped_column(String(4), primary_key=True)
    """The code's first part, which only identifies it: wrong guesses at the rest are counted."""
    code_hash: Mapped[str] = mapped_column(String(64))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), unique=True)
    tries: Mapped[int] = mapped_column(default=0)
    expires_at: Mapped[datetime] = mapped_column(Moment, index=True)
