"""A picture of a model that has seen squares alone becomes one of another shape."""

import numpy as np
import pytest
from PIL import Image

from worker.image.finishing import extended
from worker.image.sizes import Size


@pytest.fixture
def square():
    """A red square on a ground that fades from blue to green."""
    down = np.linspace(0, 255, 64)[:, None].repeat(64, 1)
    ground = np.stack([np.zeros_like(down), down, 255 - down], -1).astype(np.uint8)
    ground[16:48, 16:48] = (200, 20, 20)
    return Image.fromarray(ground)


@pytest.mark.parametrize(
    ("shape", "size"),
    [((512, 768), (64, 96)), ((768, 512), (96, 64)), ((64, 64), (64, 64)), ((64, 512), (64, 512))],
)
def test_its_ground_goes_on_and_the_middle_stays_to_the_pixel(square, shape, size):
    made = extended(square, Size(*shape))

    assert made.size == size
    left, top = (size[0] - 64) // 2, (size[1] - 64) // 2
    assert made.crop((left, top, left + 64, top + 64)).tobytes() == square.tobytes()
    pixels = np.asarray(made, int)
    assert abs(pixels[0, 0] - (0, 0, 255)).max() < 16
    assert abs(pixels[-1, -1] - (0, 255, 0)).max() < 16
    assert (pixels[: top or 1, :, 0] == 0).all()
