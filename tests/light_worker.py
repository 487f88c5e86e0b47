"""`python -m worker` with an engine that makes plain pictures without torch: it starts at once.

Each step takes a moment, so that there is something to interrupt. What is imported here, the engine
process imports, too.
"""

import sys
import time

import worker.__main__
from fake_renderers import FakeRenderer
from worker.commands import run
from worker.image.order import PictureOrder

STEP_SECONDS = 0.02


class LightRenderer(FakeRenderer):
    def render(self, order, on_step):
        if not isinstance(order, PictureOrder):
            return super().render(order, on_step)
        for step in range(1, order.steps + 1):
            time.sleep(STEP_SECONDS)  # jobs take a while, so that they can be met at work
            on_step(step, order.steps)
        return super().render(order, on_step)


def light_renderer(*, device, threads):
    return LightRenderer()


if __name__ == "__main__":
    run.renderers = light_renderer
    sys.exit(worker.__main__.main())
