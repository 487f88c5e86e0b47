"""Make rows for tests, through the code that makes them in life. All amounts are hundredths."""

import itertools
from typing import NamedTuple

from core.kudos import settlement
from core.ledger import accounts
from core.users import directory
from core.users.keys import Keyring

KEYRING = Keyring(b"a master secret for tests only, 32+ characters")

_numbers = itertools.count(1)


class Accounts(NamedTuple):
    spendable: int
    escrow: int


async def account_pair(session, *, available=0, floor=0):
    """Accounts of somebody who can spend `available`."""
    pair = Accounts(*await accounts.open_pair(session, floor=floor))
    if available:
        await give(session, pair.spendable, available)
    return pair


async def give(session, account, amount):
    """Let an account have more."""
    await settlement.grant(
        session, key=f"test grant {next(_numbers)}", account=account, amount=amount
    )


async def user(session, *, username="Someone", available=0, **properties):
    """A registered user who can spend `available`, and the user's API key."""
    properties.setdefault("oauth_id", f"g_{next(_numbers)}")
    made, key = await directory.create(session, KEYRING, username=username, **properties)
    if available:
        await give(session, made.account_id, available)
    return made, key
