"""The life of a letter, from the outbox to its delivery: each function is a step of it.

    put → (claim → again)* → claim → delivered | given up

Nothing here sends: a courier claims letters in one transaction, sends them outside of any, and
records the outcome in another.
"""

import json
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from sqlalchemy import delete, func, insert, select, update

from core.db import Reading, Writing, table
from core.outbox.tables import Letter, LetterRow

LIFE: Final = timedelta(minutes=20)
"""As long as the result that a webhook announces can be looked up; then nobody waits for it."""
CLAIM: Final = timedelta(seconds=30)
"""When another courier takes over a letter: longer than sending it can take."""
QUICK_TRIES: Final = 3
QUICK_PAUSE: Final = timedelta(seconds=3)
LONG_PAUSE: Final = timedelta(seconds=30)
"""The pause before the fourth try; each further one is twice as long."""
MAX_FOR_A_HOST: Final = 1000
"""How many letters may wait for one host; further ones are dropped."""

_letters = table(LetterRow)


async def put(
    session: Writing, *, user_id: int, url: str, body: Mapping[str, Any], at: datetime
) -> bool:
    """Send the body to the URL soon after the caller's transaction commits.

    user_id: whose key signs it.

    Returns False, and keeps nothing, if too much waits for that host already.
    """
    host = (urlsplit(url).hostname or "")[:255]
    waiting = select(_letters.c.id).where(_letters.c.host == host).limit(MAX_FOR_A_HOST)
    count = await session.scalar(select(func.count()).select_from(waiting.subquery()))
    if (count or 0) >= MAX_FOR_A_HOST:
        return False
    values = {"id": uuid4(), "user_id": user_id, "url": url, "host": host, "tries": 0}
    values |= {"body": json.dumps(body), "due_at": at, "expires_at": at + LIFE}
    await session.execute(insert(_letters), values)
    return True


async def is_any_due(session: Reading, *, at: datetime) -> bool:
    """Whether any letter has to be sent or given up."""
    due = select(_letters.c.id).where(_letters.c.due_at <= at).limit(1)
    return await session.scalar(due) is not None


async def claim(
    session: Writing, *, at: datetime, limit: int, per_host: int, busy: Collection[str] = ()
) -> list[Letter]:
    """Claim letters that are due; nobody else gets them for CLAIM. Old ones are deleted.

    limit: the most letters. per_host: the most for one host. busy: hosts that get none now.

    The `tries` of each count the one that begins.
    """
    await session.execute(delete(_letters).where(_letters.c.expires_at <= at))
    is_due = _letters.c.due_at <= at
    nth = func.row_number().over(partition_by=_letters.c.host, order_by=_letters.c.due_at)
    ranked = (
        select(_letters.c.id, nth.label("nth"))
        .where(is_due, _letters.c.host.not_in(busy))
        .subquery()
    )
    chosen = (
        select(_letters.c.id)
        .where(_letters.c.id.in_(select(ranked.c.id).where(ranked.c.nth <= per_host)), is_due)
        .order_by(_letters.c.due_at, _letters.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = list(await session.scalars(chosen))
    begin = (
        update(_letters)
        .where(_letters.c.id.in_(ids))
        .values(due_at=at + CLAIM, tries=_letters.c.tries + 1)
        .returning(_letters)
    )
    return [Letter(**row) for row in (await session.execute(begin)).mappings()]


async def end(session: Writing, letter_id: UUID) -> None:
    """The letter has arrived, or never will."""
    await session.execute(delete(_letters).where(_letters.c.id == letter_id))


async def again(session: Writing, letter: Letter, *, at: datetime) -> None:
    """Try again after a pause, unless the letter is too old by then."""
    due = at + pause(letter.tries)
    if due >= letter.expires_at:
        await end(session, letter.id)
        return
    await session.execute(update(_letters).where(_letters.c.id == letter.id).values(due_at=due))


def pause(tries: int) -> timedelta:
    """How long to wait after so many tries, at least one."""
    if tries < QUICK_TRIES:
        return QUICK_PAUSE
    return LONG_PAUSE * (1 << (tries - QUICK_TRIES))
