"""Pictures of the model that ships, by the renderer that the engine has."""

from dataclasses import replace

import numpy as np

from worker import models
from worker.image.order import PictureOrder
from worker.settings import DEFAULT_MODEL, SHIPPED

STEPS = 8


def checkpoint():
    return models.find(DEFAULT_MODEL, [SHIPPED])


def rendering(of, *, prompt):
    """Render orders for the checkpoint `of`, with `prompt` and some changes.

    What is returned gives the pictures as arrays, and the notes.
    """
    from worker.image.pipeline import DiffusersRenderer

    renderer = DiffusersRenderer(device="cpu")
    usual = PictureOrder(
        checkpoint=of,
        prompt=prompt,
        negative="",
        width=128,
        height=128,
        steps=STEPS,
        cfg_scale=4.0,
        sampler="k_euler_a",
        karras=True,
        seeds=(1,),
        enlarger=of.enlarger,
    )

    def make(on_step=lambda *_: None, **changes):
        order = replace(usual, **changes)
        renderer.load(order.checkpoint)
        rendered = renderer.render(order, on_step)
        return [array(one) for one in rendered.pictures], [note.ref for note in rendered.notes]

    return make


def array(made):
    return np.frombuffer(made.rgb, np.uint8).reshape(made.height, made.width, 3).astype(int)
