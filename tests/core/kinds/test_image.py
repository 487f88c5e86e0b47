import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalog import agents
from core.kinds import image
from core.kinds.image import ImageParams


def test_parameters_survive_json():
    params = ImageParams(width=640, loras=[{"name": "x"}], post_processing=["GFPGAN"], tiling=True)
    assert ImageParams.from_json(json.loads(json.dumps(params.to_json()))) == params


@pytest.mark.parametrize(
    ("sampler", "steps", "effective"),
    [
        ("k_euler", 30, 30),
        ("k_heun", 30, 60),
        ("k_dpm_2", 30, 60),
        ("k_dpm_2_a", 30, 60),
        ("k_dpmpp_2s_a", 30, 60),
        ("k_dpmpp_sde", 30, 60),
        ("k_dpm_adaptive", 30, 40),
        ("k_dpm_adaptive", 500, 40),
    ],
)
def test_effective_steps(sampler, steps, effective):
    params = ImageParams(width=64, height=128, sampler_name=sampler, steps=steps)
    assert params.effective_steps == effective
    assert params.things == 64 * 128 * effective


@pytest.mark.parametrize(
    ("params", "baseline", "extra_slow", "seconds"),
    [
        ({"steps": 1}, None, False, 150),
        ({"steps": 60}, None, False, 150),
        ({"steps": 61}, None, False, 152),
        ({"width": 1024, "height": 1024, "steps": 30}, None, False, 270),
        ({"steps": 50, "control_type": "canny"}, None, False, 260),
        ({"steps": 30}, "flux_1", False, 270),
        ({"steps": 1}, "qwen_image", False, 150),
        ({"steps": 1}, None, True, 450),
        ({"width": 1024, "height": 1024, "steps": 30}, "z_image_turbo", True, 2430),
    ],
)
def test_how_long_a_worker_may_take(params, baseline, extra_slow, seconds):
    assert ImageParams(**params).seconds(baseline, extra_slow=extra_slow) == seconds


@pytest.mark.parametrize(
    ("params", "amount", "max_pixels", "batch"),
    [
        ({}, 4, 512 * 512, 1),  # 4 / 3.5
        ({}, 4, 4 * 512 * 512, 4),  # 4.6, and 4 is all it asked for
        ({}, 2, 4 * 512 * 512, 2),
        ({}, 20, 512 * 512, 6),  # 5.7
        ({"post_processing": ["GFPGAN"]}, 20, 512 * 512, 4),  # 5.7 / 1.4
        ({"post_processing": ["RealESRGAN_x4plus"]}, 20, 512 * 512, 2),  # 5.7 / 1.4 / 1.8
        ({"transparent": True}, 20, 512 * 512, 3),  # 5.7 / 1.8
        ({"width": 2048, "height": 2048}, 20, 512 * 512, 1),
        ({"disable_batching": True}, 20, 2**40, 1),
        ({"workflow": "qr_code"}, 20, 2**40, 1),
    ],
)
def test_how_many_are_safe_at_once(params, amount, max_pixels, batch):
    assert ImageParams(**params).safe_batch(amount, max_pixels) == batch


@pytest.mark.parametrize(
    ("params", "features", "permissions"),
    [
        ({}, {"karras", "r2"}, set()),
        ({"karras": False, "r2": False}, set(), set()),
        ({"source_image": "x", "r2": False, "karras": False}, {"img2img"}, {"img2img"}),
        ({"source_processing": "inpainting"}, {"karras", "r2", "inpainting"}, {"painting"}),
        ({"source_processing": "outpainting"}, {"karras", "r2", "inpainting"}, {"painting"}),
        ({"clip_skip": 1}, {"karras", "r2"}, set()),
        ({"clip_skip": 2}, {"karras", "r2", "clip_skip"}, set()),
        (
            {"post_processing": ["GFPGAN"]},
            {"karras", "r2", "post_processing", "post:GFPGAN"},
            {"post-processing"},
        ),
        ({"loras": [{"name": "x"}]}, {"karras", "r2", "lora"}, {"lora"}),
        (
            {"loras": [{"name": "1", "is_version": True}]},
            {"karras", "r2", "lora", "lora_versions"},
            {"lora"},
        ),
        ({"tis": [{"name": "x"}]}, {"karras", "r2", "textual_inversion"}, set()),
        (
            {"control_type": "hed"},
            {"karras", "r2", "controlnet", "control:hed", "annotator:hed"},
            {"controlnet"},
        ),
        (
            {"control_type": "hed", "return_control_map": True},
            {"karras", "r2", "controlnet", "annotator:hed", "return_control_map"},
            {"controlnet"},
        ),
        (
            {"control_type": "pose", "image_is_control": True},
            {"karras", "r2", "controlnet", "control:pose", "image_is_control"},
            {"controlnet"},
        ),
        ({"transparent": True}, {"karras", "r2", "layer_diffuse"}, {"sdxl_controlnet"}),
        ({"workflow": "qr_code"}, {"karras", "r2", "qr_code"}, set()),
        ({"tiling": True, "hires_fix": True}, {"karras", "r2", "tiling", "hires_fix"}, set()),
    ],
)
def test_what_a_worker_must_be_able_and_allowed_to_do(params, features, permissions):
    wanted = ImageParams(**params)
    assert wanted.features(frozenset()) == features | {"sampler:k_euler_a"}
    assert wanted.permissions() == permissions


@pytest.mark.parametrize(
    ("baselines", "is_flux"),
    [(set(), False), ({"flux_1"}, True), ({"flux_1", "stable diffusion 1"}, False)],
)
def test_only_who_can_flux_is_asked_for_flux_alone(baselines, is_flux):
    assert ("flux" in ImageParams().features(frozenset(baselines))) == is_flux


@pytest.mark.parametrize(
    ("text", "seed"),
    [
        ("0", 0),
        ("4294967295", 2**32 - 1),
        ("4294967296", 1),  # shifted right by 32 bits
        ("a", 97),
        ("ab", 97 + 98 * 256),
        ("abcde", 101),  # little endian: the last byte is what is left
    ],
)
def test_seeds_from_text(text, seed):
    assert image.seed_from(text) == seed


@given(st.text(max_size=300))
def test_any_text_is_a_seed(text):
    assert 0 <= image.seed_from(text) < 2**32


@pytest.mark.parametrize(
    ("first", "n", "variation", "seeds"),
    [
        (5, 3, None, [5, 6, 7]),
        (5, 3, 1, [5, 6, 7]),
        (5, 3, 1000, [5, 1005, 2005]),
        (2**32 - 1, 2, None, [2**32 - 1, 0]),
    ],
)
def test_seeds_of_a_request(first, n, variation, seeds):
    assert image.seeds(first, n, variation) == seeds


def test_the_post_processors_are_those_that_programs_know():
    newest = agents.agent("AI Horde Worker reGen:13:x").features
    known = {name.removeprefix("post:") for name in newest if name.startswith("post:")}
    assert known == image.POST_PROCESSORS.keys()
