from dataclasses import replace
from itertools import product
from math import log
from pathlib import Path

import pytest

from worker.image import sizes
from worker.image.order import Checkpoint, PictureOrder, Source
from worker.image.sizes import Size

SHIPPED = Checkpoint("horde-tiny", Path(), native=128, multiple=32)
FULL = Checkpoint("stable_diffusion", Path(), native=512, multiple=64)

EVERY = [Size(*sides) for sides in product(range(64, 1025, 64), repeat=2)]


@pytest.mark.parametrize("checkpoint", [SHIPPED, FULL], ids=["shipped", "full"])
def test_every_size_is_composed_near_the_native_one(checkpoint):
    for wanted in EVERY:
        size = sizes.to_compose(wanted, checkpoint)
        assert size.width % checkpoint.multiple == 0
        assert size.height % checkpoint.multiple == 0
        assert 0.5 <= size.area / checkpoint.native**2 <= 2.25
        shortest, longest = (0.75, 1.25) if checkpoint is SHIPPED else (0, 2)
        assert shortest * checkpoint.native <= min(size.width, size.height)
        assert max(size.width, size.height) <= longest * checkpoint.native


@pytest.mark.parametrize("checkpoint", [SHIPPED, FULL], ids=["shipped", "full"])
def test_shapes_up_to_two_to_one_are_kept(checkpoint):
    for wanted in EVERY:
        if 0.5 <= wanted.width / wanted.height <= 2:
            size = sizes.to_compose(wanted, checkpoint)
            cut = abs(log(size.width / size.height * wanted.height / wanted.width))
            assert cut < 0.2, (wanted, size)


@pytest.mark.parametrize(
    ("wanted", "checkpoint", "composed"),
    [
        (Size(128, 128), SHIPPED, Size(128, 128)),
        (Size(512, 512), SHIPPED, Size(128, 128)),
        (Size(64, 64), SHIPPED, Size(128, 128)),
        (Size(1024, 512), SHIPPED, Size(160, 96)),
        (Size(160, 160), SHIPPED, Size(160, 160)),
        (Size(192, 192), SHIPPED, Size(128, 128)),
        (Size(512, 512), FULL, Size(512, 512)),
        (Size(768, 768), FULL, Size(768, 768)),
        (Size(832, 512), FULL, Size(832, 512)),
        (Size(1024, 1024), FULL, Size(512, 512)),
        (Size(130, 130), SHIPPED, Size(128, 128)),
    ],
)
def test_examples(wanted, checkpoint, composed):
    assert sizes.to_compose(wanted, checkpoint) == composed


@pytest.mark.parametrize(
    ("wanted", "composed", "refined"),
    [
        (Size(512, 512), Size(512, 512), None),
        (Size(768, 768), Size(512, 512), Size(768, 768)),
        (Size(832, 512), Size(640, 384), Size(832, 512)),
        (Size(576, 512), Size(576, 512), None),
        (Size(1024, 1024), Size(512, 512), Size(1024, 1024)),
    ],
)
def test_a_hires_fix_composes_near_the_native_size(wanted, composed, refined):
    plain = PictureOrder(
        FULL, "", "", wanted.width, wanted.height, 9, 7.0, "k_euler", karras=False, seeds=(1,)
    )
    order = replace(plain, hires_strength=0.5)
    assert sizes.of_order(order) == composed
    assert sizes.refined(order, composed) == refined
    assert sizes.of_order(plain) == sizes.to_compose(wanted, FULL)
    painted = replace(order, source=Source(b""))
    assert sizes.of_order(painted) == sizes.to_compose(wanted, FULL)
    assert sizes.refined(painted, composed) is None


def test_the_hires_fix_refines_at_the_wanted_size_up_to_a_limit():
    assert sizes.to_refine(Size(384, 512), SHIPPED) == Size(384, 512)
    assert sizes.to_refine(Size(1024, 1024), SHIPPED) == Size(512, 512)
    assert sizes.to_refine(Size(1024, 1024), FULL) == Size(1024, 1024)


def test_a_size_reads_like_one():
    assert str(Size(512, 64)) == "512x64"
