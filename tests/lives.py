"""The steps of a request's life, for tests that look at one of them."""

from typing import NamedTuple

import factories
from core.db import now
from core.generation import ask, pop, status, submit
from core.generation.delivery import Delivery
from core.generation.specs import Requester
from core.ledger import accounts
from core.ledger.tables import Account
from core.queue import results
from core.workers import fleet


class Balances(NamedTuple):
    """Hundredths of a kudos."""

    balance: int
    held: int
    escrow: int


async def asked(session, horde, user, **changes):
    wanted, asker = factories.image_ask(**changes), Requester(user=user)
    ask.check(asker, wanted)
    return await ask.ask(session, horde, asker, wanted)


async def popped(session, horde, owner, *, amount=1, **changes):
    """What the owner's worker gets."""
    return await pop.pop(session, horde, owner, factories.declared(**changes), amount=amount)


async def submitted(session, horde, owner, attempt_id, *, state="ok", metadata=(), seed=1):
    found = await submit.look_up(session, owner, str(attempt_id), kind_name="image")
    delivery = Delivery(job_id=str(attempt_id), seed=seed, state=state, metadata=list(metadata))
    return await submit.submit(session, horde, found, delivery)


async def done(session, horde, owner, **changes):
    """Pop one picture and deliver it."""
    work = (await popped(session, horde, owner, **changes)).work
    return await submitted(session, horde, owner, work.attempt_ids[0])


async def consumed(session, settled):
    """What the requester paid for the last picture of a request."""
    *_, last = await results.of(session, settled.request_id)
    return last.charge


async def looked(session, horde, request_id):
    return await status.look(session, horde, str(request_id))


async def balances(session, user):
    account = await factories.row(session, Account, user.account_id)
    escrow = await accounts.balance(session, user.escrow_id)
    return Balances(account.balance, account.held, escrow)


async def worker_named(session, owner, name="a worker"):
    """A worker that has checked in and is online."""
    return await fleet.check_in(session, owner, factories.declared(name=name), at=now())
