"""A parameter that is forgotten on its way from the request to the worker fails here."""

from dataclasses import fields
from uuid import uuid4

from core.api.v2 import parameters
from core.generation.pop import Work
from core.kinds.image import ImageParams
from core.wire.generate import GenerationInputStable
from core.wire.image import (
    ModelGenerationInputStable,
    ModelPayloadStable,
    ModelStyleInputParamsStableNoDefaults,
)

OWN = {one.name for one in fields(ImageParams)}
OF_REQUEST = {"n", "seed", "seed_variation"}
"""What says how many pictures there are and which, not what they are made with."""
OF_WORK = {"prompt", "ddim_steps", "n_iter", "seed", "seed_variation"}
GIVEN = {
    "sampler_name": "lcm",
    "cfg_scale": 7.25,
    "denoising_strength": 0.5,
    "hires_fix_denoising_strength": 0.25,
    "height": 640,
    "width": 704,
    "post_processing": ["GFPGAN"],
    "karras": False,
    "tiling": True,
    "hires_fix": True,
    "clip_skip": 2,
    "facefixer_strength": 0.0,
    "loras": [
        {"name": "a", "model": 0.5, "clip": 0.5, "inject_trigger": "any", "is_version": True}
    ],
    "tis": [{"name": "b", "inject_ti": "prompt", "strength": 0.5}],
    "special": {"a": 1},
    "workflow": "qr_code",
    "transparent": True,
    "control_type": "canny",
    "image_is_control": True,
    "return_control_map": True,
    "extra_texts": [{"text": "x", "reference": "qr_code"}],
    "steps": 33,
}


def test_the_example_says_something_of_every_parameter():
    assert GIVEN.keys() == ModelGenerationInputStable.model_fields.keys() - OF_REQUEST
    defaults = ModelGenerationInputStable()
    assert not [name for name, value in GIVEN.items() if getattr(defaults, name) == value]


def test_every_parameter_arrives_in_the_domain():
    params = parameters.of_request(GenerationInputStable(prompt="x", params=GIVEN))
    assert {name: getattr(params, name) for name in GIVEN} == GIVEN


def test_every_parameter_of_the_domain_comes_from_the_request():
    sent = {*ModelGenerationInputStable.model_fields, *GenerationInputStable.model_fields}
    assert sent | parameters.CHANGED.keys() | parameters.OTHERS >= OWN


def test_every_parameter_arrives_at_the_worker():
    params = parameters.of_request(GenerationInputStable(prompt="x", params=GIVEN))
    work = Work(uuid4(), [uuid4(), uuid4()], "m", 0, "a fox", params, 7, 60)
    payload = parameters.of_work(work).model_dump(mode="json")
    assert {name: payload[name] for name in GIVEN if name != "steps"} | {"steps": 33} == GIVEN
    assert (payload["prompt"], payload["ddim_steps"]) == ("a fox", 33)
    assert (payload["n_iter"], payload["seed"]) == (2, "7")


def test_the_worker_is_told_all_that_is_not_said_beside_the_payload():
    told = ModelPayloadStable.model_fields.keys() - OF_WORK
    assert told == OWN - parameters.BESIDE - {"steps"}


def test_a_style_may_say_all_that_is_not_the_requests_own():
    styled = ModelStyleInputParamsStableNoDefaults.model_fields.keys() | {"steps"}
    own = {"control_type", "image_is_control", "return_control_map", "extra_texts"}
    assert GIVEN.keys() - styled == own
