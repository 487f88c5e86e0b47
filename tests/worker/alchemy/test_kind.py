"""The loop with forms, over a real socket."""

from pathlib import Path

import pytest

import pictures
from fake_renderers import ThreadEngine
from worker.alchemy.kind import CPU_TILES, GPU_TILES, STAND_IN_TILES, Forms, most_tiles
from worker.alchemy.order import Description
from worker.offers import alchemy_offer
from worker.settings import Settings
from worker.upscaler import Upscaler

FORMS = {
    "palette": Description("palette"),
    "RealESRGAN_x4plus": Upscaler("RealESRGAN_x4plus", Path("/nowhere")),
}
STAND_IN = Upscaler("RealESRGAN_x2plus", Path("/nowhere"), "another")


@pytest.fixture
def answer(serve, horde):
    settings = Settings(url=horde.url, name="tester", wait_seconds=0.05)
    return lambda engine=None, models=FORMS: serve(
        engine, kind=lambda client: Forms(client, alchemy_offer(settings)), models=models
    )


async def test_a_form_is_answered_by_its_name(horde, answer):
    picture = pictures.picture()
    job = horde.add_form("palette", picture)
    async with answer() as serving:
        submit = await serving.submitted(job)
    result = {"palette": ["palette", len(picture)]}
    assert submit == {"id": job, "result": result, "state": "ok"}


@pytest.fixture
def enlarging():
    """An engine that enlarges nothing."""
    from worker.alchemy.alchemist import Alchemist
    from worker.alchemy.order import Answered
    from worker.renderer import Picture

    class Enlarging(Alchemist):
        device = "cpu"

        def load(self, model):
            pass

        def render(self, order, on_step):
            return Answered(Picture(2, 1, b"rgbrgb"), order.form.note)

    return ThreadEngine(Enlarging(processing=None, vision=None, safety=None))


async def test_a_picture_that_is_made_is_uploaded(horde, answer, enlarging):
    job = horde.add_form("RealESRGAN_x4plus", pictures.picture())
    async with answer(enlarging) as serving:
        submit = await serving.submitted(job)
    assert submit["result"] == {"RealESRGAN_x4plus": "R2"}
    assert horde.uploads[job].startswith(b"RIFF")


async def test_a_stand_in_is_offered_and_delivered_as_one(horde, answer, enlarging):
    job = horde.add_form("RealESRGAN_x2plus", pictures.picture())
    async with answer(enlarging, {**FORMS, "RealESRGAN_x2plus": STAND_IN}) as serving:
        submit = await serving.submitted(job)
    assert (horde.pops[0]["forms"], horde.pops[0]["also"]) == (list(FORMS), ["RealESRGAN_x2plus"])
    said = "RealESRGAN_x2plus: enlarged by another instead, whose weights are here"
    note = {"type": "information", "value": "see_ref", "ref": said}
    assert submit["result"] == {"RealESRGAN_x2plus": "R2", "gen_metadata": [note]}


@pytest.mark.parametrize(
    ("size", "tiles", "reason"),
    [
        ((4100, 16), 80, "too large for a picture"),
        ((2500, 2500), 80, "too large for a picture"),
        ((600, 300), 1, "2 tiles, beyond the limit of 1"),
    ],
)
async def test_what_cannot_be_enlarged_here_is_given_back_before_it_is_tried(
    horde, answer, monkeypatch, size, tiles, reason
):
    monkeypatch.setattr("worker.alchemy.kind.CPU_TILES", tiles)
    job = horde.add_form("RealESRGAN_x4plus", pictures.picture(size))
    good = horde.add_form("palette", pictures.picture(size))
    async with answer() as serving:
        submit = await serving.submitted(job)
        assert submit["state"] == "faulted"
        assert reason in submit["reason"]
        assert (await serving.submitted(good))["state"] == "ok"
        await serving.until(lambda: any(reason in one for one in serving.display.ended))


async def test_the_pop_says_what_is_served(horde, answer):
    async with answer() as serving:
        await serving.until(lambda: len(horde.pops) > 1)
    pop = horde.pops[0]
    assert (pop["name"], pop["forms"], pop["amount"]) == ("tester alchemy", list(FORMS), 1)
    assert pop["max_tiles"] == CPU_TILES


def test_the_small_network_that_ships_takes_larger_pictures():
    real = FORMS["RealESRGAN_x4plus"]
    assert most_tiles([STAND_IN, FORMS["palette"]], "cpu") == STAND_IN_TILES
    assert most_tiles([STAND_IN, real], "cpu") == CPU_TILES
    assert most_tiles([real], "cuda") == GPU_TILES


async def test_what_cannot_be_answered_is_given_back(horde, answer):
    never_offered = horde.add_form("caption", pictures.picture())
    gone = horde.add_form("palette", pictures.picture())
    del horde.pictures[f"source-{gone}"]
    async with answer() as serving:
        for job, why in ((never_offered, "is not served here"), (gone, "cannot be fetched")):
            submit = await serving.submitted(job)
            assert why in submit.pop("reason")
            assert submit == {"id": job, "result": {}, "state": "faulted"}
