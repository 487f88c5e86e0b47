"""A visit to one of our pages: the visitor, by the session cookie, and the forms they send."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from quart import Response, g, request

from core.accounts import sessions
from core.accounts.sessions import Person
from core.api import browser, context
from core.api.limits import Counted
from core.db import now
from core.errors import Forbidden, Invalid, TooMany
from core.users.tables import User

NOBODY = Person(None, None)
Form = TypeVar("Form", bound=BaseModel)


class StaleForm(Forbidden):
    """The form was made for another browser, or before this one logged in or out."""

    code = "StaleForm"


class TooManyVisits(TooMany):
    """The address sends this too often."""

    code = "TooManyVisits"


class BadForm(Invalid):
    """A field of the form is missing or too long."""

    code = "BadForm"


class EmptyForm(BaseModel):
    """A button."""


@dataclass
class Visit:
    """The visitor.

    token: of the browser's cookie; a new one if it had none.
    """

    token: str
    person: Person = field(default=NOBODY)
    seconds: int | None = None
    """How long the browser should keep a token that it was just given; None: until it is closed."""
    is_new: bool = False

    @property
    def user(self) -> User | None:
        """The user, if logged in and registered."""
        return self.person.user

    @property
    def csrf_token(self) -> str:
        """The CSRF token for forms of this visit."""
        return browser.csrf_token(context.server().keyring, self.token)

    def became(self, token: str) -> None:
        """The browser has logged in."""
        days = context.server().settings.session_days
        self.token, self.is_new = token, True
        self.seconds = round(timedelta(days=days).total_seconds())

    def left(self) -> None:
        """The browser has logged out."""
        self.token, self.is_new, self.seconds = sessions.new_token(), True, None
        self.person = NOBODY

    def remember(self, response: Response) -> None:
        """Let the browser keep its token, if it has changed."""
        if self.is_new:
            context.cookie().give(response, self.token, seconds=self.seconds)


async def current() -> Visit:
    """The visitor, looked up once for each request."""
    if "visit" not in g:
        g.visit = await _look_up()
    visit: Visit = g.visit
    return visit


async def _look_up() -> Visit:
    token = context.cookie().token()
    if not token:
        return Visit(sessions.new_token(), is_new=True)
    server = context.server()
    async with server.database.reading() as session:
        person = await sessions.person(session, server.keyring, token, at=now())
    return Visit(token, person or NOBODY)


def life() -> timedelta:
    """How long a login in a browser lasts."""
    return timedelta(days=context.server().settings.session_days)


async def form(model: type[Form]) -> Form:
    """The submitted form, from a page that was made for this browser.

    Raises StaleForm, and BadForm if the fields are not the model's.
    """
    fields = (await request.form).to_dict()
    server = context.server()
    is_ours = browser.is_ours(
        server.keyring,
        token=context.cookie().token(),
        csrf=fields.pop(browser.CSRF_FIELD, ""),
        base_url=server.settings.base_url,
    )
    if not is_ours:
        raise StaleForm("This form was made for another visit. Please send it again from here.")
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        raise BadForm(f"{first['loc'][0]}: {first['msg']}.") from None


async def limited(counted: Counted) -> None:
    """Count a visit. Raises TooManyVisits."""
    server = context.server()
    if server.settings.rate_limits == "off":
        return
    verdict = await server.limiter.hit(counted)
    if not verdict.allowed:
        raise TooManyVisits(
            f"That was too often ({verdict.message}). Please wait {verdict.retry_after} seconds."
        )
