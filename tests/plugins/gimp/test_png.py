"""PNG is written so that another program reads the same pixels."""

import io
import random

import pytest
from PIL import Image

from stable_horde import png

MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


@pytest.mark.parametrize("channels", MODES)
def test_pixels_are_read_back_as_they_were(channels):
    pixels = random.Random(channels).randbytes(37 * 23 * channels)
    image = Image.open(io.BytesIO(png.encode(37, 23, channels, pixels)))
    image.load()
    assert (image.mode, image.size) == (MODES[channels], (37, 23))
    assert image.tobytes() == pixels


def test_the_wrong_number_of_bytes_is_refused():
    with pytest.raises(ValueError, match="is not 5 bytes"):
        png.encode(2, 2, 1, bytes(5))
