"""Users as the public, they themselves and moderators see them; keys under old secrets."""

from uuid import UUID

import pytest
from sqlalchemy import select, update

import serving
from core.db import now, table
from core.queue.tables import RequestRow
from core.users.keys import Keyring
from core.users.tables import Role, UserRow

pytestmark = pytest.mark.asyncio(loop_scope="module")

PUBLIC = {
    "username",
    "id",
    "kudos",
    "concurrency",
    "worker_invited",
    "moderator",
    "kudos_details",
    "worker_count",
    "styles",
    "trusted",
    "flagged",
    "service",
    "education",
    "customizer",
    "deleted",
    "pseudonymous",
    "account_age",
    "usage",
    "contributions",
    "records",
}
OWNER = {"worker_ids", "sharedkey_ids", "contact", "vpn", "special", "active_generations"}
MODERATOR = {"evaluating_kudos", "monthly_kudos", "suspicious", "admin_comment"}
OLD, NEW = "an old master secret of 32 characters", "a new master secret of 32 characters"


@pytest.fixture
def users():
    return UserRow.__table__


async def change(server, users, user_id, **values):
    async with server.database.writing() as session:
        await session.execute(update(users).where(users.c.id == user_id).values(**values))


async def test_who_asks_decides_what_is_told(shared, users):
    someone = await shared.user("someone", kudos=100)
    moderator = await shared.user("moderator", roles=int(Role.MODERATOR))
    other = await shared.user("other")
    await change(shared, users, someone.id, contact="me@example.com", admin_comment="kind")
    path = f"/users/{someone.id}"
    assert (await shared.get(path)).json().keys() == PUBLIC
    assert (await shared.get(path, key=other.key)).json().keys() == PUBLIC
    assert (await shared.get(path, key=someone.key)).json().keys() == PUBLIC | OWNER
    seen = (await shared.get(path, key=moderator.key)).json()
    assert seen.keys() == PUBLIC | OWNER | MODERATOR
    assert (seen["contact"], seen["admin_comment"]) == ("me@example.com", "kind")
    assert (await shared.get("/find_user", key=someone.key)).json().keys() == PUBLIC | OWNER
    found = (await shared.get("/find_user", key=moderator.key)).json()
    assert found.keys() & MODERATOR == set()


async def test_a_user_publishes_their_workers(shared, users):
    shop = await serving.open_shop(shared)
    await shop.pop()
    path = f"/users/{shop.owner.id}"
    assert "worker_ids" not in (await shared.get(path)).json()
    await change(shared, users, shop.owner.id, public_workers=True)
    told = (await shared.get(path)).json()
    assert (told["worker_count"], len(told["worker_ids"])) == (1, 1)


async def test_a_users_running_requests_are_listed_for_them(shop):
    request_id = await shop.ask(key=shop.owner.key)
    active = (await shop.server.get("/find_user", key=shop.owner.key)).json()["active_generations"]
    assert active == {"image": [request_id], "text": []}


async def test_finished_requests_are_listed_until_they_expire(shop):
    async def active():
        found = await shop.server.get("/find_user", key=shop.owner.key)
        return found.json()["active_generations"]["image"]

    done, cancelled = await shop.ask(key=shop.owner.key), await shop.ask(key=shop.owner.key)
    await shop.deliver(await shop.pop())
    await shop.server.call("DELETE", f"/generate/status/{cancelled}")
    assert await active() == [done, cancelled]
    await shop.status(done)
    assert await active() == [done, cancelled]  # its pictures can be fetched again
    await change(shop.server, table(RequestRow), UUID(done), expires_at=now())
    assert await active() == [cancelled]


async def test_everybody_is_the_anonymous_user(shared):
    found = (await shared.get("/find_user", key=serving.ANONYMOUS)).json()
    assert (found["username"], found["id"], found["kudos"]) == ("Anonymous#0", 0, -50.0)
    assert found["concurrency"] == 500
    await shared.ask()
    found = (await shared.get("/find_user", key=serving.ANONYMOUS)).json()
    assert found["active_generations"] == {"image": [], "text": []}


async def test_obsolete_fields_are_null_and_new_ones_zero(shared):
    user = await shared.user("new")
    found = (await shared.get("/find_user", key=user.key)).json()
    assert found["username"] == user.alias
    assert found["kudos"] == 25.0
    assert found["usage"] == {"megapixelsteps": None, "requests": None}
    assert found["contributions"] == {"megapixelsteps": None, "fulfillments": None}
    assert len(found["kudos_details"]) == 8
    assert set(found["kudos_details"].values()) == {0.0}
    assert found["records"].keys() == {
        "usage",
        "contribution",
        "fulfillment",
        "request",
        "style",
    }
    assert found["records"]["usage"] == {"megapixelsteps": 0.0, "tokens": 0}


async def test_a_key_under_an_old_secret_works_and_is_hashed_anew(databases, tmp_path, users):
    async def hashed(server):
        async with server.database.reading() as session:
            return await session.scalar(select(users.c.key_hash).where(users.c.id == user.id))

    with databases.fresh("sqlite") as url:
        async with serving.in_process(url, tmp_path, secret_key=OLD) as server:
            user = await server.user()
            before = await hashed(server)
        settings = {"secret_key": NEW, "old_secret_keys": [OLD]}
        async with serving.in_process(url, tmp_path, **settings) as server:
            assert (await server.get("/find_user", key=user.key)).status_code == 200
            assert await hashed(server) == before  # it only read
            await server.ask(key=user.key)
            assert Keyring(NEW.encode()).is_current(await hashed(server))
            await server.ask()
        async with serving.in_process(url, tmp_path, secret_key=NEW) as server:
            assert (await server.get("/find_user", key=user.key)).status_code == 200
            await server.ask()
        async with serving.in_process(url, tmp_path, secret_key=OLD) as server:
            assert (await server.get("/find_user", key=user.key)).status_code == 404
