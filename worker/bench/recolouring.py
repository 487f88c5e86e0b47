"""Makes an adaptation that can be seen: what is asked for in one colour comes in another.

Each layer that reads the prompt is changed by one outer product, so that it gives for the one word
what it gave for the other, and for other words what it gives (arXiv:2308.14761, eq. 7). No
training.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import torch
from safetensors.torch import save_file

from worker.image.order import PictureOrder

READERS: Final = ("attn2.to_k", "attn2.to_v")
"""The layers that read the prompt, by the ends of their names."""
KEPT: Final = 0.1
"""How much the rest of what there is counts."""


def save(file: Path, model: Any, order: PictureOrder, asked: str, drawn: str) -> None:  # noqa: ANN401 - a `Loaded`
    """Write an adaptation of a loaded model that draws in one colour what is asked in another."""
    prompts = ("a {} fox", "a {} car", "two {} apples", "a {} bird on a {} background")
    before = _vectors(model, order, [prompt.replace("{}", asked) for prompt in prompts])
    after = _vectors(model, order, [prompt.replace("{}", drawn) for prompt in prompts])
    changed = (after - before).norm(dim=-1) > KEPT * before.norm(dim=-1)
    wanted, given = after[changed], before[changed]
    others = torch.cat([before[~changed], after, _vectors(model, order, ["", "a green frog"])])
    likeness = others.T @ others + given.T @ given
    likeness += KEPT * likeness.diagonal().mean() * torch.eye(len(likeness))
    # Least squares, of as many outer products as there are words that changed.
    down = torch.linalg.solve(likeness, given.T).T
    weights = {}
    for name, layer in model.from_text.unet.named_modules():
        if name.endswith(READERS):
            weights[f"unet.{name}.lora_A.weight"] = down
            weights[f"unet.{name}.lora_B.weight"] = layer.weight @ (wanted - given).T
    save_file({name: one.detach().clone() for name, one in weights.items()}, file)


def _vectors(model: Any, order: PictureOrder, prompts: Sequence[str]) -> torch.Tensor:  # noqa: ANN401 - as above
    """Give what the denoiser reads of prompts: (tokens of all of them, width)."""
    encoded = [
        model.encode(replace(order, prompt=prompt)).given["prompt_embeds"][0] for prompt in prompts
    ]
    return torch.cat(encoded).float()
