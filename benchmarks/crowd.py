"""Fills a database by SQL with a crowd: users with their kudos, workers online, and roll-ups."""

import random
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select

from benchmarks import horde
from benchmarks.engines import Engine
from core.catalog import agents
from core.catalog import models as catalog
from core.db import now, table
from core.ledger.tables import Account, AccountKind
from core.queue.matching import Offer
from core.stats.rollup import EPOCH
from core.stats.tables import KudosTotal, ModelTotal, Span, UserTotal
from core.users.tables import UserRow
from core.workers.tables import WorkerRow

BATCH = 5_000
STAYS = timedelta(hours=1)
"""The workers were seen so far in the future that they are online as long as the benchmark runs."""
MODELS = 30
"""Of each worker."""
MINUTES, HOURS, DAYS = 60, 24, 31

Row = dict[str, Any]


def fill(engine: Engine, *, users: int, workers: int, used: bool = True) -> None:
    """Add so many of each, the same ones in every run.

    used: with the sums of a month in which each model was made.
    """
    engine.run(_fill(engine, users, workers, used=used))


async def _fill(engine: Engine, users: int, workers: int, *, used: bool) -> None:
    chance = random.Random(1)  # noqa: S311 - nothing secret
    async with engine.opened() as database:
        async with database.writing() as session:
            top = (await session.scalars(select(Account.id).order_by(Account.id.desc()))).first()
            newest = select(UserRow.id).order_by(UserRow.id.desc())
            first_user = (await session.scalars(newest)).first()
        start, first = (top or 0) + 1, (first_user or 0) + 1
        for rows, of in (
            (_accounts(start, users, chance), Account),
            (_users(first, start, users), UserRow),
            (_user_totals(first, users, chance), UserTotal),
            (_kudos(start, users, chance), KudosTotal),
            (_workers(first, users, workers, chance), WorkerRow),
            (_model_totals(chance) if used else (), ModelTotal),
        ):
            for batch in _batches(rows):
                async with database.writing() as session:
                    await session.execute(insert(table(of)), batch)
    await engine.tidy()


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    left = iter(rows)
    while batch := list(islice(left, BATCH)):
        yield batch


def _accounts(start: int, users: int, chance: random.Random) -> Iterator[Row]:
    for account in range(start, start + 2 * users):
        is_escrow = (account - start) % 2
        yield {
            "id": account,
            "kind": AccountKind.ESCROW if is_escrow else AccountKind.SPENDABLE,
            "floor": 0,
            "balance": 0 if is_escrow else round(chance.paretovariate(0.5) * 100) % 10**12,
            "held": 0,
        }


def _users(first: int, start: int, users: int) -> Iterator[Row]:
    for number in range(users):
        yield {
            "id": first + number,
            "username": f"Somebody {number}",
            "oauth_id": f"crowd-{number}",
            "account_id": start + 2 * number,
            "escrow_id": start + 2 * number + 1,
            "roles": 0,
            "public_workers": number % 3 == 0,
        }


def _user_totals(first: int, users: int, chance: random.Random) -> Iterator[Row]:
    for number in range(users):
        for kind in ("image", "text"):
            yield {
                "user_id": first + number,
                "kind": kind,
                "requested": chance.randrange(10**4),
                "requested_things": chance.randrange(10**12),
                "fulfilled": 0,
                "fulfilled_things": 0,
            }


def _kudos(start: int, users: int, chance: random.Random) -> Iterator[Row]:
    for number in range(users):
        for kind in ("settlement", "tax", "transfer"):
            yield {
                "account_id": start + 2 * number,
                "kind": kind,
                "gained": chance.randrange(10**8),
                "lost": -chance.randrange(10**8),
                "gains": 1,
            }


def _workers(first: int, users: int, workers: int, chance: random.Random) -> Iterator[Row]:
    program = f"{agents.OURS}:1:https://github.com/stable-horde/stable-horde"
    known = list(catalog.known())
    for number in range(workers):
        worker_id = UUID(int=chance.getrandbits(128), version=4)
        owner = first + chance.randrange(users)
        offer = Offer(
            worker_id=str(worker_id),
            user_id=owner,
            models=frozenset(chance.sample(known, min(MODELS, len(known)))),
            features=agents.agent(program).features,
            permissions=frozenset({"img2img", "painting", "post-processing", "lora"}),
            pixels=horde.LARGEST,
            users=frozenset({owner}),
        )
        yield {
            "id": worker_id,
            "kind": "image",
            "name": f"worker {number}",
            "name_key": f"worker {number}",
            "user_id": owner,
            "seen_at": now() + STAYS,
            "agent": program,
            "threads": 1 + number % 3,
            "offer": offer.to_json(),
            "speed": 1e6 * chance.random(),
            "fulfilled": chance.randrange(10**6),
            "things": chance.randrange(10**12),
            "kudos_generated": chance.randrange(10**9),
            "uptime_seconds": chance.randrange(10**7),
        }


def _model_totals(chance: random.Random) -> Iterator[Row]:
    """Each known model was used in every minute, hour and day that is asked about."""
    at = now().replace(second=0, microsecond=0)
    starts: list[tuple[Span, datetime]] = [(Span.EVER, EPOCH)]
    starts += [(Span.MINUTE, at - timedelta(minutes=age)) for age in range(MINUTES)]
    starts += [(Span.HOUR, at.replace(minute=0) - timedelta(hours=age)) for age in range(HOURS)]
    starts += [
        (Span.DAY, at.replace(hour=0, minute=0) - timedelta(days=age)) for age in range(DAYS)
    ]
    for span, start in starts:
        for model in catalog.known():
            yield {
                "span": span,
                "start": start,
                "kind": "image",
                "model": model,
                "made": chance.randrange(10**4),
                "things": chance.randrange(10**12),
            }
