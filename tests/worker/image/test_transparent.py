"""Transparent pictures by the shipped model, which draws on plain grounds."""

from dataclasses import replace

import numpy as np
import pytest

from fake_renderers import TINY
from worker import models
from worker.settings import SHIPPED

pytestmark = [
    pytest.mark.timeout(400),  # torch is imported, on cores that others share
    pytest.mark.filterwarnings("ignore"),  # the libraries' talk among developers
]


@pytest.fixture(scope="module")
def render(one_thread):
    from worker.image.pipeline import DiffusersRenderer, trial

    shipped = models.inspect("horde-tiny", SHIPPED / "horde-tiny")
    renderer = DiffusersRenderer(device="cpu")
    renderer.load(shipped)
    usual = replace(
        *(trial(shipped),), exact=False, width=256, height=256, steps=10, transparent=True
    )
    usual = replace(usual, negative="", cfg_scale=4.0, seeds=(3,))
    return lambda **changes: renderer.render(replace(usual, **changes), lambda *_: None)


def opacity(rendered):
    [picture] = rendered.pictures
    if picture.alpha is None:
        return np.full((picture.height, picture.width), 255)
    return np.frombuffer(picture.alpha, np.uint8).reshape(picture.height, picture.width)


@pytest.mark.parametrize("prompt", ["a red fox", "a ghost", "a rocket on a black background"])
def test_nothing_is_behind_the_thing(render, prompt):
    made = render(prompt=prompt)
    alpha = opacity(made)
    assert alpha[:4].max() == alpha[:, :4].max() == 0
    assert alpha[118:138, 118:138].min() == 255
    assert 0.1 < (alpha == 255).mean() < 0.8
    assert "transparent: drawn on a plain ground, which was taken away" in [
        note.ref for note in made.notes
    ]


def test_a_place_stays_and_the_picture_says_so(render):
    made = render(prompt="a forest at night")
    if opacity(made).min() == 255:
        assert any(note.ref.startswith("nothing was taken away") for note in made.notes)


async def test_only_models_of_plain_grounds_offer_it(horde, serve):
    plain = replace(TINY, plain_ground=True)
    async with serve(models={"tiny": plain}) as serving:
        await serving.until(lambda: horde.pops)
    assert "layer_diffuse" in horde.pops[-1]["also"]
    both = {"tiny": plain, "other": replace(TINY, name="other")}
    async with serve(models=both) as serving:
        await serving.until(lambda: horde.pops and len(horde.pops[-1]["models"]) == 2)
        [job] = horde.add(payload={"transparent": True})
        submit = await serving.submitted(job)
    assert "layer_diffuse" not in horde.pops[-1]["also"]
    assert submit["state"] == "faulted"
    assert "transparent" in submit["gen_metadata"][-1]["ref"]
