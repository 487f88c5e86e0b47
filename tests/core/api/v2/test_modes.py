"""The horde's states: who sees and switches them, and what they lead to."""

import contextlib

import pytest

import serving
from core.users.directory import NO_ROLE
from core.users.tables import Role

pytestmark = pytest.mark.asyncio(loop_scope="module")

PUBLIC = {"maintenance_mode": False, "invite_only_mode": False, "anonymous_mode": True}
ASKED = {"prompt": "a red fox", "models": [], "params": serving.SMALL}
FORM = {"forms": [{"name": "caption"}], "source_image": "https://example.com/fox.webp"}
REQUESTS = {
    "/generate/async": ASKED,
    "/generate/text/async": {"prompt": "a red fox"},
    "/interrogate/async": FORM,
}


async def somebody(site, role=NO_ROLE):
    return (await site.user(f"m{next(serving.NUMBERS)}", roles=int(role))).key


@contextlib.asynccontextmanager
async def switched(site, **states):
    """The horde in these states."""
    key = await somebody(site, Role.ADMIN | Role.MODERATOR)
    answer = await site.call("PUT", "/status/modes", states, key=key)
    assert answer.json() == states
    try:
        yield key
    finally:
        back = {name: name == "anonymous_mode" for name in states}
        await site.call("PUT", "/status/modes", back, key=key)


async def test_everybody_sees_all_but_raid_mode(site):
    async with switched(site, raid_mode=True, invite_only_mode=True) as key:
        seen = (await site.get("/status/modes")).json()
        assert seen == PUBLIC | {"invite_only_mode": True}
        by_moderator = (await site.get("/status/modes", key=key)).json()
        assert by_moderator == seen | {"raid_mode": True}
        # Nothing a moderator saw is told to who comes next.
        assert (await site.get("/status/modes")).json() == seen
        assert (await site.get("/status/modes", key=serving.ANONYMOUS)).status_code == 403
    assert (await site.get("/status/modes")).json() == PUBLIC


@pytest.mark.parametrize(
    ("role", "body", "status", "rc"),
    [
        (Role.MODERATOR, {"maintenance_mode": True}, 403, "NotAdmin"),
        (Role.MODERATOR, {"maintenance_mode": True, "raid_mode": True}, 403, "NotAdmin"),
        (Role.ADMIN, {"raid_mode": True}, 403, "NotModerator"),
        (Role.ADMIN, {"invite_only_mode": True}, 403, "NotModerator"),
        (Role.TRUSTED, {"anonymous_mode": False}, 403, "NotModerator"),
        (Role.TRUSTED, {}, 403, "NotModerator"),
        (Role.MODERATOR, {}, 400, "NoHordeModSelected"),
        (Role.MODERATOR, {"fox": True}, 400, "NoHordeModSelected"),
    ],
)
async def test_who_may_switch_what(site, role, body, status, rc):
    key = await somebody(site, role)
    answer = await site.call("PUT", "/status/modes", body, key=key)
    assert (answer.status_code, answer.json()["rc"]) == (status, rc)
    assert (await site.get("/status/modes")).json() == PUBLIC


async def test_a_wrong_key_is_nobodys(site):
    assert (await site.get("/status/modes", key="wrong")).json()["rc"] == "InvalidAPIKey"
    answer = await site.call("PUT", "/status/modes", {"raid_mode": True}, key="wrong")
    assert answer.json()["rc"] == "InvalidAPIKey"
    answer = await site.call("PUT", "/status/modes", {"raid_mode": 1}, key="wrong")
    assert answer.json()["errors"].keys() == {"raid_mode"}


@pytest.mark.parametrize("path", REQUESTS)
async def test_in_maintenance_no_requests_are_taken(site, path):
    async with switched(site, maintenance_mode=True) as key:
        answer = await site.post(path, REQUESTS[path], key=key)
        assert (answer.status_code, answer.json()["rc"]) == (400, "MaintenanceMode")


async def test_in_a_raid_nobody_learns_what_no_worker_serves(site):
    async def told():
        answer = await site.post("/generate/async", ASKED | {"models": ["nobody's"]}, key=key)
        return answer.json().get("message")

    key = await somebody(site)
    assert "No available workers" in await told()
    async with switched(site, raid_mode=True):
        assert await told() is None


async def test_in_maintenance_what_waits_is_served(site):
    shop = await serving.open_shop(site)
    request_id = await shop.ask()
    async with switched(site, maintenance_mode=True):
        await shop.deliver(await shop.pop())
    assert (await shop.status(request_id))["done"]


@pytest.mark.parametrize("path", REQUESTS)
async def test_anonymous_use_can_be_switched_off(site, path):
    async with switched(site, anonymous_mode=False):
        answer = await site.post(path, REQUESTS[path], key=serving.ANONYMOUS)
        assert (answer.status_code, answer.json()["rc"]) == (403, "AnonForbidden")
        answer = await site.post(path, REQUESTS[path], key=await somebody(site))
        assert answer.status_code == 202 or path == "/interrogate/async", answer.text


async def test_anonymous_use_can_be_set_off(app_on):
    async with app_on(anonymous="off") as server:
        assert (await server.get("/status/modes")).json() == PUBLIC | {"anonymous_mode": False}
        answer = await server.post("/generate/async", ASKED, key=serving.ANONYMOUS)
        assert answer.json()["rc"] == "AnonForbidden"


async def test_in_a_raid_nobody_registers_without_a_login(site):
    async with switched(site, raid_mode=True):
        answer = await site.post("/register", {"username": "a fox"})
        assert answer.status_code == 403
    assert (await site.post("/register", {"username": "a fox"})).status_code == 201
