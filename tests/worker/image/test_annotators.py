"""Maps of control types, drawn of pictures whose lines are known."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from worker.image import annotators, control

SIDE = 128
BOX = (32, 40, 96, 88)


@pytest.fixture(scope="module")
def box():
    """A white box on black, with texture that no map should have."""
    noise = np.random.default_rng(0).integers(0, 12, (SIDE, SIDE), dtype=np.uint8)
    image = Image.fromarray(noise)
    ImageDraw.Draw(image).rectangle(BOX, fill=240)
    return image.convert("RGB")


def drawn(image, control_type):
    return np.asarray(annotators.annotated(image, control_type).convert("L")) > 127


@pytest.mark.parametrize("control_type", control.BY_ARITHMETIC)
def test_a_map_has_the_edges_of_things_and_nothing_of_their_texture(box, control_type):
    is_drawn = drawn(box, control_type)
    assert is_drawn.shape == (SIDE, SIDE)
    for row, column in ((BOX[1], 64), (BOX[3], 64), (64, BOX[0]), (64, BOX[2])):
        assert is_drawn[row - 2 : row + 3, column - 2 : column + 3].any(), (row, column)
    assert not is_drawn[56:72, 56:72].any(), "inside"
    assert not is_drawn[:24].any(), "outside"
    assert not is_drawn[:, 112:].any(), "outside"


@pytest.mark.parametrize("control_type", control.BY_ARITHMETIC)
def test_a_picture_of_one_colour_has_an_empty_map(control_type):
    assert not drawn(Image.new("RGB", (64, 48), "teal"), control_type).any()


@pytest.mark.parametrize("control_type", control.BY_ARITHMETIC)
@pytest.mark.parametrize("size", [(1, 1), (3, 200), (200, 3)])
def test_any_shape_of_picture_has_a_map_of_its_size(control_type, size):
    noise = np.random.default_rng(1).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    assert annotators.annotated(Image.fromarray(noise), control_type).size == size


def test_cannys_edges_are_one_pixel_wide(box):
    assert drawn(box, "canny")[64].sum() == 2


def test_only_straight_lines_are_lines():
    image = Image.new("RGB", (SIDE, SIDE))
    for left in range(40, 90, 20):
        ImageDraw.Draw(image).ellipse((left, left, left + 9, left + 9), fill="white")
    ImageDraw.Draw(image).line((8, 10, 8, 118), fill="white", width=3)
    is_drawn = drawn(image, "hough")
    assert is_drawn[20:110, :14].any(axis=1).mean() > 0.9
    assert drawn(image, "canny")[34:94, 34:94].any()
    assert not is_drawn[34:94, 34:94].any()


def test_every_map_that_is_not_what_networks_draw_says_so():
    assert set(annotators.NOT_A_NETWORK) | {"canny"} == set(annotators.ANNOTATORS)
    assert set(annotators.ANNOTATORS) == set(control.BY_ARITHMETIC)
