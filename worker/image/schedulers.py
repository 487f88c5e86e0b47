"""Makes the diffusers scheduler of a horde sampler. For the engine process only."""

import inspect
from collections.abc import Mapping
from typing import Any

import diffusers
import torch
from diffusers import SchedulerMixin

from worker.image.samplers import Sampler

MULTISTEP = "DPMSolverMultistepScheduler"
FEW_STEPS = 8
"""Fewer are too far apart for a solver that reckons with three of them: it overshoots."""
LCM_TRAINING_STEPS = 50
"""Steps of the distilled schedule by default; requests may ask for more."""


class EulerAncestralKarrasScheduler(diffusers.EulerAncestralDiscreteScheduler):  # type: ignore[misc]  # untyped
    """Euler ancestral on the noise schedule of Karras et al.; diffusers' own cannot follow it."""

    def set_timesteps(
        self, num_inference_steps: int, device: torch.device | str | None = None
    ) -> None:
        """Take the noise levels and their times from the plain Euler scheduler, which can."""
        super().set_timesteps(num_inference_steps, device=device)
        karras = diffusers.EulerDiscreteScheduler.from_config(self.config, use_karras_sigmas=True)
        karras.set_timesteps(num_inference_steps, device=device)
        self.sigmas, self.timesteps = karras.sigmas, karras.timesteps


def make(
    sampler: Sampler, model_config: Mapping[str, Any], *, karras: bool, steps: int, seed: int
) -> SchedulerMixin:
    """Make the scheduler for an order, keeping the settings that the model was trained with.

    model_config: the configuration of the model's own scheduler (noise levels, prediction type).
    seed: for samplers whose noise does not come from the pictures' generators.
    """
    kind = _class_of(sampler, karras=karras)
    over = {**sampler.config, "use_karras_sigmas": karras and sampler.karras}
    if steps < FEW_STEPS and sampler.scheduler == MULTISTEP:
        over["solver_order"] = 2
    over["noise_sampler_seed"] = seed
    over["original_inference_steps"] = max(LCM_TRAINING_STEPS, steps)
    known = inspect.signature(kind.__init__).parameters
    return kind.from_config(
        model_config, **{name: value for name, value in over.items() if name in known}
    )


def _class_of(sampler: Sampler, *, karras: bool) -> type[SchedulerMixin]:
    if sampler.scheduler == EulerAncestralKarrasScheduler.__name__:
        return (
            EulerAncestralKarrasScheduler if karras else diffusers.EulerAncestralDiscreteScheduler
        )
    kind: type[SchedulerMixin] = getattr(diffusers, sampler.scheduler)
    return kind
