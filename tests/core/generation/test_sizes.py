"""A picture far smaller than ordered is paid by its area; what honest programs do is paid whole."""

import pytest

from core.generation import sizes
from core.generation.delivery import Amounts, Delivery
from core.kinds.image import ImageParams

WHOLE = Amounts(announced_reward=1000, reward=900, charge=1200)


def adjusted(size, metadata=(), **params):
    delivery = Delivery(job_id="", size=size, metadata=list(metadata))
    return sizes.adjusted(WHOLE, ImageParams(**params), delivery)


@pytest.mark.parametrize(
    ("size", "params"),
    [
        ((512, 512), {}),
        ((448, 448), {}),  # rounded down
        ((520, 520), {}),
        ((2048, 2048), {"post_processing": ["RealESRGAN_x4plus"]}),
        ((1024, 1024), {"post_processing": ["RealESRGAN_x2plus"]}),
        ((1024, 1024), {"post_processing": ["RealESRGAN_x4plus", "RealESRGAN_x2plus"]}),
        ((512, 512), {"post_processing": ["GFPGAN", "strip_background"]}),
        ((4096, 4096), {"width": 3072, "height": 3072, "post_processing": ["4x_AnimeSharp"]}),
        ((3072, 3072), {"width": 3072, "height": 3072}),
        ((64, 64), {"control_type": "canny", "return_control_map": True}),
        (None, {}),
    ],
)
def test_an_honest_picture_is_paid_whole(size, params):
    assert adjusted(size, **params) == WHOLE


def test_a_censored_picture_of_any_size_is_paid_whole():
    assert adjusted((64, 64), [{"type": "censorship", "value": "nsfw"}]) == WHOLE


@pytest.mark.parametrize(
    ("size", "params", "part"),
    [
        ((8, 8), {}, 4096),
        ((256, 256), {}, 4),
        ((512, 512), {"post_processing": ["RealESRGAN_x4plus"]}, 16),
        ((512, 512), {"post_processing": ["RealESRGAN_x2plus"]}, 4),
    ],
)
def test_a_small_one_is_paid_by_its_area(size, params, part):
    found = adjusted(size, **params)
    assert found.reward == 900 // part
    assert found.announced_reward == 1000 // part
    assert found.charge == 1200 // part
    assert f"{size[0]} x {size[1]} pixels" in found.shortfall
