"""What the control process and the engine process say to each other, over a pipe.

Pictures travel as bytes in these messages: a 1024x1024 picture is 3 MB, which a pipe carries in a
millisecond or two, and unlike shared memory it leaves nothing behind when either side is killed.
"""

from dataclasses import dataclass
from typing import Any

from core.wire.submit import GenerationMetadataStable
from worker.renderer import Held, Model, Order, Shown


@dataclass(frozen=True)
class Load:
    """To the engine: have this model ready, and see that it makes something."""

    model: Model


@dataclass(frozen=True)
class Render:
    """To the engine: make this; load its model first if need be.

    number: by which it can be stopped.
    """

    order: Order[Any]
    number: int


@dataclass(frozen=True)
class Stop:
    """To the engine: leave this order at its next step. One that is over is left alone."""

    number: int


@dataclass(frozen=True)
class Show:
    """To the engine: somebody looks on, so let steps of this order bring what is to be seen."""

    number: int


@dataclass(frozen=True)
class Ready:
    """From the engine: the libraries are loaded, and this is its device."""

    device: str


@dataclass(frozen=True)
class Loaded:
    """From the engine: the model is ready. held: what is in memory now."""

    held: tuple[Held, ...] = ()


@dataclass(frozen=True)
class Step:
    """From the engine: it lives, and has done this step of so many. shown: what there is to see."""

    step: int
    steps: int
    shown: Shown | None = None


@dataclass(frozen=True)
class Done:
    """From the engine: the result of the order, of the type that the order's class names."""

    result: Any


@dataclass(frozen=True)
class Refused:
    """From the engine: this order cannot be rendered. broken: by the model's fault, perhaps."""

    reason: str
    notes: tuple[GenerationMetadataStable, ...] = ()
    broken: bool = False


@dataclass(frozen=True)
class Left:
    """From the engine: the order was left, as it was told."""


@dataclass(frozen=True)
class NotLoaded:
    """From the engine: this model cannot be loaded."""

    reason: str


@dataclass(frozen=True)
class Ended:
    """From the engine: it ends, by no order's fault."""

    reason: str


Command = Load | Render | Stop | Show
Report = Ready | Loaded | Step | Done | Refused | Left | NotLoaded | Ended
