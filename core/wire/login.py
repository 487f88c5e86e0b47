"""Logging in, all of it ours: one-time codes for programs, and questions of a page's script."""

from typing import Annotated

from pydantic import Field

from core.wire.model import Answer, Request
from core.wire.scalars import Omitted, Rfc822Date, String


class LoginCodeInput(Request):
    """The code that the page shows to a logged-in user."""

    code: Annotated[String, Field(min_length=1, max_length=50)]


class ProgramLogin(Answer):
    """A login of a program."""

    token: str
    """Sent in the `apikey` header, as an API key is; shown this once."""
    expires: Rfc822Date
    id: int
    username: str
    """`username#id`."""


class PageLogin(Answer):
    """Who is logged in, in the browser that asks."""

    csrf_token: str
    """For the `X-CSRF-Token` header: with it, and without a key, calls are the user's."""
    id: Omitted[int] = None
    username: Omitted[str] = None
    """`username#id`; absent if nobody is logged in."""
