"""A horde with the shipped model, and a real GIMP 3 with the plug-in."""

import contextlib

import pytest

import real_gimp
import serving
import working


@pytest.fixture(scope="session")
def horde(databases, tmp_path_factory):
    """A real server and a real worker with the model that ships."""
    folder = tmp_path_factory.mktemp("horde")
    with contextlib.ExitStack() as running:
        database_url = running.enter_context(databases.fresh("sqlite"))
        server = running.enter_context(
            serving.process(folder, database_url=database_url, default_models="[]")
        )
        owner = server.user("Owner", oauth_id="g_owner")
        running.enter_context(working.process(server.url, owner.key))
        yield server


@pytest.fixture(scope="session")
def gimp(horde):
    """A GIMP without windows, whose plug-in knows the horde."""
    user = horde.user("Painter", oauth_id="g_painter")
    with real_gimp.running(HORDE_URL=horde.url, HORDE_API_KEY=user.key) as running:
        yield running
