"""Says what a ControlNet in a single file is, by its tensors, which alone can tell. Without torch.

Names are those of the first ones, whose authors kept Stable Diffusion's own, or diffusers'.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from worker.image.inspection import NotUsable

PREFIX: Final = "control_model."
LAYERS: Final = 2
"""Of each level, in all architectures that are known here."""
HEAD: Final = 64
"""Numbers of an attention head, of those that project linearly."""
HEADS: Final = 8
"""Of the others, which are all Stable Diffusion 1."""
TIME: Final = 256
"""Numbers by which Stable Diffusion XL is told each side of a picture."""
OTHERS: Final = {
    "lora_controlnet": "a Control-LoRA",
    "task_embedding": "a union of several ControlNets",
    "adapter": "an adapter",
}
"""What else is shared as a ControlNet and is none, by what its tensors' names have."""

Tensors = Mapping[str, Any]


@dataclass(frozen=True)
class _Names:
    """What the tensors are called that tell.

    resnet, attention: of the first layer of each level, by the level's number.
    hints: of what reads a map, after each change of its width.
    """

    first: str
    resnet: tuple[str, ...]
    attention: tuple[str, ...]
    hints: tuple[str, ...]
    added: str


MAX_LEVELS: Final = 6
THEIRS: Final = _Names(
    "input_blocks.0.0.weight",
    tuple(f"input_blocks.{3 * level + 1}.0.in_layers.2.weight" for level in range(MAX_LEVELS)),
    tuple(f"input_blocks.{3 * level + 1}.1." for level in range(MAX_LEVELS)),
    tuple(f"input_hint_block.{layer}.weight" for layer in (0, 4, 8, 12)),
    "label_emb.0.0.weight",
)
DIFFUSERS: Final = _Names(
    "conv_in.weight",
    tuple(f"down_blocks.{level}.resnets.0.conv1.weight" for level in range(MAX_LEVELS)),
    tuple(f"down_blocks.{level}.attentions.0." for level in range(MAX_LEVELS)),
    tuple(
        f"controlnet_cond_embedding.{layer}.weight"
        for layer in ("conv_in", "blocks.1", "blocks.3", "blocks.5")
    ),
    "add_embedding.linear_1.weight",
)


def configuration(tensors: Tensors) -> dict[str, Any]:
    """Say with what diffusers' ControlNetModel is made. Raises NotUsable."""
    tensors = {name.removeprefix(PREFIX): one for name, one in tensors.items()}
    names = next((one for one in (THEIRS, DIFFUSERS) if one.hints[0] in tensors), None)
    if names is None or names.first not in tensors:
        what = next((what for mark, what in OTHERS.items() if _has(tensors, mark)), "no ControlNet")
        raise NotUsable(f"{what}, which is not served")
    if _has(tensors, "task_embedding"):
        raise NotUsable(f"{OTHERS['task_embedding']}, which is not served")
    levels = list(_levels(tensors, names))
    attending = [one for one in levels if one.context]
    if not attending:
        raise NotUsable("it does not attend to prompts, so that nothing tells what it is for")
    linear = attending[0].linear
    told = {
        "in_channels": _shape(tensors, names.first)[1],
        "down_block_types": [
            "CrossAttnDownBlock2D" if one.context else "DownBlock2D" for one in levels
        ],
        "block_out_channels": [one.width for one in levels],
        "layers_per_block": LAYERS,
        "transformer_layers_per_block": [max(1, one.depth) for one in levels],
        "cross_attention_dim": attending[0].context,
        "attention_head_dim": [max(1, one.width // HEAD) if linear else HEADS for one in levels],
        "use_linear_projection": linear,
        "conditioning_channels": _shape(tensors, names.hints[0])[1],
        "conditioning_embedding_out_channels": [_shape(tensors, one)[0] for one in names.hints],
    }
    if names.added in tensors:
        told |= {
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": TIME,
            "projection_class_embeddings_input_dim": _shape(tensors, names.added)[1],
        }
    return told


@dataclass(frozen=True)
class _Level:
    """One level of a denoiser.

    depth: transformers one after the other. context: numbers of each token of a prompt.
    """

    width: int
    depth: int = 0
    context: int = 0
    linear: bool = False


def _levels(tensors: Tensors, names: _Names) -> Iterator[_Level]:
    for resnet, attention in zip(names.resnet, names.attention, strict=True):
        if resnet not in tensors:
            return
        width = _shape(tensors, resnet)[0]
        prompted = f"{attention}transformer_blocks.0.attn2.to_k.weight"
        if prompted not in tensors:
            yield _Level(width)
            continue
        blocks = f"{attention}transformer_blocks."
        depth = {name[len(blocks) :].split(".")[0] for name in tensors if name.startswith(blocks)}
        linear = len(_shape(tensors, f"{attention}proj_in.weight")) == 2  # noqa: PLR2004 - a matrix
        yield _Level(width, len(depth), _shape(tensors, prompted)[1], linear)


def _has(tensors: Tensors, mark: str) -> bool:
    return any(mark in name for name in tensors)


def _shape(tensors: Tensors, name: str) -> list[int]:
    shape: list[int] = tensors[name]["shape"]
    return shape
