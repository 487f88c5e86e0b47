"""Workers as they are listed and seen."""

from datetime import timedelta
from urllib.parse import quote

import pytest
from sqlalchemy import update

import serving
from core.db import now
from core.users.tables import Role, User
from core.workers.tables import Worker

pytestmark = pytest.mark.asyncio(loop_scope="module")

ALWAYS = {
    "type": "image",
    "online": True,
    "requests_fulfilled": 0,
    "kudos_rewards": 0.0,
    "kudos_details": {"generated": 0.0, "uptime": None},
    "performance": "No requests fulfilled yet",
    "threads": 2,
    "uptime": 0,
    "maintenance_mode": False,
    "nsfw": True,
    "trusted": False,
    "flagged": False,
    "uncompleted_jobs": 0,
    "team": {"name": None, "id": None},
    "bridge_agent": serving.WORKER,
    "max_pixels": 1024 * 1024,
    "megapixelsteps_generated": 0.0,
    "img2img": True,
    "painting": True,
    "post-processing": True,
    "lora": False,
    "controlnet": False,
    "sdxl_controlnet": False,
}


async def change(server, model, where, **values):
    table = model.__table__
    async with server.database.writing() as session:
        await session.execute(update(table).where(where(table.c)).values(**values))


async def test_a_worker_is_told_by_id_by_name_and_in_the_list(shop):
    await shop.pop(threads=2)
    listed = (await shop.server.get(f"/workers?name={quote(shop.name.upper())}")).json()
    assert len(listed) == 1
    worker = listed[0]
    assert worker == ALWAYS | {"id": worker["id"], "name": shop.name, "models": [shop.name]}
    by_id = await shop.server.get(f"/workers/{worker['id']}")
    by_name = await shop.server.get(f"/workers/name/{quote(shop.name.title())}")
    assert by_id.json() == by_name.json() == worker


async def test_moderators_and_the_public_of_public_workers_see_more(shop):
    await shop.pop()
    path = f"/workers/name/{quote(shop.name)}"
    moderator = await shop.server.user(
        f"mod{next(serving.NUMBERS)}", roles=int(Role.MODERATOR | Role.CUSTOMIZER)
    )
    for key in (None, "a wrong key", shop.owner.key):
        told = (await shop.server.get(path, key=key)).json()
        assert not told.keys() & {"owner", "paused", "suspicious", "contact"}
    seen = (await shop.server.get(path, key=moderator.key)).json()
    assert (seen["owner"], seen["paused"], seen["suspicious"]) == (shop.owner.alias, False, 0)
    await change(shop.server, User, lambda c: c.id == shop.owner.id, public_workers=True)
    assert (await shop.server.get(path)).json()["owner"] == shop.owner.alias


async def test_who_is_away_is_seen_but_not_listed(shop):
    await shop.pop()
    away = now() - timedelta(seconds=301)
    await change(shop.server, Worker, lambda c: c.name == shop.name, seen_at=away)
    assert (await shop.server.get(f"/workers?name={quote(shop.name)}")).json() == []
    seen = (await shop.server.get(f"/workers/name/{quote(shop.name)}")).json()
    assert seen["online"] is False


async def test_workers_are_listed_by_type_and_the_name_wins(shop):
    await shop.pop()
    await change(
        shop.server,
        Worker,
        lambda c: c.name == shop.name,
        kind="text",
        speed=12.34,
        offer={"kind": "text"},
    )

    async def names(query):
        return {worker["name"] for worker in (await shop.server.get(f"/workers?{query}")).json()}

    assert shop.name in await names("type=text")
    assert shop.name not in await names("type=image")
    assert shop.name in await names("type=")
    assert await names(f"type=image&name={quote(shop.name)}") == {shop.name}
    (text,) = (await shop.server.get(f"/workers?name={quote(shop.name)}")).json()
    assert text["type"] == "text"
    assert text["performance"] == "12.3 tokens per second"
    assert not text.keys() & {"img2img", "max_pixels", "post-processing"}


async def test_speed_is_a_sentence(shop):
    await shop.pop()
    await change(shop.server, Worker, lambda c: c.name == shop.name, speed=1_234_567.0)
    seen = (await shop.server.get(f"/workers/name/{quote(shop.name)}")).json()
    assert seen["performance"] == "1.2 megapixelsteps per second"
