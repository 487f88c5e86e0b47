"""The model that ships, through the worker's own engine."""

from dataclasses import replace
from functools import partial

import pytest

from worker import models
from worker.engine import Engine, Limits
from worker.engine_process import renderers
from worker.image.order import PictureOrder
from worker.settings import DEFAULT_MODEL, SHIPPED, Settings

pytestmark = pytest.mark.model


async def test_the_shipped_model_renders_the_demo_prompt_the_same_alone_and_in_a_batch():
    assert Settings().models == [DEFAULT_MODEL]
    checkpoint = models.find(DEFAULT_MODEL, [SHIPPED])
    order = PictureOrder(
        checkpoint=checkpoint,
        prompt="a red fox on a blue background",
        negative="",
        width=512,
        height=512,
        steps=12,
        cfg_scale=5.0,
        sampler="k_euler_a",
        karras=True,
        seeds=(1, 2),
    )
    make = partial(renderers, device="cpu", threads=1)
    async with Engine(make, Limits(start=110, load=60, step=60)) as engine:
        both = (await engine.render(order, lambda *_: None)).pictures
        [alone] = (await engine.render(replace(order, seeds=(2,)), lambda *_: None)).pictures
    assert both[1] == alone
    assert both[0] != alone
    red, _, blue = (sum(alone.rgb[channel::3]) for channel in range(3))
    assert blue > red, "most of the picture is its background"
