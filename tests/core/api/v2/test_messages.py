"""Messages to workers."""

from datetime import timedelta
from email.utils import parsedate_to_datetime

import pytest
from sqlalchemy import select, update

import serving
from core.db import now, table
from core.upkeep import steps
from core.users.tables import Role
from core.workers.tables import MessageRow

pytestmark = pytest.mark.asyncio(loop_scope="module")

messages = table(MessageRow)


async def moderator(server):
    return await server.user(f"mod{next(serving.NUMBERS)}", roles=int(Role.MODERATOR))


async def write(server, key, **said):
    made = await server.post("/workers/messages", {"message": "rest", **said}, key=key)
    assert made.status_code == 200, made.text
    return made.json()


async def own_worker(shop):
    await shop.pop()
    return (await shop.server.get(f"/workers/name/{shop.name}")).json()["id"]


async def expire(server, text, *, ago):
    async with server.database.writing() as session:
        await session.execute(
            update(messages).where(messages.c.message == text).values(expires_at=now() - ago)
        )


async def test_an_owner_writes_to_a_worker_and_takes_it_back(shop):
    worker_id = await own_worker(shop)
    text = f"rest {worker_id}"
    written = await write(
        shop.server, shop.owner.key, worker_id=worker_id, message=text, origin="me"
    )
    assert written == {
        "id": written["id"],
        "message": text,
        "origin": "me",
        "expiry": written["expiry"],
        "worker_id": worker_id,
        "user_id": str(shop.owner.id),
        "created": written["created"],
    }
    lives = parsedate_to_datetime(written["expiry"]) - parsedate_to_datetime(written["created"])
    assert lives == timedelta(hours=12)
    path = f"/workers/messages/{written['id']}"
    assert (await shop.server.get(path)).json() == written
    gone = await shop.server.call("DELETE", path, key=shop.owner.key)
    assert gone.json() == {"message": "OK"}
    assert (await shop.server.get(path)).status_code == 404


async def test_a_worker_is_told_with_each_pop_until_the_message_expires(shop):
    worker_id = await own_worker(shop)
    text = f"rest {worker_id}"
    written = await write(shop.server, shop.owner.key, worker_id=worker_id, message=text)
    assert written["origin"] == str(shop.owner.id)
    told = {name: written[name] for name in ("id", "message", "expiry", "origin")}
    assert told in (await shop.pop())["messages"]
    await shop.ask()
    working = await shop.pop()
    assert working["id"]
    assert told in working["messages"]
    another = await serving.open_shop(shop.server)
    assert told not in (await another.pop())["messages"]
    await expire(shop.server, text, ago=timedelta(seconds=1))
    shop.server.horde.message_cache.forget()
    assert told not in (await shop.pop())["messages"]


async def test_a_moderator_writes_to_all_workers_of_every_kind(shop):
    server = shop.server
    written = await write(server, (await moderator(server)).key, origin="moderators", expiry=720)
    assert "worker_id" not in written
    told = {name: written[name] for name in ("id", "message", "expiry", "origin")}
    assert told in (await shop.pop())["messages"]
    name = f"scribe {next(serving.NUMBERS)}"
    offer = {"name": name, "models": ["llama"], "bridge_agent": serving.WORKER}
    answer = await server.post("/generate/text/pop", offer, key=shop.owner.key)
    assert told in answer.json()["messages"]
    offer = {"name": f"{name}'s alchemist", "forms": ["caption"]}
    answer = await server.post("/interrogate/pop", offer, key=shop.owner.key)
    assert told in answer.json()["messages"]


async def test_messages_are_listed_by_what_they_are_and_to_whom_they_are_shown(shop):
    server, key = shop.server, shop.owner.key
    worker_id, mod = await own_worker(shop), await moderator(server)
    old = await write(server, key, worker_id=worker_id, message=f"old {worker_id}")
    await expire(server, f"old {worker_id}", ago=timedelta(hours=1))
    new = await write(server, mod.key, worker_id=worker_id)
    foreign = await serving.open_shop(server)
    other = await write(server, mod.key, worker_id=await own_worker(foreign))

    async def listed(query="", by=key):
        found = (await server.get(f"/workers/messages?{query}", key=by)).json()
        return [one["id"] for one in found if one["id"] in known]

    known = {old["id"], new["id"], other["id"]}
    assert await listed() == [new["id"]]
    assert await listed("validity=expired") == [old["id"]]
    assert await listed("validity=all") == [new["id"], old["id"]]
    assert await listed(f"validity=all&user_id={shop.owner.id}") == [old["id"]]
    assert await listed(f"worker_id={worker_id}") == [new["id"]]
    assert await listed("page=2") == []
    assert await listed(by=mod.key) == [other["id"], new["id"]]
    assert await listed(f"worker_id={worker_id}&validity=all", by=mod.key) == [new["id"], old["id"]]


async def test_details_show_messages_where_they_show_the_owner(shop):
    worker_id = await own_worker(shop)
    written = await write(shop.server, shop.owner.key, worker_id=worker_id)
    path = f"/workers/{worker_id}"
    assert "messages" not in (await shop.server.get(path)).json()
    seen = (await shop.server.get(path, key=(await moderator(shop.server)).key)).json()
    assert written in seen["messages"]


async def test_messages_are_deleted_a_month_after_they_expired(shop):
    worker_id = await own_worker(shop)
    kept, gone = f"kept {worker_id}", f"gone {worker_id}"
    for text, days in ((kept, 29), (gone, 31)):
        await write(shop.server, shop.owner.key, worker_id=worker_id, message=text)
        await expire(shop.server, text, ago=timedelta(days=days))
    async with shop.server.database.writing() as session:
        await steps.forget_messages(session, shop.server.horde, now())
        left = set(await session.scalars(select(messages.c.message)))
    assert kept in left
    assert gone not in left
