"""Shared keys at work: finding one, what it allows, and what is left of its budget.

Who asks with a shared key asks as its owner, with the owner's priority; the owner pays, and each
charge is taken from the key's budget too. Amounts are hundredths of a kudos.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import Enum, auto
from uuid import UUID

from sqlalchemy import bindparam, case, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import table
from core.errors import Forbidden, Invalid
from core.users.tables import SharedKey

UNLIMITED = -1
"""What a limit on pixels, steps or tokens says where there is none."""

_keys = table(SharedKey)


class SharedKeyEmpty(Forbidden):
    """Nothing is left of the key's budget."""

    code = "SharedKeyEmpty"


class SharedKeyExpired(Forbidden):
    """The key's time is over."""

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
    """As whom a request with a shared key runs."""

    OWNER = auto()
    """As the key's owner, with the owner's priority."""
    LAST = auto()
    """As the owner, after everybody: its cost is more than is left of the budget."""
    ANONYMOUS = auto()
    """As the anonymous user, after everybody: the budget is empty."""


def parse(text: str) -> UUID | None:
    """The id of a shared key, if the text can be one; users' keys are no UUIDs."""
    try:
        return UUID(text)
    except ValueError:
        return None


async def by_key(session: AsyncSession, text: str) -> SharedKey | None:
    """The shared key that was sent, if it is one."""
    key_id = parse(text)
    return None if key_id is None else await by_id(session, key_id)


async def by_id(session: AsyncSession, key_id: UUID) -> SharedKey | None:
    """The shared key with this id: a copy that belongs to no session."""
    row = (await session.execute(_BY_ID, {"key": key_id})).mappings().first()
    return None if row is None else SharedKey(**row)


_BY_ID = select(_keys).where(_keys.c.id == bindparam("key"))


async def of_user(session: AsyncSession, user_id: int) -> Sequence[SharedKey]:
    """The user's shared keys, the oldest first."""
    found = await session.execute(
        select(_keys).where(_keys.c.user_id == user_id).order_by(_keys.c.created_at, _keys.c.id)
    )
    return [SharedKey(**row) for row in found.mappings()]


async def count_of(session: AsyncSession, user_id: int) -> int:
    """How many shared keys the user has."""
    counted = select(func.count()).select_from(_keys).where(_keys.c.user_id == user_id)
    return (await session.scalars(counted)).one()


def is_expired(key: SharedKey, *, at: datetime) -> bool:
    """Whether the key's time is over."""
    return key.expires_at is not None and key.expires_at <= at


def check_usable(key: SharedKey, *, at: datetime, allow_downgrade: bool) -> Standing:
    """As whom a request may run before its cost is known: as the owner, or anonymously.

    Raises SharedKeyExpired, and SharedKeyEmpty where the request may not be downgraded.
    """
    if is_expired(key, at=at):
        raise SharedKeyExpired("This shared key has expired.")
    if key.budget is None or key.budget > 0:
        return Standing.OWNER
    if not allow_downgrade:
        raise SharedKeyEmpty("This shared key has no kudos left.")
    return Standing.ANONYMOUS


def check_limits(  # noqa: PLR0913 - what a request is, and what it may become
    key: SharedKey,
    *,
    at: datetime,
    cost: int,
    allow_downgrade: bool,
    pixels: int = 0,
    steps: int = 0,
    tokens: int = 0,
    from_style: bool = False,
) -> Standing:
    """As whom a request may run that costs so much and is so large.

    cost: what the request is expected to cost in all, hundredths of a kudos.
    pixels, steps, tokens: the size of one picture or text; 0 for another kind's.
    from_style: a style brought the key, whose owner chose the size: the limits do not hold.

    Raises SharedKeyExpired, BeyondSharedKey, and where the request may not be downgraded
    SharedKeyEmpty and SharedKeyInsufficientKudos.
    """
    standing = check_usable(key, at=at, allow_downgrade=allow_downgrade)
    if standing is Standing.ANONYMOUS:
        return standing
    if not from_style:
        _check_size("pixels", pixels, key.max_image_pixels)
        _check_size("steps", steps, key.max_image_steps)
        _check_size("tokens", tokens, key.max_text_tokens)
    if key.budget is None or cost <= key.budget:
        return Standing.OWNER
    if not allow_downgrade:
        raise SharedKeyInsufficientKudos(
            f"This shared key has {key.budget / 100:.2f} kudos left, and the request would cost "
            f"{cost / 100:.2f}."
        )
    return Standing.LAST


def _check_size(what: str, size: int, most: int) -> None:
    if most != UNLIMITED and size > most:
        raise BeyondSharedKey(f"This shared key allows {most} {what} at most, not {size}.")


async def consume(session: AsyncSession, key_id: UUID, amount: int) -> None:
    """Take a charge from the key's budget, down to zero: what it lacks, its owner alone pays.

    One statement, so that of two charges at once none is lost. Call it before the accounts of the
    settlement are locked, which is the order that `kudos.transfers` has too. A key that is gone by
    now is passed over.
    """
    left = case((_keys.c.budget < amount, 0), else_=_keys.c.budget - amount)
    await session.execute(
        update(_keys)
        .where(_keys.c.id == key_id)
        .values(budget=left, utilized=_keys.c.utilized + amount)
    )


async def add(session: AsyncSession, key_id: UUID, amount: int) -> None:
    """Let more be spent with the key; nothing changes where its budget has no limit."""
    await session.execute(
        update(_keys).where(_keys.c.id == key_id).values(budget=_keys.c.budget + amount)
    )
