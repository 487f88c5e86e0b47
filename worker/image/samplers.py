"""The horde's samplers, and the equivalent of each in diffusers.

A table of names only, so that the control process can read it without torch: `schedulers` makes
schedulers from it. If diffusers does not have an algorithm, the closest relative is used and the
picture's metadata says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final


@dataclass(frozen=True)
class Sampler:
    """How one sampler is made.

    scheduler: the name of a class of diffusers, or of `worker.image.schedulers`.
    config: its configuration on top of the model's own.
    karras: whether it can follow the noise schedule of Karras et al. (arXiv:2206.00364, eq. 5).
    batches: False if all pictures of a batch share one source of noise, so that a picture would
        depend on its neighbours: such orders are rendered one picture at a time.
    instead: what it really is, if not what its name says.
    """

    scheduler: str
    config: Mapping[str, Any] = field(default_factory=dict)
    karras: bool = True
    batches: bool = True
    instead: str | None = None


SAMPLERS: Final[Mapping[str, Sampler]] = {
    "k_euler": Sampler("EulerDiscreteScheduler"),
    "k_euler_a": Sampler("EulerAncestralKarrasScheduler"),
    "k_heun": Sampler("HeunDiscreteScheduler"),
    "k_dpm_2": Sampler("KDPM2DiscreteScheduler"),
    "k_dpm_2_a": Sampler("KDPM2AncestralDiscreteScheduler"),
    "k_lms": Sampler("LMSDiscreteScheduler"),
    "k_dpm_fast": Sampler(
        "DPMSolverSinglestepScheduler",
        {"algorithm_type": "dpmsolver++", "solver_order": 3},
        instead="DPM-Solver++ 3S",
    ),
    "k_dpm_adaptive": Sampler(
        "DPMSolverMultistepScheduler",
        {"algorithm_type": "dpmsolver++", "solver_order": 3},
        instead="DPM-Solver++ 3M, with as many steps as asked for",
    ),
    "k_dpmpp_2s_a": Sampler(
        "DPMSolverSinglestepScheduler",
        {"algorithm_type": "sde-dpmsolver++", "solver_order": 2},
        instead="SDE-DPM-Solver++ 2S",
    ),
    "k_dpmpp_2m": Sampler(
        "DPMSolverMultistepScheduler", {"algorithm_type": "dpmsolver++", "solver_order": 2}
    ),
    "k_dpmpp_sde": Sampler("DPMSolverSDEScheduler", batches=False),
    "dpmsolver": Sampler(
        "DPMSolverMultistepScheduler", {"algorithm_type": "dpmsolver++", "solver_order": 3}
    ),
    "DDIM": Sampler(
        "DDIMScheduler",
        {"clip_sample": False, "set_alpha_to_one": False, "steps_offset": 1},
        karras=False,
    ),
    "lcm": Sampler("LCMScheduler", karras=False),
}
