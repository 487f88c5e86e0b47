"""The fixed table of jobs, and what is timed."""

import uuid
from dataclasses import dataclass
from typing import Any, Final

SCHEDULERS: Final = {
    "k_euler": ("EulerDiscreteScheduler", {}),
    "k_dpmpp_2m": ("DPMSolverMultistepScheduler", {"algorithm_type": "dpmsolver++"}),
}
"""What the library calls the samplers of the table."""

PROMPTS: Final = (
    "a red fox",
    "a castle on a blue ground",
    "a green apple",
    "a sailing boat",
)
"""Of one thing each: the shipped model draws several in layers, the library alone does not."""


@dataclass(frozen=True)
class Job:
    """One picture. side: as a part of the model's own size."""

    prompt: str
    sampler: str
    steps: int
    seed: int

    def payload(self, side: int) -> dict[str, Any]:
        """What a horde's pop says of it."""
        return {
            "prompt": self.prompt,
            "seed": str(self.seed),
            "sampler_name": self.sampler,
            "cfg_scale": 5.0,
            "width": side,
            "height": side,
            "ddim_steps": self.steps,
            "n_iter": 1,
        }

    def answer(self, model: str, side: int, address: str) -> dict[str, Any]:
        """What a horde answers to the pop that gets it."""
        job = str(uuid.uuid4())
        return {
            "id": job,
            "ids": [job],
            "model": model,
            "ttl": 3600,
            "r2_uploads": [f"{address}/pictures/{job}"],
            "payload": self.payload(side),
            "skipped": {},
        }


def table(count: int) -> list[Job]:
    """Give the first jobs of the table, which repeats itself with other seeds."""
    samplers = list(SCHEDULERS)
    return [
        Job(PROMPTS[at % len(PROMPTS)], samplers[at % len(samplers)], steps=20, seed=at)
        for at in range(count)
    ]
