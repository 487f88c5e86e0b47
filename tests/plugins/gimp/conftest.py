"""A horde with the shipped model, and a real GIMP 3 with the plug-in."""

import contextlib
import itertools
import json

import pytest

import real_gimp
import serving
import tiny_esrgan
import working
from patience import until
from stable_horde.wire import Horde
from worker.settings import SHIPPED

NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def served(databases, tmp_path_factory):
    """A real server and a real worker with the model that ships, which the server knows of."""
    folder = tmp_path_factory.mktemp("horde")
    with contextlib.ExitStack() as running:
        database_url = running.enter_context(databases.fresh("sqlite"))
        server = running.enter_context(
            serving.process(folder, database_url=database_url, default_models="[]")
        )
        owner = server.user("Owner", oauth_id="g_owner")
        upscalers = folder / "upscalers"
        upscalers.mkdir()
        tiny_esrgan.save(upscalers / "RealESRGAN_x4plus.pth")
        places = json.dumps([str(SHIPPED), str(upscalers)])
        worker = running.enter_context(
            working.process(server.url, owner.key, kinds='["image", "alchemy"]', model_dirs=places)
        )
        until(Horde(server.url).models)
        yield server, worker


@pytest.fixture(scope="session")
def horde(served):
    """The server."""
    return served[0]


@pytest.fixture(scope="session")
def worker(served):
    """The worker with the model that ships."""
    return served[1]


@pytest.fixture
def stand_in(horde):
    """Starts a worker that stands for another: `stand_in(stand_ins.Echo)`."""
    with contextlib.ExitStack() as running:

        def start(kind):
            name = f"{kind.__name__} {(number := next(NUMBERS))}"
            owner = horde.user("Stand-in", oauth_id=f"g_stand_in_{number}")
            return running.enter_context(kind(horde.url, owner.key, name))

        yield start


@pytest.fixture(scope="session")
def gimp(horde):
    """A GIMP without windows, whose plug-in knows the horde."""
    user = horde.user("Painter", oauth_id="g_painter")
    with (
        real_gimp.installed() as work,
        real_gimp.running(work, HORDE_URL=horde.url, HORDE_API_KEY=user.key) as running,
    ):
        yield running
