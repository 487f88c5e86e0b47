"""Users page by page."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select

from core.db import Reading, table
from core.ledger.tables import Account, AccountKind
from core.users.tables import User, UserRow

PAGE: Final = 25
LAST_PAGE: Final = 10_000

_accounts = table(Account)
_users = table(UserRow)


async def page(session: Reading, number: int, *, by_age: bool, size: int = PAGE) -> Sequence[User]:
    """A page of all users, those with most kudos first, or the oldest first.

    number: from 1 on; pages beyond LAST_PAGE are empty. The anonymous user has no balance to be
        sorted by, and is listed by age only. The page is cut out of an index, so that a late one
        costs little more than the first.
    """
    if not 1 <= number <= LAST_PAGE:
        return []
    if by_age:
        cut = select(_users.c.id).order_by(_users.c.id)
        same = _users.c.id
    else:
        cut = (
            select(_accounts.c.id)
            .where(_accounts.c.kind == AccountKind.SPENDABLE)
            .order_by(_accounts.c.balance.desc(), _accounts.c.id.desc())
        )
        same = _users.c.account_id
    ids = list(await session.scalars(cut.limit(size).offset((number - 1) * size)))
    found = await session.execute(select(_users).where(same.in_(ids)))
    by_id = {row[same.key]: User(**row) for row in found.mappings()}
    return [by_id[one] for one in ids if one in by_id]
