"""Looks at what renders, in a process of its own: imports torch, prints what it finds as JSON."""

import json
import sys
import time
from typing import Any, Final

import torch

from worker.renderers import best_device

SIDE: Final = 1024
ROUNDS: Final = 3


def look(wanted: str) -> dict[str, Any]:
    """Describe the device: its name, its memory in bytes, and how fast it multiplies."""
    device = best_device() if wanted == "auto" else wanted
    found: dict[str, Any] = {"device": device, "torch": torch.__version__}
    if device == "cuda":
        free, total = torch.cuda.mem_get_info()
        found |= {
            "name": torch.cuda.get_device_name(),
            "free_bytes": free,
            "bytes": total,
            "bf16": torch.cuda.is_bf16_supported(),
        }
    half = torch.float16 if device == "cuda" else torch.float32
    found["gflops"] = round(_speed(device, half))
    return found


def _speed(device: str, numbers: torch.dtype) -> float:
    """Multiply matrices; gives thousands of millions of operations a second."""
    one = torch.randn(SIDE, SIDE, device=device, dtype=numbers)
    float((one @ one)[0, 0])  # the first time, libraries get ready
    began = time.perf_counter()
    for _ in range(ROUNDS):
        one = (one @ one).clamp(-1, 1)
    float(one[0, 0])  # waits for the device
    return 2 * SIDE**3 * ROUNDS / (time.perf_counter() - began) / 1e9


if __name__ == "__main__":
    sys.stdout.write(json.dumps(look(sys.argv[1])))
