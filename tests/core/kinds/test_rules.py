"""Each rule by a request that breaks it alone, and the same request put right."""

from dataclasses import replace

import pytest

from core.errors import Invalid
from core.kinds import rules
from core.kinds.image import ImageParams

SD1, SD2, XL = "Deliberate", "stable_diffusion_2.1", "SDXL 1.0"
CASCADE, FLUX = "Stable Cascade 1.0", "Flux.1-Schnell fp8 (Compact)"
LORA = {"name": "x", "model": 1.0, "clip": 1.0}
SOURCE = {"source_image": "x.webp"}
EXTRA = {"image": "x", "strength": 1.0}
CONTROL = {**SOURCE, "control_type": "canny"}
REMIX = {**SOURCE, "source_processing": "remix"}
QR = {"text": "hello", "reference": "qr_code"}

BROKEN = [
    ("InvalidPromptSize", {"prompt": "word " * 7501}, [], {}, {"prompt": "word " * 7500}),
    ("UnexpectedModelName", {}, ["GFPGAN"], {}, {"names": [SD1]}),
    ("UnexpectedModelName", {}, [SD1, "RealESRGAN_x4plus"], {}, {"names": [SD1]}),
    (
        "TooManyUpscalers",
        {},
        [],
        {"post_processing": ["RealESRGAN_x4plus", "NMKD_Siax"]},
        {"post_processing": ["RealESRGAN_x4plus", "GFPGAN", "strip_background"]},
    ),
    ("BadCFGDecimals", {}, [], {"cfg_scale": 7.555}, {"cfg_scale": 7.55}),
    ("TooManyLoras", {}, [], {"loras": [LORA] * 6}, {"loras": [LORA] * 5}),
    (
        "BadLoraVersion",
        {},
        [],
        {"loras": [{**LORA, "is_version": True}]},
        {"loras": [{**LORA, "is_version": True, "name": "123"}]},
    ),
    ("TooManyTIs", {}, [], {"tis": [{"name": "x"}] * 21}, {"tis": [{"name": "x"}] * 20}),
    ("HiResMismatch", {}, [SD1, FLUX], {"hires_fix": True}, {"names": [SD1]}),
    ("InvalidTransparencyModel", {}, [SD2], {"transparent": True}, {"names": [SD1, XL]}),
    (
        "InvalidTransparencyImg2Img",
        {},
        [],
        {"transparent": True, **SOURCE},
        {"source_image": None},
    ),
    (
        "InvalidTransparencyCN",
        {},
        [],
        {"transparent": True, "control_type": "canny"},
        {"control_type": None},
    ),
    ("SourceImageRequiredForModel", {}, [SD1, "pix2pix"], {}, SOURCE),
    ("SourceMaskUnnecessary", {}, [], {"source_mask": "x"}, SOURCE),
    ("InvalidRemix", {}, [SD1], REMIX, {"names": [CASCADE]}),
    ("InvalidRemix", {}, [], REMIX, {"names": [CASCADE]}),
    (
        "InvalidExtraSourceImages.",
        {},
        [CASCADE],
        {**SOURCE, "extra_source_images": [EXTRA]},
        {"source_processing": "remix"},
    ),
    (
        "TooManyExtraSourceImages.",
        {},
        [CASCADE],
        {**REMIX, "extra_source_images": [EXTRA] * 6},
        {"extra_source_images": [EXTRA] * 5},
    ),
    (
        "ControlNetInvalidPayload",
        {},
        [],
        {**CONTROL, "image_is_control": True, "return_control_map": True},
        {"return_control_map": False},
    ),
    ("ControlNetSourceMissing", {}, [], {"control_type": "canny"}, SOURCE),
    (
        "ControlNetInpaintingMismatch",
        {},
        [],
        {**CONTROL, "source_processing": "inpainting"},
        {"source_processing": "img2img"},
    ),
    ("ControlNetMismatch", {}, [SD1, XL], CONTROL, {"names": [SD1]}),
    ("ControlNetUnsupported", {}, [SD2], {**CONTROL, "control_type": "hough"}, CONTROL),
    (
        "ControlNetMismatch.",
        {},
        [SD2],
        {"workflow": "qr_code", "extra_texts": [QR]},
        {"names": [XL]},
    ),
    ("InvalidExtraTexts.", {}, [], {"extra_texts": [QR]}, {"workflow": "qr_code"}),
    ("MissingExtraTexts.", {}, [], {"workflow": "qr_code"}, {"extra_texts": [QR]}),
    (
        "MissingExtraTexts.",
        {},
        [],
        {"workflow": "qr_code", "extra_texts": [{"text": "x", "reference": "other"}]},
        {"extra_texts": [QR]},
    ),
]


@pytest.mark.parametrize(("code", "request_", "names", "params", "right"), BROKEN)
def test_a_broken_rule(code, request_, names, params, right):
    given = {"prompt": "a red fox", "names": names, **request_}
    wanted = ImageParams(**params)
    with pytest.raises(Invalid) as refused:
        rules.check(given["prompt"], wanted, given["names"])
    assert refused.value.code == code
    given |= {key: value for key, value in right.items() if key in given}
    wanted = replace(wanted, **{key: right[key] for key in right.keys() - given.keys()})
    rules.check(given["prompt"], wanted, given["names"])


def test_every_rule_is_tried():
    codes = {
        rule.code
        for rule in vars(rules).values()
        if isinstance(rule, type) and issubclass(rule, Invalid) and rule is not Invalid
    }
    assert {broken[0] for broken in BROKEN} == codes


@pytest.mark.parametrize("names", [[], [SD1], ["nobody knows it"], [XL, FLUX]])
def test_a_plain_request_breaks_none(names):
    rules.check("a red fox", ImageParams(), names)


@pytest.mark.parametrize(
    ("name", "params", "codes"),
    [
        ("Anything v5", {"clip_skip": 2}, []),
        ("Anything v5", {}, ["ClipSkipMismatch"]),
        ("Deliberate", {}, []),
        ("nobody knows it", {"steps": 500}, []),
        ("horde-tiny", {"steps": 7}, ["StepsTooFew"]),
        ("horde-tiny", {"steps": 41}, ["StepsTooMany"]),
        (FLUX, {"steps": 4}, ["CfgScaleMismatch"]),
        ("DreamShaper XL", {"steps": 8, "cfg_scale": 0.5}, ["CfgScaleTooSmall"]),
        ("DreamShaper XL", {"steps": 8, "cfg_scale": 4.5}, ["CfgScaleTooLarge"]),
        ("DreamShaper XL", {"steps": 3}, ["StepsTooFew", "CfgScaleTooLarge"]),
        ("DreamShaper XL", {"steps": 4, "cfg_scale": 1.0}, []),
    ],
)
def test_what_the_models_advise(name, params, codes):
    warnings = rules.warnings(ImageParams(**params), [name])
    assert [warning.code for warning in warnings] == codes
    assert all(name in warning.message for warning in warnings)


def test_samplers_and_schedules(monkeypatch):
    picky = rules.ImageModel(
        "picky", requirements={"samplers": ["k_euler", "lcm"], "schedulers": ["simple"]}
    )
    monkeypatch.setattr(rules.catalog, "image_model", lambda _: picky)
    assert rules.warnings(ImageParams(sampler_name="lcm", karras=False), ["picky"]) == []
    warnings = rules.warnings(ImageParams(), ["picky"])
    assert [warning.code for warning in warnings] == ["SamplerMismatch", "SchedulerMismatch"]
    assert "k_euler, lcm" in warnings[0].message
