"""The parameters of pictures: as a request, and as stored with a layer."""

import json

import pytest

from core import features
from core.wire.generate import GenerationInputStable
from stable_horde import wanted
from stable_horde.errors import Trouble
from stable_horde.wanted import Wanted

ALL = Wanted(
    prompt="a fox",
    negative="blurry",
    model="stable_diffusion",
    style="",
    n=3,
    steps=12,
    cfg=4.5,
    sampler="k_euler",
    seed="7",
    strength=0.5,
    loras="one:0.8, two",
    post_processing="GFPGAN, RealESRGAN_x4plus",
    nsfw=True,
)


def test_a_request_is_what_the_wire_of_the_server_takes():
    body = ALL.redrawing((512, 256), b"picture", b"mask", "inpainting")
    read = GenerationInputStable.model_validate(body)
    assert read.prompt == "a fox###blurry"
    assert (read.params.width, read.params.height, read.params.n) == (512, 256, 3)
    assert [(lora.name, lora.model) for lora in read.params.loras] == [("one", 0.8), ("two", 1.0)]
    assert read.params.post_processing == ["GFPGAN", "RealESRGAN_x4plus"]


def test_what_is_left_open_is_left_to_the_model():
    params = Wanted(prompt="a fox").body(512, 512)["params"]
    assert params == {"width": 512, "height": 512, "n": 1}


def test_strength_0_is_the_least_that_a_horde_takes():
    body = Wanted(prompt="a fox", strength=0).redrawing((64, 64), b"", None, "img2img")
    GenerationInputStable.model_validate(body)


def test_names_are_those_of_the_table_of_features():
    assert set(wanted.SAMPLERS) == set(features.SAMPLERS)
    assert set(wanted.POST_PROCESSORS) <= set(features.POST_PROCESSORS)


def test_parameters_survive_being_stored():
    assert Wanted.of_stored(json.loads(json.dumps(ALL.stored()))) == ALL


def test_stored_parameters_of_a_stranger_are_taken_as_far_as_they_make_sense():
    said = {"prompt": "a fox", "n": 10**9, "steps": "rm -rf", "unknown": 1, "cfg": 4, "nsfw": "yes"}
    assert Wanted.of_stored(said) == Wanted(prompt="a fox", n=10, cfg=4.0)


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 90_000, '{"a": "' + "x" * 200_000 + '"}'])
def test_what_cannot_be_read_is_told_in_a_sentence(text):
    with pytest.raises(Trouble, match="cannot be read"):
        wanted.read(text)


def test_parameters_without_a_prompt_are_none():
    with pytest.raises(Trouble, match="No parameters"):
        Wanted.of_stored({"steps": 3})


def test_an_empty_prompt_is_refused_here():
    with pytest.raises(Trouble, match="prompt is empty"):
        Wanted(prompt=" ").body(64, 64)


def test_a_lora_without_a_number_is_refused_here():
    with pytest.raises(Trouble, match="no LoRA"):
        Wanted(prompt="a", loras="one:much").body(64, 64)


def test_what_is_given_goes_before_what_is_stored_and_the_seed_is_chance_again():
    given = Wanted(prompt="", n=2)
    assert given.over(ALL) == Wanted(**{**ALL.stored(), "n": 2, "seed": "", "nsfw": False})
