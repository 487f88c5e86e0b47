"""The model that ships with the project, served by a worker of which nothing is set."""

import asyncio
import contextlib
import io
import os
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageStat

import pictures
import serving
import working
from core.client import HordeClient
from core.wire.alchemy import ModelInterrogationInputStable
from core.wire.generate import GenerationInputStable
from serving import ANONYMOUS
from worker.settings import DEFAULT_MODEL

SIDE = 256
STAND_IN = "realesr-animevideov3"
SECONDS = 100
SPRITES = Path(__file__).parents[2] / "examples" / "sprites.sh"

pytestmark = [pytest.mark.model, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def horde(databases, tmp_path_factory):
    """A horde with one worker, as it is started by default."""
    folder = tmp_path_factory.mktemp("horde")
    with contextlib.ExitStack() as running:
        database_url = running.enter_context(databases.fresh("sqlite"))
        server = running.enter_context(
            serving.process(folder, database_url=database_url, default_models="[]")
        )
        owner = server.user("Owner", oauth_id="g_owner")
        running.enter_context(working.process(server.url, owner.key, kinds=None))
        yield server


@pytest.fixture
def url(horde):
    return horde.url


@pytest.fixture
def asker(horde):
    """Somebody with kudos."""
    return horde.user("Requester", oauth_id="g_asker", kudos=1000)


async def made(url, prompt):
    return (await asked(url, prompt))[0]


async def asked(url, prompt, key=ANONYMOUS, **params):
    """A picture, and what is said of it."""
    usual = {"width": SIDE, "height": SIDE, "steps": 20, "seed": "7"}
    ask = GenerationInputStable.model_validate({"prompt": prompt, "params": usual | params})
    async with HordeClient(url, key) as client:
        asked = await client.generate(ask)
        (generation,) = (await client.wait_for(asked.id, SECONDS)).generations
        assert generation.model == DEFAULT_MODEL
        assert not generation.censored
        return await client.download(generation.img), generation


async def test_pictures_show_what_was_asked_for(url):
    """Which of two colours the background has follows from the prompt, with one seed."""
    red, again, blue = [
        await made(url, prompt)
        for prompt in (
            "a cat on a red background",
            "a cat on a red background",
            "a cat on a blue background",
        )
    ]
    assert red == again
    assert hue(red) > 0 > hue(blue)


async def test_several_users_at_once_are_all_served(url):
    prompts = ("a red fox", "a green apple", "a yellow star")
    all_made = await asyncio.gather(*(made(url, prompt) for prompt in prompts))
    assert len(set(all_made)) == len(prompts)


async def test_sprites_for_a_game_come_on_clear_ground(url, tmp_path):
    """As the example's first lines say: a sheet of eight, of which only the things are seen."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    home = {"HOME": str(tmp_path), "HORDE_STATE_DIR": str(tmp_path / "state")}
    making = await asyncio.create_subprocess_exec(
        "sh",
        str(SPRITES),
        str(tmp_path / "sprites"),
        env=os.environ | home | {"HORDE_URL": url, "PATH": path, "SIZE": f"{SIDE}x{SIDE}"},
    )
    assert await asyncio.wait_for(making.wait(), SECONDS) == 0
    with Image.open(tmp_path / "sprites" / "sheet.png") as sheet:
        assert (sheet.size, sheet.mode) == ((4 * SIDE, 2 * SIDE), "RGBA")
        seen = sheet.getchannel("A")
    for left in range(0, 4 * SIDE, SIDE):
        for top in range(0, 2 * SIDE, SIDE):
            cell = seen.crop((left, top, left + SIDE, top + SIDE))
            clear = cell.histogram()[0] / SIDE**2
            assert 0.2 < clear < 0.95, f"{clear:.0%} of the cell at {left}, {top} is clear"


def hue(picture):
    """How much redder than blue a picture is; it is a picture, of the size that was asked for."""
    image = Image.open(io.BytesIO(picture))
    assert (image.format, image.size) == ("WEBP", (SIDE, SIDE))
    statistics = ImageStat.Stat(image.convert("RGB"))
    assert max(statistics.stddev) > 10  # not of one colour
    red, _, blue = statistics.mean
    return red - blue


async def test_a_picture_is_enlarged_without_any_weights_being_added(horde, asker):
    """By the shipped network, in the place of the one that was asked for; both results say so."""
    picture, generation = await asked(
        horde.url, "a red fox", asker.key, post_processing=["RealESRGAN_x2plus"]
    )
    assert Image.open(io.BytesIO(picture)).size == (2 * SIDE, 2 * SIDE)
    assert any(STAND_IN in (note.ref or "") for note in generation.gen_metadata)

    forms = ["RealESRGAN_x4plus", "palette", "vectorize", "strip_background"]
    ask = {
        "forms": [{"name": form} for form in forms],
        "source_image": pictures.encoded(pictures.picture((48, 32), colour="red")),
    }
    async with HordeClient(horde.url, asker.key) as client:
        wanted = await client.alchemy.ask(ModelInterrogationInputStable.model_validate(ask))
        status = await client.alchemy.wait_for(wanted.id, SECONDS)
        found = {form.form: form for form in status.forms}
        assert {name: form.state for name, form in found.items()} == dict.fromkeys(forms, "done")
        result = found["RealESRGAN_x4plus"].result
        large = Image.open(io.BytesIO(await client.download(result["RealESRGAN_x4plus"])))
    assert large.size == (4 * 48, 4 * 32)
    assert STAND_IN in result["gen_metadata"][0]["ref"]
