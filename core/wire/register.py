"""Getting an account, both ours: `POST /api/v2/register` and, in development, `dev/test-user`."""

from typing import Annotated

from pydantic import Field

from core.wire.model import Answer, Request
from core.wire.scalars import Boolean, Number, String


class RegisterInput(Request):
    """A request for an account."""

    username: Annotated[String, Field(min_length=3, max_length=100)]


class Registered(Answer):
    """A new account."""

    id: int
    username: str
    alias: str
    """`username#id`."""
    api_key: str
    """22 URL-safe characters, shown only once."""


class DevUserInput(Request):
    """An account for a test. The same `oauth_id` again gives the same account a new key."""

    username: Annotated[String, Field(min_length=1, max_length=100)]
    oauth_id: Annotated[String, Field(min_length=1, max_length=255)]
    moderator: Boolean = False
    trusted: Boolean = False
    kudos: Annotated[Number, Field(ge=0, le=1_000_000_000)] = 0.0


class DevUser(Answer):
    """The account, and its key."""

    api_key: str
    user_id: str
    username: str
    alias: str
    """`username#id`."""
    created: bool
    """Whether it is new; otherwise it only got a new key."""
    kudos: float
    moderator: bool
    trusted: bool
