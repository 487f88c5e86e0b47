"""Shared keys: making and changing them, and asking with them at their owner's expense."""

from uuid import UUID

import pytest
from sqlalchemy import select

import serving
from core.queue.tables import Job
from core.users import shared_keys
from core.users.tables import Role

pytestmark = pytest.mark.asyncio(loop_scope="module")

FRESH = {
    "kudos": 5000,
    "utilized": 0,
    "max_image_pixels": -1,
    "max_image_steps": -1,
    "max_text_tokens": -1,
}
TEXT = "/generate/text/async"


@pytest.fixture
def make(shared):
    """Makes a shared key: the answer's JSON."""

    async def put(owner, **body):
        answer = await shared.call("PUT", "/sharedkeys", body, key=owner.key)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return put


async def kept(server, key):
    """What is left of a key, and what was spent: as everybody sees it."""
    told = (await server.get(f"/sharedkeys/{key['id']}")).json()
    return told["kudos"], told["utilized"]


async def ranks(server, request_id):
    async with server.database.reading() as session:
        found = select(Job.rank, Job.user_id).where(Job.request_id == UUID(request_id))
        return (await session.execute(found)).one()


async def test_a_key_is_made_seen_changed_and_deleted(shared, make):
    owner = await shared.user(f"owner {next(serving.NUMBERS)}")
    made = await make(owner)
    assert made == FRESH | {"id": made["id"], "username": owner.alias}
    path = f"/sharedkeys/{made['id']}"
    assert (await shared.get(path)).json() == made
    body = {"name": "for friends", "kudos": -1, "expiry": 30, "max_image_steps": 0}
    changed = (await shared.call("PATCH", path, body, key=owner.key)).json()
    expiry = changed.pop("expiry")
    assert changed == made | {"name": "for friends", "kudos": -1, "max_image_steps": 0}
    assert expiry.endswith("-0000")
    changed = (await shared.call("PATCH", path, {"expiry": -1}, key=owner.key)).json()
    assert "expiry" not in changed
    told = (await shared.get("/find_user", key=owner.key)).json()
    assert told["sharedkey_ids"] == [made["id"]]
    assert (await shared.call("DELETE", path, key=owner.key)).json() == {"message": "OK"}
    assert (await shared.get(path)).status_code == 401


@pytest.mark.parametrize(
    ("roles", "most"), [(Role(0), 3), (Role.TRUSTED, 10), (Role.EDUCATION | Role.TRUSTED, 11)]
)
async def test_how_many_one_may_have(shared, make, roles, most):
    owner = await shared.user(f"owner {next(serving.NUMBERS)}", roles=int(roles))
    for _ in range(most):
        await make(owner)
    more = await shared.call("PUT", "/sharedkeys", {}, key=owner.key)
    assert more.status_code == (200 if Role.EDUCATION in roles else 403)


async def test_who_has_it_finds_its_owner(shared, make):
    owner = await shared.user(f"owner {next(serving.NUMBERS)}")
    plain, named = await make(owner), await make(owner, name="a name")
    found = (await shared.get("/find_user", key=plain["id"])).json()
    assert found["username"] == f"{owner.alias} (Shared Key)"
    assert found["id"] == owner.id
    assert not found.keys() & {"contact", "sharedkey_ids", "active_generations"}
    found = (await shared.get("/find_user", key=named["id"])).json()
    assert found["username"] == f"{owner.alias} (Shared Key: a name)"


async def test_who_has_it_is_told_what_it_can_spend(shop, make):
    server = shop.server
    owner = await server.user(f"owner {next(serving.NUMBERS)}", kudos=100)
    small, large = await make(owner, kudos=50), await make(owner, kudos=500)

    async def kudos(key):
        return (await server.get("/find_user", key=key["id"])).json()["kudos"]

    assert [await kudos(key) for key in (small, large)] == [50.0, 125.0]
    await shop.ask(key=small["id"])
    assert 0 < await kudos(small) < 49  # its tax is paid, and what it may cost is set aside
    for budget, told in ((0, 0.0), (-1, 124.0)):
        await server.call("PATCH", f"/sharedkeys/{small['id']}", {"kudos": budget}, key=owner.key)
        assert await kudos(small) == told


async def test_its_owner_pays_and_its_budget_shrinks(shop, make):
    server = shop.server
    owner = await server.user(f"owner {next(serving.NUMBERS)}", kudos=1000)
    key = await make(owner, kudos=100)
    request_id = await shop.ask(key=key["id"])
    rank, user_id = await ranks(server, request_id)
    same, _ = await ranks(server, await shop.ask(key=owner.key))
    assert user_id == owner.id
    assert abs(rank - same) < 10  # the owner's priority; a little less old
    assert await kept(server, key) == (99, 1)  # the tax
    await shop.deliver(await shop.pop())
    await shop.deliver(await shop.pop())
    told = (await server.get("/find_user", key=owner.key)).json()
    left, utilized = await kept(server, key)
    assert utilized > 1
    assert left == 100 - utilized or left == 99 - utilized  # rounded, each on its own
    spent = 1000 + 25 - told["kudos"]
    assert abs(spent - 2 * utilized) <= 1  # two pictures, of which one was asked for with the key


async def test_what_was_set_aside_comes_back(shop, make):
    server = shop.server
    owner = await server.user(f"owner {next(serving.NUMBERS)}", kudos=1000)
    key = await make(owner, kudos=20)
    request_id = await shop.ask(key=key["id"])
    again = {"prompt": "a red fox", "models": [shop.name], "params": {"n": 4, "steps": 20}}
    refused = await server.post("/generate/async", again, key=key["id"])
    assert refused.json()["rc"] == "SharedKeyInsufficientKudos"
    await server.call("DELETE", f"/generate/status/{request_id}")
    assert await kept(server, key) == (19, 1)
    async with server.database.reading() as session:
        assert (await shared_keys.by_key(session, key["id"])).held == 0


async def test_an_empty_key_asks_as_nobody_where_that_is_allowed(shop, make):
    server = shop.server
    owner = await server.user(f"owner {next(serving.NUMBERS)}", kudos=1000)
    key = await make(owner, kudos=0)
    request_id = await shop.ask(key=key["id"], allow_downgrade=True)
    rank, user_id = await ranks(server, request_id)
    nobodys, _ = await ranks(server, await shop.ask())
    assert user_id == 0
    assert abs(rank - nobodys) < 10
    assert await kept(server, key) == (0, 0)
    await server.call("DELETE", f"/generate/status/{request_id}")


async def test_a_key_with_too_little_asks_last_where_that_is_allowed(shop, make):
    server = shop.server
    owner = await server.user(f"owner {next(serving.NUMBERS)}", kudos=100_000)
    key = await make(owner, kudos=2)
    many = {"params": {**serving.SMALL, "n": 3}, "allow_downgrade": True}
    answer = await server.post(
        "/generate/async", {"prompt": "x", "models": [shop.name], **many}, key=key["id"]
    )
    request_id = answer.json()["id"]
    async with server.database.reading() as session:
        found = select(Job.rank, Job.user_id).where(Job.request_id == UUID(request_id))
        rank, user_id = (await session.execute(found)).first()
    nobodys, _ = await ranks(server, await shop.ask())
    assert user_id == owner.id
    assert abs(rank - nobodys) < 10
    await server.call("DELETE", f"/generate/status/{request_id}")


async def test_texts_are_asked_for_with_it_too(shared, make):
    owner = await shared.user(f"owner {next(serving.NUMBERS)}", kudos=1000)
    key = await make(owner, kudos=100)
    answer = await shared.post(TEXT, {"prompt": "x", "params": {"max_length": 16}}, key=key["id"])
    assert answer.status_code == 202, answer.text
    priced = await shared.post(TEXT, {"prompt": "x", "dry_run": True}, key=key["id"])
    assert priced.status_code == 200
    assert await kept(shared, key) == (99, 1)


async def test_nothing_else_takes_it_for_a_key(shared, make):
    owner = await shared.user(f"owner {next(serving.NUMBERS)}", kudos=1000)
    key = (await make(owner))["id"]
    for method, path, body in (
        ("PUT", "/sharedkeys", {}),
        ("GET", f"/users/{owner.id}", None),
        ("POST", "/kudos/transfer", {"username": "x#1"}),
        ("PUT", f"/users/{owner.id}", {"public_workers": True}),
    ):
        assert (await shared.call(method, path, body, key=key)).json()["rc"] == "InvalidAPIKey"
