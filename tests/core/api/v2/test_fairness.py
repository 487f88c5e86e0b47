"""A job that fits is found over HTTP, whatever else waits ahead of it."""

import pytest

import serving
from core.users.tables import Role

AHEAD = 12  # requests of 20 pictures each


@pytest.fixture
async def owner(server):
    return await server.user("Owner", roles=int(Role.TRUSTED))


@pytest.fixture
async def rich(server):
    """Somebody whose requests go first."""
    roles = int(Role.TRUSTED)
    return await server.user("Rich", kudos=1_000_000, roles=roles, concurrency=500)


async def ask_ahead(server, rich, **body):
    params = {**serving.SMALL, "n": 20, **body.pop("params", {})}
    for _ in range(AHEAD):
        await server.ask(key=rich.key, params=params, **body)


async def test_small_jobs_behind_hundreds_of_large_ones_are_found(server, owner, rich):
    await ask_ahead(server, rich, params={"width": 1024, "height": 1024})
    small = await server.ask(params={"width": 512, "height": 512})
    for side in (600, 512):
        popped = await server.pop(owner.key, name=f"worker {side}", max_pixels=side * side)
        assert popped["payload"]["width"] == 512, popped["skipped"]
        await server.submit(owner.key, popped["id"], state="faulted", generation="faulted")
    assert (await server.get(f"/generate/check/{small}")).json()["restarted"] == 2


async def test_a_job_behind_hundreds_with_blacklisted_words_is_found(server, owner, rich):
    await ask_ahead(server, rich, prompt="a large Dog")
    await server.ask(prompt="a red fox")
    popped = await server.pop(owner.key, blacklist=["dog"])
    assert popped["payload"]["prompt"] == "a red fox"
    assert (await server.pop(owner.key, blacklist=["dog"]))["skipped"]["blacklist"] >= 1


async def test_requests_for_models_of_nobody_leave_room_for_others(app_on):
    async with app_on(max_lanes=10) as server:
        owner = await server.user("Owner", roles=int(Role.TRUSTED))
        assert (await server.pop(owner.key))["id"] is None
        for number in range(30):
            await server.ask(models=[f"junk {number}"])
        wanted = await server.ask(models=["stable_diffusion"])
        popped = await server.pop(owner.key)
        assert popped["model"] == "stable_diffusion"
        checked = (await server.get(f"/generate/check/{wanted}")).json()
        assert (checked["processing"], checked["is_possible"]) == (1, True)
