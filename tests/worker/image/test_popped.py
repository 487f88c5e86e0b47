from dataclasses import replace
from pathlib import Path

import pytest

from core.wire.pop import GenerationPayloadStable
from fake_renderers import TINY
from worker.image import popped
from worker.image.control import Controls
from worker.image.order import Source
from worker.image.popped import Offer
from worker.renderer import CannotRender
from worker.safety import NOBODY, Detector, Policy
from worker.upscaler import Upscaler

DETECTOR = Detector("nudenet", Path("/nowhere"), "nudenet")


def answered(payload=None, n=1, **answer):
    return GenerationPayloadStable.model_validate(
        {
            "ids": [f"job-{number}" for number in range(n)],
            "model": "tiny",
            "payload": {"seed": "5", **(payload or {})},
            **answer,
        }
    )


def ordered(payload=None, source=None, processors=None, safety=NOBODY, checkpoint=TINY, **answer):
    batch = popped.batch(answered(payload, **answer))
    offer = Offer(1024 * 1024, 4, processors or {}, safety)
    popped.check(batch, {"tiny": checkpoint}, offer)
    return popped.order(batch, {"tiny": checkpoint}, source, offer)


def test_everything_asked_for_is_in_the_order():
    order = ordered(
        {
            "prompt": "a (red:1.2) fox ### blurry",
            "seed": "4294967295",
            "ddim_steps": 12,
            "cfg_scale": 4.25,
            "width": 640,
            "height": 384,
            "sampler_name": "DDIM",
            "karras": True,
            "tiling": True,
            "hires_fix": True,
            "clip_skip": 2,
        },
        n=2,
    )
    assert (order.prompt, order.negative) == ("a (red:1.2) fox", "blurry")
    assert (order.width, order.height, order.steps, order.cfg_scale) == (640, 384, 12, 4.25)
    assert (order.sampler, order.karras, order.tiling, order.clip_skip) == ("DDIM", True, True, 2)
    assert order.seeds == (2**32 - 1, 0)
    assert order.hires_strength == 0.65
    assert order.checkpoint is TINY


@pytest.mark.parametrize(
    ("payload", "source", "strength"),
    [
        ({}, Source(b""), 0.75),
        ({"denoising_strength": 0.3}, Source(b""), 0.3),
        ({}, Source(b"", painting=True), 1.0),
        ({"denoising_strength": 0.3}, Source(b"", painting=True), 0.3),
    ],
)
def test_how_much_of_a_source_is_redrawn(payload, source, strength):
    assert ordered(payload, source).strength == strength


def test_without_hires_fix_its_strength_means_nothing():
    assert ordered({"hires_fix_denoising_strength": 0.4}).hires_strength is None
    hires = {"hires_fix": True, "hires_fix_denoising_strength": 0.4}
    assert ordered(hires).hires_strength == 0.4


def test_a_control_type_of_which_nothing_was_said_is_refused():
    asked = popped.batch(answered({"control_type": "canny"}, source_image="x"))
    offer = Offer(1024 * 1024, 4, {}, also=frozenset({"annotator:canny"}))
    with pytest.raises(CannotRender, match="not served here: control:canny"):
        popped.check(asked, {"tiny": TINY}, offer)
    map_alone = {"control_type": "canny", "return_control_map": True}
    popped.check(popped.batch(answered(map_alone, source_image="x")), {"tiny": TINY}, offer)


def test_a_map_that_is_sent_needs_a_network_and_no_annotator():
    payload = {"control_type": "depth", "image_is_control": True}
    asked = popped.batch(answered(payload, source_image="x"))
    offer = Offer(1024 * 1024, 4, {}, also=frozenset({"control:depth"}))
    popped.check(asked, {"tiny": TINY}, offer)
    with pytest.raises(CannotRender, match="has just been dropped"):
        popped.control(asked, b"", TINY, Controls())


def test_a_seed_that_is_no_number_is_drawn():
    first, second = (popped.batch(answered({"seed": ""}, n=2)).seeds for _ in range(2))
    assert first != second
    assert (first[0] + 1) % 2**32 == first[1]


@pytest.mark.parametrize(
    ("payload", "answer", "word"),
    [
        ({"control_type": "canny"}, {}, "control:canny"),
        ({"post_processing": ["GFPGAN"]}, {}, "GFPGAN"),
        ({"loras": [{"name": "x"}], "tis": [{"name": "y"}]}, {}, "loras, tis"),
        ({"workflow": "qr_code"}, {}, "workflow"),
        ({"transparent": True}, {}, "transparent"),
        ({"sampler_name": "k_new"}, {}, "the sampler k_new"),
        ({}, {"source_image": "x", "source_processing": "remix"}, "remix"),
        ({}, {"model": "other"}, "'other' is not served"),
    ],
)
def test_what_was_never_offered_is_refused_by_name(payload, answer, word):
    with pytest.raises(CannotRender, match=word):
        ordered(payload, **answer)


def test_upscalers_that_are_here_are_ordered_and_the_first_also_enlarges():
    here = {name: Upscaler(name, "/nowhere") for name in ("RealESRGAN_x4plus", "NMKD_Siax")}
    order = ordered({"post_processing": ["NMKD_Siax"]}, processors=here)
    assert [one.name for one in order.processors] == ["NMKD_Siax"]
    assert order.enlarger.name == "RealESRGAN_x4plus"


def test_a_stand_in_enlarges_only_where_it_is_asked_for():
    here = {"RealESRGAN_x4plus": Upscaler("RealESRGAN_x4plus", "/nowhere", "another")}
    assert ordered({}, processors=here).enlarger is None


def test_the_title_names_the_job_and_not_the_prompt():
    batch = popped.batch(answered({"prompt": "secret", "ddim_steps": 9}, n=2))
    assert batch.title == "job-0 tiny 512x512 x2 9 steps"


def test_pictures_are_checked_where_the_request_or_the_operator_wants_it():
    wanted = {"use_nsfw_censor": True}
    some, always = Policy(DETECTOR), Policy(DETECTOR, always=True)
    assert ordered(wanted, safety=some).checker == DETECTOR
    assert ordered(safety=some).checker is None
    assert ordered(safety=always).checker == DETECTOR
    harmless = replace(TINY, harmless=True)
    assert ordered(wanted, safety=always, checkpoint=harmless).checker is None


def test_what_nobody_checks_is_served_and_noted_or_refused():
    wanted = {"use_nsfw_censor": True}
    [note] = ordered(wanted).notes
    assert "nobody looked whether this is safe for work" in note.ref
    assert ordered().notes == ()
    with pytest.raises(CannotRender, match="hold back"):
        ordered(wanted, safety=Policy(unchecked=False))
    harmless = replace(TINY, harmless=True)
    assert ordered(wanted, safety=Policy(unchecked=False), checkpoint=harmless).notes == ()
