"""Sheets of what the worker makes, and those that the documentation shows."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from fake_renderers import TINY
from worker.bench import sheet
from worker.bench.sheet import Sheet
from worker.image.order import PictureOrder
from worker.renderer import Picture

DOCS = Path(__file__).parents[2] / "docs"
MAX_BYTES = 400_000
"""Of all pictures of the page."""
ORDER = PictureOrder(*(TINY, "a fox", "", 64, 64, 2, 5.0, "k_euler"), karras=False, seeds=(1,))


def test_each_cell_is_in_its_place_and_shape():
    def make(order):
        colour = {1: (255, 0, 0), 2: (0, 0, 255)}[order.seeds[0]]
        alpha = bytes(order.width * order.height) if order.transparent else None
        pixels = bytes(colour) * (order.width * order.height)
        return Picture(order.width, order.height, pixels, alpha)

    wide = replace(ORDER, width=200, height=100, seeds=(2,))
    rows = {"one": [ORDER, Image.new("RGB", (8, 8), "lime")], "two": [wide]}
    rows["two"].append(replace(ORDER, transparent=True))
    drawn = Sheet("a", ["x", "y"], rows).drawn(make)
    half, step = sheet.SIDE // 2, sheet.SIDE + sheet.GAP
    left, top = sheet.ASIDE + half, sheet.ABOVE + half
    assert drawn.getpixel((left, top)) == (255, 0, 0)
    assert drawn.getpixel((left, top + step)) == (0, 0, 255)
    assert drawn.getpixel((left, top + step - half + 4)) not in {(0, 0, 255), (255, 0, 0)}
    assert drawn.getpixel((left + step, top)) == (0, 255, 0)
    assert drawn.getpixel((left + step + 20, top)) != (0, 255, 0)  # smaller than its place
    assert max(drawn.getpixel((left + step, top + step))) < 240  # the ground shows through


def test_the_page_shows_sheets_that_are_there_and_small():
    page = (DOCS / "worker.md").read_text(encoding="utf-8")
    shown = re.findall(r"\]\((worker/[\w-]+\.webp)\)", page)
    there = sorted(path.relative_to(DOCS).as_posix() for path in (DOCS / "worker").iterdir())
    assert sorted(shown) == there
    assert len(there) >= 6
    assert sum((DOCS / name).stat().st_size for name in there) < MAX_BYTES
    for name in there:
        with Image.open(DOCS / name) as image:
            assert image.format == "WEBP"


@pytest.mark.timeout(400)  # torch is imported
@pytest.mark.filterwarnings("ignore")
def test_an_adaptation_without_training_draws_the_other_colour(one_thread, tmp_path):
    import numpy as np

    from worker.bench.sheets import Makers
    from worker.image.order import Adaptation

    makers = Makers(tmp_path)
    file = makers.recoloured()
    wanted = replace(makers.usual, prompt="a banana on a red background", width=128, height=128)

    def ground(**changes):
        made = makers.make(replace(wanted, **changes))
        pixels = np.frombuffer(made.rgb, np.uint8).reshape(made.height, made.width, 3)
        return pixels[:16].reshape(-1, 3).mean(0)

    red, _, blue = ground()
    assert red > blue + 60
    red, _, blue = ground(adaptations=(Adaptation("blue", file, 1.0),))
    assert blue > red + 60
