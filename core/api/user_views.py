"""Users, as seen by the public, themselves and moderators."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any
from uuid import UUID

from core.community import names, styles
from core.community.tables import Style
from core.db import Reading, now
from core.kinds.params import MEGA
from core.kudos import monthly
from core.ledger import accounts
from core.queue import progress
from core.stats import records, totals
from core.stats.records import KudosDetails
from core.stats.totals import NOTHING, UserTotals
from core.users import directory, shared_keys, suspicion
from core.users.tables import Role, User
from core.wire.kudos import to_wire
from core.wire.users import (
    MonthlyKudos,
    ResponseModelStylesUser,
    UserActiveGenerations,
    UserAmountRecords,
    UserDetails,
    UserKudosDetails,
    UserRecords,
    UserThingRecords,
)
from core.workers import fleet

ANONYMOUS_KUDOS = -5000
"""The anonymous user's balance for clients; its account is summed, not shown."""


class View(IntEnum):
    """The viewer; each sees more than the one before."""

    PUBLIC = 0
    OWNER = 1
    MODERATOR = 2


@dataclass(frozen=True, slots=True)
class _Known:
    """Data of several users, read at once, by user or account."""

    balances: Mapping[int, int]
    workers: Mapping[int, list[UUID]]
    made: Mapping[int, UserTotals]
    kudos: Mapping[int, KudosDetails]
    styles: Mapping[int, list[Style]]
    uses: Mapping[int, dict[str, int]]


def view_of(asking: User | None, user: User) -> View:
    """The caller's view of the user."""
    if asking is None:
        return View.PUBLIC
    if asking.has(Role.MODERATOR):
        return View.MODERATOR
    return View.OWNER if asking.id == user.id else View.PUBLIC


async def public(session: Reading, users: Sequence[User]) -> list[UserDetails]:
    """Users as the public sees them, by a handful of statements for any number of users."""
    known = await _known(session, users)
    return [UserDetails(**_public(user, known)) for user in users]


async def details(session: Reading, user: User, view: View) -> UserDetails:
    """A user as this view shows them."""
    known = await _known(session, [user])
    told = _public(user, known)
    if view >= View.OWNER:
        told |= await _own(session, user, known)
    if view >= View.MODERATOR:
        told |= await _confidential(session, user)
    return UserDetails(**told)


async def _known(session: Reading, users: Collection[User]) -> _Known:
    ids = {user.id for user in users}
    return _Known(
        balances=await accounts.balances(session, {user.account_id for user in users}),
        workers=await fleet.ids_of(session, ids),
        made=await totals.of_users(session, ids),
        kudos=await records.kudos_details(session, users),
        styles=_by_user(await styles.of_users(session, ids)),
        uses=await styles.uses_of(session, ids),
    )


def _by_user(several: Iterable[Style]) -> dict[int, list[Style]]:
    found: dict[int, list[Style]] = {}
    for style in several:
        found.setdefault(style.user_id, []).append(style)
    return found


def _public(user: User, known: _Known) -> dict[str, Any]:
    workers = known.workers.get(user.id, [])
    balance = ANONYMOUS_KUDOS if user.is_anonymous else known.balances[user.account_id]
    return {
        "username": user.alias,
        "id": user.id,
        "kudos": to_wire(balance),
        "concurrency": user.concurrency,
        "worker_invited": user.worker_invited,
        "moderator": user.has(Role.MODERATOR),
        "kudos_details": _kudos(user, known.kudos[user.id]),
        "worker_count": len(workers),
        "worker_ids": [str(one) for one in workers] if user.public_workers else None,
        "styles": _styles(user, (one for one in known.styles.get(user.id, []) if one.public)),
        "trusted": user.has(Role.TRUSTED),
        "flagged": user.has(Role.FLAGGED),
        "service": user.has(Role.SERVICE),
        "education": user.has(Role.EDUCATION),
        "customizer": user.has(Role.CUSTOMIZER),
        "deleted": user.has(Role.DELETED),
        "pseudonymous": directory.is_pseudonymous(user.oauth_id),
        "account_age": round((now() - user.created_at).total_seconds()),
        "records": _records(known.made.get(user.id, NOTHING), known.uses.get(user.id, {})),
    }


async def _own(session: Reading, user: User, known: _Known) -> dict[str, Any]:
    keys = await shared_keys.of_user(session, user.id)
    return {
        "worker_ids": [str(one) for one in known.workers.get(user.id, [])],
        "styles": _styles(user, known.styles.get(user.id, [])),
        "sharedkey_ids": [str(key.id) for key in keys],
        "active_generations": await _active(session, user),
        "vpn": user.has(Role.VPN),
        "special": user.has(Role.SPECIAL),
        "contact": user.contact,
    }


async def _confidential(session: Reading, user: User) -> dict[str, Any]:
    escrow = 0 if user.escrow_id is None else await accounts.balance(session, user.escrow_id)
    granted = MonthlyKudos(
        amount=monthly.amount_of(user) // 100, last_received=user.monthly_received_at
    )
    return {
        "evaluating_kudos": to_wire(escrow),
        "monthly_kudos": granted,
        "suspicious": await suspicion.count(session, user.id, at=now()),
        "admin_comment": user.admin_comment,
    }


async def _active(session: Reading, user: User) -> UserActiveGenerations:
    if user.is_anonymous:
        return UserActiveGenerations(image=[], text=[])
    active = await progress.active_of(session, user.id, at=now())
    by_kind = {
        kind: [str(one.id) for one in active if one.kind == kind]
        for kind in ("image", "text", "alchemy")
    }
    return UserActiveGenerations(
        image=by_kind["image"], text=by_kind["text"], alchemy=by_kind["alchemy"] or None
    )


def _kudos(user: User, found: KudosDetails) -> UserKudosDetails:
    if user.is_anonymous:
        return UserKudosDetails()
    names = UserKudosDetails.model_fields
    return UserKudosDetails(**{name: to_wire(getattr(found, name)) for name in names})


def _styles(user: User, several: Iterable[Style]) -> list[ResponseModelStylesUser]:
    return [
        ResponseModelStylesUser(
            name=names.unique(user.alias, names.STYLE, style.name),
            id=str(style.id),
            type=style.kind,
        )
        for style in several
    ]


def _records(made: UserTotals, uses: Mapping[str, int]) -> UserRecords:
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
        style=_amounts(uses),
    )


def _amounts(by_kind: Mapping[str, int]) -> UserAmountRecords:
    return UserAmountRecords(
        image=by_kind.get("image", 0),
        text=by_kind.get("text", 0),
        interrogation=by_kind.get("alchemy", 0),
    )
