"""A fake Discord, a real horde with a worker, and the bot as a process of its own."""

import contextlib

import pytest
import pytest_asyncio

import botting
import serving
import working
from fake_discord.server import running


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def fake():
    async with running() as fake:
        yield fake


@pytest.fixture(scope="module")
def horde(tmp_path_factory):
    """A horde with one user of wealth, and no worker."""
    with serving.process(tmp_path_factory.mktemp("horde"), default_models="[]") as server:
        yield server


@pytest.fixture(scope="module")
def owner(horde):
    return horde.user("Owner", oauth_id="g_owner", trusted=True)


@pytest.fixture(scope="module")
def worker(horde, owner):
    """A worker that makes plain pictures, without torch."""
    with working.process(horde.url, owner.key, light=True, name="A light worker") as worker:
        yield worker


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def start(fake, tmp_path_factory):
    """Starts bots, which end with the module; each has a folder of its own unless told."""
    with contextlib.ExitStack() as started:

        async def start(url, folder=None, **settings):
            folder = folder or tmp_path_factory.mktemp("bot")
            making = botting.process(fake, url, folder, **settings)
            return await botting.entered(started, making)

        yield start
