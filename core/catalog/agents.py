"""What workers' programs can do, by name and version.

A worker says in every pop who made it (`bridge_agent`, `name:version:url`). An unknown program is
believed to sample, and nothing more: it gets no request that wants its result by URL, a source
picture, a LoRA and so on. A name may go on after a `~` with the engine that the program runs: it
can do what the program can. The numbers are those of the contract.
"""

from fractions import Fraction
from typing import NamedTuple

OURS = "Stable Horde Worker"

_K_SAMPLERS = [
    "k_lms",
    "k_heun",
    "k_euler",
    "k_euler_a",
    "k_dpm_2",
    "k_dpm_2_a",
    "k_dpm_fast",
    "k_dpm_adaptive",
    "k_dpmpp_2s_a",
    "k_dpmpp_2m",
    "k_dpmpp_sde",
    "dpmsolver",
    "DDIM",
]

SAMPLERS = frozenset(f"sampler:{name}" for name in _K_SAMPLERS) | {"karras"}
"""What every program samples with."""

_PICTURES = frozenset(
    {"r2", "r2_source", "img2img", "inpainting", "tiling", "hires_fix", "clip_skip"}
)
_POST = frozenset(
    {
        "post_processing",
        *(
            f"post:{name}"
            for name in (
                "GFPGAN",
                "RealESRGAN_x4plus",
                "RealESRGAN_x2plus",
                "RealESRGAN_x4plus_anime_6B",
                "NMKD_Siax",
                "4x_AnimeSharp",
                "CodeFormers",
                "strip_background",
            )
        ),
    }
)
_NEW_POST = frozenset(
    f"post:{name}"
    for name in (
        "4xNomos8kSC",
        "4xLSDIRplus",
        "4xNomosWebPhoto_RealPLKSR",
        "4xNomos2_realplksr_dysample",
        "4xNomos2_hq_dat2",
        "2xModernSpanimationV1",
        "GFPGANv1.3",
        "RestoreFormer",
    )
)
_UPSCALERS = frozenset(
    {
        "post_processing",
        "post:RealESRGAN_x4plus",
        "post:RealESRGAN_x4plus_anime_6B",
        "post:RealESRGAN_x2plus",
        "post:NMKD_Siax",
        "post:4x_AnimeSharp",
    }
)
"""Those of one architecture; our worker says by pop whether it has their weights."""
_CONTROL = frozenset({"controlnet", "image_is_control", "return_control_map"})
_ADAPTERS = frozenset({"lora", "textual_inversion"})

VALIDATED = "validated"
"""The feature of programs that are known to write with the model that they say."""
_VALIDATED = frozenset({VALIDATED})

# program → version from which on → what is new in it
_TABLE: dict[str, dict[int, frozenset[str]]] = {
    OURS: {1: SAMPLERS | _PICTURES | _UPSCALERS | _VALIDATED | {"sampler:lcm"}},
    "AI Horde Worker reGen": {
        1: SAMPLERS | _PICTURES | _POST | _CONTROL,
        2: _ADAPTERS,
        3: frozenset({"lora_versions", "sampler:lcm"}),
        5: frozenset({"extra_source_images"}),
        6: frozenset({"cascade_2pass"}),
        7: frozenset({"qr_code"}),
        8: frozenset({"layer_diffuse"}),
        9: frozenset({"flux"}),
        13: _NEW_POST,
    },
    "AI Horde Worker~aphrodite~oai": {0: _VALIDATED},
    "AI Horde Worker~aphrodite~kai": {0: _VALIDATED},
    "KoboldCppEmbedWorker": {0: _VALIDATED},
    "TabbyAPI": {0: _VALIDATED},
    "AI Horde Worker": {
        0: _VALIDATED,
        11: SAMPLERS | _PICTURES | _POST | _CONTROL,
        22: _ADAPTERS,
        24: frozenset({"lora_versions"}),
    },
    "SD-WebUI Stable Horde Worker Bridge": {1: SAMPLERS | _PICTURES | _POST},
    "HordeAutoWebBridge": {1: SAMPLERS | frozenset({"r2", "img2img", "tiling"})},
}

OFFICIAL = frozenset({OURS, "AI Horde Worker reGen"})
UNKNOWN_FACTOR = Fraction(3, 4)
OLDER_FACTOR = Fraction(9, 10)


class Agent(NamedTuple):
    """A worker's program."""

    name: str
    version: int
    features: frozenset[str]
    reward_factor: Fraction
    """What of a reward its owner gets: 1 for an official program at its newest version."""


def agent(declared: str) -> Agent:
    """Read a `bridge_agent`. Never fails: what cannot be read is an unknown program."""
    name, _, rest = declared.partition(":")
    digits = rest.partition(":")[0].partition(".")[0]
    version = int(digits) if digits.isascii() and digits.isdecimal() else 0
    versions = _TABLE.get(name)
    if versions is None:
        return Agent(name, version, _of_program(name, version), UNKNOWN_FACTOR)
    features = _known(versions, version)
    factor = UNKNOWN_FACTOR
    if name in OFFICIAL:
        factor = Fraction(1) if version >= max(versions) else OLDER_FACTOR
    return Agent(name, version, features | SAMPLERS, factor)


def _of_program(name: str, version: int) -> frozenset[str]:
    """What a program with an engine can do, which says nothing of what the engine writes with."""
    versions = _TABLE.get(name.partition("~")[0], {})
    return (_known(versions, version) - _VALIDATED) | SAMPLERS


def _known(versions: dict[int, frozenset[str]], version: int) -> frozenset[str]:
    return frozenset[str]().union(*(new for since, new in versions.items() if since <= version))
