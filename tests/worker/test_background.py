import numpy as np
import pytest
from PIL import Image, ImageDraw

from worker.background import removed
from worker.renderer import CannotRender


def thing(ground, *, size=(120, 90)):
    """A green disc with a hole in the colour of the ground."""
    image = ground.resize(size).convert("RGB")
    draw = ImageDraw.Draw(image)
    draw.ellipse((35, 20, 85, 70), fill=(20, 160, 40))
    draw.ellipse((55, 40, 65, 50), fill=image.getpixel((2, 45)))
    return image.convert("RGBA")


PLAIN = Image.new("RGB", (2, 2), (200, 210, 250))
GRADIENT = Image.fromarray(
    np.linspace((250, 240, 200), (150, 190, 250), 90)[:, None].repeat(120, 1).astype(np.uint8)
)


@pytest.mark.parametrize("ground", [PLAIN, GRADIENT], ids=["plain", "gradient"])
def test_a_plain_background_is_taken_away_and_the_thing_stays(ground):
    made = removed(thing(ground))
    assert (made.mode, made.size) == ("RGBA", (120, 90))
    assert made.getpixel((2, 2))[3] == made.getpixel((117, 87))[3] == 0
    assert made.getpixel((60, 28)) == (20, 160, 40, 255)


def test_a_hole_in_the_thing_is_part_of_it():
    assert removed(thing(PLAIN)).getpixel((60, 45))[3] == 255


def test_its_edge_has_nothing_of_the_background():
    image = thing(PLAIN).resize((360, 270), Image.Resampling.LANCZOS)
    pixels = np.asarray(removed(image)).astype(int)
    half = (pixels[..., 3] > 60) & (pixels[..., 3] < 200)
    assert half.any()
    assert np.abs(pixels[half][:, :3] - (20, 160, 40)).mean() < 40


def test_a_corner_a_little_darker_is_no_thing():
    image = thing(PLAIN)
    for place in ((0, 0), (0, 1), (1, 0)):
        image.putpixel(place, (180, 190, 220, 255))
    assert removed(image).getpixel((0, 0))[3] == 0


def test_something_may_reach_an_edge():
    image = thing(PLAIN)
    ImageDraw.Draw(image).rectangle((50, 60, 70, 90), fill=(20, 160, 40))
    made = removed(image)
    assert made.getpixel((2, 2))[3] == 0
    assert made.getpixel((60, 85))[3] == 255


@pytest.mark.parametrize("seed", [1, 2])
def test_a_background_that_is_not_plain_is_refused(seed):
    noise = np.random.default_rng(seed).integers(0, 255, (90, 120, 3), np.uint8)
    with pytest.raises(CannotRender, match="not plain"):
        removed(Image.fromarray(noise).convert("RGBA"))


def test_two_halves_are_no_plain_background():
    image = Image.new("RGBA", (100, 100), "red")
    image.paste("blue", (50, 0, 100, 100))
    with pytest.raises(CannotRender, match="not plain"):
        removed(image)


def test_what_is_transparent_already_stays_as_it_is():
    image = thing(PLAIN)
    image.putpixel((0, 0), (1, 2, 3, 0))
    assert removed(image).tobytes() == image.tobytes()


@pytest.mark.parametrize("size", [(1, 1), (1, 200), (5, 5), (7, 3)])
def test_small_pictures_are_no_trouble(size):
    assert removed(Image.new("RGBA", size, "white")).size == size
