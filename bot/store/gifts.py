"""Kudos given by a reaction: once for each giver, message and emoji, whatever happens."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.database import now, table
from bot.store.tables import GiftRow

_GIFTS: Final = table(GiftRow)


class GiftState(StrEnum):
    """Where a gift is."""

    WAITING = "waiting"
    """Until its receiver logs in."""
    PAID = "paid"
    REFUSED = "refused"
    EXPIRED = "expired"


@dataclass(frozen=True)
class Gift:
    """One row of `gifts`."""

    id: int
    giver_id: int
    receiver_id: int
    message_id: int
    channel_id: int
    emoji: str
    amount: int
    state: str
    created: datetime


async def add(connection: AsyncConnection, **values: Any) -> int | None:  # noqa: ANN401
    """Store a gift; None if it was given before."""
    try:
        result = await connection.execute(
            insert(_GIFTS).values(**values, state=GiftState.WAITING, created=now())
        )
    except IntegrityError:
        return None
    return int(result.inserted_primary_key[0])  # type: ignore[index]


async def waiting(connection: AsyncConnection, receiver_id: int) -> list[Gift]:
    """Gifts that wait for a receiver."""
    mine = (_GIFTS.c.receiver_id == receiver_id) & (_GIFTS.c.state == GiftState.WAITING)
    found = await connection.execute(select(*_GIFTS.c).where(mine))
    return [Gift(**row._mapping) for row in found]  # noqa: SLF001 - SQLAlchemy's public name


async def change(connection: AsyncConnection, gift_id: int, state: GiftState) -> None:
    """Say what became of a gift."""
    await connection.execute(update(_GIFTS).where(_GIFTS.c.id == gift_id).values(state=state))


async def expire(connection: AsyncConnection, before: datetime) -> None:
    """Let gifts go that nobody claimed."""
    old = (_GIFTS.c.created < before) & (_GIFTS.c.state == GiftState.WAITING)
    await connection.execute(update(_GIFTS).where(old).values(state=GiftState.EXPIRED))
