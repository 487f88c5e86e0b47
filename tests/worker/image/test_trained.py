"""Every feature of pictures on the trained model, by what can be seen in them.

The prompts name a background, which fills the rim of a picture, so its colour tells whether the
prompt was followed.
"""

import io

import numpy as np
import pytest
from PIL import Image

import shipped_pictures
from worker.image.order import Source
from worker.image.samplers import SAMPLERS

pytestmark = [pytest.mark.model, pytest.mark.filterwarnings("ignore")]

ON_BLUE = "a cat on a blue background"
ON_RED = "a cat on a red background"


@pytest.fixture(scope="module")
def checkpoint():
    return shipped_pictures.checkpoint()


@pytest.fixture(scope="module")
def render(checkpoint, one_thread):
    """Render with some changes; gives the pictures as arrays and the notes."""
    return shipped_pictures.rendering(checkpoint, prompt=ON_BLUE)


@pytest.fixture(scope="module")
def picture(render):
    """A cat on a blue background."""
    [made], _ = render(steps=12)
    return made


def png(pixels):
    out = io.BytesIO()
    Image.fromarray(np.asarray(pixels, np.uint8)).save(out, "PNG")
    return out.getvalue()


def colour(pixels):
    """The one of red, green and blue that is far ahead of the others; None: none is."""
    means = pixels.reshape(-1, 3).mean(0)
    *_, second, first = np.argsort(means)
    return ("red", "green", "blue")[first] if means[first] - means[second] > 60 else None


def rim(pixels):
    wide = max(2, pixels.shape[0] // 16)
    inside = np.zeros(pixels.shape[:2], bool)
    inside[wide:-wide, wide:-wide] = True
    return pixels[~inside]


def middle(pixels):
    high, wide = (side // 4 for side in pixels.shape[:2])
    return pixels[high:-high, wide:-wide]


def distance(one, other):
    """Mean difference of two pictures, in levels of 256."""
    return abs(one - other).mean()


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_sampler_draws_something_on_the_background_asked_for(render, sampler):
    for karras, prompt, wanted in ((True, ON_BLUE, "blue"), (False, ON_RED, "red")):
        [made], _ = render(sampler=sampler, karras=karras, prompt=prompt, steps=20)
        assert colour(rim(made)) == wanted
        assert middle(made).std() > 40


@pytest.mark.parametrize("sampler", ["k_euler_a", "k_dpmpp_sde", "k_dpmpp_2m"])
def test_a_seed_draws_the_same_picture_alone_and_in_a_batch(render, sampler):
    together, _ = render(sampler=sampler, seeds=(5, 6, 7))
    for index, seed in enumerate((5, 6, 7)):
        [alone], _ = render(sampler=sampler, seeds=(seed,))
        assert (alone == together[index]).all()
    assert distance(together[0], together[1]) > 5


def test_img2img_goes_from_its_source_to_its_prompt(render, picture):
    source = Source(png(picture))
    kept, changed, anew = (
        render(source=source, strength=strength, prompt=ON_RED)[0][0]
        for strength in (0.05, 0.6, 1.0)
    )
    assert distance(kept, picture) < 8
    assert colour(rim(kept)) == "blue"
    assert colour(rim(changed)) == colour(rim(anew)) == "red"
    # The colour changes before the cat does.
    assert likeness(changed, picture) > 0.6


def test_img2img_follows_its_seed_alone_and_in_a_batch(render, picture):
    source = Source(png(picture))
    [_, together], _ = render(source=source, strength=0.6, seeds=(3, 4))
    [alone], _ = render(source=source, strength=0.6, seeds=(4,))
    assert (alone == together).all()


def likeness(one, other):
    """Correlation of two pictures' middles, as grey: 1 is the same thing in the same place."""
    return np.corrcoef(middle(one).mean(-1).ravel(), middle(other).mean(-1).ravel())[0, 1]


def test_inpainting_keeps_one_half_to_the_pixel_and_paints_the_other(render, picture):
    mask = np.zeros((128, 128), np.uint8)
    mask[:, 64:] = 255
    [painted], _ = render(
        source=Source(png(picture), png(mask), painting=True), prompt=ON_RED, steps=12
    )
    assert (painted[:, :56] == picture[:, :56]).all()
    assert colour(painted[:, 112:]) == "red"


def test_hires_fix_keeps_the_picture_and_its_edges_are_sharp(render):
    size = {"width": 512, "height": 512, "steps": 12}
    [plain], scaled = render(**size)
    [hires], refined = render(**size, hires_strength=0.65)
    assert scaled == ["made at 128x128, scaled to 512x512 (realesr-animevideov3)"]
    assert refined == [*scaled, "hires fix is realesr-animevideov3 with it"]
    assert (hires == plain).all()
    [blurred], by_filter = render(**size, enlarger=None)
    assert by_filter == ["made at 128x128, scaled to 512x512 (Lanczos)"]
    assert sharpness(plain) > 1.1 * sharpness(blurred)


def test_a_second_pass_redraws_no_more_than_the_model_can_take(render):
    size = {"width": 256, "height": 256, "steps": 12, "tiling": True}
    [plain], _ = render(**size)
    [hires], refined = render(**size, hires_strength=0.65)
    assert refined == ["hires_fix redraws 0.1: this model takes no more"]
    assert likeness(hires, plain) > 0.6


def test_a_tile_is_whole_and_its_edges_meet(render, picture):
    [tile], _ = render(steps=12, tiling=True)
    middle = slice(32, 96)
    assert likeness(tile[middle, middle], picture[middle, middle]) > 0.8
    around = np.concatenate([tile, tile[:1]]), np.concatenate([tile, tile[:, :1]], axis=1)
    for axis, wrapped in enumerate(around):
        steps = np.abs(np.diff(wrapped, axis=axis)).mean(axis=(1 - axis, 2))
        assert steps[-1] < 3 * np.median(steps) + 3  # from the last row to the first


@pytest.mark.parametrize("sampler", ["dpmsolver", "k_dpm_adaptive"])
def test_few_steps_of_a_high_order_draw_the_same_thing(render, sampler):
    [few], _ = render(steps=6, sampler=sampler)
    [many], _ = render(steps=20, sampler=sampler)
    assert likeness(few, many) > 0.65


def test_tags_of_quality_change_nothing(render, picture):
    tags = "masterpiece, best quality, 4k, trending on artstation, "
    for prompt in (tags + ON_BLUE, f"{ON_BLUE}, {tags}"):
        [tagged], notes = render(prompt=prompt, steps=12)
        assert (tagged == picture).all()
        assert notes == []


def test_unknown_words_are_told_and_nothing_is_drawn_for_them(render, picture):
    [kitten], notes = render(prompt="a cat and a chandelier on a blue background", steps=12)
    assert notes == ["does not know chandelier"]
    assert colour(rim(kitten)) == "blue"
    [near], notes = render(prompt="a greyhound")
    assert notes == ["draws dog for greyhound"]
    assert (near == render(prompt="a dog")[0][0]).all()

    seen = []
    [empty], notes = render(lambda *step: seen.append(step), prompt="a chandelier")
    assert notes == ["does not know chandelier", "knows none of these words, so it draws nothing"]
    assert empty.min() == 255
    assert seen[-1][0] == seen[-1][1]


def sharpness(pixels):
    """The steepest hundredth of the steps from a pixel to the one below it, in levels of 256."""
    return np.percentile(abs(np.diff(pixels.mean(-1), axis=0)), 99)


def test_clip_skip_reads_another_layer_and_still_follows_the_prompt(render, picture):
    [second], notes = render(clip_skip=2, steps=12)
    assert colour(rim(second)) == "blue"
    assert 0 < distance(second, picture) < 20
    assert notes == []
    [deepest], notes = render(clip_skip=12)
    assert "clip_skip is 3" in notes[0]
    assert (deepest == render(clip_skip=3)[0][0]).all()


def test_steps_are_told_one_by_one(render):
    seen = []
    render(lambda *step: seen.append(step[:2]), seeds=(1, 2), steps=4)
    assert seen == [(step, 8) for step in range(1, 9)]


@pytest.mark.parametrize(
    ("size", "made_at", "by"),
    [
        ((64, 64), "128x128", "Lanczos"),
        ((128, 128), None, None),
        ((192, 128), "128x128", "ground continued, realesr-animevideov3"),
        ((512, 768), "128x128", "ground continued, realesr-animevideov3"),
        ((1024, 1024), "128x128", "realesr-animevideov3"),
    ],
)
def test_every_size_shows_a_whole_picture_and_says_how_it_was_made(render, size, made_at, by):
    width, height = size
    [made], notes = render(width=width, height=height)
    assert made.shape == (height, width, 3)
    assert colour(rim(made)) == "blue"
    assert middle(made).std() > 40
    how = f"made at {made_at}, scaled to {width}x{height} ({by})"
    assert notes == ([] if made_at is None else [how])


def test_the_negative_prompt_and_the_guidance_count(render, picture):
    [unguided], _ = render(cfg_scale=1.0, steps=12)
    [without], _ = render(negative="a cat", steps=12)
    assert distance(unguided, picture) > 1
    assert distance(without, picture) > 1
