"""Pictures that a ControlNet holds to a map, and the maps.

In the engine process only: uses torch.
"""

from typing import Any

import torch
from PIL import Image, ImageOps

from worker import pictures
from worker.image import annotators
from worker.image.loaded import Loaded
from worker.image.order import Control, ControlNetwork
from worker.image.sizes import Size
from worker.renderer import CannotRender


class ControlNetworks:
    """Networks for control types, of which the last one stays loaded."""

    def __init__(self) -> None:
        self._last: tuple[ControlNetwork, Any] | None = None

    def pipeline(self, model: Loaded, network: ControlNetwork) -> Any:  # noqa: ANN401 - of diffusers
        """Make what draws with a model and a network. Raises CannotRender."""
        # Late: few orders need it, and it takes a second to import.
        from diffusers import StableDiffusionControlNetPipeline  # noqa: PLC0415

        pipe = StableDiffusionControlNetPipeline(
            **model.from_text.components,
            controlnet=self._loaded(model, network),
            requires_safety_checker=False,
        )
        pipe.set_progress_bar_config(disable=True)
        return pipe

    def drop(self) -> None:
        """Have the memory of the one that is loaded."""
        self._last = None

    def _loaded(self, model: Loaded, network: ControlNetwork) -> Any:  # noqa: ANN401 - of diffusers
        from diffusers import ControlNetModel  # noqa: PLC0415 - as above

        if self._last is None or self._last[0] != network:
            self.drop()
            try:
                loaded = ControlNetModel.from_pretrained(
                    network.folder,
                    local_files_only=True,
                    use_safetensors=True,
                    variant=network.variant,
                )
            except torch.OutOfMemoryError:
                raise
            except Exception as error:  # a broken one fails in as many ways as a checkpoint
                # It is not the checkpoint's fault, which would be blamed for it.
                name = network.folder.name
                raise CannotRender(f"the control network {name} cannot be used") from error
            self._last = (network, loaded)
        return self._last[1].to(model.from_text.device, model.dtype)


def map_of(control: Control, size: Size) -> Image.Image:
    """Draw the map of a picture, or take it as one, at a size. Raises CannotRender."""
    source = pictures.on_white(pictures.read(control.picture, kind="source_image"))
    image = ImageOps.fit(source, (size.width, size.height), Image.Resampling.LANCZOS)
    return image if control.is_map else annotators.annotated(image, control.control_type)


def notes_on(control: Control) -> list[str]:
    """What the requester should know about a map."""
    note = annotators.NOT_A_NETWORK.get(control.control_type)
    return [] if control.is_map or note is None else [note]
