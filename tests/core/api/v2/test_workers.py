"""Workers as they are listed and seen."""

from datetime import timedelta
from urllib.parse import quote

import pytest
from sqlalchemy import update

import serving
from core.db import now
from core.users.tables import Role, UserRow
from core.workers.tables import WorkerRow

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
    await change(shop.server, UserRow, lambda c: c.id == shop.owner.id, public_workers=True)
    assert (await shop.server.get(path)).json()["owner"] == shop.owner.alias


async def test_who_is_away_is_seen_but_not_listed(shop):
    await shop.pop()
    away = now() - timedelta(seconds=301)
    await change(shop.server, WorkerRow, lambda c: c.name == shop.name, seen_at=away)
    assert (await shop.server.get(f"/workers?name={quote(shop.name)}")).json() == []
    seen = (await shop.server.get(f"/workers/name/{quote(shop.name)}")).json()
    assert seen["online"] is False


async def test_workers_are_listed_by_type_and_the_name_wins(shop):
    await shop.pop()
    await change(
        shop.server,
        WorkerRow,
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
    await change(shop.server, WorkerRow, lambda c: c.name == shop.name, speed=1_234_567.0)
    seen = (await shop.server.get(f"/workers/name/{quote(shop.name)}")).json()
    assert seen["performance"] == "1.2 megapixelsteps per second"


async def worker_of(shop):
    await shop.pop()
    return (await shop.server.get(f"/workers/name/{quote(shop.name)}")).json()


async def put(shop, worker, by, **body):
    answer = await shop.server.call("PUT", f"/workers/{worker['id']}", body, key=by.key)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_an_owner_rests_and_describes_a_worker(shop):
    worker = await worker_of(shop)
    told = await put(shop, worker, shop.owner, maintenance=True, maintenance_msg="at lunch")
    assert told == {"maintenance": True}
    refused = await shop.server.post(
        "/generate/pop",
        serving.offer(name=shop.name, models=[shop.name]),
        key=shop.owner.key,
    )
    assert (refused.status_code, refused.json()["message"]) == (403, "at lunch")
    assert await put(shop, worker, shop.owner, maintenance=False, info="a den") == {
        "maintenance": False,
        "info": "a den",
    }
    assert (await worker_of(shop))["info"] == "a den"
    await put(shop, worker, shop.owner, maintenance=True)
    refused = await shop.server.post(
        "/generate/pop",
        serving.offer(name=shop.name, models=[shop.name]),
        key=shop.owner.key,
    )
    assert "maintenance mode" in refused.json()["message"]


async def test_a_renamed_worker_is_found_by_its_new_name(shop):
    worker = await worker_of(shop)
    name = f"Renamed  {shop.name}"
    assert await put(shop, worker, shop.owner, name=name) == {"name": f"Renamed {shop.name}"}
    found = await shop.server.get(f"/workers/name/{quote(f'renamed {shop.name}')}")
    assert found.json()["id"] == worker["id"]
    assert (await shop.server.get(f"/workers/name/{quote(shop.name)}")).status_code == 404


async def test_moderators_pause_and_change_any_worker(shop):
    worker = await worker_of(shop)
    moderator = await shop.server.user(f"mod{next(serving.NUMBERS)}", roles=int(Role.MODERATOR))
    told = await put(shop, worker, moderator, paused=True, maintenance=True, info="", team="")
    assert told == {"paused": True, "maintenance": True, "info": "", "team": "None"}
    seen = (await shop.server.get(f"/workers/{worker['id']}", key=moderator.key)).json()
    assert (seen["paused"], seen["maintenance_mode"]) == (True, True)


async def test_owners_and_moderators_delete_workers(shop):
    moderator = await shop.server.user(f"mod{next(serving.NUMBERS)}", roles=int(Role.MODERATOR))
    for by in (shop.owner, moderator):
        worker = await worker_of(shop)
        path = f"/workers/{worker['id']}"
        gone = await shop.server.call("DELETE", path, key=by.key)
        assert gone.json() == {"deleted_id": worker["id"], "deleted_name": shop.name}
        assert (await shop.server.get(path)).status_code == 404


async def test_a_worker_is_deleted_once_its_job_is_done_and_the_picture_stays(shop):
    request_id = await shop.ask()
    popped = await shop.pop()
    found = await shop.server.get(f"/workers/name/{quote(shop.name)}")
    path = f"/workers/{found.json()['id']}"
    assert (await shop.server.call("DELETE", path, key=shop.owner.key)).status_code == 423
    await shop.deliver(popped)
    assert (await shop.server.call("DELETE", path, key=shop.owner.key)).status_code == 200
    (generation,) = (await shop.status(request_id))["generations"]
    assert generation["worker_name"] == shop.name


async def test_text_workers_and_alchemists_tell_what_they_can(shop):
    server, key = shop.server, shop.owner.key
    name = f"scribe {next(serving.NUMBERS)}"
    offer = {
        "name": name,
        "models": ["llama"],
        "bridge_agent": serving.WORKER,
        "max_length": 100,
        "max_context_length": 4000,
    }
    assert (await server.post("/generate/text/pop", offer, key=key)).status_code == 200
    seen = (await server.get(f"/workers/name/{quote(name)}")).json()
    assert seen["type"] == "text"
    assert (seen["max_length"], seen["max_context_length"]) == (100, 4000)
    assert not seen.keys() & {"max_pixels", "forms", "img2img"}
    offer = {"name": f"{name} 2", "forms": ["nsfw", "caption"]}
    assert (await server.post("/interrogate/pop", offer, key=key)).status_code == 200
    seen = (await server.get(f"/workers/name/{quote(name)}%202")).json()
    assert (seen["type"], seen["forms"]) == ("interrogation", ["caption", "nsfw"])
    assert not seen.keys() & {"max_pixels", "max_length", "img2img"}
    await change(server, WorkerRow, lambda c: c.name == f"{name} 2", speed=0.25)
    seen = (await server.get(f"/workers/name/{quote(name)}%202")).json()
    assert seen["performance"] == "4.0 seconds per form"
