"""Control types: which of them can be served with what is here. Without torch.

A control type is a second model, a ControlNet (arXiv:2302.05543), that holds a picture to the
lines, depth or pose of another one. What it is shown is a map, which an annotator draws of that.
"""

import json
import math
import re
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import structlog

from core.features import CONTROL_TYPES
from worker.image import control_file, inspection
from worker.image.inspection import DIFFUSION, NotUsable
from worker.image.order import Checkpoint, ControlNetwork

FOLDER: Final = "controlnet"
"""Below the model folders: diffusers folders and single files, each with a control type in its
name."""
ENDING: Final = ".safetensors"
QR: Final = "qr"
"""Networks that hold a picture to a QR code's squares: for the workflow of that name, not a control
type of the contract."""
QR_WORKFLOW: Final = "qr_code"
TYPES: Final = (*CONTROL_TYPES, QR)
CALLED: Final[Mapping[str, str]] = {
    **{name: name for name in CONTROL_TYPES},
    "mlsd": "hough",
    "normalbae": "normal",
    "softedge": "hed",
    "segmentation": "seg",
    "qrcode": QR,
    QR: QR,
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
FAMILIES: Final = frozenset({"sd", "sdxl"})
"""The families of models that have them."""
BROKEN: Final = (NotUsable, OSError, ValueError, KeyError, TypeError, struct.error)
"""What reading a file leads to that is not as it should be."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Controls:
    """The networks for control types that are here."""

    networks: tuple[ControlNetwork, ...] = ()

    def of(self, control_type: str, checkpoint: Checkpoint) -> ControlNetwork | None:
        """Give the network of a type for a model; None where there is none."""
        wanted = SHARED.get(control_type, control_type)
        fitting = (one for one in self.networks if one.fits == _takes(checkpoint))
        return next((one for one in fitting if wanted in one.control_types), None)

    def features(self, checkpoints: Iterable[Checkpoint]) -> frozenset[str]:
        """Say what every one of these models can do, as pops name it."""
        models = list(checkpoints)
        controlled = {
            f"control:{name}"
            for name in CONTROL_TYPES
            if models and all(self.of(name, model) is not None for model in models)
        }
        if models and all(self.of(QR, model) is not None for model in models):
            controlled.add(QR_WORKFLOW)
        return frozenset({*controlled, *(f"annotator:{name}" for name in BY_ARITHMETIC)})


def find(folders: Iterable[Path], added: Mapping[Path, frozenset[str]] | None = None) -> Controls:
    """Find the networks in the model folders; what cannot be used is logged and left out.

    added: others, which were added by name, with the control types that they are for.
    """
    here = {
        place: in_name(place.name)
        for folder in folders
        for place in sorted((folder / FOLDER).glob("*"))
        if place.is_dir() or place.suffix == ENDING
    }
    found: list[ControlNetwork] = []
    for place, types in {**(added or {}), **here}.items():
        try:
            found.append(read(place, types))
        except BROKEN as error:
            log.warning("control network not offered", place=str(place), reason=str(error))
    return Controls(tuple(found))


def in_name(name: str) -> frozenset[str]:
    """Say which control types a network's name tells."""
    words = re.split("[^a-z]+", name.lower())
    return frozenset(CALLED[word] for word in words if word in CALLED)


def inspect(name: str, folder: Path) -> ControlNetwork:
    """Look at a network whose control types do not count here. Raises NotUsable."""
    try:
        return read(folder, in_name(name) or frozenset(TYPES))
    except BROKEN as error:
        raise NotUsable(f"{folder}: {error}") from error


def read(place: Path, types: frozenset[str]) -> ControlNetwork:
    """Look at a network, a folder or a file. Raises one of BROKEN."""
    if not types:
        raise NotUsable("its name has no control type")
    if place.is_file():
        config = control_file.configuration(inspection.tensors(place))
        return ControlNetwork(types, place, _shape(config), megabytes=_megabytes([place]))
    config = inspection.read(place / "config.json")
    if config["_class_name"] != "ControlNetModel":
        raise NotUsable(f"a {config['_class_name']}, which is not served")
    variant = inspection.check_weights(place, DIFFUSION)
    weights = place.glob(f"*{ENDING}")
    return ControlNetwork(types, place, _shape(config), variant, _megabytes(weights))


def _megabytes(files: Iterable[Path]) -> int:
    return math.ceil(sum(path.stat().st_size for path in files) / 2**20)


def _takes(checkpoint: Checkpoint) -> str:
    if checkpoint.family not in FAMILIES:
        return ""
    return _shape(json.loads((checkpoint.folder / "unet" / "config.json").read_bytes()))


def _shape(config: Mapping[str, Any]) -> str:
    """What must be the same in a denoiser and its control network.

    A denoiser that is shown more than a picture's latents is controlled by these alone.
    """
    kept = ("block_out_channels", "layers_per_block", "cross_attention_dim")
    added = config.get("projection_class_embeddings_input_dim")
    return json.dumps([*(config[name] for name in kept), added])
