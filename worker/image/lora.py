"""Low-rank adaptations (arXiv:2106.09685) of loaded models. In the engine process only: uses torch.

An adaptation is added to what its layers give while an order is made, and its weights are left as
they are: so nothing has to be put back, and a broken file spoils nothing. Files of the trainers of
today are read, by the names that kohya's, diffusers' and peft's give to layers.
"""

import contextlib
import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from diffusers.loaders.lora_conversion_utils import _maybe_map_sgm_blocks_to_diffusers
from safetensors.torch import load_file
from torch import Tensor, nn

from core.wire.submit import GenerationMetadataStable
from worker.image.order import Adaptation

MAX_KEPT_BYTES: Final = 1 << 30
"""Of adaptations that may be asked for again; those in use are kept whatever they take."""

COMPONENTS: Final = {
    "lora_unet": "unet",
    "lora_transformer": "transformer",
    "lora_te": "text_encoder",
    "lora_te1": "text_encoder",
    "lora_te2": "text_encoder_2",
    "unet": "unet",
    "transformer": "transformer",
    "text_encoder": "text_encoder",
    "text_encoder_2": "text_encoder_2",
}
"""The parts of a pipeline, by what files begin the names of their layers with."""
DENOISERS: Final = frozenset({"unet", "transformer"})
PARTS: Final = re.compile(
    r"(?P<layer>.+?)[._](?:lora[._])?(?P<part>lora_A|lora_B|down|up|mid|alpha|dora_scale)"
    r"(?:\.default)?(?:\.weight)?"
)
OF_UNETS: Final = re.compile(r"(lora_)?unet[._](down|up|mid|input|output|middle)_")
"""The names of layers that Stable Diffusion has, and no transformer."""
ROLES: Final = {"lora_A": "down", "lora_B": "up"}


class Unreadable(Exception):
    """A file that is no adaptation of a known form."""


class Mismatch(Exception):
    """An adaptation of another kind of model."""


@dataclass(frozen=True)
class Layer:
    """What is added to one layer: its input goes `down` to a few numbers, and `up` again."""

    down: Tensor
    up: Tensor
    scale: float

    def __call__(self, module: nn.Module, given: Tensor) -> Tensor:
        """Give what is to be added to a module's output."""
        down, up = self.down.to(given.dtype), self.up.to(given.dtype)
        if isinstance(module, nn.Conv2d):
            # As the layer's own: where pictures tile, it sees the opposite edge beyond each edge.
            few = module._conv_forward(given, down, None)  # noqa: SLF001 - nothing else does it
            return nn.functional.conv2d(few, up)
        return nn.functional.linear(nn.functional.linear(given, down), up)


Layers = Mapping[nn.Module, Layer]


class Adaptations:
    """The adaptations of one loaded model. pipe: its pipeline."""

    def __init__(self, pipe: Any) -> None:  # noqa: ANN401 - of its family
        self._pipe = pipe
        self._modules = _modules(pipe)
        self._read: OrderedDict[Path, Layers] = OrderedDict()

    @contextlib.contextmanager
    def applied(self, wanted: Sequence[Adaptation]) -> Iterator[list[GenerationMetadataStable]]:
        """Adapt the model meanwhile; gives notes about what could not be applied."""
        notes: list[GenerationMetadataStable] = []
        with contextlib.ExitStack() as hooks:
            for one in wanted:
                try:
                    layers = self._layers(one.file)
                except Mismatch:
                    notes.append(_note(one, "baseline_mismatch"))
                except torch.OutOfMemoryError:
                    raise
                except Exception:  # noqa: BLE001 - a broken file fails in as many ways as it can
                    notes.append(_note(one, "parse_failed"))
                else:
                    for module, layer in layers.items():
                        hooks.enter_context(self._hooked(module, layer, one))
            self._forget({one.file for one in wanted})
            yield notes

    def _hooked(
        self, module: nn.Module, layer: Layer, one: Adaptation
    ) -> contextlib.AbstractContextManager[None]:
        is_text = module in self._modules["text"]
        strength = layer.scale * (one.clip if is_text else one.model)

        def add(its: nn.Module, given: tuple[Tensor, ...], made: Tensor) -> Tensor:
            return made + strength * layer(its, given[0])

        return _hook(module, add)

    def _layers(self, file: Path) -> Layers:
        if file not in self._read:
            self._read[file] = self._parsed(file)
        self._read.move_to_end(file)
        return self._read[file]

    def _forget(self, used: set[Path]) -> None:
        """Forget what was not used for longest, where all takes too much."""
        for file in list(self._read):
            if sum(map(_bytes, self._read.values())) <= MAX_KEPT_BYTES:
                return
            if file not in used:
                del self._read[file]

    def _parsed(self, file: Path) -> Layers:
        tensors = self._renamed(load_file(file))
        found: dict[tuple[str, str], dict[str, Tensor]] = {}
        for name, tensor in tensors.items():
            component, layer, part = _named(name)
            found.setdefault((component, layer), {})[part] = tensor
        layers, drawing = {}, set[bool]()
        for (component, name), parts in found.items():
            if not {"down", "up"} <= parts.keys() or parts.keys() & {"mid", "dora_scale"}:
                raise Unreadable(name)
            module = self._modules["names"].get((component, _plain(name)))
            if component in DENOISERS:
                drawing.add(module is not None)
            if module is not None:
                layers[module] = _layer(module, parts)
        if not layers or drawing == {False}:  # text encoders may be those of other models, too
            raise Mismatch(str(file))
        return layers

    def _renamed(self, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        """Give layers the names that diffusers has for them, where those of others are used."""
        if hasattr(self._pipe, "unet") and any("_input_blocks_" in name for name in tensors):
            renamed: dict[str, Tensor] = _maybe_map_sgm_blocks_to_diffusers(
                tensors, self._pipe.unet.config
            )
            return renamed
        if hasattr(self._pipe, "transformer") and hasattr(self._pipe, "lora_state_dict"):
            if any(map(OF_UNETS.match, tensors)):
                raise Mismatch("it is for a model with another denoiser")
            converted = self._pipe.lora_state_dict(tensors)
            of_flux: dict[str, Tensor] = converted[0] if isinstance(converted, tuple) else converted
            return of_flux
        return tensors


def _modules(pipe: Any) -> dict[str, Any]:  # noqa: ANN401 - of its family
    """Give the layers that can be adapted, by part and plain name, and those of text encoders."""
    names: dict[tuple[str, str], nn.Module] = {}
    text: set[nn.Module] = set()
    for component in set(COMPONENTS.values()):
        part = getattr(pipe, component, None)
        for name, module in part.named_modules() if part is not None else ():
            if isinstance(module, nn.Linear | nn.Conv2d):
                names[component, _plain(name)] = module
                if component.startswith("text"):
                    text.add(module)
    return {"names": names, "text": text}


def _named(name: str) -> tuple[str, str, str]:
    """Split a tensor's name into the part of the pipeline, the layer, and what of it this is."""
    found = PARTS.fullmatch(name)
    prefix = next(
        (
            one
            for one in sorted(COMPONENTS, key=len, reverse=True)
            if name.startswith((f"{one}_", f"{one}."))
        ),
        None,
    )
    if found is None or prefix is None:
        raise Unreadable(name)
    layer = found["layer"][len(prefix) + 1 :]
    layer = re.sub(r"\.processor\.(to_\w+?)(?:_lora)?$", r".\1", layer).removesuffix("_lora")
    layer = layer.removesuffix(".lora").removesuffix("_lora")
    return COMPONENTS[prefix], layer, ROLES.get(found["part"], found["part"])


def _plain(name: str) -> str:
    """Give a layer's name as it is in files that have no dots, whatever stands around it."""
    plain = name.replace(".", "_").removeprefix("text_model_")
    return plain.replace("to_out_0", "to_out").replace("to_out", "to_out_0")


def _layer(module: nn.Module, parts: Mapping[str, Tensor]) -> Layer:
    """Make a layer's addition, on the layer's own device. Raises Mismatch, Unreadable."""
    weight: Tensor = module.weight
    if not all(bool(parts[name].isfinite().all()) for name in ("down", "up")):
        raise Unreadable("it has weights that are no numbers")
    down, up = (parts[name].to(weight.device, weight.dtype) for name in ("down", "up"))
    rank = down.shape[0]
    if isinstance(module, nn.Linear):
        down, up = down.reshape(rank, -1), up.reshape(-1, rank)
    elif down.dim() == 2:  # noqa: PLR2004 - a linear layer's, for a convolution of one pixel
        down, up = down[..., None, None], up[..., None, None]
    if down.shape[1:] != weight.shape[1:] or up.shape[:2] != (weight.shape[0], rank):
        raise Mismatch(f"{tuple(up.shape)} {tuple(down.shape)} for {tuple(weight.shape)}")
    scale = float(parts["alpha"]) / rank if "alpha" in parts else 1.0
    return Layer(down, up, scale)


@contextlib.contextmanager
def _hook(module: nn.Module, add: Any) -> Iterator[None]:  # noqa: ANN401 - torch's own kind
    handle = module.register_forward_hook(add)
    try:
        yield
    finally:
        handle.remove()


def _bytes(layers: Layers) -> int:
    return sum(one.down.nbytes + one.up.nbytes for one in layers.values())


def _note(one: Adaptation, value: Any) -> GenerationMetadataStable:  # noqa: ANN401 - of the contract
    return GenerationMetadataStable(type="lora", value=value, ref=one.name[:255])
