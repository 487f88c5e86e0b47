"""The list of users, and limits that are relaxed where many people share an address."""

import pytest

import serving
from core.users.tables import Role


@pytest.fixture
async def server(databases, tmp_path):
    with databases.fresh("sqlite") as url:
        async with serving.in_process(url, tmp_path, rate_limits="on") as server:
            yield server


async def test_everybody_sees_the_same_list(server):
    rich = await server.user("rich", kudos=1000)
    shop = await serving.open_shop(server, kudos=10)
    await shop.pop()
    answer = await server.get("/users")
    listed = answer.json()
    assert [user["username"] for user in listed] == [rich.alias, shop.owner.alias]
    assert [user["kudos"] for user in listed] == [1025.0, 35.0]
    assert [user["worker_count"] for user in listed] == [0, 1]
    # Nulls are sent, and nothing that only some may see, whoever asks.
    for user in listed:
        hidden = ("worker_ids", "contact", "sharedkey_ids", "suspicious", "evaluating_kudos")
        assert [user[name] for name in hidden] == [None] * 5
    moderator = await server.user("moderator", roles=int(Role.MODERATOR))
    assert (await server.get("/users", key=moderator.key)).json() == listed


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("sort=age", ["Anonymous", "first", "second"]),
        ("sort=kudos", ["second", "first"]),
        ("sort=unknown", ["second", "first"]),
        ("page=2", []),
        ("page=10001", []),
        (f"page={'9' * 30}", []),
    ],
)
async def test_pages_and_orders(server, query, names):
    await server.user("first", kudos=1)
    await server.user("second", kudos=2)
    listed = (await server.get(f"/users?{query}")).json()
    assert [user["username"].partition("#")[0] for user in listed] == names


async def test_who_is_trusted_relaxes_the_limits_of_their_address(server):
    async def limit():
        answer = await server.post("/generate/async", {"prompt": ""}, key=serving.ANONYMOUS)
        return int(answer.headers["X-RateLimit-Limit"])

    assert await limit() == 2
    trusted = await server.user("trusted", roles=int(Role.TRUSTED))
    await server.get("/find_user", key=trusted.key)
    assert await limit() == 10
