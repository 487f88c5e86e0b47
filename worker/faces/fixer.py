"""The networks for restoring faces that are here; `worker.faces.restoring` runs them."""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from core.features import POST_PROCESSORS
from worker.renderer import Model
from worker.upscaler import ENDINGS

NAMES: Final = tuple(
    name
    for name, processor in POST_PROCESSORS.items()
    if processor.enlarges_by == 1 and name != "strip_background"
)
"""The horde's face fixers."""
RESTRICTED: Final = "CodeFormers"
MORE: Final = "spandrel_extra_arches"
"""One whose authors forbid commercial use (S-Lab licence 1.0), and the package that reads it: it is
used where the operator has installed that, and no extra of ours asks for it."""

DETECTOR: Final = "face_detector"
DETECTOR_FILES: Final = ("pnet.pt", "rnet.pt", "onet.pt")
"""What finds faces: a folder of the three networks of MTCNN (arXiv:1604.02878)."""


@dataclass(frozen=True)
class FaceFixer(Model):
    """Weights that restore faces. folder: the file itself. detector: the folder of what finds them.

    strength: 0 to 1, how much of a restored face is taken.
    """

    detector: Path
    strength: float = 1.0


def detector(folders: Iterable[Path]) -> Path | None:
    """Find what finds faces; None where it is not here, or not all of it."""
    here = (folder / DETECTOR for folder in folders)
    return next((one for one in here if is_detector(one)), None)


def is_detector(folder: Path) -> bool:
    """Whether a folder has all that finds faces."""
    return all((folder / name).is_file() for name in DETECTOR_FILES)


def find(folders: Iterable[Path]) -> dict[str, FaceFixer]:
    """Find the weights of known face fixers, by name; none where nothing finds faces."""
    places = list(folders)
    finder = detector(places)
    found: dict[str, FaceFixer] = {}
    for name in NAMES if finder is not None else ():
        if name == RESTRICTED and find_spec(MORE) is None:
            continue
        files = (folder / f"{name}{ending}" for folder in places for ending in ENDINGS)
        here = next((file for file in files if file.is_file()), None)
        if here is not None and finder is not None:
            found[name] = FaceFixer(name, here, finder)
    return found
