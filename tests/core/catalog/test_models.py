import json

import pytest

from core.catalog import models, reference


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


ISSUE = {
    "stable_diffusion": "stable diffusion 1",
    "stable_diffusion_2.1": "stable diffusion 2",
    "Fustercluck": "stable_diffusion_xl",
    "AlbedoBase XL (SDXL)": "stable_diffusion_xl",
    "Flux.1-Schnell fp8 (Compact)": "flux_1",
    "Stable Cascade 1.0": "stable_cascade",
}


def test_models_that_clients_name_are_known():
    assert {name: models.known()[name].baseline for name in ISSUE} == ISSUE
    assert len(models.known_texts()) >= 25
    assert all(model.billions > 0 and model.description for model in models.known_texts().values())


@pytest.mark.parametrize(
    "name",
    [
        "elinas/chronos-70b-v2",
        "elinas/chronos-70b-v2::someone#12",
        "elinas/chronos-70b-v2.Q4_K_M",
        "elinas/chronos-70b-v2-Q8_0.gguf",
        "elinas/chronos-70b-v2.i1-IQ3_XXS::someone#with#12",
        "koboldcpp/Chronos-70B-v2",
        "aphrodite/elinas/chronos-70b-v2-AWQ",
        "chronos-70b-v2_4.0bpw",
        "chronos-70b-v2-FP8",
    ],
)
def test_a_text_model_is_known_by_what_workers_call_it(name):
    assert models.text_model(name).name == "elinas/chronos-70b-v2"


@pytest.mark.parametrize("name", ["", "chronos", "elinas/", "Q4_K_M", ".Q4_K_M", "chronos-70b-v3"])
def test_an_unknown_text_model_is_unknown(name):
    assert models.text_model(name) is None


def test_the_exact_name_goes_first(request):
    request.addfinalizer(lambda: models.use(None))
    named = [
        {"name": "a/fox-7b", "billions": 7},
        {"name": "b/fox-7b", "billions": 8},
        {"name": "b/fox-7b.Q4_K_M", "billions": 4},
    ]
    content = json.dumps({"version": 1, "image": [{"name": "x"}], "text": named})
    models.use(reference.parse(content))
    sizes = {name: models.text_model(name).billions for name in ("b/fox-7b", "b/fox-7b.Q4_K_M")}
    assert sizes == {"b/fox-7b": 8, "b/fox-7b.Q4_K_M": 4}
    assert models.text_model("fox-7b.Q8_0").billions == 7


def test_of_several_the_largest_counts():
    named = ["unknown", "Qwen/Qwen3-8B", "openai/gpt-oss-20b.Q4_K_M"]
    assert models.most_billions(named) == 20.9
    assert models.most_billions(["unknown"]) is None


@pytest.mark.parametrize(
    ("requirements", "steps"),
    [
        ({}, 30),
        ({"min_steps": 8, "max_steps": 40}, 24),
        ({"min_steps": 4, "max_steps": 11}, 7),
        ({"max_steps": 8}, 8),  # the usual least is more than its most
        ({"min_steps": 50}, 50),
        ({"min_steps": 30}, 35),
    ],
)
def test_moderate_steps_are_between_the_least_and_the_most(requirements, steps):
    assert models.ImageModel("a model", requirements=requirements).moderate_steps == steps
