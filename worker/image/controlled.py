"""Pictures that a ControlNet holds to a map, and the maps.

In the engine process only: uses torch.
"""

import importlib
import time
from typing import Any, Final

import torch
from PIL import Image, ImageOps
from safetensors.torch import load_file

from worker import pictures
from worker.image import annotators, control_file, inspection, qr
from worker.image.kept import KeptModels
from worker.image.loaded import Loaded
from worker.image.order import Control, ControlNetwork
from worker.image.sizes import Size
from worker.renderer import CannotRender

PIPELINES: Final = {
    "sd": "StableDiffusionControlNetPipeline",
    "sdxl": "StableDiffusionXLControlNetPipeline",
}
"""Diffusers' classes, by the model's family."""


class LoadedNetwork:
    """A network for control types that is loaded."""

    def __init__(self, network: torch.nn.Module) -> None:
        self.network = network

    @property
    def size(self) -> int:
        """Bytes of its weights."""
        return sum(tensor.nbytes for tensor in self.network.parameters())

    def to(self, device: str) -> None:
        """Move it to another device."""
        self.network.to(device)


class ControlNetworks:
    """Networks for control types, which are kept as the models are. kept: with these."""

    def __init__(self, kept: KeptModels) -> None:
        self._kept = kept

    def pipeline(self, model: Loaded, network: ControlNetwork) -> Any:  # noqa: ANN401 - of diffusers
        """Make what draws with a model and a network. Raises CannotRender."""
        # Late: few orders need it, and it takes a second to import.
        make = getattr(importlib.import_module("diffusers"), PIPELINES[model.checkpoint.family])
        controlnet = self._loaded(model, network).network.to(dtype=model.dtype)
        pipe = make(**model.from_text.components, controlnet=controlnet, **model.made_with)
        pipe.set_progress_bar_config(disable=True)
        return pipe

    def _loaded(self, model: Loaded, network: ControlNetwork) -> LoadedNetwork:
        kept = self._kept.get(network, beside=model.checkpoint)
        if isinstance(kept, LoadedNetwork):
            return kept
        self._kept.make_room(network, beside=model.checkpoint)
        began = time.monotonic()
        try:
            loaded = LoadedNetwork(_read(network).to(model.from_text.device, model.dtype))
        except torch.OutOfMemoryError:
            raise
        except Exception as error:  # a broken one fails in as many ways as a checkpoint
            # It is not the checkpoint's fault, which would be blamed for it.
            name = network.place.name
            raise CannotRender(f"the control network {name} cannot be used") from error
        self._kept.put(network, loaded, time.monotonic() - began)
        return loaded


def _read(network: ControlNetwork) -> torch.nn.Module:
    """Read a network. It raises whatever a broken one makes the libraries do."""
    from diffusers import ControlNetModel  # noqa: PLC0415 - as above
    from diffusers.loaders import single_file_utils  # noqa: PLC0415

    if network.place.is_dir():
        read: torch.nn.Module = ControlNetModel.from_pretrained(
            network.place, local_files_only=True, use_safetensors=True, variant=network.variant
        )
        return read
    config = control_file.configuration(inspection.tensors(network.place))
    made: torch.nn.Module = ControlNetModel.from_config(config)
    weights = single_file_utils.convert_controlnet_checkpoint(load_file(network.place), config)
    made.load_state_dict(weights)
    return made.eval()


def map_of(control: Control, size: Size) -> Image.Image:
    """Draw the map of a picture, or take it as one, at a size. Raises CannotRender."""
    if control.code:
        return qr.map_of(control.code, size)
    source = pictures.on_white(pictures.read(control.picture, kind="source_image"))
    image = ImageOps.fit(source, (size.width, size.height), Image.Resampling.LANCZOS)
    return image if control.is_map else annotators.annotated(image, control.control_type)


def notes_on(control: Control) -> list[str]:
    """What the requester should know about a map."""
    if control.code:
        return ["held to a QR code: try to read it before you use it"]
    note = annotators.NOT_A_NETWORK.get(control.control_type)
    return [] if control.is_map or note is None else [note]
