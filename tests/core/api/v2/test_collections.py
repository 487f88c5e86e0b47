"""Collections of styles."""

import pytest

import serving
from core.db import now
from core.upkeep import steps
from core.users.tables import Role

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def author(server):
    return await server.user(f"Author {next(serving.NUMBERS)}", roles=int(Role.TRUSTED))


async def style(server, by, *, kind="image", **said):
    """The id and the unique name of a new style."""
    usual = {"name": f"style {next(serving.NUMBERS)}", "models": ["stable_diffusion"]}
    made = await server.post(f"/styles/{kind}", usual | said, key=by.key)
    assert made.status_code == 200, made.text
    return made.json()["id"], f"{by.alias}::style::{(usual | said)['name']}"


async def collection(server, by, styles, **said):
    usual = {"name": f"collection {next(serving.NUMBERS)}", "styles": styles}
    made = await server.post("/collections", usual | said, key=by.key)
    assert made.status_code == 200, made.text
    return made.json()["id"]


async def test_styles_are_collected_by_id_and_by_name(shared):
    by, other = await author(shared), await author(shared)
    (first, name), (second, _), (third, third_name) = [
        await style(shared, who) for who in (by, by, other)
    ]
    plain = name.rpartition("::")[2]
    made = await collection(shared, other, [second, plain, third_name, third], info="all foxes")
    seen = (await shared.get(f"/collections/{made}")).json()
    assert seen == {
        "id": made,
        "name": seen["name"],
        "type": "image",
        "info": "all foxes",
        "public": True,
        "styles": [
            {"name": seen["styles"][0]["name"], "id": second},
            {"name": name, "id": first},
            {"name": third_name, "id": third},
        ],
        "use_count": 0,
    }
    assert (await shared.get(f"/collection_by_name/{seen['name'].upper()}")).json() == seen
    named = f"collection::{other.alias.replace('#', '%23')}::{seen['name']}"
    assert (await shared.get(f"/collection_by_name/{named}")).json() == seen


async def test_the_authors_own_style_is_meant_among_those_of_one_name(shared):
    by, other = await author(shared), await author(shared)
    name = f"twins {next(serving.NUMBERS)}"
    for who in (other, by):
        own, _ = await style(shared, who, name=name)
    made = await collection(shared, by, [name])
    (member,) = (await shared.get(f"/collections/{made}")).json()["styles"]
    assert member["id"] == own


async def test_collections_are_listed_by_type(shared):
    by = await author(shared)
    image = await collection(shared, by, [(await style(shared, by))[0]])
    text = await collection(shared, by, [(await style(shared, by, kind="text"))[0]])
    private = await collection(shared, by, [(await style(shared, by))[0]], public=False)

    async def listed(query):
        found = (await shared.get(f"/collections?{query}")).json()
        assert all(one.keys() == found[0].keys() for one in found)
        return {one["id"] for one in found} & {image, text, private}

    assert await listed("") == await listed("type=all&sort=age") == {image, text}
    assert await listed("type=image") == {image}
    assert await listed("type=text") == {text}
    assert await listed("page=9") == set()


async def test_a_change_leaves_what_it_does_not_name(shared):
    by = await author(shared)
    (first, _), (second, second_name) = [await style(shared, by) for _ in range(2)]
    made = await collection(shared, by, [first], public=False, info="all foxes")
    path = f"/collections/{made}"
    before = (await shared.get(path)).json()
    changed = await shared.call("PATCH", path, {"info": "red"}, key=by.key)
    assert changed.json() == {"id": made, "message": "OK", "warnings": []}
    assert (await shared.get(path)).json() == before | {"info": "red"}
    said = {"name": f"{before['name']}!", "public": True, "styles": [second]}
    await shared.call("PATCH", path, said, key=by.key)
    members = [{"name": second_name, "id": second}]
    assert (await shared.get(path)).json() == before | {"info": "red"} | said | {"styles": members}


@pytest.mark.parametrize("missing", ["name", "styles"])
async def test_what_a_new_collection_needs(shared, missing):
    by = await author(shared)
    body = {"name": "foxes", "styles": ["x"]}
    del body[missing]
    answer = await shared.post("/collections", body, key=by.key)
    assert answer.status_code == 400
    assert answer.json()["errors"].keys() == {missing}


async def test_owners_and_moderators_delete_collections_and_not_their_styles(shared):
    by = await author(shared)
    moderator = await shared.user(f"mod{next(serving.NUMBERS)}", roles=int(Role.MODERATOR))
    member, _ = await style(shared, by)
    for key in (by.key, moderator.key):
        path = f"/collections/{await collection(shared, by, [member])}"
        assert (await shared.call("DELETE", path, key=key)).json() == {"message": "OK"}
        assert (await shared.get(path)).status_code == 404
    assert (await shared.get(f"/styles/image/{member}")).status_code == 200


async def test_a_request_gets_one_of_the_styles_and_both_are_counted(shop):
    server, by = shop.server, await author(shop.server)
    member, _ = await style(server, by, models=[shop.name], prompt="{p}, drawn{np}")
    made = await collection(server, by, [member])
    name = (await server.get(f"/collections/{made}")).json()["name"]
    await shop.ask(style=f"collection::{name}")
    popped = await shop.pop()
    assert popped["payload"]["prompt"] == "a red fox, drawn"
    await shop.deliver(popped)
    async with server.database.writing() as session:
        await steps.count_styles(session, server.horde, now())
    for path in (f"/collections/{made}", f"/styles/image/{member}"):
        assert (await server.get(path)).json()["use_count"] == 1
