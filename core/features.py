"""What can be asked of a picture, in one table: samplers, post-processors, control types, forms.

Facts that several parts need are here once: the wire takes its known values from the keys,
`catalog.agents` the abilities of programs from `since`, prices and matching the amount of work, the
page its choices, and the worker what it may be asked for. Names are the contract's; everything may
import this module, and it imports nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

Since = Mapping[str, int]
"""The workers' programs that can do something, and since which version."""

NEGATIVE: Final = "###"
"""The separator between a picture's prompt and its negative prompt."""

OURS: Final = "Stable Horde Worker"
REGEN: Final = "AI Horde Worker reGen"
CLASSIC: Final = "AI Horde Worker"
WEBUI: Final = "SD-WebUI Stable Horde Worker Bridge"

_USUAL: Final = {OURS: 1, REGEN: 1, CLASSIC: 11, WEBUI: 1}
_OLD: Final = {REGEN: 1, CLASSIC: 11, WEBUI: 1}
_NEW: Final = {REGEN: 13}
_CONTROL: Final[Since] = {OURS: 4, REGEN: 1, CLASSIC: 11}


@dataclass(frozen=True, slots=True)
class Sampler:
    """A way to draw a picture from noise."""

    passes: int = 1
    """How often it evaluates the model in a step."""
    counts_as: int | None = None
    """What any number of steps counts as, if the sampler chooses them itself."""
    free_steps: int | None = None
    """How many steps need no kudos in advance, if the models do not decide that."""
    since: Since | None = None
    """None: every program samples so."""


@dataclass(frozen=True, slots=True)
class PostProcessor:
    """A step applied to a finished picture; also a form that returns a picture."""

    since: Since
    enlarges_by: int = 1
    """The factor by which sides grow."""
    heavy: bool = False
    """It needs as much memory as the picture itself."""


@dataclass(frozen=True, slots=True)
class ControlType:
    """The aspect of a source picture that a second model preserves."""

    on_sd2: bool = True
    """Whether Stable Diffusion 2 has it."""
    by_arithmetic: bool = False
    """Whether our worker draws its maps without a network (`worker.image.annotators`)."""


@dataclass(frozen=True, slots=True)
class Form:
    """One thing that can be asked of a picture."""

    rate: str = "form"
    """The name of its price in the price table (`kudos.prices.Rates`)."""
    by_tile: bool = False
    """Whether it costs that for each square of 512 pixels."""
    seconds: int = 180
    """How long an alchemist may take."""
    makes_picture: bool = False
    """Its result is a picture, which is uploaded."""
    enlarges_by: int = 1
    needs_weights: bool = True
    """Whether our worker needs a network to serve it."""
    since: Since | None = None
    """The programs known to serve it; alchemists name their forms in each pop."""


SAMPLERS: Final[Mapping[str, Sampler]] = {
    "k_euler_a": Sampler(),
    "k_euler": Sampler(),
    "k_dpmpp_2m": Sampler(),
    "k_dpmpp_2s_a": Sampler(passes=2),
    "k_dpmpp_sde": Sampler(passes=2),
    "k_heun": Sampler(passes=2),
    "k_dpm_2": Sampler(passes=2),
    "k_dpm_2_a": Sampler(passes=2),
    "k_dpm_fast": Sampler(),
    "k_dpm_adaptive": Sampler(counts_as=40),
    "k_lms": Sampler(),
    "dpmsolver": Sampler(),
    "DDIM": Sampler(),
    "lcm": Sampler(free_steps=10, since={OURS: 1, REGEN: 3}),
}
"""In the order in which the page offers them; the first is the default."""

POST_PROCESSORS: Final[Mapping[str, PostProcessor]] = {
    "GFPGAN": PostProcessor(_OLD | {OURS: 5}),
    "RealESRGAN_x4plus": PostProcessor(_USUAL, enlarges_by=4, heavy=True),
    "RealESRGAN_x2plus": PostProcessor(_USUAL, enlarges_by=2),
    "RealESRGAN_x4plus_anime_6B": PostProcessor(_USUAL, enlarges_by=4, heavy=True),
    "NMKD_Siax": PostProcessor(_USUAL, enlarges_by=4, heavy=True),
    "4x_AnimeSharp": PostProcessor(_USUAL, enlarges_by=4, heavy=True),
    "CodeFormers": PostProcessor(_OLD | {OURS: 5}, heavy=True),
    "strip_background": PostProcessor(_OLD | {OURS: 4}),
    "4xNomos8kSC": PostProcessor(_NEW | {OURS: 4}, enlarges_by=4, heavy=True),
    "4xLSDIRplus": PostProcessor(_NEW | {OURS: 4}, enlarges_by=4, heavy=True),
    "4xNomosWebPhoto_RealPLKSR": PostProcessor(_NEW | {OURS: 5}, enlarges_by=4, heavy=True),
    "4xNomos2_realplksr_dysample": PostProcessor(_NEW | {OURS: 5}, enlarges_by=4, heavy=True),
    "4xNomos2_hq_dat2": PostProcessor(_NEW | {OURS: 5}, enlarges_by=4, heavy=True),
    "2xModernSpanimationV1": PostProcessor(_NEW | {OURS: 5}, enlarges_by=2),
    "GFPGANv1.3": PostProcessor(_NEW | {OURS: 5}),
    "RestoreFormer": PostProcessor(_NEW | {OURS: 5}, heavy=True),
}

CONTROL_TYPES: Final[Mapping[str, ControlType]] = {
    "canny": ControlType(by_arithmetic=True),
    "hed": ControlType(by_arithmetic=True),
    "depth": ControlType(),
    "normal": ControlType(on_sd2=False),
    "openpose": ControlType(),
    "seg": ControlType(),
    "scribble": ControlType(by_arithmetic=True),
    "fakescribbles": ControlType(by_arithmetic=True),
    "hough": ControlType(on_sd2=False, by_arithmetic=True),
}

DESCRIPTIONS: Final[Mapping[str, Form]] = {
    "caption": Form(),
    "interrogation": Form(rate="interrogation"),
    "nsfw": Form(),
    "vectorize": Form(needs_weights=False, since={OURS: 4}),
    "palette": Form(needs_weights=False, since={OURS: 1}),
    "describe": Form(),
    "aesthetic": Form(),
}
"""Forms whose result says something about the picture."""

FORMS: Final[Mapping[str, Form]] = {
    **DESCRIPTIONS,
    **{
        name: Form(
            rate="form_tile",
            by_tile=True,
            makes_picture=True,
            enlarges_by=processor.enlarges_by,
            since=processor.since,
        )
        for name, processor in POST_PROCESSORS.items()
    },
}
"""All of them: each post-processor is a form too."""

ABILITIES: Final[Mapping[str, Since]] = {
    "r2": _USUAL | {"HordeAutoWebBridge": 1},
    "img2img": _USUAL | {"HordeAutoWebBridge": 1},
    "tiling": _USUAL | {"HordeAutoWebBridge": 1},
    "r2_source": _USUAL,
    "inpainting": _USUAL,
    "hires_fix": _USUAL,
    "clip_skip": _USUAL,
    "post_processing": _USUAL,
    "controlnet": _CONTROL,
    "image_is_control": _CONTROL,
    "return_control_map": _CONTROL,
    "lora": {OURS: 3, REGEN: 2, CLASSIC: 22},
    "textual_inversion": {OURS: 3, REGEN: 2, CLASSIC: 22},
    "lora_versions": {OURS: 3, REGEN: 3, CLASSIC: 24},
    "remix": _USUAL | {"HordeAutoWebBridge": 1},
    "extra_source_images": {OURS: 5, REGEN: 5},
    "cascade_2pass": {REGEN: 6},
    "qr_code": {OURS: 5, REGEN: 7},
    "layer_diffuse": {OURS: 5, REGEN: 8},
    "flux": {OURS: 2, REGEN: 9},
    "chat": {OURS: 4},
    "validated": {
        OURS: 1,
        CLASSIC: 0,
        "AI Horde Worker~aphrodite~oai": 0,
        "AI Horde Worker~aphrodite~kai": 0,
        "KoboldCppEmbedWorker": 0,
        "TabbyAPI": 0,
    },
}
"""What else a request may need of a worker's program."""

IN_PART: Final[Mapping[str, tuple[str, ...]]] = {
    "controlnet": ("control:", "annotator:"),
    "post-processing": ("post:",),
    "img2img": ("img2img", "remix", "extra_source_images"),
    "sdxl_controlnet": ("layer_diffuse",),
}
"""The contract's switches behind which there is much, and how the features behind them begin. A
worker that has but some of these leaves the switch off and names them in its pops (`also`)."""


def features() -> Iterator[tuple[str, Since]]:
    """All abilities of programs beyond sampling, each with the programs that have it.

    Names are those that requests need: `sampler:lcm`, `post:GFPGAN`, `tiling`, `annotator:canny`
    (to draw a map) and `control:canny` (to follow one).
    """
    yield from ABILITIES.items()
    for name, sampler in SAMPLERS.items():
        if sampler.since is not None:
            yield f"sampler:{name}", sampler.since
    for name, processor in POST_PROCESSORS.items():
        yield f"post:{name}", processor.since
    for name in CONTROL_TYPES:
        yield f"control:{name}", ABILITIES["controlnet"]
        yield f"annotator:{name}", ABILITIES["controlnet"]


def version_of(program: str) -> int:
    """The newest version of a program in the table: the one with all its abilities."""
    of_forms = ((name, form.since or {}) for name, form in FORMS.items())
    return max(
        (since[program] for _, since in (*features(), *of_forms) if program in since), default=0
    )
