"""What a check asks of the database, and that this does not grow with the workers online."""

import pytest

import factories
import serving
import statements
from core.api.v2 import watch
from core.db import now
from core.users.tables import Role
from core.workers import fleet, online

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(autouse=True)
def workers_are_seen_once(shop, monkeypatch):
    """However slow the machine is: a look at the workers is not what is counted."""
    monkeypatch.setattr(online, "SEEN_AGAIN_SECONDS", 3600)
    shop.server.horde.online.forget()


async def look(shop, request_id, expected):
    """How many statements a check takes that is looked up, once everything is warm."""
    for _ in range(2):
        shop.server.app.extensions[watch.CHECKS]._kept.clear()
        with statements.counted(shop.server.database) as seen:
            told = (await shop.server.get(f"/generate/check/{request_id}")).json()
    assert expected.items() <= told.items()
    return len(seen.all)


async def test_two_while_it_waits_one_while_it_is_made_and_one_when_it_is_done(shop):
    await shop.pop()
    request_id = await shop.ask(params={**serving.SMALL, "n": 2})
    assert await look(shop, request_id, {"waiting": 2, "done": False}) <= 2
    popped = await shop.pop()
    assert await look(shop, request_id, {"waiting": 1, "processing": 1}) <= 2
    await shop.deliver(popped)
    popped = await shop.pop()
    assert await look(shop, request_id, {"waiting": 0, "processing": 1}) <= 1
    await shop.deliver(popped)
    assert await look(shop, request_id, {"finished": 2, "done": True}) <= 1


async def test_one_for_what_nobody_can_serve(shop):
    request_id = await shop.server.ask(models=["nobody serves it"])
    assert await look(shop, request_id, {"is_possible": False, "waiting": 1}) <= 1


async def test_as_many_with_forty_workers_as_with_one(shop):
    await shop.pop()
    request_id = await shop.ask()
    shop.server.horde.online.forget()
    assert await look(shop, request_id, {"queue_position": 1}) <= 2
    async with shop.server.database.writing() as session:
        for number in range(39):
            owner, _ = await factories.user(session, roles=Role.CUSTOMIZER)
            declared = factories.declared(
                name=f"{shop.name} {number}", models=[shop.name, f"model {number}"]
            )
            await fleet.check_in(session, owner, declared, at=now())
    shop.server.horde.online.forget()
    assert await look(shop, request_id, {"queue_position": 1}) <= 2
    assert shop.server.horde.online.capacities("image")[shop.name].threads == 40
