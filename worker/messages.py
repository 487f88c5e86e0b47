"""What the control process and the engine process say to each other, over a pipe.

Pictures travel as bytes in these messages: a 1024x1024 picture is 3 MB, which a pipe carries in a
millisecond or two, and unlike shared memory it leaves nothing behind when either side is killed.
"""

from dataclasses import dataclass
from typing import Any

from core.wire.submit import GenerationMetadataStable
from worker.renderer import Model, Order


@dataclass(frozen=True)
class Load:
    """To the engine: load this model."""

    model: Model


@dataclass(frozen=True)
class Render:
    """To the engine: make this; load its model first if need be."""

    order: Order[Any]


@dataclass(frozen=True)
class Ready:
    """From the engine: the libraries are loaded, and this is its device."""

    device: str


@dataclass(frozen=True)
class Loaded:
    """From the engine: the model is ready."""


@dataclass(frozen=True)
class Step:
    """From the engine: it is alive, and has done this step of so many."""

    step: int
    steps: int


@dataclass(frozen=True)
class Done:
    """From the engine: the result of the order, of the type that the order's class names."""

    result: Any


@dataclass(frozen=True)
class Refused:
    """From the engine: this order cannot be rendered."""

    reason: str
    notes: tuple[GenerationMetadataStable, ...] = ()


@dataclass(frozen=True)
class NotLoaded:
    """From the engine: this model cannot be loaded."""

    reason: str


Command = Load | Render
Report = Ready | Loaded | Step | Done | Refused | NotLoaded
