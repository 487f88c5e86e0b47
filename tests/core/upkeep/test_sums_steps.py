"""Roll-ups, uptime and checkpoints: what is summed is summed once."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

import factories
from core.db import Database, now, table
from core.ledger import accounts, audit
from core.ledger.tables import Checkpoint, Event, SystemAccount
from core.queue.tables import AttemptRow
from core.stats.tables import ModelTotal, Span, UserTotal
from core.upkeep import steps
from core.users import directory
from core.users.tables import Role
from core.workers.tables import WorkerRow

BATCH_OF_3 = {"width": 64, "height": 64, "steps": 2, "n": 3}
THINGS = 64 * 64 * 2


async def only(server, model):
    async with server.database.reading() as session:
        return (await session.execute(select(table(model)))).one()


class TestCount:
    @pytest.fixture
    async def worked(self, server, owner, requester):
        """Three pictures are delivered and one is given back."""
        await server.ask(key=requester.key, params=BATCH_OF_3)
        for _ in range(3):
            await server.deliver(owner.key, await server.pop(owner.key))
        await server.ask(key=requester.key, params=BATCH_OF_3)
        popped = await server.pop(owner.key)
        given_back = await server.submit(owner.key, popped["id"], state="faulted")
        assert given_back.status_code == 200

    async def made(self, server, span):
        """How many pictures of what size the buckets of a span have together."""
        sums = func.sum(ModelTotal.made), func.sum(ModelTotal.things)
        async with server.database.reading() as session:
            of_model = select(*sums).where(
                ModelTotal.span == span, ModelTotal.model == "stable_diffusion"
            )
            return tuple(map(int, (await session.execute(of_model)).one()))

    async def check(self, server, owner, requester):
        async with server.database.reading() as session:
            users = {row.user_id: row for row in await session.execute(select(table(UserTotal)))}
            earned = await session.scalar(select(func.sum(AttemptRow.reward)))
        asked, made = users[requester.id], users[owner.id]
        assert (asked.requested, asked.requested_things, asked.fulfilled) == (3, 3 * THINGS, 0)
        assert (made.fulfilled, made.fulfilled_things, made.requested) == (3, 3 * THINGS, 0)
        assert await self.made(server, Span.EVER) == await self.made(server, Span.DAY)
        assert await self.made(server, Span.DAY) == (3, 3 * THINGS)
        worker = await only(server, WorkerRow)
        assert (worker.fulfilled, worker.things, worker.uncompleted) == (3, 3 * THINGS, 1)
        assert worker.kudos_generated == earned > 0
        assert worker.speed > 0

    async def test_each_attempt_once(self, server, do, owner, requester, worked):
        for _ in range(2):
            await do(steps.count)
            await self.check(server, owner, requester)

    async def test_what_jobs_take_is_measured(self, server, do, owner, worked):
        await do(steps.count)
        worker = await only(server, WorkerRow)
        assert worker.paces.keys() == {"", "stable_diffusion"}
        assert worker.speed == pytest.approx(1 / worker.paces[""][1], rel=0.01)
        async with server.database.writing() as session:
            await session.execute(update(WorkerRow).values(paces={"another": [1.0, 1e-6]}))
        await server.deliver(owner.key, await server.pop(owner.key))
        await do(steps.count)
        worker = await only(server, WorkerRow)
        assert worker.paces.keys() == {"", "stable_diffusion", "another"}

    async def test_what_comes_later_is_added(self, server, do, owner, requester, worked):
        await do(steps.count)
        await server.deliver(owner.key, await server.pop(owner.key))
        await do(steps.count)
        assert (await only(server, WorkerRow)).fulfilled == 4
        assert (await self.made(server, Span.EVER))[0] == 4

    async def test_once_also_where_processes_count_at_the_same_time(
        self, server, owner, requester, worked, monkeypatch
    ):
        """Even without the lease, which keeps them from it."""
        monkeypatch.setattr(steps, "BATCH", 1)
        processes = [Database(server.settings.database) for _ in range(3)]

        async def count(process):
            more = True
            while more:
                async with process.writing() as session:
                    more, _ = await steps.count(session, server.horde, now())

        await asyncio.gather(*map(count, processes))
        for process in processes:
            await process.close()
        await self.check(server, owner, requester)

    async def test_what_is_going_on_is_not_counted(self, server, do, owner):
        await server.ask()
        await server.pop(owner.key)
        await do(steps.count)
        worker = await only(server, WorkerRow)
        assert (worker.fulfilled, worker.uncompleted, worker.speed) == (0, 0, None)


@pytest.fixture
def there(server):
    """Says how long the only worker has been there."""

    async def set_seconds(seconds, **values):
        async with server.database.writing() as session:
            await session.execute(update(WorkerRow).values(uptime_seconds=seconds, **values))

    return set_seconds


async def purse(server, person):
    """What a user can spend beyond the floor, and what lies in escrow; the ledger is sound."""
    async with server.database.reading() as session:
        assert (await audit.audit(session)).balanced
        user = await directory.by_id(session, person.id)
        return (
            await accounts.balance(session, user.account_id) - 2500,
            await accounts.balance(session, user.escrow_id),
        )


class TestPayUptime:
    A_UNIT = 5000 + 2 * 200  # of two models

    @pytest.fixture
    async def trusted(self, server):
        person = await server.user("Trusted", roles=int(Role.TRUSTED))
        await server.pop(person.key, models=["stable_diffusion", "Deliberate"])
        return person

    async def test_nothing_before_600_seconds(self, server, do, trusted, there):
        await there(599)
        await do(steps.pay_uptime)
        assert await purse(server, trusted) == (0, 0)

    async def test_each_600_seconds_once(self, server, do, trusted, there):
        await there(1250)
        for _ in range(2):
            await do(steps.pay_uptime)
            assert await purse(server, trusted) == (2 * self.A_UNIT, 0)
        await there(1799)
        await do(steps.pay_uptime)
        assert await purse(server, trusted) == (2 * self.A_UNIT, 0)
        await there(1800)
        await do(steps.pay_uptime)
        assert await purse(server, trusted) == (3 * self.A_UNIT, 0)
        worker = await only(server, WorkerRow)
        assert (worker.uptime_rewarded_seconds, worker.kudos_uptime) == (1800, 3 * self.A_UNIT)

    async def test_who_is_not_trusted_gets_it_in_escrow(self, server, do, owner, there):
        await server.pop(owner.key)
        await there(600)
        await do(steps.pay_uptime)
        assert await purse(server, owner) == (0, 5200)

    async def test_loras_are_worth_more(self, server, do, owner, there):
        await server.pop(owner.key, allow_lora=True)
        await there(600)
        await do(steps.pay_uptime)
        assert await purse(server, owner) == (0, 5200 + 3000)

    async def test_it_is_minted(self, server, do, trusted, there):
        await there(600)
        await do(steps.pay_uptime)
        async with server.database.reading() as session:
            assert (await factories.system_balances(session))[SystemAccount.UPTIME] == -self.A_UNIT

    async def test_once_also_where_processes_pay_at_the_same_time(self, server, trusted, there):
        """Even without the lease, which keeps them from it."""
        await there(1200)
        processes = [Database(server.settings.database) for _ in range(3)]

        async def pay(process):
            async with process.writing() as session:
                await steps.pay_uptime(session, server.horde, now())

        await asyncio.gather(*map(pay, processes))
        for process in processes:
            await process.close()
        assert await purse(server, trusted) == (2 * self.A_UNIT, 0)

    async def test_all_of_a_batch(self, server, do, owner, trusted, there):
        await server.pop(owner.key, name="another")
        await there(600)
        await do(steps.pay_uptime)
        assert await purse(server, trusted) == (self.A_UNIT, 0)
        assert await purse(server, owner) == (0, 5200)


class TestCheckpoint:
    async def test_sums_go_on_from_it(self, server, do, requester):
        async with server.database.writing() as session:
            before = await factories.system_balances(session)
            await session.execute(update(Event).values(at=now() - timedelta(hours=2)))
        for _ in range(2):
            await do(steps.checkpoint)
            async with server.database.reading() as session:
                made = list(await session.scalars(select(Checkpoint.account_id)))
                assert sorted(made) == sorted(SystemAccount)
                assert await factories.system_balances(session) == before
        async with server.database.writing() as session:
            user = await directory.by_id(session, requester.id)
            await factories.give(session, user.account_id, 700)
        async with server.database.reading() as session:
            after = await factories.system_balances(session)
            assert after[SystemAccount.GRANTS] == before[SystemAccount.GRANTS] - 700
            assert (await audit.audit(session)).balanced
