"""Upkeep beside settlements: both lock accounts, and must do so in the same order."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select, update

import factories
import serving
from core.db import Database, now, table
from core.ledger import accounts
from core.queue.tables import RequestRow
from core.upkeep import steps
from core.users.tables import UserRow
from core.workers.tables import WorkerRow

SMALL = {"width": 64, "height": 64, "n": 1}


@pytest.fixture
async def server(postgres_url, tmp_path):
    """SQLite has one writer at a time: there is nobody to wait for."""
    async with serving.in_process(postgres_url, tmp_path / "data") as server:
        yield server


@pytest.fixture
async def people(server):
    """Three who ask and have workers; what upkeep finds of them is in the order 2, 0, 1."""
    return [await server.user(f"Person {number}", kudos=100) for number in range(3)]


async def account_ids(server, people):
    async with server.database.reading() as session:
        ids = [person.id for person in people]
        rows = table(UserRow).c
        found = select(rows.account_id, rows.escrow_id).where(rows.id.in_(ids)).order_by(rows.id)
        return (await session.execute(found)).all()


async def check_order(server, step, at, locked):
    """Do a step while somebody else locks accounts in order, the last one late.

    Had the step the last and waited for the first, the two would wait for each other.
    """
    another = Database(server.settings.database)

    async def do():
        async with server.database.writing() as session:
            await step(session, server.horde, at)

    async with another.writing() as session:
        await accounts.lock(session, locked[:1])
        doing = asyncio.create_task(do())
        assert await factories.until_blocked(server.database, doing), "it did not want the account"
        await accounts.lock(session, locked[1:])
    await asyncio.wait_for(doing, 20)
    await another.close()


async def test_uptime(server, people):
    for name, person in zip("bca", people, strict=True):
        await server.pop(person.key, name=name)
    async with server.database.writing() as session:
        await session.execute(update(WorkerRow).values(uptime_seconds=600))
    locked = [escrow for _, escrow in await account_ids(server, people)]
    await check_order(server, steps.pay_uptime, now(), locked)


@pytest.fixture
async def requests(server, people):
    """One request of each, with a hold."""
    return [await server.ask(key=person.key, params=SMALL) for person in people]


async def test_expiry(server, people, requests):
    for number, request_id in enumerate(requests):
        ends = now() - timedelta(minutes=(7, 6, 8)[number])
        async with server.database.writing() as session:
            await session.execute(
                update(RequestRow).where(RequestRow.id == request_id).values(expires_at=ends)
            )
    locked = [account for account, _ in await account_ids(server, people)]
    await check_order(server, steps.expire, now(), locked)


async def test_stale_attempts(server, people, requests):
    """A cancelled request's hold is given back when its last attempt ends."""
    for person in people:
        await server.pop(person.key, name=f"worker of {person.alias}")
    for request_id in requests:
        await server.call("DELETE", f"/generate/status/{request_id}")
    locked = [account for account, _ in await account_ids(server, people)]
    await check_order(server, steps.abort_stale, now() + timedelta(minutes=15), locked)
