"""Combinations that an image request must not have: the contract's rules beyond single fields.

The first broken rule decides. Warnings are for combinations that may work badly.
"""

import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from core.catalog import models as catalog
from core.catalog.models import ImageModel
from core.errors import Invalid
from core.features import CONTROL_TYPES, POST_PROCESSORS
from core.kinds.image import ImageParams
from core.kinds.params import Advice

MAX_WORDS = 7500
MAX_LORAS = 5
MAX_INVERSIONS = 20
MAX_EXTRA_IMAGES = 5
CONTROL_BASELINES = frozenset({"stable diffusion 1", "stable diffusion 2"})
SD1_OR_XL = frozenset({"stable diffusion 1", "stable_diffusion_xl"})
NO_HIRES_BASELINES = frozenset({"flux_1", "qwen_image", "z_image_turbo"})
NOT_ON_SD2 = frozenset(name for name, control in CONTROL_TYPES.items() if not control.on_sd2)


class InvalidPromptSize(Invalid):
    """The prompt is longer than anything can read."""

    code = "InvalidPromptSize"


class UnexpectedModelName(Invalid):
    """A post-processor is named as a model."""

    code = "UnexpectedModelName"


class TooManyUpscalers(Invalid):
    """More than one post-processor enlarges."""

    code = "TooManyUpscalers"


class BadCFGDecimals(Invalid):
    """The guidance has more than two decimals."""

    code = "BadCFGDecimals"


class TooManyLoras(Invalid):
    """More LoRAs than allowed."""

    code = "TooManyLoras"


class BadLoraVersion(Invalid):
    """A LoRA's version is not a number."""

    code = "BadLoraVersion"


class TooManyTIs(Invalid):
    """More textual inversions than allowed."""

    code = "TooManyTIs"


class HiResMismatch(Invalid):
    """The model has no two-pass mode."""

    code = "HiResMismatch"


class InvalidTransparencyModel(Invalid):
    """The model cannot make transparent pictures."""

    code = "InvalidTransparencyModel"


class InvalidTransparencyImg2Img(Invalid):
    """Transparency cannot be combined with source pictures."""

    code = "InvalidTransparencyImg2Img"


class InvalidTransparencyCN(Invalid):
    """Transparency cannot be combined with a control type."""

    code = "InvalidTransparencyCN"


class SourceImageRequiredForModel(Invalid):
    """A model that only changes pictures, without one."""

    code = "SourceImageRequiredForModel"


class SourceMaskUnnecessary(Invalid):
    """A mask without a source picture."""

    code = "SourceMaskUnnecessary"


class ControlNetSourceMissing(Invalid):
    """A control type without a source picture."""

    code = "ControlNetSourceMissing"


class ControlNetInpaintingMismatch(Invalid):
    """A control type with inpainting."""

    code = "ControlNetInpaintingMismatch"


class ControlNetMismatch(Invalid):
    """A control type with a model that supports none."""

    code = "ControlNetMismatch"


class ControlNetUnsupported(Invalid):
    """A control type that this version of the model does not have."""

    code = "ControlNetUnsupported"


class ControlNetInvalidPayload(Invalid):
    """Control options that exclude each other."""

    code = "ControlNetInvalidPayload"


class WorkflowMismatch(Invalid):
    """A workflow with a model that it does not work with; the dot is the contract's."""

    code = "ControlNetMismatch."


class InvalidRemix(Invalid):
    """Remixing with a model that cannot."""

    code = "InvalidRemix"


class InvalidExtraSourceImages(Invalid):
    """Extra source pictures without remixing."""

    code = "InvalidExtraSourceImages."


class TooManyExtraSourceImages(Invalid):
    """More extra source pictures than allowed."""

    code = "TooManyExtraSourceImages."


class InvalidExtraTexts(Invalid):
    """Extra texts without a workflow."""

    code = "InvalidExtraTexts."


class MissingExtraTexts(Invalid):
    """A workflow without its texts."""

    code = "MissingExtraTexts."


def check(prompt: str, params: ImageParams, names: Sequence[str]) -> None:
    """Raise the first rule that the request breaks.

    names: the models it names; a rule about models holds for each of them.
    """
    models = [catalog.image_model(name) for name in names]
    _check_extent(prompt, params, names)
    _check_transparency(params, models)
    _check_sources(params, models)
    _check_control(params, models)
    _check_texts(params, models)


def _check_extent(prompt: str, params: ImageParams, names: Sequence[str]) -> None:
    if len(prompt.split()) > MAX_WORDS:
        raise InvalidPromptSize(f"Too large prompt. Please keep it below {MAX_WORDS} words.")
    if processors := [name for name in names if name in POST_PROCESSORS]:
        raise UnexpectedModelName(f"{processors[0]} is a post-processor, not a model.")
    if len(params.upscalers) > 1:
        raise TooManyUpscalers("Cannot use more than 1 upscaler at a time.")
    if round(params.cfg_scale, 2) != params.cfg_scale:
        raise BadCFGDecimals("cfg_scale must be rounded to 2 decimal places.")
    if len(params.loras) > MAX_LORAS:
        raise TooManyLoras(f"You cannot request more than {MAX_LORAS} loras per generation.")
    for lora in params.loras:
        if lora.get("is_version") and not str(lora["name"]).isdecimal():
            raise BadLoraVersion("A LoRA named by its version needs the version's number.")
    if len(params.tis) > MAX_INVERSIONS:
        raise TooManyTIs(f"You cannot request more than {MAX_INVERSIONS} Textual Inversions.")


def _check_transparency(params: ImageParams, models: Sequence[ImageModel]) -> None:
    if params.hires_fix and any(model.baseline in NO_HIRES_BASELINES for model in models):
        raise HiResMismatch("HiRes Fix does not work with the requested model.")
    if not params.transparent:
        return
    if any(model.baseline not in SD1_OR_XL for model in models):
        raise InvalidTransparencyModel("Only Stable Diffusion 1 and XL models can be transparent.")
    if params.extra_source_images or params.source_image:
        raise InvalidTransparencyImg2Img("Transparent pictures cannot start from a source image.")
    if params.control_type:
        raise InvalidTransparencyCN("Transparent pictures cannot use a control type.")


def _check_sources(params: ImageParams, models: Sequence[ImageModel]) -> None:
    if params.source_mask and not params.source_image:
        raise SourceMaskUnnecessary("A mask needs a source image to apply to.")
    remix = params.source_processing == "remix"
    if remix and not models and params.source_image:
        raise InvalidRemix("Image remix needs a Stable Cascade model to be named.")
    if remix and any(model.baseline != "stable_cascade" for model in models):
        raise InvalidRemix("Image remix is only available for Stable Cascade models.")
    if params.extra_source_images and not remix:
        raise InvalidExtraSourceImages("Extra source images are only used with remix.")
    if len(params.extra_source_images) > MAX_EXTRA_IMAGES:
        raise TooManyExtraSourceImages(f"At most {MAX_EXTRA_IMAGES} extra source images.")
    needing = [model.name for model in models if model.needs_source]
    if needing and not params.source_image:
        raise SourceImageRequiredForModel(f"{needing[0]} needs a source image.")


def _check_control(params: ImageParams, models: Sequence[ImageModel]) -> None:
    if params.image_is_control and params.return_control_map:
        raise ControlNetInvalidPayload("A source image that is the control map has none to return.")
    if params.control_type is None:
        return
    if not params.source_image:
        raise ControlNetSourceMissing("ControlNet requires a source image.")
    if params.source_processing == "inpainting":
        raise ControlNetInpaintingMismatch("ControlNet does not work with inpainting.")
    for model in models:
        if model.baseline not in CONTROL_BASELINES:
            raise ControlNetMismatch(f"ControlNet does not work with {model.name}.")
        if model.baseline == "stable diffusion 2" and params.control_type in NOT_ON_SD2:
            raise ControlNetUnsupported(f"{params.control_type} does not work with {model.name}.")


def _check_texts(params: ImageParams, models: Sequence[ImageModel]) -> None:
    if params.extra_texts and params.workflow is None:
        raise InvalidExtraTexts("Extra texts are only used with a workflow.")
    if params.workflow == "qr_code" and not any(
        text.get("reference") == "qr_code" for text in params.extra_texts
    ):
        raise MissingExtraTexts("The qr_code workflow needs an extra text with reference qr_code.")
    if params.workflow and any(model.baseline not in SD1_OR_XL for model in models):
        raise WorkflowMismatch("The qr_code workflow needs Stable Diffusion 1 or XL models.")


def warnings(params: ImageParams, names: Sequence[str]) -> list[Advice]:
    """Warnings about parameters that do not fit the models' requirements."""
    return [warning for name in names for warning in _of_model(params, catalog.image_model(name))]


def _of_model(params: ImageParams, model: ImageModel) -> Iterator[Advice]:
    scheduler = "karras" if params.karras else "simple"
    values = {
        "clip_skip": params.clip_skip or 1,
        "cfg_scale": params.cfg_scale,
        "min_cfg_scale": params.cfg_scale,
        "max_cfg_scale": params.cfg_scale,
        "min_steps": params.steps,
        "max_steps": params.steps,
        "samplers": params.sampler_name,
        "schedulers": scheduler,
    }
    for key, (code, fits, advice) in _REQUIREMENTS.items():
        required = model.requirements.get(key)
        if required is not None and not fits(values[key], required):
            said = ", ".join(required) if isinstance(required, list) else required
            yield Advice(code, f"{model.name} {advice} {said}.")


_REQUIREMENTS: dict[str, tuple[str, Callable[[Any, Any], bool], str]] = {
    "clip_skip": ("ClipSkipMismatch", operator.eq, "works best with a clip_skip of"),
    "min_steps": ("StepsTooFew", operator.ge, "needs steps of at least"),
    "max_steps": ("StepsTooMany", operator.le, "needs no more steps than"),
    "cfg_scale": ("CfgScaleMismatch", operator.eq, "works best with a cfg_scale of"),
    "min_cfg_scale": ("CfgScaleTooSmall", operator.ge, "needs a cfg_scale of at least"),
    "max_cfg_scale": ("CfgScaleTooLarge", operator.le, "needs a cfg_scale of at most"),
    "samplers": ("SamplerMismatch", lambda own, all_: own in all_, "works with the samplers"),
    "schedulers": ("SchedulerMismatch", lambda own, all_: own in all_, "works with the schedules"),
}
"""By requirement: the code of its warning, whether a value fits, and the words."""
