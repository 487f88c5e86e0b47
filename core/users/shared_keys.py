"""Shared keys at work: finding one, what it allows, and what is left of its budget.

A request with a shared key runs as its owner's, with the owner's priority; the owner pays, and each
charge is also taken from the key's budget. A request reserves what it may cost, so that several at
once cannot spend the same budget. Amounts are hundredths of a kudos.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from enum import Enum, auto
from uuid import UUID

from sqlalchemy import bindparam, case, delete, func, insert, select, update

from core.db import Reading, Writing, table
from core.errors import Forbidden, Invalid
from core.prepared import prepared
from core.users.tables import SharedKey, SharedKeyHold, SharedKeyRow

TERM = "shared_key"
"""The name, in a request's terms, of the key that it was sent with."""
UNLIMITED = -1
"""The value of a limit on pixels, steps or tokens that means no limit."""

_holds = table(SharedKeyHold)
_keys = table(SharedKeyRow)


class SharedKeyEmpty(Forbidden):
    """Nothing is left of the key's budget."""

    code = "SharedKeyEmpty"


class SharedKeyExpired(Forbidden):
    """The key has expired."""

    code = "SharedKeyExpired"


class SharedKeyInsufficientKudos(Forbidden):
    """What is left of the key's budget is less than the request would cost."""

    code = "SharedKeyInsufficientKudos"


class SharedKeyAssignedStyles(Forbidden):
    """The key pays for styles, so it can't be used by itself."""

    code = "SharedKeyAssignedStyles"


class BeyondSharedKey(Invalid):
    """The request is larger than the key's owner allows."""

    code = "BadRequest"


class Standing(Enum):
    """How a request with a shared key runs."""

    OWNER = auto()
    """As the key's owner, with the owner's priority."""
    LAST = auto()
    """As the owner, after everybody else: it costs more than is left of the budget."""
    ANONYMOUS = auto()
    """As the anonymous user, after everybody else: the budget is empty."""


def parse(text: str) -> UUID | None:
    """The id of a shared key, if the text can be one; users' API keys are never UUIDs."""
    try:
        return UUID(text)
    except ValueError:
        return None


async def by_key(session: Reading, text: str) -> SharedKey | None:
    """The shared key that was sent, if it is one."""
    key_id = parse(text)
    return None if key_id is None else await by_id(session, key_id)


async def by_id(session: Reading, key_id: UUID) -> SharedKey | None:
    """The shared key with this id."""
    row = (await session.execute(_BY_ID, {"key": key_id})).mappings().first()
    return None if row is None else SharedKey(**row)


_BY_ID = prepared(select(_keys).where(_keys.c.id == bindparam("key")))


async def of_user(session: Reading, user_id: int) -> Sequence[SharedKey]:
    """The user's shared keys, the oldest first."""
    found = await session.execute(
        select(_keys).where(_keys.c.user_id == user_id).order_by(_keys.c.created_at, _keys.c.id)
    )
    return [SharedKey(**row) for row in found.mappings()]


async def count_of(session: Reading, user_id: int) -> int:
    """How many shared keys the user has."""
    counted = select(func.count()).select_from(_keys).where(_keys.c.user_id == user_id)
    return (await session.scalars(counted)).one()


def is_expired(key: SharedKey, *, at: datetime) -> bool:
    """Whether the key has expired."""
    return key.expires_at is not None and key.expires_at <= at


def check_usable(key: SharedKey, *, at: datetime, allow_downgrade: bool) -> Standing:
    """How a request may run as far as known before its cost is: as the owner, or anonymously.

    Raises SharedKeyExpired, and SharedKeyEmpty if the request may not be downgraded.
    """
    if is_expired(key, at=at):
        raise SharedKeyExpired("This shared key has expired.")
    if key.budget is None or key.budget > 0:
        return Standing.OWNER
    if not allow_downgrade:
        raise SharedKeyEmpty("This shared key has no kudos left.")
    return Standing.ANONYMOUS


def check_size(key: SharedKey, *, pixels: int = 0, steps: int = 0, tokens: int = 0) -> None:
    """Raise BeyondSharedKey for a picture or text larger than the key's owner allows."""
    limits = (
        ("pixels", pixels, key.max_image_pixels),
        ("steps", steps, key.max_image_steps),
        ("tokens", tokens, key.max_text_tokens),
    )
    for what, size, most in limits:
        if most != UNLIMITED and size > most:
            raise BeyondSharedKey(f"This shared key allows {most} {what} at most, not {size}.")


async def reserve(
    session: Writing, key_id: UUID, request_id: UUID, cost: int, *, allow_downgrade: bool
) -> Standing:
    """Reserve what a request may cost in the key's budget, so that no other request spends it.

    cost: the most that the request can cost in all. If less is left, a request that may be
        downgraded gets what there is and runs after everybody else.

    Raises SharedKeyInsufficientKudos, and SharedKeyExpired if the key was just deleted.
    """
    key = (await session.execute(_LOCKED, {"key": key_id})).first()
    if key is None:  # deleted since it was looked up
        raise SharedKeyExpired("This shared key has been deleted.")
    left = cost if key.budget is None else max(0, key.budget - key.held)
    if cost > left and not allow_downgrade:
        raise SharedKeyInsufficientKudos(
            f"This shared key has {left / 100:.2f} kudos left, and the request would cost up to "
            f"{cost / 100:.2f}."
        )
    amount = min(cost, left)
    await session.execute(
        insert(_holds).values(request_id=request_id, shared_key_id=key_id, amount=amount)
    )
    await session.execute(
        update(_keys).where(_keys.c.id == key_id).values(held=_keys.c.held + amount)
    )
    return Standing.OWNER if amount == cost else Standing.LAST


_LOCKED = _BY_ID.with_for_update(key_share=True)


async def consume(session: Writing, request_id: UUID, amount: int) -> None:
    """Take a charge from the budget of the key that the request was sent with, if it was.

    It comes out of what the request has reserved; beyond that, out of what nobody has reserved, and
    the owner alone pays the rest. Like `release`, call it before accounts are locked: keys are
    always locked before accounts.
    """
    hold = (await session.execute(_HELD, {"request": request_id})).first()
    if hold is None:
        return
    taken = min(hold.amount, amount)
    await session.execute(
        update(_holds)
        .where(_holds.c.request_id == request_id)
        .values(amount=_holds.c.amount - taken)
    )
    free, beyond = _keys.c.budget - _keys.c.held, amount - taken
    spent = taken + case((free < 0, 0), (free < beyond, free), else_=beyond)
    await session.execute(
        update(_keys)
        .where(_keys.c.id == hold.shared_key_id)
        .values(
            budget=case((_keys.c.budget < spent, 0), else_=_keys.c.budget - spent),
            held=_keys.c.held - taken,
            utilized=_keys.c.utilized + amount,
        )
    )


_HELD = select(_holds).where(_holds.c.request_id == bindparam("request")).with_for_update()


async def release(session: Writing, request_ids: Collection[UUID]) -> None:
    """Give back what these finished requests have reserved; most have reserved nothing."""
    ended = await session.execute(
        delete(_holds)
        .where(_holds.c.request_id.in_(request_ids))
        .returning(_holds.c.shared_key_id, _holds.c.amount)
    )
    left: dict[UUID, int] = {}
    for hold in ended:
        left[hold.shared_key_id] = left.get(hold.shared_key_id, 0) + hold.amount
    for key_id, amount in sorted(left.items()):
        await session.execute(
            update(_keys).where(_keys.c.id == key_id).values(held=_keys.c.held - amount)
        )


async def add(session: Writing, key_id: UUID, amount: int) -> None:
    """Raise the budget of the key; nothing changes if it has no limit."""
    await session.execute(
        update(_keys).where(_keys.c.id == key_id).values(budget=_keys.c.budget + amount)
    )
