import pytest

from core.catalog import models


def test_the_shipped_model_is_known():
    shipped = models.known()["horde-tiny"]
    assert shipped.baseline == "stable diffusion 1"
    assert shipped.most_steps == 40


def test_every_model_is_described_and_its_requirements_are_known_ones():
    known = {
        "clip_skip",
        "min_steps",
        "max_steps",
        "cfg_scale",
        "min_cfg_scale",
        "max_cfg_scale",
        "samplers",
        "schedulers",
    }
    assert len(models.known()) > 30
    for name, model in models.known().items():
        assert model.name == name
        assert model.description
        assert model.requirements.keys() <= known


@pytest.mark.parametrize(
    ("name", "baseline"),
    [
        ("SDXL 1.0", "stable_diffusion_xl"),
        ("stable_diffusion_2.1", "stable diffusion 2"),
        ("my own", "stable diffusion 1"),
        ("my own [SDXL]", "stable_diffusion_xl"),
        ("[Flux] mine", "flux_1"),
        ("x [Qwen]", "qwen_image"),
        ("x [ZModel]", "z_image_turbo"),
        ("x [ZImage]", "z_image_turbo"),
    ],
)
def test_baselines(name, baseline):
    assert models.image_model(name).baseline == baseline


def test_baselines_of_several():
    assert models.baselines(["SDXL 1.0", "Deliberate", "my own"]) == {
        "stable_diffusion_xl",
        "stable diffusion 1",
    }
    assert models.baselines([]) == frozenset()


@pytest.mark.parametrize(("name", "steps"), [("DreamShaper XL", 12), ("my own", 40)])
def test_most_steps_without_kudos_in_advance(name, steps):
    assert models.image_model(name).most_steps == steps
