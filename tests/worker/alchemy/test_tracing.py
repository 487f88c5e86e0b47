import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PIL import Image, ImageDraw

from worker.alchemy.tracing import MAX_CHARS, traced

SVG = "{http://www.w3.org/2000/svg}"


def paths(svg):
    root = ET.fromstring(svg)  # noqa: S314 - what we have just made
    assert root.tag == f"{SVG}svg"
    return root, [(one.get("fill"), one.get("d")) for one in root.findall(f"{SVG}path")]


def drawn(svg, size):
    """Paint the areas as a browser does: each above those before it, holes left out."""
    root, found = paths(svg)
    wide, high = (float(one) for one in root.get("viewBox").split()[2:])
    image = Image.new("RGB", size)
    for colour, data in found:
        if "h" in data:
            image.paste(colour, (0, 0, *size))
            continue
        mask = np.zeros((size[1], size[0]), bool)
        for part in data.split("z"):
            numbers = [
                (float(x) * size[0] / wide, float(y) * size[1] / high)
                for x, y in re.findall(r"([\d.]+) ([\d.]+)", part)
            ]
            if len(numbers) > 2:
                layer = Image.new("1", size)
                ImageDraw.Draw(layer).polygon(numbers, fill=1)
                mask ^= np.asarray(layer)
        image.paste(colour, mask=Image.fromarray(mask))
    return image


def test_shapes_look_as_they_did():
    image = Image.new("RGB", (200, 160), "#3060d0")
    draw = ImageDraw.Draw(image)
    draw.ellipse((30, 20, 150, 140), fill="#f0b020")
    draw.ellipse((70, 60, 110, 100), fill="#3060d0")
    draw.rectangle((160, 100, 190, 150), fill="#208040")
    svg = traced(image)
    assert len(svg) < 5000
    seen, true = (np.asarray(one, float) for one in (drawn(svg, image.size), image))
    assert np.abs(seen - true).mean() < 8
    root, found = paths(svg)
    assert (root.get("width"), root.get("height")) == ("200", "160")
    assert len({colour for colour, _ in found}) == 3


def test_a_large_picture_keeps_its_size():
    root, _ = paths(traced(Image.new("RGB", (3000, 1000), "red")))
    assert (root.get("width"), root.get("height")) == ("3000", "1000")
    assert root.get("viewBox") == "0 0 384 128"


@pytest.mark.parametrize("size", [(1, 1), (2, 500), (384, 384)])
def test_any_size_gives_an_svg(size):
    assert paths(traced(Image.new("RGB", size, "white")))


def test_noise_is_told_in_as_few_words_as_fit():
    noise = np.random.default_rng(0).integers(0, 255, (150, 150, 3), np.uint8)
    assert len(traced(Image.fromarray(noise))) <= MAX_CHARS


def test_two_squares_that_touch_at_a_corner_stay_two():
    image = Image.new("RGB", (80, 80), "white")
    image.paste("black", (10, 10, 40, 40))
    image.paste("black", (40, 40, 70, 70))
    seen = np.asarray(drawn(traced(image), image.size))
    assert seen[25, 25].max() < 60
    assert seen[55, 55].max() < 60
    assert seen[25, 55].min() > 200
