"""A horde of 2022: an app, calls by version 1, and a server (today's worker) that is there."""

import pytest

import serving
import version1
from core.users.tables import Role


@pytest.fixture
async def app(sqlite_url, tmp_path):
    async with serving.in_process(sqlite_url, tmp_path / "data") as app:
        yield app


@pytest.fixture
def horde(app):
    return version1.V1(app)


@pytest.fixture
async def server(app, horde):
    """A server that is there."""
    server = version1.Server(horde, await app.user("Owner"))
    arrived = await server.pop()
    assert arrived.status_code == 200, arrived.text
    return server


@pytest.fixture
async def admin(app):
    return await app.user("Admin", roles=int(Role.ADMIN | Role.MODERATOR))
