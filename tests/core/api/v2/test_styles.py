"""Styles: made, seen, changed, shown by examples, and asked for."""

import pytest

import pictures
import serving
from core.db import now
from core.upkeep import steps
from core.users.tables import Role

pytestmark = pytest.mark.asyncio(loop_scope="module")

EXAMPLE = "https://example.com/{}.webp"


async def author(server, **properties):
    usual = {"roles": int(Role.TRUSTED), "kudos": 1000}
    return await server.user(f"Author {next(serving.NUMBERS)}", **usual | properties)


async def style(server, by, *, kind="image", **said):
    """The path of a new style."""
    usual = {"name": f"style {next(serving.NUMBERS)}", "models": ["stable_diffusion"]}
    made = await server.post(f"/styles/{kind}", usual | said, key=by.key)
    assert made.status_code == 200, made.text
    return f"/styles/{kind}/{made.json()['id']}"


def id_of(path):
    return path.rpartition("/")[2]


async def kudos(server, person):
    return (await server.get("/find_user", key=person.key)).json()["kudos"]


async def test_a_style_is_made_and_seen(shared):
    by = await author(shared)
    said = {
        "name": f"Foxes {next(serving.NUMBERS)}",
        "info": "All of them are foxes.",
        "prompt": "{p}, a fox{np}",
        "params": {"steps": 8, "width": 512, "cfg_scale": 1.5, "loras": [{"name": "red"}]},
        "nsfw": True,
        "tags": ["red", "furry"],
        "models": ["b", "a"],
    }
    made = await shared.post("/styles/image", said, key=by.key)
    assert made.json() == {"id": made.json()["id"], "message": "OK", "warnings": []}
    lora = {"name": "red", "model": 1.0, "clip": 1.0, "is_version": False}
    expected = said | {
        "id": made.json()["id"],
        "params": said["params"] | {"loras": [lora]},
        "public": True,
        "use_count": 0,
        "creator": by.alias,
        "examples": [],
    }
    assert (await shared.get(f"/styles/image/{expected['id']}")).json() == expected
    by_name = await shared.get(f"/styles/image_by_name/{said['name'].upper()}")
    assert by_name.json() == expected
    assert expected in (await shared.get("/styles/image?tag=furry&sort=age")).json()
    owner = (await shared.get("/find_user", key=by.key)).json()
    name = f"{by.alias}::style::{said['name']}"
    assert owner["styles"] == [{"name": name, "id": expected["id"], "type": "image"}]


async def test_a_text_style_is_made_and_seen(shared):
    by = await author(shared)
    said = {"name": f"Tales {next(serving.NUMBERS)}", "params": {"temperature": 0.5}}
    path = await style(shared, by, kind="text", **said)
    seen = (await shared.get(path)).json()
    assert (seen["prompt"], seen["params"]["temperature"]) == ("{p}", 0.5)
    assert (await shared.get(f"/styles/text_by_name/{said['name']}")).json() == seen
    assert seen in (await shared.get("/styles/text?model=stable_diffusion&sort=age")).json()


async def test_private_styles_are_seen_by_who_knows_them_and_not_listed(shared):
    path = await style(shared, await author(shared), public=False, tags=["private"])
    assert (await shared.get(path)).json()["public"] is False
    assert (await shared.get("/styles/image?tag=private")).json() == []


async def test_a_change_leaves_what_it_does_not_name(shared):
    by = await author(shared)
    path = await style(
        shared,
        by,
        prompt="{p}, a fox{np}",
        public=False,
        nsfw=True,
        params={"steps": 8},
        tags=["red"],
        info="All of them are foxes.",
    )
    before = (await shared.get(path)).json()
    changed = await shared.call("PATCH", path, {"info": "red"}, key=by.key)
    assert changed.json() == {"id": before["id"], "message": "OK", "warnings": []}
    assert (await shared.get(path)).json() == before | {"info": "red"}
    said = {"name": f"{before['name']}!", "params": {"cfg_scale": 2.0}, "tags": [], "models": ["c"]}
    await shared.call("PATCH", path, said, key=by.key)
    assert (await shared.get(path)).json() == before | {"info": "red"} | said


async def test_what_a_model_advises_against_is_a_warning(shared):
    answer = await shared.post(
        "/styles/image",
        {
            "name": f"quick {next(serving.NUMBERS)}",
            "models": ["Flux.1-Schnell fp8 (Compact)"],
            "params": {"steps": 50},
        },
        key=(await author(shared)).key,
    )
    codes = {warning["code"] for warning in answer.json()["warnings"]}
    assert "StepsTooMany" in codes


async def test_a_style_may_name_the_workflow_that_a_request_brings_the_text_for(shared):
    path = await style(shared, await author(shared), params={"workflow": "qr_code"})
    assert (await shared.get(path)).json()["params"] == {"workflow": "qr_code"}


async def test_owners_and_moderators_delete_styles(shared):
    by = await author(shared)
    moderator = await shared.user(f"mod{next(serving.NUMBERS)}", roles=int(Role.MODERATOR))
    for key in (by.key, moderator.key):
        path = await style(shared, by)
        assert (await shared.call("DELETE", path, key=key)).json() == {"message": "OK"}
        assert (await shared.get(path)).status_code == 404


async def test_one_of_four_examples_is_the_primary_one(shared):
    by = await author(shared)
    path = await style(shared, by)
    ids = []
    for number in range(4):
        said = {"url": EXAMPLE.format(number), "primary": number in (1, 2)}
        ids.append((await shared.post(f"{path}/example", said, key=by.key)).json()["id"])

    async def shown():
        examples = (await shared.get(path)).json()["examples"]
        return [(one["id"], one["primary"]) for one in examples]

    assert await shown() == [(ids[2], True), (ids[0], False), (ids[1], False), (ids[3], False)]
    example = f"{path}/example/{ids[3]}"
    changed = await shared.call(
        "PATCH", example, {"primary": True, "url": EXAMPLE.format(9)}, key=by.key
    )
    assert changed.status_code == 200
    assert (await shown())[0] == (ids[3], True)
    assert [primary for _, primary in await shown()].count(True) == 1
    twice = await shared.call("PATCH", example, {"url": EXAMPLE.format(0)}, key=by.key)
    assert twice.json()["rc"] == "ExampleURLAlreadyInUse"
    for url in ("http://example.com/a.webp", "https://example.com/\x1b[2J.webp"):
        assert (await shared.call("PATCH", example, {"url": url}, key=by.key)).status_code == 400
    assert (await shared.call("DELETE", example, key=by.key)).json() == {"message": "OK"}
    assert ids[3] not in dict(await shown())


async def test_a_styled_request_is_what_the_style_says(shop):
    server, by = shop.server, await author(shop.server)
    path = await style(
        server,
        by,
        prompt="{p}, a {adjective} fox###{np}, ugly",
        params={"steps": 2, "width": 128, "karras": False},
        models=[shop.name],
    )
    body = {
        "prompt": "red {fur}###blurry",
        "models": ["another"],
        "params": {"n": 2, "seed": "7", "width": 64, "height": 64, "steps": 1, "tiling": True},
        "style": id_of(path),
    }
    asked = await server.post("/generate/async", body, key=shop.owner.key)
    assert asked.status_code == 202, asked.text
    payload = (await shop.pop(amount=2))["payload"]
    shaped = {name: payload[name] for name in ("prompt", "ddim_steps", "width", "height", "n_iter")}
    assert shaped == {
        "prompt": "red {fur}, a  fox###blurry, ugly",
        "ddim_steps": 2,
        "width": 128,
        "height": 64,
        "n_iter": 2,
    }
    assert (payload["karras"], payload["tiling"], payload["seed"]) == (False, False, "7")


async def count_styles(server):
    async with server.database.writing() as session:
        await steps.count_styles(session, server.horde, now())


async def test_a_style_costs_two_kudos_and_its_owner_gets_them_once(shop):
    server, by = shop.server, await author(shop.server)
    path = await style(server, by, models=[shop.name])
    before = await kudos(server, by)
    plain, styled = {"models": [shop.name]}, {"models": [shop.name], "style": id_of(path)}
    prices = [
        (
            await server.post(
                "/generate/async", {"prompt": "red", "dry_run": True, **body}, key=shop.owner.key
            )
        ).json()["kudos"]
        for body in (plain, styled)
    ]
    assert prices[1] - prices[0] == 2
    await shop.ask(key=shop.owner.key, style=id_of(path), params={**serving.SMALL, "n": 2})
    await count_styles(server)
    assert await kudos(server, by) == before  # nothing for dry runs, nor before there is a result
    for _ in range(2):
        await shop.deliver(await shop.pop())
        await count_styles(server)
    assert await kudos(server, by) == before + 2
    assert (await server.get(path)).json()["use_count"] == 1
    owner = (await server.get("/find_user", key=by.key)).json()
    assert owner["records"]["style"]["image"] == 1
    assert (await server.get("/kudos/audit")).json()["balanced"]


async def test_nobody_is_rewarded_for_a_style_of_their_own(shop):
    server, by = shop.server, await author(shop.server)
    path = await style(server, by, models=[shop.name])
    request_id = await shop.ask(key=by.key, style=id_of(path))
    await shop.deliver(await shop.pop())
    spent = (await shop.status(request_id))["kudos_exact"]
    await count_styles(server)
    assert await kudos(server, by) == pytest.approx(1025 - spent)
    assert (await server.get(path)).json()["use_count"] == 1


async def test_a_shared_key_of_a_style_pays_for_who_uses_it(shop):
    server, by = shop.server, await author(shop.server)
    made = await server.call("PUT", "/sharedkeys", {"kudos": 100}, key=by.key)
    key = made.json()
    path = await style(server, by, models=[shop.name], sharedkey=key["id"])
    seen = (await server.get(path)).json()
    assert (seen["sharedkey"], seen["shared_key"]) == (key["id"], key)
    before = await kudos(server, shop.owner)
    paid = await kudos(server, by)
    request_id = await shop.ask(key=serving.ANONYMOUS, style=id_of(path))
    await shop.deliver(await shop.pop())
    spent = (await shop.status(request_id))["kudos_exact"]
    assert spent > 0
    assert await kudos(server, by) == pytest.approx(paid - spent)
    assert await kudos(server, shop.owner) > before
    used = (await server.get(f"/sharedkeys/{key['id']}")).json()
    assert used["utilized"] == round(spent)
    emptied = await server.call("PATCH", f"/sharedkeys/{key['id']}", {"kudos": 0}, key=by.key)
    assert emptied.status_code == 200
    paid = await kudos(server, by)
    await shop.ask(key=serving.ANONYMOUS, style=id_of(path))
    assert await kudos(server, by) == paid  # the key is empty: who asks pays


async def test_a_flagged_user_does_not_hide_behind_a_styles_key(shop):
    server, by = shop.server, await author(shop.server)
    key = (await server.call("PUT", "/sharedkeys", {"kudos": 100}, key=by.key)).json()["id"]
    path = await style(server, by, models=[shop.name], sharedkey=key)
    flagged = await author(server, roles=int(Role.FLAGGED))
    before = await kudos(server, by)
    await shop.ask(key=flagged.key, style=id_of(path))
    assert await kudos(server, by) == before


async def test_a_styled_text(shop):
    server, by = shop.server, await author(shop.server)
    path = await style(
        server,
        by,
        kind="text",
        prompt="Q: {p} A:",
        params={"temperature": 0.5, "top_k": 3},
        models=["a model"],
    )
    said = {
        "prompt": "why?",
        "params": {"max_length": 16, "temperature": 2.0, "top_p": 0.5},
        "style": (await server.get(path)).json()["name"],
    }
    asked = await server.post("/generate/text/async", said, key=shop.owner.key)
    assert asked.status_code == 202, asked.text
    offer = {
        "name": f"scribe {next(serving.NUMBERS)}",
        "models": ["a model"],
        "bridge_agent": serving.WORKER,
    }
    popped = (await server.post("/generate/text/pop", offer, key=shop.owner.key)).json()
    payload = popped["payload"]
    assert (payload["prompt"], payload["max_length"]) == ("Q: why? A:", 16)
    assert (payload["temperature"], payload["top_k"]) == (0.5, 3)
    assert "top_p" not in payload


async def test_a_style_with_a_source_picture(shop):
    path = await style(shop.server, await author(shop.server), models=[shop.name])
    await shop.ask(style=id_of(path), source_image=pictures.SOURCE)
    assert (await shop.pop())["source_image"]
