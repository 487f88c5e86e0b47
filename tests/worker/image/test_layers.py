"""Pictures of several things by the shipped model, which draws each by itself."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import shipped_pictures
from worker.image import layers

pytestmark = [pytest.mark.model, pytest.mark.filterwarnings("ignore")]

FOX = "a fox in the snow"


class Cancelled(Exception):
    """Somebody wants no picture any more."""


@pytest.fixture(scope="module")
def checkpoint():
    return shipped_pictures.checkpoint()


@pytest.fixture(scope="module")
def render(checkpoint, one_thread):
    """Render with some changes; gives the pictures as arrays and the notes."""
    return shipped_pictures.rendering(checkpoint, prompt=FOX)


@pytest.fixture(scope="module")
def fox(render):
    [made], notes = render()
    return made, notes


def share(pixels, colour, near=90):
    """How much of it is about this colour."""
    return (np.linalg.norm(pixels - np.array(colour), axis=-1) < near).mean()


ORANGE, WHITE, GREEN, RED, YELLOW = (
    (240, 120, 40),
    (240, 240, 245),
    (70, 150, 70),
    (220, 50, 40),
    (250, 215, 70),
)


def test_a_thing_in_a_place_is_both_and_says_so(fox, render):
    made, notes = fox
    middle, below = made[64:112, 40:88], made[100:, :24]

    assert notes == ["drawn in 2 layers, put together: a snowfall; a fox on a gray background"]
    assert share(middle, ORANGE) > 0.3
    assert share(below, WHITE) > 0.9
    [forest], _ = render(prompt="a fox in a forest")
    assert share(forest[60:100, 40:88], ORANGE) > 0.3
    assert share(forest[90:, :24], GREEN) > 0.5


def test_two_things_are_both_there(render):
    [made], notes = render(prompt="a lemon and a tomato")

    assert "a lemon on a white background; a tomato on a white background" in notes[0]
    left, right = made[:, :64], made[:, 64:]
    assert share(left, YELLOW) > 0.1
    assert share(right, YELLOW) < 0.05
    assert share(right, RED) > 0.1
    assert share(left, RED) < 0.05


def test_a_seed_gives_its_picture_alone_and_in_a_batch(render, fox):
    together, _ = render(seeds=(4, 1, 5))

    assert (together[1] == fox[0]).all()
    assert (together[0] != together[2]).any()


def test_steps_of_all_layers_are_told_one_by_one(render):
    seen = []
    render(on_step=lambda *step: seen.append(step[:2]), steps=2, seeds=(1, 2))

    assert seen == [(step, 8) for step in range(1, 9)]


def test_it_can_be_cancelled_between_two_layers_and_within_one(render, fox):
    for last in (shipped_pictures.STEPS, shipped_pictures.STEPS + 3):
        seen = []

        def on_step(step, *_, seen=seen, last=last):
            seen.append(step)
            if step == last:
                raise Cancelled

        with pytest.raises(Cancelled):
            render(on_step=on_step)
        assert seen[-1] == last
    assert (render()[0][0] == fox[0]).all()


def test_one_thing_or_one_place_is_drawn_as_by_a_model_without_layers(render, checkpoint):
    whole = replace(checkpoint, layers=None)
    for prompt in ("a fox", "a red car on a blue background", "a forest in autumn"):
        [made], notes = render(prompt=prompt)
        [other], _ = render(prompt=prompt, checkpoint=whole)
        assert (made == other).all()
        assert notes == []


def test_what_starts_from_a_picture_or_is_to_tile_is_drawn_as_a_whole(render, checkpoint):
    whole = replace(checkpoint, layers=None)
    [made], notes = render(tiling=True)
    assert (made == render(tiling=True, checkpoint=whole)[0][0]).all()
    assert notes == []


@pytest.mark.parametrize(("width", "height"), [(192, 128), (128, 256)])
def test_other_shapes_show_the_thing_in_the_whole_place(render, width, height):
    [made], notes = render(width=width, height=height)

    assert made.shape == (height, width, 3)
    assert notes[-1].startswith("drawn in 2 layers")
    across, down = width // 2, (height - 128) // 2
    assert share(made[down + 64 : down + 112, across - 24 : across + 24], ORANGE) > 0.3
    assert share(made[down + 100 : down + 128, :24], WHITE) > 0.9


def test_a_large_picture_is_enlarged_layer_by_layer(render):
    [made], notes = render(width=512, height=512)

    assert made.shape == (512, 512, 3)
    assert "made at 128x128, scaled to 512x512 (realesr-animevideov3)" in notes
    assert share(made[256:448, 160:352], ORANGE) > 0.3


def test_a_sampler_that_draws_its_own_noise_keeps_to_the_seed(render):
    one, other = (render(sampler="k_dpmpp_sde", steps=4)[0][0] for _ in range(2))
    assert (one == other).all()


def test_a_thing_is_cut_out_of_its_ground_with_its_colours_at_the_edge():
    picture = np.full((128, 128, 3), 128, np.uint8)
    picture[30:100, 40:80] = (220, 40, 40)

    cut = layers.cut_out(Image.fromarray(picture))

    assert cut.image.size == (40, 70)
    assert cut.shape.width == pytest.approx(40 / 110, abs=0.01)
    assert cut.shape.aside < 0
    pixels = np.asarray(cut.image)
    assert (pixels[..., 0] > 200).all()
    assert (pixels[..., 1] < 60).all()


def test_a_picture_that_has_no_plain_ground_is_not_cut():
    noise = np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8)

    cut = layers.cut_out(Image.fromarray(noise))

    assert cut.image.size == (64, 64)
