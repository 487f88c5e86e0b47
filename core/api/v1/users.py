"""`users`: who there is."""

from uuid import uuid4

from core.accounts import changes
from core.accounts.changes import Change
from core.api import context, paging, user_views
from core.api.limits import Limit
from core.api.operation import by_address, by_path
from core.api.user_views import View
from core.api.v1.endpoint import blueprint as new_blueprint
from core.api.v1.endpoint import endpoint
from core.api.v2.users import parsed
from core.db import now
from core.errors import Invalid
from core.users import directory, listing
from core.wire import v1
from core.wire.kudos import from_wire, to_wire
from core.wire.users import UserDetails

blueprint = new_blueprint("v1_users")

LISTED = 1000
"""Users a page. In 2022 there was no page: nobody had so many users."""


class NoSuchUser(Invalid):
    """There is no user to be changed; version 1 called that a wrong call."""

    code = "BadRequest"


@blueprint.get("/users")
@endpoint(limit=by_address())
async def get_users() -> dict[str, v1.ListedUser]:
    """List users by their aliases, the oldest first; where there are many, page by page."""
    number = paging.page()
    async with context.server().database.reading() as session:
        page = await listing.page(session, number, by_age=True, size=LISTED)
        users = await user_views.public(session, page)
    return {user.username: _listed(user) for user in users}


@blueprint.get("/users/<user_id>")
@endpoint(limit=by_address())
async def get_user(user_id: str) -> v1.User:
    """See a user."""
    async with context.server().database.reading() as session:
        found = await directory.by_id(session, parsed(user_id))
        user = await user_views.details(session, found, View.PUBLIC)
    return v1.User(
        username=user.username,
        kudos=user.kudos,
        usage=_usage(user),
        contributions=_contributions(user),
        concurrency=user.concurrency,
    )


@blueprint.put("/users/<user_id>")
@endpoint(arguments=v1.UserArguments, limit=by_path(Limit(30, 60)))
async def change_user(wanted: v1.UserArguments, user_id: str) -> v1.ChangedUser:
    """Change a user, as moderators and administrators may."""
    server = context.server()
    values = wanted.model_dump(exclude_none=True, exclude={"api_key"})
    if "kudos" in values:
        values["kudos"] = from_wire(values["kudos"])
    async with server.database.writing() as session:
        by = await context.user(session)
        try:
            user = await directory.locked(session, parsed(user_id))
        except directory.UnknownUser as unknown:
            raise NoSuchUser(unknown.message) from None
        change = Change(session, server.keyring, by, user, at=now(), key=uuid4().hex)
        done = await changes.apply(change, values)
    kudos = to_wire(done["new_kudos"]) if "new_kudos" in done else None
    return v1.ChangedUser(
        new_kudos=kudos,
        concurrency=done.get("concurrency"),
        usage_multiplier=done.get("usage_multiplier"),
    )


def _listed(user: UserDetails) -> v1.ListedUser:
    details = user.kudos_details
    return v1.ListedUser(
        id=user.id,
        kudos=user.kudos,
        kudos_details=v1.KudosDetails(
            accumulated=details.accumulated,
            gifted=details.gifted,
            admin=details.admin,
            received=details.received,
        ),
        usage=_usage(user),
        contributions=_contributions(user),
        concurrency=user.concurrency,
    )


def _usage(user: UserDetails) -> v1.Usage:
    records = user.records
    return v1.Usage(megapixelsteps=records.usage.megapixelsteps, requests=records.request.image)


def _contributions(user: UserDetails) -> v1.Contributions:
    records = user.records
    return v1.Contributions(
        megapixelsteps=records.contribution.megapixelsteps, fulfillments=records.fulfillment.image
    )
