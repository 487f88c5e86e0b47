"""The library alone: loads a model and makes the table's pictures, in a process of its own.

Reads `{"folder", "device", "threads", "count", "side"}` from standard input; prints the seconds a
picture as JSON. The clock runs as in `worker.bench.horde`.
"""

import json
import sys
import time
import warnings
from typing import Any

import diffusers
import torch

from worker.bench import jobs


def seconds_a_picture(asked: dict[str, Any]) -> float:
    """Make the pictures one after the other."""
    torch.set_num_threads(asked["threads"])
    numbers = torch.float16 if asked["device"] == "cuda" else torch.float32
    pipeline = diffusers.DiffusionPipeline.from_pretrained(asked["folder"], torch_dtype=numbers)
    pipeline.to(asked["device"])
    pipeline.set_progress_bar_config(disable=True)
    schedulers = {
        name: getattr(diffusers, kind).from_config(pipeline.scheduler.config, **options)
        for name, (kind, options) in jobs.SCHEDULERS.items()
    }
    ends = []
    for job in jobs.table(asked["count"]):
        pipeline.scheduler = schedulers[job.sampler]
        pipeline(
            job.prompt,
            width=asked["side"],
            height=asked["side"],
            num_inference_steps=job.steps,
            guidance_scale=5.0,
            generator=torch.Generator("cpu").manual_seed(job.seed),
        )
        ends.append(time.perf_counter())
    return (ends[-1] - ends[0]) / (len(ends) - 1)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    sys.stdout.write(json.dumps({"seconds": seconds_a_picture(json.load(sys.stdin))}))
