"""Orders and results of the engine: the interface between control process and engine.

Everything here, and in the module `order` of each kind, travels between the two processes, so it is
small and plain, and does not import torch.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

from core.wire.submit import GenerationMetadataStable

R = TypeVar("R")


@dataclass(frozen=True)
class Model:
    """Something complete on disk that the engine can load; its class decides by which renderer.

    name: under which it is offered.
    folder: where its files are.
    """

    name: str
    folder: Path


class Order(ABC, Generic[R]):
    """Something to be made by one model; the result is an R."""

    @property
    @abstractmethod
    def model(self) -> Model:
        """The model that makes it."""


@dataclass(frozen=True)
class Picture:
    """A finished picture. rgb: height x width x 3 bytes, by rows.

    alpha: height x width bytes of opacity, or None for a picture that is opaque all over.
    """

    width: int
    height: int
    rgb: bytes
    alpha: bytes | None = None


class CannotRender(Exception):
    """This order cannot be served, by its own fault; the next one may be fine.

    notes: for the requester.
    """

    def __init__(self, reason: str, notes: tuple[GenerationMetadataStable, ...] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.notes = notes


class BrokenResult(CannotRender):
    """What the model made is no result: numbers out of range, nothing to be seen."""


class CannotLoad(Exception):
    """The model's files cannot be used."""


class Stopped(Exception):
    """Nobody wants this order any more; the text says why."""


class EngineEnds(SystemExit):
    """The engine process is to end, by no order's fault; reason: why, for strangers."""

    def __init__(self, reason: str) -> None:
        super().__init__(1)
        self.reason = reason


@dataclass(frozen=True)
class Shown:
    """What can be shown before a result is there: a small encoded picture (WebP), or a text so far.

    index: of the batch's job that it is of.
    """

    index: int
    data: bytes | str


@dataclass(frozen=True)
class Held:
    """A model that is in memory. bytes: of its weights.

    is_parked: whether it is in the machine's memory and has to go to the device before it is used.
    """

    name: str
    bytes: int
    is_parked: bool = False


class OnStep(Protocol):
    """Takes note of steps."""

    def __call__(
        self, step: int, steps: int, show: Callable[[], Shown | None] | None = None
    ) -> None:
        """Be told a step's number (from 1), and how many there will be.

        show: gives what can be shown by now; it is called where somebody wants it, now and then.

        Raises Stopped where the order is to be left.
        """


def nobody(step: int, steps: int, show: Callable[[], Shown | None] | None = None) -> None:
    """Take note of no step."""


class Renderer(Protocol):
    """Makes things with models, in the engine process.

    Any: each renderer takes models and orders of its own classes; `worker.renderers` chooses the
    renderer by the model's class.
    """

    def load(self, model: Any) -> None:  # noqa: ANN401
        """Load a model; the one before may be dropped. Raises CannotLoad."""

    def render(self, order: Any, on_step: OnStep) -> Any:  # noqa: ANN401
        """Serve an order for a loaded model. Raises CannotRender."""


@runtime_checkable
class Holding(Protocol):
    """A renderer whose models stay in memory."""

    def held(self) -> tuple[Held, ...]:
        """Name them."""


class DeviceRenderer(Renderer, Holding, Protocol):
    """The renderer of an engine process."""

    device: str
    """The device that it renders on: `cpu`, `cuda`, `mps`."""


def information(text: str) -> GenerationMetadataStable:
    """A note about a picture in words (at most 255 characters)."""
    return GenerationMetadataStable(type="information", value="see_ref", ref=text[:255])
