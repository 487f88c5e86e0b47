"""Control types: which of them can be served with what is here. Without torch.

A control type is a second model, a ControlNet (arXiv:2302.05543), that holds a picture to the
lines, depth or pose of another one. What it is shown is a map, which an annotator draws of that.
"""

import json
import re
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import structlog

from core.features import CONTROL_TYPES
from worker.image import inspection
from worker.image.inspection import DIFFUSION, NotUsable
from worker.image.order import Checkpoint, ControlNetwork

FOLDER: Final = "controlnet"
"""Below the model folders: diffusers folders, each with a control type in its name."""
CALLED: Final[Mapping[str, str]] = {
    **{name: name for name in CONTROL_TYPES},
    "mlsd": "hough",
    "normalbae": "normal",
    "softedge": "hed",
}
"""Control types by the words in the names of their networks."""
SHARED: Final = {"fakescribbles": "scribble"}
"""Types that have no network of their own: their maps are for another's."""
BY_ARITHMETIC: Final = tuple(name for name, one in CONTROL_TYPES.items() if one.by_arithmetic)
"""The types whose maps are drawn without a network; see `worker.image.annotators`."""

WHOLE: Final = frozenset(
    f"{what}:{name}" for what in ("control", "annotator") for name in CONTROL_TYPES
)
"""All that the contract's switch for control types stands for."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Controls:
    """The networks for control types that are here."""

    networks: tuple[ControlNetwork, ...] = ()

    def of(self, control_type: str, checkpoint: Checkpoint) -> ControlNetwork | None:
        """Give the network of a type for a model; None where there is none."""
        wanted = SHARED.get(control_type, control_type)
        fitting = (one for one in self.networks if one.fits == _takes(checkpoint))
        return next((one for one in fitting if one.control_type == wanted), None)

    def features(self, checkpoints: Iterable[Checkpoint]) -> frozenset[str]:
        """Say what every one of these models can do, as pops name it."""
        models = list(checkpoints)
        controlled = {
            f"control:{name}"
            for name in CONTROL_TYPES
            if models and all(self.of(name, model) is not None for model in models)
        }
        return frozenset({*controlled, *(f"annotator:{name}" for name in BY_ARITHMETIC)})


def find(folders: Iterable[Path]) -> Controls:
    """Find the networks in the model folders; what cannot be used is logged and left out."""
    found: list[ControlNetwork] = []
    for place in (one for folder in folders for one in sorted((folder / FOLDER).glob("*/"))):
        try:
            found += _read(place)
        except (NotUsable, OSError, ValueError, KeyError, TypeError, struct.error) as error:
            log.warning("control network not offered", folder=str(place), reason=str(error))
    return Controls(tuple(found))


def _read(folder: Path) -> Iterator[ControlNetwork]:
    config = inspection.read(folder / "config.json")
    if config["_class_name"] != "ControlNetModel":
        raise NotUsable(f"a {config['_class_name']}")
    variant = inspection.check_weights(folder, DIFFUSION)
    words = re.split(r"[^a-z]+|(?<=v1p)", folder.name.lower())
    types = {CALLED[word] for word in words if word in CALLED}
    if not types:
        raise NotUsable("its name has no control type")
    for control_type in sorted(types):
        yield ControlNetwork(control_type, folder, variant, _shape(config))


def _takes(checkpoint: Checkpoint) -> str:
    if checkpoint.family != "sd":
        return ""
    return _shape(json.loads((checkpoint.folder / "unet" / "config.json").read_bytes()))


def _shape(config: Mapping[str, Any]) -> str:
    """What must be the same in a denoiser and its control network."""
    kept = ("in_channels", "block_out_channels", "cross_attention_dim", "down_block_types")
    return json.dumps([config[name] for name in kept])
