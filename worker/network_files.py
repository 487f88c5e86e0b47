"""Reads files of networks that turn pictures into pictures. In the engine process only: uses torch.

The library for it, spandrel, tells by a file's tensors which of some forty architectures it is of
(ESRGAN, RealPLKSR, DAT, SPAN, SwinIR, HAT, GFPGAN, RestoreFormer, …).
"""

import importlib
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

import torch
from safetensors.torch import load_file
from torch import Tensor

from worker.faces.fixer import MORE
from worker.renderer import CannotLoad

if TYPE_CHECKING:
    from spandrel import ImageModelDescriptor

MAX_REASON_CHARS: Final = 200
FUNCTIONS: Final = "torchvision.transforms.functional"
"""Of which spandrel imports three, in two of its architectures; see `worker/__init__.py`."""


def read(file: Path, purpose: str) -> "ImageModelDescriptor[Any]":
    """Read a network of this purpose, as the library calls it: `SR`, `FaceSR`. Raises CannotLoad.

    Of a file nothing but tensors is read.
    """
    spandrel = library()
    try:
        if file.suffix == ".safetensors":
            weights = load_file(file)
        else:
            weights = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # a broken file fails in as many ways as a file can be broken
        raise CannotLoad(f"{file} is no whole file of tensors") from error
    try:
        weights = spandrel.canonicalize_state_dict(weights)
        network = spandrel.ModelLoader().load_from_state_dict(_in_32_bits(weights))
    except spandrel.UnsupportedModelError:
        raise CannotLoad(f"{file} is of no architecture that is known") from None
    except Exception as error:  # and so does one whose tensors do not fit together
        reason = " ".join(str(error).split())[:MAX_REASON_CHARS]
        raise CannotLoad(f"{file}: {type(error).__name__}: {reason}") from error
    if not isinstance(network, spandrel.ImageModelDescriptor) or network.purpose != purpose:
        raise CannotLoad(f"{file} is for something else ({network.architecture.name})")
    if (network.input_channels, network.output_channels) != (3, 3):
        raise CannotLoad(f"{file} is not for pictures of three colours")
    return network.eval()


def _in_32_bits(weights: dict[str, Any]) -> dict[str, Any]:
    return {
        name: one.float() if isinstance(one, Tensor) and one.is_floating_point() else one
        for name, one in weights.items()
    }


def library() -> Any:  # noqa: ANN401 - untyped
    """Import spandrel, and what there is to it."""
    if "spandrel" in sys.modules:
        return sys.modules["spandrel"]
    functions: Any = ModuleType(FUNCTIONS)
    functions.normalize = _normalized
    # Of a network that paints, which is for no purpose here.
    functions.InterpolationMode = functions.rotate = None
    sys.modules[FUNCTIONS] = functions
    spandrel = importlib.import_module("spandrel")
    del sys.modules[FUNCTIONS]
    if find_spec(MORE) is not None:
        importlib.import_module(MORE).install(ignore_duplicates=True)
    return spandrel


def _normalized(pixels: Tensor, mean: list[float], deviation: list[float]) -> Tensor:
    """Do what torchvision's `normalize` does, which RestoreFormer's pictures go through."""
    middle, width = (pixels.new_tensor(one)[:, None, None] for one in (mean, deviation))
    return (pixels - middle) / width
