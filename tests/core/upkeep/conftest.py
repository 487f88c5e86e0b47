"""A horde on each engine whose upkeep is done by the tests, step by step and at any time."""

from datetime import timedelta

import pytest

import serving
from core.db import now


@pytest.fixture
async def server(database_url, tmp_path):
    """An app without an upkeep of its own."""
    async with serving.in_process(database_url, tmp_path / "data") as server:
        yield server


@pytest.fixture
def do(server):
    """Does a step as if it were later: `await do(steps.expire, hours=1)`."""

    async def run(step, **later):
        async with server.database.writing() as session:
            left = await step(session, server.horde, now() + timedelta(**later))
        if left.after is not None:
            await left.after()
        return left

    return run


@pytest.fixture
async def owner(server):
    """Whose workers they are."""
    return await server.user("Owner")


@pytest.fixture
async def requester(server):
    """Somebody who can pay."""
    return await server.user("Requester", kudos=100)
