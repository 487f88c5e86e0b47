"""`users`: the users of the horde."""

from uuid import uuid4

from core.accounts import changes
from core.accounts.changes import UserChange
from core.api import callers, context, paging
from core.api.limits import Limit
from core.api.operation import by_address, by_path
from core.api.user_views import ANONYMOUS_KUDOS
from core.api.v1.endpoint import blueprint as new_blueprint
from core.api.v1.endpoint import endpoint
from core.api.v2.users import parsed
from core.db import now
from core.errors import Invalid
from core.kinds.params import MEGA
from core.ledger import accounts
from core.stats import records, totals
from core.stats.records import KudosDetails
from core.stats.totals import NOTHING, UserTotals
from core.users import directory, listing
from core.users.tables import User
from core.wire import v1
from core.wire.kudos import from_wire, to_wire

blueprint = new_blueprint("v1_users")

LISTED = 100
"""Users for each page. In 2022 there were no pages: no horde had so many users."""


class NoSuchUser(Invalid):
    """There is no user to be changed; in version 1 that was a bad request."""

    code = "BadRequest"


@blueprint.get("/users")
@endpoint(limit=by_address())
async def get_users() -> dict[str, v1.ListedUser]:
    """List users by their aliases, oldest first, page by page if there are many."""
    number = paging.page()
    async with context.server().database.reading() as session:
        users = await listing.page(session, number, by_age=True, size=LISTED)
        balances = await accounts.balances(session, {user.account_id for user in users})
        made = await totals.of_users(session, {user.id for user in users})
        details = await records.kudos_details(session, users)
    return {
        user.alias: _listed(
            user, balances.get(user.account_id, 0), made.get(user.id, NOTHING), details[user.id]
        )
        for user in users
    }


@blueprint.get("/users/<user_id>")
@endpoint(limit=by_address())
async def get_user(user_id: str) -> v1.User:
    """See a user."""
    async with context.server().database.reading() as session:
        user = await directory.by_id(session, parsed(user_id))
        balances = await accounts.balances(session, {user.account_id})
        made = await totals.of_user(session, user.id)
    return v1.User(
        username=user.alias,
        kudos=_kudos(user, balances.get(user.account_id, 0)),
        usage=_usage(made),
        contributions=_contributions(made),
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
    async with callers.writing() as session:
        by = await context.user(session)
        try:
            user = await directory.locked(session, parsed(user_id))
        except directory.UnknownUser as unknown:
            raise NoSuchUser(unknown.message) from None
        change = UserChange(session, server.keyring, by, user, at=now(), key=uuid4().hex)
        done = await changes.apply(change, values)
    kudos = to_wire(done["new_kudos"]) if "new_kudos" in done else None
    return v1.ChangedUser(
        new_kudos=kudos,
        concurrency=done.get("concurrency"),
        usage_multiplier=done.get("usage_multiplier"),
    )


def _listed(user: User, balance: int, made: UserTotals, details: KudosDetails) -> v1.ListedUser:
    return v1.ListedUser(
        id=user.id,
        kudos=_kudos(user, balance),
        kudos_details=v1.KudosDetails(
            accumulated=to_wire(details.accumulated),
            gifted=to_wire(details.gifted),
            admin=to_wire(details.admin),
            received=to_wire(details.received),
        ),
        usage=_usage(made),
        contributions=_contributions(made),
        concurrency=user.concurrency,
    )


def _kudos(user: User, balance: int) -> float:
    return to_wire(ANONYMOUS_KUDOS if user.is_anonymous else balance)


def _usage(made: UserTotals) -> v1.Usage:
    return v1.Usage(
        megapixelsteps=round(made.requested_things.get("image", 0) / MEGA, 2),
        requests=made.requested.get("image", 0),
    )


def _contributions(made: UserTotals) -> v1.Contributions:
    return v1.Contributions(
        megapixelsteps=round(made.fulfilled_things.get("image", 0) / MEGA, 2),
        fulfillments=made.fulfilled.get("image", 0),
    )
