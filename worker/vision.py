"""The networks that look at pictures and are here; `worker.seeing` runs them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from worker import models
from worker.models import NotUsable
from worker.renderer import Model

CONFIG: Final = "config.json"
JUDGE: Final = "aesthetic.safetensors"
"""A file beside the weights of a CLIP: how well people like what it sees (`weight`, `bias`)."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class VisionModel(Model):
    """A network that answers one form, whose name it has.

    architecture: as its folder's `config.json` calls it.
    """

    architecture: str


@dataclass(frozen=True)
class Network:
    """A network of which it is known what it can answer.

    forms: for each, the file that it needs beside the network's own; empty where there is none.
    """

    architecture: str
    forms: Mapping[str, str]


CHECKER: Final = "safety_checker"
CHECKING: Final = "nsfw"
"""The form that says whether a picture is unsafe for work."""
NETWORKS: Final[Mapping[str, Network]] = {
    "blip": Network("BlipForConditionalGeneration", {"caption": "", "describe": ""}),
    "clip": Network("CLIPModel", {"interrogation": "", "aesthetic": JUDGE}),
    CHECKER: Network("StableDiffusionSafetyChecker", {CHECKING: ""}),
}
"""By the names under which they are added."""


def find(added: Mapping[str, Path], folders: Iterable[Path]) -> dict[str, VisionModel]:
    """Find what can be answered, by the names of the forms.

    added: folders of networks that were added by name. folders: in which others are looked for.
    """
    places = list(folders)
    found: dict[str, VisionModel] = {}
    for name, network in NETWORKS.items():
        here = (place / name for place in places if (place / name / CONFIG).is_file())
        for folder in (*([added[name]] if name in added else ()), *here):
            try:
                inspect(name, folder)
                found |= _answers(network, folder)
            except NotUsable as error:
                log.warning("forms not offered", network=name, reason=str(error))
            else:
                break
    return found


def inspect(name: str, folder: Path) -> VisionModel:
    """See that a folder has this network, whole; gives it for its first form. Raises NotUsable."""
    network = NETWORKS.get(name)
    if network is None:
        raise NotUsable(f"networks that look at pictures are called {', '.join(NETWORKS)}")
    models.inspect_network(folder, network.architecture)
    return next(iter(_answers(network, folder).values()))


def _answers(network: Network, folder: Path) -> dict[str, VisionModel]:
    """Give what a network answers. Raises NotUsable if a file beside it is broken."""
    found = {}
    for form, beside in network.forms.items():
        if beside and not (folder / beside).is_file():
            continue
        if beside:
            models.inspect_file(folder / beside)
        found[form] = VisionModel(form, folder, network.architecture)
    return found
