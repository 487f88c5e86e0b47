"""Make rows for tests, through the code that makes them in life. All amounts are hundredths."""

import asyncio
import contextlib
import dataclasses
import itertools
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import Integer, cast, func, select, text, update

from core.catalog import agents
from core.db import now, table
from core.events import LocalBus
from core.generation.horde import Horde
from core.generation.specs import RequestSpec
from core.images.signing import Signer
from core.images.store import FolderStore
from core.kinds.image import ImageParams
from core.kudos import settlement
from core.ledger import accounts, holds
from core.ledger.tables import SystemAccount
from core.queue import attempts, claim, endings, requests
from core.queue.lanes import Lanes
from core.queue.matching import Needs, Offer
from core.queue.tables import AttemptRow, Job, JobState
from core.settings import Settings
from core.users import directory
from core.users.keys import Keyring
from core.users.tables import SharedKey, User
from core.workers.offers import Declared
from core.workers.tables import WorkerRow

KEYRING = Keyring(b"a master secret for tests only, 32+ characters")
REGEN = "AI Horde Worker reGen:13:https://example.com"
LIFE = timedelta(minutes=20)

_BLOCKED = text(
    "select count(*) from pg_stat_activity"
    " where wait_event_type = 'Lock' and datname = current_database()"
)

_numbers = itertools.count(1)


class _Undone(Exception):
    pass


async def until_blocked(database, task):
    """Wait until something waits for a lock, which is so on PostgreSQL alone.

    Returns False where the task is done before.
    """
    async with asyncio.timeout(20), database.reading() as watching:
        while not await watching.scalar(_BLOCKED):
            if task.done():
                return False
            await asyncio.sleep(0.01)  # nobody tells of a lock
    return True


@contextlib.asynccontextmanager
async def undone(database):
    """A transaction that comes to nothing."""
    with contextlib.suppress(_Undone):
        async with database.writing() as session:
            yield session
            raise _Undone


async def row(session, model, key):
    """The row of this id."""
    rows = table(model)
    return (await session.execute(select(rows).where(rows.c.id == key))).one()


async def hold(session, *, key, account_id, amount, partly=False):
    """Set kudos aside as an ask does. Returns what is held, or None if it is not all covered."""
    funds = await accounts.locked_funds(session, account_id)
    return await settlement.accept(
        session,
        tax_key=f"tax of {key}",
        hold_key=key,
        payer_account=account_id,
        available=funds.available,
        tax=0,
        price=amount,
        partly=partly,
    )


async def release(session, key):
    """Give back what is in the hold; returns how much that is."""
    return await holds.release(session, keys=[key])


class Accounts(NamedTuple):
    spendable: int
    escrow: int


async def account_pair(session, *, available=0, floor=0):
    """Accounts of somebody who can spend `available`."""
    pair = Accounts(*await accounts.open_pair(session, floor=floor))
    if available:
        await give(session, pair.spendable, available)
    return pair


async def system_balances(session):
    """What each system account has."""
    return {one: await accounts.balance(session, one) for one in SystemAccount}


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


def person(**changes):
    """A user as one is read, whom no database knows."""
    columns = dict.fromkeys((one.name for one in dataclasses.fields(User)), None)
    known = {"id": 1, "username": "Someone", "roles": 0, "created_at": now()}
    return User(**columns | known | changes)


def friends_key(**changes):
    """A shared key as one is read, that no database knows."""
    columns = dict.fromkeys((one.name for one in dataclasses.fields(SharedKey)), None)
    limits = {"max_image_pixels": -1, "max_image_steps": -1, "max_text_tokens": -1}
    return SharedKey(**columns | limits | changes)


class Queued(NamedTuple):
    """A request that waits."""

    request_id: UUID
    lane_id: int


async def request(session, lanes, *, n=1, things=100, is_parked=lambda _needs: False, **changes):
    """A queued request of n jobs, by default the anonymous user's for any worker."""
    at = changes.pop("at", None) or now()
    life = changes.pop("life", LIFE)
    seed = changes.pop("seed", 1000)
    seeds = changes.pop("seeds", range(seed, seed + n))
    properties = {
        "kind": "image",
        "user_id": 0,
        "client_agent": "tests:1:none",
        "prompt": "a red fox",
        "params": ImageParams().to_json(),
        "needs": Needs(),
        "terms": {},
        "jobs": [requests.NewJob(seed, things) for seed in seeds],
        "priority": 0,
    }
    request_id = uuid4()
    asked = await requests.enqueue(
        session,
        lanes,
        requests.NewRequest(**properties | changes),
        request_id=request_id,
        at=at,
        expires_at=at + life,
        ageing_kudos_per_10s=50,
        is_parked=is_parked,
    )
    return Queued(request_id, next(iter(asked), None))


async def claims(session, lanes, offer=None, *, amount=1, most=1, at=None, only_own=False):
    """What a worker gets that offers this: up to `amount` jobs of each of up to `most` claims."""
    found = await claim.claim(
        session,
        lanes,
        offer or Offer(),
        at=at or now(),
        only_own=only_own,
        batch=lambda _: amount,
        most=most,
    )
    return found.claims


async def claimed(session, lanes, offer=None, **how):
    """The same of one request, or None."""
    found = await claims(session, lanes, offer, **how)
    return found[0] if found else None


async def started(session, found, *, deadline=timedelta(minutes=5), at=None, worker_id=None):
    """Begin attempts at claimed jobs; their ids."""
    at = at or now()
    return await attempts.start(
        session,
        found,
        worker_id=worker_id or uuid4(),
        owner_id=1,
        model="stable_diffusion",
        at=at,
        deadline=at + deadline,
        expires_at=at + LIFE,
    )


async def finished(session, attempt_id, *, at=None, **changes):
    """End the attempt as done, with a result; False where it was over."""
    at = at or now()
    row = await attempts.attempt(session, attempt_id)
    if row is None or row.number is None:
        return False
    result = {
        "attempt_id": attempt_id,
        "request_id": row.request_id,
        "number": row.number,
        "worker_id": row.worker_id,
        "worker_name": "a worker",
        "model": "m",
        "seed": 1,
        "state": "ok",
        "censored": False,
        "gen_metadata": [],
        "text": None,
        "form": None,
    }
    return await endings.finish(
        session,
        attempt_id,
        at=at,
        result=result,
        expires_at=at + LIFE,
        **{"charge": 1, "reward": 1, "things": 1, **changes},
    )


async def states(session, request_id):
    """The states of a request's jobs, in order."""
    of_request = select(Job.state).where(Job.request_id == request_id).order_by(Job.number)
    return list(await session.scalars(of_request))


async def outcomes(session, request_id):
    """The outcomes of a request's attempts, sorted."""
    of_request = select(AttemptRow.outcome).where(AttemptRow.request_id == request_id)
    return sorted(await session.scalars(of_request))


def horde(folder: Path, *, max_lanes=2000, **settings):
    """The parts of a server, without the server."""
    store = FolderStore(folder / "pictures", "http://127.0.0.1", Signer(b"s" * 32), 1800)
    return Horde(
        settings=Settings(data_dir=folder, **settings),
        store=store,
        bus=LocalBus(),
        lanes=Lanes(max_lanes),
    )


def image_ask(*, params=None, **changes):
    """A request for one picture by any model, as anybody may make it."""
    properties = {
        "kind": "image",
        "prompt": "a red fox",
        "params": params or ImageParams(),
        "n": 1,
        "models": [],
        "seed": None,
        "seed_variation": None,
        "nsfw": False,
        "trusted_workers": False,
        "slow_workers": True,
        "extra_slow_workers": False,
        "workers": [],
        "worker_blacklist": False,
        "allow_downgrade": False,
        "client_agent": "tests:1:none",
    }
    return RequestSpec(**properties | changes)


def declared(*, agent=REGEN, **changes):
    """What a worker says that makes any picture by one model."""
    properties = {
        "kind": "image",
        "name": "a worker",
        "agent": agent,
        "program": agents.agent(agent),
        "threads": 1,
        "models": ["stable_diffusion"],
        "permissions": frozenset({"img2img", "painting", "post-processing", "lora", "controlnet"}),
        "nsfw": True,
        "extra_slow": False,
        "only_covered": False,
        "blacklist": [],
        "priority_usernames": [],
    }
    return Declared(**properties | changes)


async def change_worker(session, worker_id, **values):
    """Set columns of a worker."""
    workers = table(WorkerRow)
    await session.execute(update(workers).where(workers.c.id == worker_id).values(**values))


async def first_waiting(session, request_id):
    """`rank` and `id` of the request's first waiting job, and the `things` of all."""
    waiting = select(
        func.min(Job.rank).label("rank"),
        func.min(Job.id).label("id"),
        cast(func.sum(Job.things), Integer).label("things"),
    ).where(Job.request_id == request_id, Job.state == JobState.WAITING)
    return (await session.execute(waiting)).one()


def able():
    """The offer of a worker that takes anything of any model."""
    program = agents.agent(REGEN)
    permissions = frozenset({*declared().permissions, "sdxl_controlnet"})
    return Offer(features=program.features, permissions=permissions, trusted=True)


async def worker_sums(session, name):
    """The worker's row, for its roll-ups."""
    workers = table(WorkerRow)
    return (await session.execute(select(workers).where(workers.c.name == name))).one()
