"""A horde with the shipped model, and a real GIMP 3 with the plug-in."""

import contextlib
import itertools
import json

import pytest

import real_gimp
import serving
import tiny_esrgan
import working
from worker.settings import SHIPPED

NUMBERS = itertools.count()


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
        upscalers = folder / "upscalers"
        upscalers.mkdir()
        tiny_esrgan.save(upscalers / "RealESRGAN_x4plus.pth")
        places = json.dumps([str(SHIPPED), str(upscalers)])
        worker = working.process(
            server.url, owner.key, kinds='["image", "alchemy"]', model_dirs=places
        )
        running.enter_context(worker)
        yield server


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
    with real_gimp.running(HORDE_URL=horde.url, HORDE_API_KEY=user.key) as running:
        yield running
