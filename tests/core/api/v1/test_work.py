"""What servers did in version 1: getting jobs and delivering pictures."""

import base64
from uuid import UUID

from sqlalchemy import select

import factories
import pictures
from core.queue.tables import AttemptRow
from version1 import SMALL

NOBODY = "00000000-0000-0000-0000-000000000000"


class TestPop:
    async def test_what_the_program_is_called_with(self, horde, server):
        params = {**SMALL, "width": 128, "toggles": [1, 4], "sampler_name": "mine", "seed": 5}
        await horde.ask(params=params)
        popped = (await server.pop()).json()
        assert popped.keys() == {"id", "payload"}
        assert popped["payload"] == {
            "prompt": "a red fox",
            "n": 1,
            "batch_size": 1,
            "width": 128,
            "height": 64,
            "ddim_steps": 1,
            "toggles": [1, 4],
            "sampler_name": "mine",
            "cfg_scale": 5.0,
            "seed": "5",
        }

    async def test_nothing_is_there(self, server):
        answer = await server.pop()
        assert (answer.status_code, answer.json()) == (200, {"id": None, "skipped": {}})

    async def test_too_large_for_it(self, app, horde, server):
        await horde.ask(params={**SMALL, "width": 128})
        app.horde.counts.read_at = float("-inf")
        popped = await server.pop(max_pixels=64 * 64)
        assert popped.json() == {"id": None, "skipped": {"max_pixels": 1}}

    async def test_requests_of_version_2_too(self, app, server):
        request_id = await app.ask()
        assert (await server.serve()).status_code == 200
        assert (await app.get(f"/generate/check/{request_id}")).json()["done"] is True

    async def test_whom_it_serves_first(self, app, horde, server):
        friend = await app.user("Friend")
        await horde.ask()
        await horde.ask(api_key=friend.key, prompt="a friend's fox")
        popped = await server.pop(priority_usernames=[friend.alias])
        assert popped.json()["payload"]["prompt"] == "a friend's fox"

    async def test_a_paused_server_finds_nothing(self, app, horde, server):
        await horde.ask()
        async with app.database.writing() as session:
            await factories.change_worker(session, UUID(await server.id()), paused=True)
        assert (await server.pop()).json() == {"id": None, "skipped": {}}
        async with app.database.reading() as session:
            assert not list(await session.scalars(select(AttemptRow.id)))  # nor is it fooled

    async def test_in_maintenance(self, horde, server):
        answer = await horde.put(
            f"/servers/{await server.id()}", api_key=server.owner.key, maintenance=True
        )
        assert answer.status_code == 200
        refused = await server.pop()
        assert refused.status_code == 403
        assert "maintenance mode" in refused.json()

    async def test_with_nobodys_key(self, server):
        answer = await server.pop(api_key="nobodys")
        assert answer.status_code == 401
        assert isinstance(answer.json(), str)

    async def test_with_somebody_elses_key(self, app, server):
        thief = await app.user("Thief")
        answer = await server.pop(api_key=thief.key)
        assert answer.status_code == 401
        assert "Wrong credentials" in answer.json()

    async def test_what_is_missing_is_named(self, horde):
        answer = await horde.post("/generate/pop")
        assert answer.status_code == 400
        assert answer.json()["errors"].keys() == {"api_key", "name"}


class TestSubmit:
    async def test_the_reward(self, horde, server):
        await horde.ask()
        answer = await server.serve()
        assert answer.status_code == 200
        assert answer.json().keys() == {"reward"}
        assert answer.json()["reward"] > 0

    async def test_another_format_becomes_webp(self, horde, server):
        request_id = await horde.ask()
        job_id = (await server.pop()).json()["id"]
        assert (await server.submit(job_id, generation=pictures.SOURCE)).status_code == 200
        (made,) = (await horde.get(f"/generate/prompt/{request_id}")).json()["generations"]
        assert base64.b64decode(made["img"])[8:12] == b"WEBP"

    async def test_what_is_no_picture(self, horde, server):
        await horde.ask()
        job_id = (await server.pop()).json()["id"]
        answer = await server.submit(job_id, generation="no picture")
        assert answer.status_code == 400
        assert "Image validation failed" in answer.json()

    async def test_a_job_that_is_not_there(self, server):
        for job_id in (NOBODY, "no id"):
            answer = await server.submit(job_id)
            assert answer.status_code == 404
            assert "does not exist" in answer.json()

    async def test_twice(self, horde, server):
        await horde.ask()
        job_id = (await server.pop()).json()["id"]
        assert (await server.submit(job_id)).status_code == 200
        again = await server.submit(job_id)
        assert again.status_code == 400
        assert "already submitted" in again.json()

    async def test_by_somebody_else(self, app, horde, server):
        thief = await app.user("Thief")
        await horde.ask()
        job_id = (await server.pop()).json()["id"]
        answer = await server.submit(job_id, api_key=thief.key)
        assert answer.status_code == 401
        assert "Wrong credentials" in answer.json()
        assert (await server.submit(job_id, api_key="nobodys")).status_code == 401
