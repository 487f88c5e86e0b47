"""`python -m worker` with an engine that makes plain pictures without torch: it starts at once.

Each step takes a moment, so that there is something to interrupt. What is imported here, the engine
process imports, too.
"""

import io
import sys
import time

from PIL import Image

import worker.__main__
from fake_renderers import FakeRenderer
from worker import pictures
from worker.alchemy.order import Answered, FormOrder
from worker.commands import run
from worker.image.order import PictureOrder
from worker.renderer import Shown
from worker.upscaler import Upscaler

STEP_SECONDS = 0.02


class LightRenderer(FakeRenderer):
    def render(self, order, on_step):
        if isinstance(order, FormOrder) and isinstance(order.form, Upscaler):
            return Answered(enlarged(order))
        if not isinstance(order, PictureOrder):
            return super().render(order, on_step)

        def shown(step, steps):
            on_step(step, steps, preview)

        slowly = 0 if order.prompt.startswith("wait ") else order.steps
        for step in range(1, slowly + 1):
            time.sleep(STEP_SECONDS)  # jobs take a while, so that they can be met at work
            shown(step, order.steps)
        return super().render(order, shown)


def enlarged(order):
    """The picture of a form, with larger pixels."""
    source = pictures.on_white(pictures.read(order.picture, kind="source_image"))
    large = (source.width * order.form.factor, source.height * order.form.factor)
    return pictures.picture_of(source.resize(large, Image.Resampling.NEAREST))


def preview():
    """What the first picture of a batch will look like."""
    out = io.BytesIO()
    Image.new("RGB", (64, 64), "teal").save(out, "WEBP")
    return Shown(0, out.getvalue())


def light_renderer(*, device, threads):
    return LightRenderer()


if __name__ == "__main__":
    run.renderers = light_renderer
    sys.exit(worker.__main__.main())
