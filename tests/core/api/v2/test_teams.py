"""Teams, their members and their sums."""

import pytest
from sqlalchemy import update

import factories
import serving
from core.db import now, table
from core.upkeep import steps
from core.users.tables import Role
from core.workers.tables import WorkerRow

pytestmark = pytest.mark.asyncio(loop_scope="module")

workers = table(WorkerRow)


async def creator(server):
    return await server.user(f"Creator {next(serving.NUMBERS)}", roles=int(Role.TRUSTED))


async def team(server, by, **said):
    name = f"Team {next(serving.NUMBERS)}"
    made = await server.post("/teams", {"name": name, **said}, key=by.key)
    assert made.status_code == 200, made.text
    return made.json()


async def worker_of(shop):
    return (await shop.server.get(f"/workers/name/{shop.name}")).json()


async def test_a_team_is_made_changed_and_deleted(shared):
    by = await creator(shared)
    made = await team(shared, by)
    assert made.keys() == {"id", "name"}
    path = f"/teams/{made['id']}"
    changed = await shared.call("PATCH", path, {"info": "red foxes"}, key=by.key)
    assert changed.json() == {"id": made["id"], "info": "red foxes"}
    seen = (await shared.get(path)).json()
    assert seen == {
        "name": made["name"],
        "id": made["id"],
        "info": "red foxes",
        "requests_fulfilled": 0,
        "kudos": 0.0,
        "uptime": 0,
        "creator": by.alias,
        "worker_count": 0,
        "workers": [],
        "models": [],
    }
    assert seen in (await shared.get("/teams")).json()
    gone = await shared.call("DELETE", path, key=by.key)
    assert gone.json() == {"deleted_id": made["id"], "deleted_name": made["name"]}
    assert (await shared.get(path)).status_code == 404


async def test_moderators_change_and_delete_any_team_and_may_look_with_their_key(shared):
    made = await team(shared, await creator(shared))
    moderator = await shared.user(f"mod{next(serving.NUMBERS)}", roles=int(Role.MODERATOR))
    path = f"/teams/{made['id']}"
    assert (await shared.get(path, key=moderator.key)).status_code == 200
    renamed = await shared.call("PATCH", path, {"name": f"{made['name']}!"}, key=moderator.key)
    assert renamed.json()["name"] == f"{made['name']}!"
    assert (await shared.call("DELETE", path, key=moderator.key)).status_code == 200


async def test_a_worker_joins_and_leaves(shop):
    server = shop.server
    await shop.pop()
    worker = await worker_of(shop)
    made = await team(server, await creator(server))
    joined = await server.call(
        "PUT", f"/workers/{worker['id']}", {"team": made["id"]}, key=shop.owner.key
    )
    assert joined.json() == {"team": made["name"]}
    assert (await worker_of(shop))["team"] == {"name": made["name"], "id": made["id"]}
    seen = (await server.get(f"/teams/{made['id']}")).json()
    lite = {"type": "image", "name": shop.name, "id": worker["id"], "online": True}
    assert (seen["worker_count"], seen["workers"]) == (1, [lite])
    assert seen["models"] == [{"name": shop.name, "count": 1}]
    left = await server.call("PUT", f"/workers/{worker['id']}", {"team": ""}, key=shop.owner.key)
    assert left.json() == {"team": "None"}
    assert (await worker_of(shop))["team"] == {"name": None, "id": None}


async def test_the_workers_of_a_deleted_team_have_none(shop):
    by = await creator(shop.server)
    made = await team(shop.server, by)
    await shop.pop()
    path = f"/workers/{(await worker_of(shop))['id']}"
    await shop.server.call("PUT", path, {"team": made["id"]}, key=shop.owner.key)
    await shop.server.call("DELETE", f"/teams/{made['id']}", key=by.key)
    assert (await worker_of(shop))["team"] == {"name": None, "id": None}


async def test_work_and_uptime_count_for_the_team_the_worker_was_in_then(shop):
    server = shop.server
    await shop.pop()
    path = f"/workers/{(await worker_of(shop))['id']}"
    first, second = [await team(server, await creator(server)) for _ in range(2)]
    for _ in range(2):
        await shop.ask()
    await server.call("PUT", path, {"team": first["id"]}, key=shop.owner.key)
    await shop.deliver(await shop.pop())
    async with server.database.writing() as session:
        await session.execute(
            update(workers).where(workers.c.name == shop.name).values(uptime_seconds=700)
        )
        await steps.pay_uptime(session, server.horde, now())
    await server.call("PUT", path, {"team": second["id"]}, key=shop.owner.key)
    await shop.deliver(await shop.pop())
    async with server.database.writing() as session:
        await steps.count(session, server.horde, now())
        earned = await factories.worker_sums(session, shop.name)
    sums = [(await server.get(f"/teams/{one['id']}")).json() for one in (first, second)]
    assert [one["requests_fulfilled"] for one in sums] == [1, 1]
    assert [one["uptime"] for one in sums] == [600, 0]
    jobs, uptime = earned.kudos_generated / 100, earned.kudos_uptime / 100
    assert [one["kudos"] for one in sums] == [jobs / 2 + uptime, jobs / 2]
