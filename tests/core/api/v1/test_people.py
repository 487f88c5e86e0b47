"""Users, servers, transfers, status and maintenance by version 1."""

import pytest

from core.db import now
from core.upkeep import steps
from version1 import Server

NOBODY = "00000000-0000-0000-0000-000000000000"
USAGE = {"megapixelsteps": 0.0, "requests": 0}
CONTRIBUTIONS = {"megapixelsteps": 0.0, "fulfillments": 0}


@pytest.fixture
async def worked(app, horde, server):
    """The server made a picture for somebody, and upkeep knows."""
    requester = await app.user("Requester", kudos=1000)
    await horde.ask(api_key=requester.key, params={"width": 512, "height": 512, "steps": 10})
    await server.serve()
    async with app.database.writing() as session:
        await steps.count(session, app.horde, now())
    return requester


def refused(answer, status, text):
    assert answer.status_code == status, answer.text
    assert isinstance(answer.json(), str)
    assert text in answer.json()


class TestUsers:
    async def test_all_by_their_aliases(self, horde, server, worked):
        users = (await horde.get("/users")).json()
        assert users.keys() >= {"Anonymous#0", server.owner.alias, worked.alias}
        own, requester = users[server.owner.alias], users[worked.alias]
        assert own.keys() == {
            "id",
            "kudos",
            "kudos_details",
            "usage",
            "contributions",
            "concurrency",
        }
        assert own["kudos_details"].keys() == {"accumulated", "gifted", "admin", "received"}
        assert own["contributions"] == {"megapixelsteps": 2.62, "fulfillments": 1}
        assert requester["usage"] == {"megapixelsteps": 2.62, "requests": 1}
        assert requester["contributions"] == CONTRIBUTIONS
        assert own["kudos_details"]["accumulated"] > 0 > requester["kudos_details"]["accumulated"]

    async def test_page_by_page(self, horde, server):
        assert (await horde.get("/users?page=2")).json() == {}
        refused(await horde.get("/users?page=none"), 400, "page")

    async def test_one(self, horde, server):
        user = (await horde.get(f"/users/{server.owner.id}")).json()
        assert user == {
            "username": server.owner.alias,
            "kudos": 25.0,
            "usage": USAGE,
            "contributions": CONTRIBUTIONS,
            "concurrency": 30,
        }

    async def test_nobody(self, horde):
        for user_id in ("999999", "nobody", "9" * 30):
            answer = await horde.get(f"/users/{user_id}")
            assert (answer.status_code, answer.json()) == (404, "Not found")

    async def test_changes_by_an_administrator(self, horde, server, admin):
        wanted = {"kudos": 100, "concurrency": "50", "usage_multiplier": 2}
        answer = await horde.put(f"/users/{server.owner.id}", api_key=admin.key, **wanted)
        assert answer.status_code == 200, answer.text
        assert answer.json() == {"new_kudos": 125.0, "concurrency": 50, "usage_multiplier": 2.0}
        user = (await horde.get(f"/users/{server.owner.id}")).json()
        assert (user["kudos"], user["concurrency"]) == (125.0, 50)

    async def test_changes_that_are_refused(self, horde, server, admin):
        path = f"/users/{server.owner.id}"
        refused(await horde.put(path, api_key=server.owner.key, kudos=1), 401, "administrators")
        refused(await horde.put(path, api_key=server.owner.key, concurrency=50), 401, "moderators")
        refused(await horde.put(path, api_key="nobodys", kudos=1), 401, "API Key")
        refused(await horde.put(path, api_key=admin.key), 400, "changed")
        refused(await horde.put("/users/999999", api_key=admin.key, kudos=1), 400, "not found")
        wrong = await horde.put(path, api_key=admin.key, kudos="many")
        assert (wrong.status_code, wrong.json()["errors"].keys()) == (400, {"kudos"})


class TestServers:
    async def test_those_that_are_there(self, horde, server, worked):
        (listed,) = (await horde.get("/servers")).json()
        assert listed.keys() == {
            "name",
            "id",
            "max_pixels",
            "megapixelsteps_generated",
            "requests_fulfilled",
            "kudos_rewards",
            "kudos_details",
            "performance",
            "uptime",
            "maintenance_mode",
        }
        assert listed["name"] == "A server"
        assert (listed["max_pixels"], listed["requests_fulfilled"]) == (512 * 512, 1)
        assert listed["megapixelsteps_generated"] == 2.62
        assert listed["kudos_rewards"] == listed["kudos_details"]["generated"] > 0
        assert listed["performance"].endswith("megapixelsteps per second")
        assert listed["maintenance_mode"] is False

    async def test_writers_are_none(self, app, horde, server):
        offer = {"name": "a writer", "models": ["a model"], "max_length": 80}
        writer = await app.post("/generate/text/pop", offer, key=server.owner.key)
        assert writer.status_code == 200, writer.text
        assert [one["name"] for one in (await horde.get("/servers")).json()] == ["A server"]
        (found,) = (await app.get("/workers?type=text")).json()
        assert (await horde.get(f"/servers/{found['id']}")).status_code == 404

    async def test_one(self, horde, server):
        server_id = await server.id()
        found = (await horde.get(f"/servers/{server_id}")).json()
        assert found == {
            "name": "A server",
            "id": server_id,
            "max_pixels": 512 * 512,
            "megapixelsteps_generated": 0.0,
            "requests_fulfilled": 0,
            "latest_performance": "No requests fulfilled yet",
            "maintenance_mode": False,
        }

    async def test_none(self, horde, admin):
        for server_id in (NOBODY, "no id"):
            answer = await horde.get(f"/servers/{server_id}")
            assert (answer.status_code, answer.json()) == (404, "Not found")
            answer = await horde.put(f"/servers/{server_id}", api_key=admin.key, paused=True)
            assert (answer.status_code, answer.json()) == (404, "Not found")

    async def test_changes(self, horde, server, admin):
        path = f"/servers/{await server.id()}"
        on = await horde.put(path, api_key=server.owner.key, maintenance="true")
        assert (on.status_code, on.json()) == (200, {"maintenance": True})
        assert (await horde.get(path)).json()["maintenance_mode"] is True
        paused = await horde.put(path, api_key=admin.key, paused=True)
        assert (paused.status_code, paused.json()) == (200, {"paused": True})

    async def test_changes_that_are_refused(self, app, horde, server):
        path, stranger = f"/servers/{await server.id()}", await app.user("Stranger")
        refused(await horde.put(path, api_key=stranger.key, maintenance=True), 401, "owner")
        refused(await horde.put(path, api_key=server.owner.key, paused=True), 401, "moderators")
        refused(await horde.put(path, api_key="nobodys", maintenance=True), 401, "API Key")
        refused(await horde.put(path, api_key=server.owner.key), 400, "Nothing")

    @pytest.mark.parametrize("prefix", ["", "/api/latest"])
    async def test_without_a_prefix_too(self, app, server, prefix):
        bare = type(server.horde)(app, prefix)
        assert await Server(bare, server.owner).id() == await server.id()
        assert "Anonymous#0" in (await bare.get("/users")).json()


class TestTransfer:
    async def test_giving(self, app, horde, server):
        giver = await app.user("Giver", kudos=500)
        given = {"api_key": giver.key, "username": server.owner.alias}
        answer = await horde.post("/kudos/transfer", **given)
        assert (answer.status_code, answer.json()) == (200, {"transfered": 100})
        user = (await horde.get(f"/users/{server.owner.id}")).json()
        assert user["kudos"] == 125.0

    async def test_refused(self, app, horde, server):
        giver = await app.user("Giver", kudos=500)
        usual = {"api_key": giver.key, "username": server.owner.alias, "amount": 1}
        for changes, status, text in (
            ({"api_key": "nobodys"}, 401, "API Key"),
            ({"amount": 1_234_567}, 400, "1234567.00 kudos to give"),
            ({"amount": -1}, 400, "less than nothing"),
            ({"username": "nobody#99"}, 400, "no user"),
            ({"username": "Anonymous#0"}, 400, "anonymous"),
        ):
            refused(await horde.post("/kudos/transfer", **usual | changes), status, text)


class TestStatus:
    async def test_performance(self, app, horde, server):
        await horde.ask(params={"n": 2, "width": 512, "height": 512, "steps": 10})
        await server.serve()
        app.horde.counts.read_at = float("-inf")
        app.horde.online.forget()
        assert (await horde.get("/status/performance")).json() == {
            "queued_requests": 1,
            "queued_megapixelsteps": 2.62,
            "megapixelsteps_per_min": 2.62,
            "server_count": 1,
            "maintenance_mode": False,
        }

    async def test_maintenance(self, horde, admin):
        for active in (True, False):
            answer = await horde.put("/admin/maintenance", api_key=admin.key, active=active)
            assert (answer.status_code, answer.json()) == (200, {"maintenance_mode": active})
            told = (await horde.get("/status/performance")).json()
            assert told["maintenance_mode"] is active

    async def test_maintenance_is_for_administrators(self, horde, server):
        wanted = {"api_key": server.owner.key, "active": True}
        refused(await horde.put("/admin/maintenance", **wanted), 401, "administrators")
        refused(
            await horde.put("/admin/maintenance", api_key="nobodys", active=True), 401, "API Key"
        )
        missing = await horde.put("/admin/maintenance", api_key="nobodys")
        assert (missing.status_code, missing.json()["errors"].keys()) == (400, {"active"})
