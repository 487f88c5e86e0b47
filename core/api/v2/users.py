"""`find_user` and `users/{id}`."""

from quart import Blueprint
from sqlalchemy.ext.asyncio import AsyncSession

from core.api import context
from core.api.limits import Limit
from core.api.operation import by_address, by_path, operation
from core.db import now
from core.ledger import accounts
from core.queue import progress
from core.stats import totals
from core.stats.totals import UserTotals
from core.users import directory
from core.users.tables import Role, User
from core.wire.kudos import to_wire
from core.wire.users import (
    MonthlyKudos,
    UserActiveGenerations,
    UserAmountRecords,
    UserDetails,
    UserRecords,
    UserThingRecords,
)
from core.workers import fleet

blueprint = Blueprint("users", __name__)

ANONYMOUS_KUDOS = -50.0
"""What clients see as the anonymous user's balance; its account is summed, not shown."""
MEGA = 1_000_000
LONGEST_ID = 20
"""Digits; no database has more."""


@blueprint.get("/find_user")
@operation(answers={200: UserDetails}, limit=by_address(), omit_nulls=True, errors=(401, 404))
async def find_user() -> UserDetails:
    """See who is behind an API key."""
    async with context.server().database.reading() as session:
        try:
            found = await context.user(session)
        except directory.UnknownKey:
            raise directory.UnknownUser("No user matching sent API Key.") from None
        return await _details(session, found, is_owner=True, is_moderator=False)


@blueprint.get("/users/<user_id>")
@operation(
    answers={200: UserDetails}, limit=by_path(Limit(60, 60)), omit_nulls=True, errors=(401, 404)
)
async def get_user(user_id: str) -> UserDetails:
    """See a user; the owner and moderators see more."""
    is_id = user_id.isascii() and user_id.isdecimal() and len(user_id) <= LONGEST_ID
    if not is_id:
        raise directory.UnknownUser(f"User with id '{user_id[:LONGEST_ID]}' not found.")
    async with context.server().database.reading() as session:
        asking = await context.user(session) if context.api_key() else None
        found = await directory.by_id(session, int(user_id))
        return await _details(
            session,
            found,
            is_owner=asking is not None and asking.id == found.id,
            is_moderator=asking is not None and asking.has(Role.MODERATOR),
        )


async def _details(
    session: AsyncSession, user: User, *, is_owner: bool, is_moderator: bool
) -> UserDetails:
    worker_ids = [str(i) for i in await fleet.ids_of(session, user.id)]
    sees_all = is_owner or is_moderator
    made = await totals.of_user(session, user.id)
    return UserDetails(
        username=user.alias,
        id=user.id,
        kudos=await _kudos(session, user),
        evaluating_kudos=await _escrow(session, user) if is_moderator else None,
        concurrency=user.concurrency,
        worker_invited=user.worker_invited,
        moderator=user.has(Role.MODERATOR),
        worker_count=len(worker_ids),
        worker_ids=worker_ids if sees_all or user.public_workers else None,
        sharedkey_ids=[] if sees_all else None,
        active_generations=await _active(session, user) if sees_all else None,
        monthly_kudos=MonthlyKudos(amount=user.monthly_kudos // 100) if is_moderator else None,
        trusted=user.has(Role.TRUSTED),
        flagged=user.has(Role.FLAGGED),
        vpn=user.has(Role.VPN) if sees_all else None,
        service=user.has(Role.SERVICE),
        education=user.has(Role.EDUCATION),
        customizer=user.has(Role.CUSTOMIZER),
        special=user.has(Role.SPECIAL) if sees_all else None,
        deleted=user.has(Role.DELETED),
        suspicious=0 if is_moderator else None,
        pseudonymous=directory.is_pseudonymous(user.oauth_id),
        contact=user.contact if sees_all else None,
        admin_comment=user.admin_comment if is_moderator else None,
        account_age=round((now() - user.created_at).total_seconds()),
        records=_records(made),
    )


async def _kudos(session: AsyncSession, user: User) -> float:
    if user.is_anonymous:
        return ANONYMOUS_KUDOS
    return to_wire(await accounts.balance(session, user.account_id))


async def _escrow(session: AsyncSession, user: User) -> float:
    if user.escrow_id is None:
        return 0.0
    return to_wire(await accounts.balance(session, user.escrow_id))


async def _active(session: AsyncSession, user: User) -> UserActiveGenerations:
    if user.is_anonymous:
        return UserActiveGenerations(image=[], text=[])
    ids = await progress.active_of(session, user.id)
    return UserActiveGenerations(
        image=[str(row.id) for row in ids if row.kind == "image"],
        text=[str(row.id) for row in ids if row.kind == "text"],
    )


def _records(made: UserTotals) -> UserRecords:
    return UserRecords(
        usage=UserThingRecords(
            megapixelsteps=round(made.requested_things.get("image", 0) / MEGA, 2),
            tokens=made.requested_things.get("text", 0),
        ),
        contribution=UserThingRecords(
            megapixelsteps=round(made.fulfilled_things.get("image", 0) / MEGA, 2),
            tokens=made.fulfilled_things.get("text", 0),
        ),
        request=_amounts(made.requested),
        fulfillment=_amounts(made.fulfilled),
    )


def _amounts(by_kind: dict[str, int]) -> UserAmountRecords:
    return UserAmountRecords(
        image=by_kind.get("image", 0),
        text=by_kind.get("text", 0),
        interrogation=by_kind.get("alchemy", 0),
    )
