"""What is kept about a user, for nobody but them."""

import pytest

import serving
from core.accounts import export
from core.users.tables import Role

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def exported(server, person, query=""):
    answer = await server.get(f"/users/{person.id}/export{query}", key=person.key)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_everything_is_there_and_no_secret(shop):
    server, owner = shop.server, shop.owner
    shared = await server.call("PUT", "/sharedkeys", {"name": "friends"}, key=owner.key)
    await shop.ask(key=shared.json()["id"], prompt="a friend's fox")
    await shop.deliver(await shop.pop())
    await shop.ask(key=owner.key, prompt="a secret fox")
    await shop.deliver(await shop.pop())
    await shop.ask(key=owner.key, prompt="another fox")
    told = await exported(server, owner)
    assert told["account"]["username"] == owner.alias
    assert told["account"]["roles"] == ["customizer"]
    assert told["details"]["id"] == owner.id
    kept = told["kept"]
    assert kept.keys() == export.OWNED.keys()
    assert {row["prompt"] for row in kept["requests"]} == {"a secret fox", "another fox"}
    assert [row["name"] for row in kept["workers"]] == [shop.name]
    assert [row["name"] for row in kept["shared_keys"]] == ["friends"]
    assert owner.key not in str(told)
    assert "key_hash" not in str(told)


async def test_entries_come_page_by_page(shared, monkeypatch):
    monkeypatch.setattr(export, "MAX_ROWS", 2)
    person = await shared.user(f"person {next(serving.NUMBERS)}", kudos=100)
    for _ in range(3):
        await shared.ask(key=person.key)
    entries, page = [], await exported(shared, person)
    while page["entries_before"] is not None:
        assert len(page["entries"]) == 2
        entries += page["entries"]
        page = await exported(shared, person, f"?before={page['entries_before']}")
    entries += page["entries"]
    assert sum(entry["kudos"] for entry in entries) == page["details"]["kudos"]
    assert [entry["kind"] for entry in entries] == ["tax"] * 3 + ["grant", "floor"]
    assert len({entry["id"] for entry in entries}) == 5


async def test_moderators_do_not_get_it(shared):
    person = await shared.user(f"person {next(serving.NUMBERS)}")
    moderator = await shared.user(f"mod {next(serving.NUMBERS)}", roles=int(Role.MODERATOR))
    for key, rc in ((moderator.key, "NotOwner"), (serving.ANONYMOUS, "AnonForbidden")):
        answer = await shared.get(f"/users/{person.id}/export", key=key)
        assert (answer.status_code, answer.json()["rc"]) == (403, rc)
    wrong = await shared.get(f"/users/{person.id}/export?before=x", key=person.key)
    assert wrong.json()["rc"] == "BadRequest"
